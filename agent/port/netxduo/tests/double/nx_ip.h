/* The list of all NX_IP instances, circular. */
#ifndef NX_IP_H
#define NX_IP_H

#include "nx_api.h"

extern NX_IP *_nx_ip_created_ptr;

#endif
