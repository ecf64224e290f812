#include "admission.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "certificate.h"
#include "picket/base/diagnostics.h"
#include "picket/store/store.h"

static bool add_authority(struct admission *admission, const char *name, X509 *certificate)
{
    struct certificate_prints prints;
    int64_t from_s, until_s;
    if (certificate == NULL || admission->anchor_count == PICKET_AUTHORITIES_MAX ||
        !certificate_prints(certificate, &prints) ||
        X509_STORE_add_cert(admission->authorities, certificate) != 1)
        return false;
    size_t at = admission->anchor_count++;
    admission->anchors[at] = prints.sha256;
    snprintf(admission->ends[at].name, sizeof admission->ends[at].name, "%s", name);
    if (certificate_period(certificate, &from_s, &until_s))
        admission->ends[at].until_s = until_s;
    return true;
}

/* One that cannot be read keeps its own devices out and nobody else's. */
static void take_authority(void *context, const struct picket_authority *authority)
{
    const uint8_t *der = authority->certificate;
    X509 *certificate = d2i_X509(NULL, &der, (long)authority->certificate_bytes);
    if (!add_authority(context, authority->name, certificate))
        picket_say(PICKET_ERROR, "hub", "CA %s: its certificate cannot be used", authority->name);
    X509_free(certificate);
    ERR_clear_error();
}

static int copy_filter(struct admission *admission, const struct picket_ip_filter *filter,
                       struct picket_error *error)
{
    admission->filter.deny_by_default = filter->deny_by_default;
    for (size_t i = 0; i < filter->count; i++)
        if (!ip_filter_append(&admission->filter, &filter->rules[i].prefix, filter->rules[i].allow))
            return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory for its IP filter");
    return PICKET_OK;
}

static int take_filter(struct admission *admission, struct picket_store *store,
                       struct picket_error *error)
{
    struct picket_ip_filter *filter = malloc(sizeof *filter);
    if (filter == NULL)
        return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory for its IP filter");
    int status = picket_store_ip_filter_get(store, filter, error);
    if (status == PICKET_OK)
        status = copy_filter(admission, filter, error);
    free(filter);
    return status;
}

static int fill(struct admission *admission, const char *store_folder, struct picket_error *error)
{
    struct picket_store *store;
    int status = picket_store_open(&store, store_folder, error);
    if (status != PICKET_OK)
        return status;
    status = picket_store_authorities(store, take_authority, admission, error);
    if (status == PICKET_OK)
        status = take_filter(admission, store, error);
    picket_store_close(store);
    return status;
}

int admission_load(struct admission **out, const char *store_folder, struct picket_error *error)
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission != NULL)
        admission->authorities = X509_STORE_new();
    if (admission == NULL || admission->authorities == NULL) {
        admission_free(admission);
        return picket_fail(error, PICKET_NO_MEMORY, "hub: no memory for its CAs");
    }
    int status = store_folder != NULL ? fill(admission, store_folder, error) : PICKET_OK;
    if (status != PICKET_OK)
        admission_free(admission);
    else
        *out = admission;
    return status;
}

void admission_free(struct admission *admission)
{
    if (admission == NULL)
        return;
    X509_STORE_free(admission->authorities);
    ip_filter_free(&admission->filter);
    free(admission);
}
