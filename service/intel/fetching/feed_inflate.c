#include "feed_inflate.h"

#include <string.h>
#include <zlib.h>

enum { PIECE_BYTES = 64 * 1024, ANY_HEADER = 15 + 32 };

bool feed_is_gzip(const struct feed_bytes *bytes)
{
    return bytes->size_bytes >= 2 && memcmp(bytes->text, "\x1f\x8b", 2) == 0;
}

static int result_of(int code, struct picket_error *error)
{
    if (code == Z_MEM_ERROR)
        return picket_fail(error, PICKET_NO_MEMORY, "no memory to decompress it");
    if (code == Z_BUF_ERROR)
        return picket_fail(error, PICKET_INVALID, "is compressed, and cut off");
    if (code != Z_STREAM_END)
        return picket_fail(error, PICKET_INVALID, "is compressed, and damaged");
    return PICKET_OK;
}

/* One member: *code is zlib's. */
static int inflate_member(z_stream *stream, struct feed_bytes *out, int *code,
                          struct picket_error *error)
{
    unsigned char piece[PIECE_BYTES];
    int status = PICKET_OK;
    do {
        stream->next_out = piece;
        stream->avail_out = sizeof piece;
        *code = inflate(stream, Z_NO_FLUSH);
        if (*code == Z_OK || *code == Z_STREAM_END)
            status = feed_bytes_append(out, piece, sizeof piece - stream->avail_out, error);
    } while (status == PICKET_OK && *code == Z_OK);
    return status == PICKET_OK ? result_of(*code, error) : status;
}

static int inflate_all(z_stream *stream, struct feed_bytes *out, struct picket_error *error)
{
    int code, status = inflate_member(stream, out, &code, error);
    while (status == PICKET_OK && stream->avail_in > 0) {
        if (*stream->next_in != 0x1f)
            return picket_fail(error, PICKET_INVALID,
                               "is compressed, with something else behind its end");
        inflateReset(stream);
        status = inflate_member(stream, out, &code, error);
    }
    return status;
}

int feed_inflate(struct feed_bytes *bytes, struct picket_error *error)
{
    struct feed_bytes out = {.max_bytes = bytes->max_bytes};
    z_stream stream = {.next_in = (unsigned char *)bytes->text,
                       .avail_in = (unsigned)bytes->size_bytes};
    int status = feed_bytes_reserve(&out, 0, error);
    if (status == PICKET_OK && inflateInit2(&stream, ANY_HEADER) != Z_OK)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory to decompress it");
    if (status == PICKET_OK) {
        status = inflate_all(&stream, &out, error);
        inflateEnd(&stream);
    }
    if (status != PICKET_OK) {
        feed_bytes_free(&out);
        return status;
    }
    feed_bytes_free(bytes);
    *bytes = out;
    return PICKET_OK;
}

bool feed_is_deflated(const struct feed_bytes *bytes)
{
    return bytes->size_bytes > 0 && bytes->text[0] == '\x78';
}

int feed_deflate(struct feed_bytes *bytes, struct picket_error *error)
{
    struct feed_bytes out = {.max_bytes = FEED_BYTES_MAX};
    uLongf size = compressBound(bytes->size_bytes);
    int status = feed_bytes_reserve(&out, size, error);
    if (status == PICKET_OK &&
        compress2((unsigned char *)out.text, &size, (const unsigned char *)bytes->text,
                  bytes->size_bytes, Z_BEST_SPEED) != Z_OK)
        status = picket_fail(error, PICKET_NO_MEMORY, "no memory to compress it");
    if (status != PICKET_OK) {
        feed_bytes_free(&out);
        return status;
    }
    out.size_bytes = size;
    feed_bytes_free(bytes);
    *bytes = out;
    return PICKET_OK;
}
