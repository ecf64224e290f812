#include "flow_block.h"

#include <endian.h>
#include <string.h>

static uint8_t *put(uint8_t *out, const void *bytes, size_t size_bytes)
{
    memcpy(out, bytes, size_bytes);
    return out + size_bytes;
}

static uint8_t *put_number(uint8_t *out, uint32_t number, int size_bytes)
{
    for (int i = 0; i < size_bytes; i++)
        *out++ = (uint8_t)(number >> 8 * i);
    return out;
}

static uint16_t take_short(const uint8_t **at)
{
    uint16_t number;
    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    return le16toh(number);
}

static uint32_t take_word(const uint8_t **at)
{
    uint32_t number;
    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    return le32toh(number);
}

static size_t address_bytes(const struct picket_address *address)
{
    return address->family == 6 ? 16 : 4;
}

size_t flow_pack(const struct picket_flow *flow, uint8_t *out)
{
    uint8_t *at = out;
    *at++ = flow->protocol;
    *at++ = (uint8_t)((flow->local.family == 6 ? FLOW_LOCAL_IS_IPV6 : 0) |
                      (flow->remote.family == 6 ? FLOW_REMOTE_IS_IPV6 : 0));
    at = put(at, flow->local.bytes, address_bytes(&flow->local));
    at = put(at, flow->remote.bytes, address_bytes(&flow->remote));
    at = put_number(at, flow->local_port, 2);
    at = put_number(at, flow->remote_port, 2);
    at = put_number(at, flow->bytes_in, 4);
    at = put_number(at, flow->bytes_out, 4);
    return (size_t)(at - out);
}

static struct picket_address take_address(const uint8_t **at, bool is_ipv6)
{
    const uint8_t *bytes = *at;
    *at += is_ipv6 ? 16 : 4;
    return is_ipv6 ? picket_address_ipv6(bytes) : picket_address_ipv4(bytes);
}

bool flow_unpack(struct picket_flow *flow, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *remote, *from = *at;
    bool remote_is_ipv6;
    size_t bytes = flow_peek(from, end, &remote, &remote_is_ipv6);
    if (bytes == 0)
        return false;
    flow->protocol = *from++;
    bool local_is_ipv6 = *from++ & FLOW_LOCAL_IS_IPV6;
    flow->local = take_address(&from, local_is_ipv6);
    flow->remote = take_address(&from, remote_is_ipv6);
    flow->local_port = take_short(&from);
    flow->remote_port = take_short(&from);
    flow->bytes_in = take_word(&from);
    flow->bytes_out = take_word(&from);
    *at = from;
    return true;
}
