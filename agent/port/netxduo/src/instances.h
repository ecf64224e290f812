/* The stack's list of its NX_IP instances. */
#ifndef PICKET_NETXDUO_SRC_INSTANCES_H
#define PICKET_NETXDUO_SRC_INSTANCES_H

#include "nx_api.h"

/* The instance after this one, or the first after NULL; NULL: that was the last. Interrupts are
 * off, or no thread can come in between, so that none is created or deleted meanwhile. */
NX_IP *picket_instance_after(const NX_IP *ip);

#endif
