/* Thumbprints: the hash of a certificate's DER, by which a device that authenticates with X.509 is
 * known. SHA-256, or SHA-1 as Azure IoT Hub takes it too. Thread: pure functions.
 */
#ifndef PICKET_STORE_THUMBPRINT_H
#define PICKET_STORE_THUMBPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PICKET_THUMBPRINT_SHA1_BYTES = 20,
    PICKET_THUMBPRINT_SHA256_BYTES = 32,
    PICKET_THUMBPRINT_TEXT_BYTES = 2 * PICKET_THUMBPRINT_SHA256_BYTES + 1
};

struct picket_thumbprint {
    uint8_t bytes[PICKET_THUMBPRINT_SHA256_BYTES];
    size_t size_bytes; /* 0: none; 20: SHA-1; 32: SHA-256 */
};

/* 40 or 64 hexadecimal digits, capital or small; between two bytes there may be one colon or blank,
 * as OpenSSL and Windows print them. False, and nothing in *thumbprint, if it is none. */
bool picket_thumbprint_parse(struct picket_thumbprint *thumbprint, const char *text);

/* Capital digits without anything between, "" for none, into out, of PICKET_THUMBPRINT_TEXT_BYTES;
 * returns out. */
char *picket_thumbprint_format(const struct picket_thumbprint *thumbprint, char *out);

bool picket_thumbprint_equals(const struct picket_thumbprint *one,
                              const struct picket_thumbprint *other);

#endif
