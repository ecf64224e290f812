#include "authority.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECURITY_BITS_MIN = 112 };

/* ---- from PEM ---- */

/* An encrypted block is not asked the password for. */
static int no_password(char *buffer, int size_bytes, int writing, void *context)
{
    (void)buffer;
    (void)size_bytes;
    (void)writing;
    (void)context;
    return -1;
}

/* *certificate: the only one, NULL on failure. */
static int read_only_one(BIO *text, X509 **certificate, struct picket_error *error)
{
    *certificate = PEM_read_bio_X509(text, NULL, no_password, NULL);
    if (!*certificate)
        return picket_fail(error, PICKET_INVALID, "certificate: holds none in PEM");
    X509 *second = PEM_read_bio_X509(text, NULL, no_password, NULL);
    if (!second)
        return PICKET_OK;
    X509_free(second);
    return picket_fail(error, PICKET_INVALID,
                       "certificate: there is more than one; add each CA by itself");
}

static int read_pem(const char *pem, X509 **certificate, struct picket_error *error)
{
    *certificate = NULL;
    if (strlen(pem) > AUTHORITY_PEM_BYTES_MAX)
        return picket_fail(error, PICKET_INVALID, "certificate: longer than %d bytes",
                           AUTHORITY_PEM_BYTES_MAX);
    if (strstr(pem, "PRIVATE KEY-----"))
        return picket_fail(error, PICKET_INVALID,
                           "certificate: a private key stands beside it; give the certificate "
                           "alone, and keep the key where it was");
    BIO *text = BIO_new_mem_buf(pem, -1);
    if (!text)
        return picket_fail(error, PICKET_NO_MEMORY, "certificate: out of memory");
    int status = read_only_one(text, certificate, error);
    BIO_free(text);
    return status;
}

/* ---- is it fit ---- */

static bool read_time(const ASN1_TIME *time, int64_t *unix_s)
{
    struct tm broken_down;
    if (ASN1_TIME_to_tm(time, &broken_down) != 1)
        return false;
    *unix_s = timegm(&broken_down);
    return true;
}

static int check_time(const X509 *certificate, int64_t now_s, struct picket_error *error)
{
    int64_t until_s;
    char text[40];
    if (!read_time(X509_get0_notAfter(certificate), &until_s))
        return picket_fail(error, PICKET_INVALID, "certificate: its end cannot be read");
    if (until_s > now_s)
        return PICKET_OK;
    time_t end = (time_t)until_s;
    struct tm broken_down;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&end, &broken_down));
    return picket_fail(error, PICKET_INVALID, "certificate: expired %s", text);
}

static int check(X509 *certificate, int64_t now_s, struct picket_error *error)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (X509_check_ca(certificate) != 1)
        return picket_fail(error, PICKET_INVALID,
                           "certificate: is not a CA's: basicConstraints CA:TRUE is missing, or "
                           "keyUsage without keyCertSign");
    if (!key || EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN)
        return picket_fail(error, PICKET_INVALID,
                           "certificate: its key is weaker than %d bits of security (RSA: 2,048 "
                           "bits)",
                           SECURITY_BITS_MIN);
    return check_time(certificate, now_s, error);
}

static int write_der(X509 *certificate, uint8_t **der, size_t *der_bytes,
                     struct picket_error *error)
{
    int size = i2d_X509(certificate, NULL);
    uint8_t *at = *der = size > 0 ? malloc((size_t)size) : NULL;
    if (!at)
        return picket_fail(error, PICKET_NO_MEMORY, "certificate: out of memory");
    *der_bytes = (size_t)i2d_X509(certificate, &at);
    return PICKET_OK;
}

int authority_read(const char *pem, int64_t now_s, uint8_t **der, size_t *der_bytes,
                   struct picket_error *error)
{
    X509 *certificate;
    int status = read_pem(pem, &certificate, error);
    if (status == PICKET_OK)
        status = check(certificate, now_s, error);
    if (status == PICKET_OK)
        status = write_der(certificate, der, der_bytes, error);
    X509_free(certificate);
    ERR_clear_error();
    return status;
}

/* ---- what it is ---- */

static void write_name(const X509_NAME *name, char *out)
{
    BIO *text = BIO_new(BIO_s_mem());
    out[0] = 0;
    if (text && X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        int size = BIO_read(text, out, AUTHORITY_NAME_BYTES - 1);
        out[size > 0 ? size : 0] = 0;
    }
    BIO_free(text);
}

static void write_key(X509 *certificate, char *out, size_t size_bytes)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const char *name = key ? EVP_PKEY_get0_type_name(key) : NULL;
    snprintf(out, size_bytes, "%s %d bits", name ? name : "unknown",
             key ? EVP_PKEY_get_bits(key) : 0);
}

static bool write_print(X509 *certificate, struct picket_thumbprint *sha256)
{
    unsigned int size = 0;
    memset(sha256, 0, sizeof *sha256);
    if (X509_digest(certificate, EVP_sha256(), sha256->bytes, &size) != 1)
        return false;
    sha256->size_bytes = size;
    return true;
}

bool authority_describe(const uint8_t *der, size_t der_bytes, struct authority *authority)
{
    memset(authority, 0, sizeof *authority);
    X509 *certificate = d2i_X509(NULL, &der, (long)der_bytes);
    bool good = certificate && read_time(X509_get0_notBefore(certificate), &authority->from_s) &&
                read_time(X509_get0_notAfter(certificate), &authority->until_s) &&
                write_print(certificate, &authority->sha256);
    if (good) {
        write_name(X509_get_subject_name(certificate), authority->subject);
        write_name(X509_get_issuer_name(certificate), authority->issuer);
        write_key(certificate, authority->key, sizeof authority->key);
    }
    X509_free(certificate);
    ERR_clear_error();
    return good;
}

static char *copy_of(BIO *text)
{
    char *bytes;
    long size = BIO_get_mem_data(text, &bytes);
    return size > 0 ? strndup(bytes, (size_t)size) : NULL;
}

char *authority_pem(const uint8_t *der, size_t der_bytes)
{
    char *pem = NULL;
    X509 *certificate = d2i_X509(NULL, &der, (long)der_bytes);
    BIO *text = BIO_new(BIO_s_mem());
    if (certificate && text && PEM_write_bio_X509(text, certificate) == 1)
        pem = copy_of(text);
    BIO_free(text);
    X509_free(certificate);
    ERR_clear_error();
    return pem;
}
