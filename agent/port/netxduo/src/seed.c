/* NX_RAND may be a true source or an unseeded rand(): with the first, what comes out is as good;
 * with the second, at least two devices, and two boots of one, do not say the same. */
#include "seed.h"

#include <string.h>

#include "nx_ip.h"

static picket_netxduo_random chosen;
static uint32_t state[4];

VOID picket_netxduo_random_set(picket_netxduo_random random_get)
{
    chosen = random_get;
}

/* Takes a word in, one for one, and steps a xorshift of 128 bits: G. Marsaglia, Xorshift RNGs,
 * 2003. */
static uint32_t stir(uint32_t word)
{
    uint32_t t = (state[0] ^ word) * 0x9E3779B1u + 1;
    t ^= t << 11;
    state[0] = state[1];
    state[1] = state[2];
    state[2] = state[3];
    state[3] ^= state[3] >> 19 ^ t ^ t >> 8;
    return state[3];
}

void picket_seed_gather(UINT (*unix_time_get)(ULONG *unix_time))
{
    ULONG now = 0;
    if (unix_time_get != NULL && unix_time_get(&now) == NX_SUCCESS)
        stir((uint32_t)now);
    stir((uint32_t)tx_time_get());
    stir((uint32_t)(ALIGN_TYPE)&now);
    /* The stack's list changes with interrupts off. */
    UINT posture = tx_interrupt_control(TX_INT_DISABLE);
    const NX_IP *ip = _nx_ip_created_ptr;
    for (ULONG i = 0; i < _nx_ip_created_count; i++, ip = ip->nx_ip_created_next) {
        stir((uint32_t)ip->nx_ip_interface[0].nx_interface_physical_address_msw);
        stir((uint32_t)ip->nx_ip_interface[0].nx_interface_physical_address_lsw);
#ifndef NX_DISABLE_IP_INFO
        stir((uint32_t)ip->nx_ip_total_packets_received);
#endif
    }
    tx_interrupt_control(posture);
    for (UINT i = 0; i < 8; i++)
        stir((uint32_t)NX_RAND());
}

void picket_seed_random(void *context, void *bytes, size_t size_bytes)
{
    UCHAR *out = bytes;
    (void)context;
    if (chosen != NULL) {
        chosen(bytes, (UINT)size_bytes);
        return;
    }
    while (size_bytes > 0) {
        uint32_t word = stir((uint32_t)NX_RAND() ^ (uint32_t)tx_time_get());
        size_t part = size_bytes < sizeof word ? size_bytes : sizeof word;
        memcpy(out, &word, part);
        out += part;
        size_bytes -= part;
    }
}
