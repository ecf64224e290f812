#include "instances.h"

#include "nx_ip.h"

/* The list is a ring. */
NX_IP *picket_instance_after(const NX_IP *ip)
{
    if (ip == NULL)
        return _nx_ip_created_ptr;
    return ip->nx_ip_created_next == _nx_ip_created_ptr ? NULL : ip->nx_ip_created_next;
}
