/* The kinds of outputs, and which settings go with each. */
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "picket/service/output.h"

/* Settings that not every kind has. */
enum {
    OF_BROKER = 1, /* what is said to a broker: user, TLS, payload */
    OF_MQTT = 2,
    OF_KAFKA = 4,
};

static const struct kind {
    const char *name;
    const struct sender *sender;
    unsigned settings;
} kinds[] = {
    [PICKET_OUTPUT_FILE] = {"file", &file_sender, 0},
    [PICKET_OUTPUT_WEBHOOK] = {"webhook", &webhook_sender, 0},
    [PICKET_OUTPUT_MQTT] = {"mqtt", &mqtt_sender, OF_BROKER | OF_MQTT},
    [PICKET_OUTPUT_KAFKA] = {"kafka", &kafka_sender, OF_BROKER | OF_KAFKA},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *picket_output_kind_name(enum picket_output_kind kind)
{
    return kinds[kind].name;
}

bool picket_output_kind_named(const char *name, enum picket_output_kind *kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = (enum picket_output_kind)i;
            return true;
        }
    return false;
}

const struct sender *sender_of(enum picket_output_kind kind)
{
    return kinds[kind].sender;
}

int setting_wrong(char *setting, const char *member, struct picket_error *error, const char *text)
{
    snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "%s", member);
    return picket_fail(error, PICKET_INVALID, "%s", text);
}

static int check_belonging(const struct picket_output_config *config, char *setting,
                           struct picket_error *error)
{
    const struct {
        const char *name;
        bool is_given;
        unsigned of;
    } members[] = {{"payload", config->payload != PICKET_PAYLOAD_JSON, OF_BROKER},
                   {"client_id", config->client_id != NULL, OF_MQTT},
                   {"user", config->user != NULL, OF_BROKER},
                   {"password_file", config->password_file != NULL, OF_BROKER},
                   {"ca_file", config->ca_file != NULL, OF_BROKER},
                   {"certificate_file", config->certificate_file != NULL, OF_BROKER},
                   {"key_file", config->key_file != NULL, OF_BROKER},
                   {"librdkafka", config->property_count > 0, OF_KAFKA}};
    const struct kind *kind = &kinds[config->kind];
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (!members[i].is_given || (kind->settings & members[i].of) != 0)
            continue;
        snprintf(setting, PICKET_OUTPUT_SETTING_BYTES, "%s", members[i].name);
        return picket_fail(error, PICKET_INVALID, "an output of kind %s has none", kind->name);
    }
    return PICKET_OK;
}

static int check_pairs(const struct picket_output_config *config, char *setting,
                       struct picket_error *error)
{
    if (config->password_file != NULL && config->user == NULL)
        return setting_wrong(setting, "password_file", error, "there is no user whose it could be");
    if (config->certificate_file != NULL && config->key_file == NULL)
        return setting_wrong(setting, "certificate_file", error, "key_file is missing beside it");
    if (config->key_file != NULL && config->certificate_file == NULL)
        return setting_wrong(setting, "key_file", error, "certificate_file is missing beside it");
    return PICKET_OK;
}

int picket_output_check(const struct picket_output_config *config, char *setting,
                        struct picket_error *error)
{
    if (config->location == NULL || config->location[0] == '\0')
        return setting_wrong(setting, "location", error, "is empty");
    int status = check_belonging(config, setting, error);
    if (status == PICKET_OK)
        status = check_pairs(config, setting, error);
    if (status == PICKET_OK)
        status = kinds[config->kind].sender->check(config, setting, error);
    return status;
}
