#include "pcapng.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
    BLOCK_INTERFACE = 1,
    BLOCK_OBSOLETE_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_ENHANCED_PACKET = 6,
    BLOCK_FRAME_BYTES = 12, /* type, length, and the length again at the end */
    BLOCK_BYTES_MAX = 16 * 1024 * 1024,
    INTERFACES_MAX = 4096,
    OPTION_END = 0,
    OPTION_TIME_RESOLUTION = 9,
    OPTION_TIME_OFFSET = 14
};

struct interface {
    uint16_t link;
    uint32_t snapshot_bytes; /* 0: unlimited */
    uint64_t units_per_s;    /* 0: finer than 64 bits can count, all times are 0 */
    int64_t offset_s;
};

struct pcapng {
    FILE *file;
    uint64_t position; /* of the block at hand */
    bool big_endian;
    bool in_section;
    struct interface *interfaces; /* of this section */
    size_t interface_count;
    uint8_t *body; /* of the block at hand, behind type and length, without the length at its end */
    size_t body_bytes;
    size_t body_capacity;
};

bool pcapng_is(const uint8_t magic[PCAPNG_MAGIC_BYTES])
{
    static const uint8_t section[PCAPNG_MAGIC_BYTES] = {0x0a, 0x0d, 0x0d, 0x0a};
    return memcmp(magic, section, sizeof section) == 0;
}

struct pcapng *pcapng_open(FILE *file)
{
    struct pcapng *reader = calloc(1, sizeof *reader);
    if (reader != NULL)
        reader->file = file;
    return reader;
}

void pcapng_close(struct pcapng *reader)
{
    if (reader == NULL)
        return;
    free(reader->interfaces);
    free(reader->body);
    free(reader);
}

static uint32_t get32(const struct pcapng *reader, const uint8_t *b)
{
    return reader->big_endian
               ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
               : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static uint16_t get16(const struct pcapng *reader, const uint8_t *b)
{
    return (uint16_t)(reader->big_endian ? b[0] << 8 | b[1] : b[1] << 8 | b[0]);
}

static int fail(const struct pcapng *reader, struct picket_error *error, const char *what)
{
    return picket_fail(error, PICKET_INVALID, "block at byte %llu: %s",
                       (unsigned long long)reader->position, what);
}

static bool reserve_body(struct pcapng *reader, size_t size_bytes)
{
    if (size_bytes <= reader->body_capacity)
        return true;
    size_t capacity = size_bytes < 65536 ? 65536 : size_bytes;
    uint8_t *body = realloc(reader->body, capacity);
    if (body == NULL)
        return false;
    reader->body = body;
    reader->body_capacity = capacity;
    return true;
}

/* The byte order is in a section block's first word, which is needed to read the length before it.
 */
static int learn_byte_order(struct pcapng *reader, const uint8_t order[4],
                            struct picket_error *error)
{
    static const uint8_t big[4] = {0x1a, 0x2b, 0x3c, 0x4d};
    static const uint8_t little[4] = {0x4d, 0x3c, 0x2b, 0x1a};
    if (memcmp(order, big, 4) != 0 && memcmp(order, little, 4) != 0)
        return fail(reader, error, "a section without a byte-order mark");
    reader->big_endian = memcmp(order, big, 4) == 0;
    reader->in_section = true;
    reader->interface_count = 0;
    return PICKET_OK;
}

/* Reads the block's remainder; *type is its type. 1, 0 at the end of the file, or negative. */
static int read_block(struct pcapng *reader, uint32_t *type, struct picket_error *error)
{
    uint8_t head[BLOCK_FRAME_BYTES]; /* the shortest block has as many bytes */
    size_t got = fread(head, 1, sizeof head, reader->file);
    if (got == 0)
        return ferror(reader->file) ? fail(reader, error, "cannot be read") : 0;
    if (got < sizeof head)
        return fail(reader, error, "the file ends within the block");
    bool section = pcapng_is(head);
    if (!section && !reader->in_section)
        return fail(reader, error, "not a pcapng section");
    if (section) {
        int status = learn_byte_order(reader, head + 8, error);
        if (status != PICKET_OK)
            return status;
    }
    *type = section ? (uint32_t)BLOCK_SECTION : get32(reader, head);
    uint32_t length = get32(reader, head + 4);
    if (length < BLOCK_FRAME_BYTES || length % 4 != 0 || length > BLOCK_BYTES_MAX)
        return fail(reader, error, "its length is not a multiple of four from 12 to 16 MiB");
    reader->body_bytes = length - BLOCK_FRAME_BYTES;
    if (!reserve_body(reader, length))
        return picket_fail(error, PICKET_NO_MEMORY, "no memory for a block of %u bytes", length);
    memcpy(reader->body, head + 8, 4);
    size_t rest =
        reader->body_bytes; /* four of them are there, four of the second length are not */
    if (fread(reader->body + 4, 1, rest, reader->file) != rest)
        return fail(reader, error, "the file ends within the block");
    if (get32(reader, reader->body + reader->body_bytes) != length)
        return fail(reader, error, "its two lengths differ");
    reader->position += length;
    return 1;
}

static uint64_t units_of(uint8_t resolution)
{
    uint8_t exponent = resolution & 0x7f;
    if ((resolution & 0x80) != 0)
        return exponent < 64 ? UINT64_C(1) << exponent : 0;
    uint64_t units = 1;
    for (; exponent > 0; exponent--) {
        if (units > UINT64_MAX / 10)
            return 0;
        units *= 10;
    }
    return units;
}

static void read_interface_options(struct pcapng *reader, struct interface *interface, size_t at)
{
    while (at + 4 <= reader->body_bytes) {
        uint16_t code = get16(reader, reader->body + at);
        size_t size = get16(reader, reader->body + at + 2);
        const uint8_t *value = reader->body + at + 4;
        if (code == OPTION_END || size > reader->body_bytes - at - 4)
            return;
        if (code == OPTION_TIME_RESOLUTION && size >= 1)
            interface->units_per_s = units_of(value[0]);
        if (code == OPTION_TIME_OFFSET && size >= 8) {
            uint64_t first = get32(reader, value), second = get32(reader, value + 4);
            uint64_t offset = reader->big_endian ? first << 32 | second : second << 32 | first;
            /* Beyond 2^40 s, 30,000 years, it is noise; and sums must not overflow. */
            if (offset < UINT64_C(1) << 40)
                interface->offset_s = (int64_t)offset;
        }
        at += 4 + (size + 3) / 4 * 4;
    }
}

static int add_interface(struct pcapng *reader, struct picket_error *error)
{
    enum { FIXED_BYTES = 8 };
    if (reader->body_bytes < FIXED_BYTES)
        return fail(reader, error, "an interface description that is too short");
    if (reader->interface_count == INTERFACES_MAX)
        return fail(reader, error, "more than 4096 interfaces");
    if (reader->interfaces == NULL) {
        reader->interfaces = calloc(INTERFACES_MAX, sizeof *reader->interfaces);
        if (reader->interfaces == NULL)
            return picket_fail(error, PICKET_NO_MEMORY, "no memory for interfaces");
    }
    struct interface *interface = &reader->interfaces[reader->interface_count++];
    *interface = (struct interface){.link = get16(reader, reader->body),
                                    .snapshot_bytes = get32(reader, reader->body + 4),
                                    .units_per_s = 1000000};
    read_interface_options(reader, interface, FIXED_BYTES);
    return PICKET_OK;
}

static int fill(const struct pcapng *reader, uint32_t interface_id, size_t data_at,
                uint32_t captured_bytes, uint32_t wire_bytes, struct captured_frame *frame,
                struct picket_error *error)
{
    if (interface_id >= reader->interface_count)
        return fail(reader, error, "a packet of an interface that is not described");
    if (captured_bytes > reader->body_bytes - data_at)
        return fail(reader, error, "a packet longer than its block");
    *frame = (struct captured_frame){.link = reader->interfaces[interface_id].link,
                                     .bytes = reader->body + data_at,
                                     .captured_bytes = captured_bytes,
                                     .wire_bytes = wire_bytes};
    return 1;
}

static int timed_packet(const struct pcapng *reader, uint32_t interface_id,
                        struct captured_frame *frame, struct picket_error *error)
{
    enum { FIXED_BYTES = 20 };
    const uint8_t *body = reader->body;
    int status = fill(reader, interface_id, FIXED_BYTES, get32(reader, body + 12),
                      get32(reader, body + 16), frame, error);
    if (status != 1)
        return status;
    const struct interface *interface = &reader->interfaces[interface_id];
    uint64_t units = (uint64_t)get32(reader, body + 4) << 32 | get32(reader, body + 8);
    if (interface->units_per_s != 0) {
        uint64_t seconds = units / interface->units_per_s;
        frame->has_time = seconds < UINT64_C(1) << 40;
        frame->time_s = frame->has_time ? (int64_t)seconds + interface->offset_s : 0;
    }
    return 1;
}

static int simple_packet(const struct pcapng *reader, struct captured_frame *frame,
                         struct picket_error *error)
{
    enum { FIXED_BYTES = 4 };
    if (reader->interface_count == 0)
        return fail(reader, error, "a packet of an interface that is not described");
    uint32_t wire_bytes = get32(reader, reader->body);
    uint32_t captured_bytes = wire_bytes;
    uint32_t snapshot_bytes = reader->interfaces[0].snapshot_bytes;
    if (snapshot_bytes > 0 && captured_bytes > snapshot_bytes)
        captured_bytes = snapshot_bytes;
    return fill(reader, 0, FIXED_BYTES, captured_bytes, wire_bytes, frame, error);
}

int pcapng_next(struct pcapng *reader, struct captured_frame *frame, struct picket_error *error)
{
    for (;;) {
        uint32_t type = 0;
        int status = read_block(reader, &type, error);
        if (status != 1)
            return status;
        bool packet = type == BLOCK_ENHANCED_PACKET || type == BLOCK_OBSOLETE_PACKET;
        if ((packet && reader->body_bytes < 20) ||
            (type == BLOCK_SIMPLE_PACKET && reader->body_bytes < 4))
            return fail(reader, error, "a packet block that is too short");
        switch (type) {
        case BLOCK_INTERFACE:
            status = add_interface(reader, error);
            if (status != PICKET_OK)
                return status;
            break;
        case BLOCK_ENHANCED_PACKET:
            return timed_packet(reader, get32(reader, reader->body), frame, error);
        case BLOCK_OBSOLETE_PACKET:
            return timed_packet(reader, get16(reader, reader->body), frame, error);
        case BLOCK_SIMPLE_PACKET:
            return simple_packet(reader, frame, error);
        default:
            break;
        }
    }
}
