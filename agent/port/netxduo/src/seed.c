/* NX_RAND may be a true source or an unseeded rand(): with the first, what comes out is as good;
 * with the second, at least two devices, and two boots of one, do not say the same. */
#include "seed.h"

#include "instances.h"

static picket_netxduo_random chosen;
static uint64_t state;

VOID picket_netxduo_random_set(picket_netxduo_random random_get)
{
    chosen = random_get;
}

/* Takes a word in and steps a linear congruential generator of 64 bits, with the multiplier of
 * D. Knuth's MMIX. Both are one for one, so that no word cancels another; the upper byte, which
 * comes out, depends on all there was. */
static UCHAR stir(uint32_t word)
{
    state = (state ^ word) * 6364136223846793005u + 1;
    return (UCHAR)(state >> 56);
}

/* The ticks are stirred in with each byte that comes out. */
void picket_seed_gather(UINT (*unix_time_get)(ULONG *unix_time))
{
    ULONG now = 0;
    if (unix_time_get != NULL)
        unix_time_get(&now);
    stir((uint32_t)now);
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
