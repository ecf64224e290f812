#include "certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct check {
    certificate_problem problem;
    void *context;
    uint32_t warning_s;
    int found;
};

static void tell(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct check *check, const char *format, ...)
{
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check->found++;
    check->problem(check->context, text);
}

/* An encrypted key is not asked the password for: nobody may be there to answer. */
static int no_password(char *buffer, int size_bytes, int writing, void *context)
{
    (void)buffer;
    (void)size_bytes;
    (void)writing;
    (void)context;
    return -1;
}

static X509 *read_certificate(struct check *check, const char *path)
{
    FILE *stream = fopen(path, "re");
    if (!stream) {
        tell(check, "hub.certificate_file %s: %s", path, strerror(errno));
        return NULL;
    }
    X509 *certificate = PEM_read_X509(stream, NULL, no_password, NULL);
    fclose(stream);
    if (!certificate)
        tell(check, "hub.certificate_file %s: holds no certificate in PEM", path);
    return certificate;
}

static EVP_PKEY *read_key(struct check *check, const char *path)
{
    FILE *stream = fopen(path, "re");
    if (!stream) {
        tell(check, "hub.key_file %s: %s", path, strerror(errno));
        return NULL;
    }
    EVP_PKEY *key = PEM_read_PrivateKey(stream, NULL, no_password, NULL);
    fclose(stream);
    if (!key)
        tell(check, "hub.key_file %s: holds no private key in PEM without a password", path);
    return key;
}

static const char *time_text(const ASN1_TIME *time, char *out, size_t size_bytes)
{
    struct tm broken_down;
    if (ASN1_TIME_to_tm(time, &broken_down) != 1 ||
        strftime(out, size_bytes, "%Y-%m-%dT%H:%M:%SZ", &broken_down) == 0)
        snprintf(out, size_bytes, "an unreadable time");
    return out;
}

static void check_times(struct check *check, const char *path, const X509 *certificate)
{
    char text[40];
    time_t soon = time(NULL) + check->warning_s;
    const ASN1_TIME *begin = X509_get0_notBefore(certificate);
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    if (X509_cmp_current_time(begin) > 0)
        tell(check, "hub.certificate_file %s: not valid before %s", path,
             time_text(begin, text, sizeof text));
    if (X509_cmp_current_time(end) < 0)
        tell(check, "hub.certificate_file %s: ended %s; devices refuse it", path,
             time_text(end, text, sizeof text));
    else if (X509_cmp_time(end, &soon) < 0)
        tell(check, "hub.certificate_file %s: ends %s", path, time_text(end, text, sizeof text));
}

int certificate_check(const struct picket_hub_config *hub, certificate_problem problem,
                      void *context)
{
    const char *certificate_file = hub->certificate_file, *key_file = hub->key_file;
    const char *host_name = hub->host_name;
    struct check check = {
        .problem = problem, .context = context, .warning_s = hub->certificate_warning_s};
    X509 *certificate = read_certificate(&check, certificate_file);
    EVP_PKEY *key = read_key(&check, key_file);
    if (certificate && key && X509_check_private_key(certificate, key) != 1)
        tell(&check, "hub.key_file %s: is not the key of %s", key_file, certificate_file);
    if (certificate && X509_check_host(certificate, host_name, 0, 0, NULL) != 1 &&
        X509_check_ip_asc(certificate, host_name, 0) != 1)
        tell(&check, "hub.host_name %s: %s is not valid for this name; devices refuse it",
             host_name, certificate_file);
    if (certificate)
        check_times(&check, certificate_file, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return check.found;
}
