/* NX_RAND may be a true source or an unseeded rand(): with the first, what comes out is as good;
 * with the second, at least two devices, and two boots of one, do not say the same. */
#include "seed.h"

#include "instances.h"

static picket_netxduo_random chosen;
static uint32_t state[2];

VOID picket_netxduo_random_set(picket_netxduo_random random_get)
{
    chosen = random_get;
}

/* Takes a word in, and returns a byte that depends on all there was. Each step is one for one, so
 * that nothing that was taken in is lost. The multiplier is that of Fibonacci hashing, 2^32 divided
 * by the golden ratio. */
static UCHAR stir(uint32_t word)
{
    state[0] = (state[0] ^ word) * 0x9E3779B1u + state[1];
    state[1] ^= state[0] >> 15;
    return (UCHAR)(state[0] >> 24);
}

/* The ticks are stirred in with each byte that comes out. */
void picket_seed_gather(uint32_t unix_time_s)
{
    stir(unix_time_s);
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    for (const NX_IP *ip = picket_instance_after(NULL); ip != NULL;
         ip = picket_instance_after(ip)) {
        stir((uint32_t)ip->nx_ip_interface[0].nx_interface_physical_address_msw);
        stir((uint32_t)ip->nx_ip_interface[0].nx_interface_physical_address_lsw);
#ifndef NX_DISABLE_IP_INFO
        stir((uint32_t)ip->nx_ip_total_packets_received);
#endif
    }
    tx_interrupt_control(posture);
}

/* A byte takes in a number of NX_RAND's, which may have no more than 15 bits. */
void picket_seed_random(void *context, void *bytes, size_t size_bytes)
{
    UCHAR *out = bytes;
    (void)context;
    if (chosen != NULL)
        chosen(bytes, (UINT)size_bytes);
    else
        for (size_t i = 0; i < size_bytes; i++)
            out[i] = stir((uint32_t)NX_RAND() ^ (uint32_t)tx_time_get());
}
