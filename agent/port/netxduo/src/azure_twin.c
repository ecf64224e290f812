#include "picket/netxduo/azure_twin.h"

#include <string.h>

#include "nx_azure_iot_json_reader.h"
#include "nx_azure_iot_json_writer.h"

#include "device.h"
#include "picket/agent/properties.h"

enum { NAME_BYTES = 48, VALUE_BYTES = 48, ANSWER_BYTES = 192, NO_TOKEN = -1 };

struct property {
    UCHAR name[NAME_BYTES];
    UINT name_bytes; /* 0: longer than any of ours */
    UCHAR value[VALUE_BYTES];
    UINT value_bytes;
    int32_t number; /* of a property that is one */
    enum picket_property_kind kind;
};

/* ---- reading ---- */

/* Over the properties of a document: of a change, those at its top; of a whole twin, those in
 * "desired". */
struct walk {
    NX_AZURE_IOT_JSON_READER reader;
    UINT depth;
    bool broken;
};

static int next_token(struct walk *walk)
{
    if (nx_azure_iot_json_reader_next_token(&walk->reader) != NX_AZURE_IOT_SUCCESS)
        return NO_TOKEN;
    return (int)nx_azure_iot_json_reader_token_type(&walk->reader);
}

/* The reader is not deinitialised: that would release the caller's packet. */
static bool begin(struct walk *walk, NX_PACKET *packet)
{
    walk->depth = 1;
    walk->broken = nx_azure_iot_json_reader_init(&walk->reader, packet) != NX_AZURE_IOT_SUCCESS ||
                   next_token(walk) != NX_AZURE_IOT_READER_TOKEN_BEGIN_OBJECT;
    return !walk->broken;
}

/* False if the text does not fit. */
static bool copy_text(struct walk *walk, UCHAR *out, UINT size_bytes, UINT *length)
{
    *length = 0;
    return nx_azure_iot_json_reader_token_string_get(&walk->reader, out, size_bytes, length) ==
           NX_AZURE_IOT_SUCCESS;
}

static enum picket_property_kind read_value(struct walk *walk, int type, struct property *property)
{
    property->value_bytes = 0;
    property->number = 0;
    if (type == NX_AZURE_IOT_READER_TOKEN_TRUE)
        return PICKET_PROPERTY_TRUE;
    if (type == NX_AZURE_IOT_READER_TOKEN_FALSE)
        return PICKET_PROPERTY_FALSE;
    if (type == NX_AZURE_IOT_READER_TOKEN_NULL)
        return PICKET_PROPERTY_NULL;
    if (type == NX_AZURE_IOT_READER_TOKEN_STRING &&
        copy_text(walk, property->value, sizeof property->value, &property->value_bytes))
        return PICKET_PROPERTY_STRING;
    if (type == NX_AZURE_IOT_READER_TOKEN_NUMBER &&
        nx_azure_iot_json_reader_token_int32_get(&walk->reader, &property->number) !=
            NX_AZURE_IOT_SUCCESS)
        property->number = 0;
    return PICKET_PROPERTY_OTHER;
}

static bool is_named(const struct property *property, const char *name)
{
    return property->name_bytes == strlen(name) &&
           memcmp(property->name, name, property->name_bytes) == 0;
}

/* False at the end, or where the document is broken. */
static bool next_property(struct walk *walk, struct property *property)
{
    while (walk->depth > 0) {
        int type = next_token(walk);
        if (type == NX_AZURE_IOT_READER_TOKEN_END_OBJECT) {
            walk->depth--;
            continue;
        }
        walk->broken = type != NX_AZURE_IOT_READER_TOKEN_PROPERTY_NAME;
        if (walk->broken)
            return false;
        copy_text(walk, property->name, sizeof property->name, &property->name_bytes);
        type = next_token(walk);
        if (type == NX_AZURE_IOT_READER_TOKEN_BEGIN_OBJECT && is_named(property, "desired")) {
            walk->depth++;
            continue;
        }
        property->kind = read_value(walk, type, property);
        nx_azure_iot_json_reader_skip_children(&walk->reader);
        if (!is_named(property, "reported"))
            return true;
    }
    return false;
}

/* The version of the desired properties, which stands behind them; 0: none is told. */
static int32_t version_of(NX_PACKET *packet)
{
    struct walk walk;
    struct property property;
    int32_t version = 0;
    if (!begin(&walk, packet))
        return 0;
    while (next_property(&walk, &property))
        if (is_named(&property, "$version"))
            version = property.number;
    return version;
}

/* ---- answering ---- */

static UINT append_value(NX_AZURE_IOT_JSON_WRITER *writer, const struct property *property)
{
    switch (property->kind) {
    case PICKET_PROPERTY_TRUE:
    case PICKET_PROPERTY_FALSE:
        return nx_azure_iot_json_writer_append_bool(writer, property->kind == PICKET_PROPERTY_TRUE);
    case PICKET_PROPERTY_STRING:
        return nx_azure_iot_json_writer_append_string(writer, property->value,
                                                      property->value_bytes);
    default: /* a value that cannot be ours is not repeated */
        return nx_azure_iot_json_writer_append_null(writer);
    }
}

static UINT append_number(NX_AZURE_IOT_JSON_WRITER *writer, const char *name, int32_t number)
{
    return nx_azure_iot_json_writer_append_property_with_int32_value(writer, (const UCHAR *)name,
                                                                     (UINT)strlen(name), number);
}

/* {"value":…,"ac":200,"av":7}, or null for a property that was taken away. */
static UINT append_answer(NX_AZURE_IOT_JSON_WRITER *writer, const struct property *property,
                          enum picket_property_result result, int32_t version)
{
    static const UCHAR value_name[] = "value";
    if (property->kind == PICKET_PROPERTY_NULL)
        return nx_azure_iot_json_writer_append_null(writer);
    UINT status = nx_azure_iot_json_writer_append_begin_object(writer);
    status |=
        nx_azure_iot_json_writer_append_property_name(writer, value_name, sizeof value_name - 1);
    status |= append_value(writer, property);
    status |= append_number(writer, "ac", result == PICKET_PROPERTY_APPLIED ? 200 : 400);
    status |= append_number(writer, "av", version);
    return status | nx_azure_iot_json_writer_append_end_object(writer);
}

static UINT answer(NX_AZURE_IOT_HUB_CLIENT *client, const struct property *property,
                   enum picket_property_result result, int32_t version, UINT wait_option)
{
    NX_AZURE_IOT_JSON_WRITER writer;
    UCHAR text[ANSWER_BYTES];
    UINT request_id, response;
    ULONG reported_version;
    UINT status = nx_azure_iot_json_writer_with_buffer_init(&writer, text, sizeof text);
    status |= nx_azure_iot_json_writer_append_begin_object(&writer);
    status |= nx_azure_iot_json_writer_append_property_name(&writer, property->name,
                                                            property->name_bytes);
    status |= append_answer(&writer, property, result, version);
    status |= nx_azure_iot_json_writer_append_end_object(&writer);
    if (status != NX_AZURE_IOT_SUCCESS)
        return NX_AZURE_IOT_FAILURE;
    status = nx_azure_iot_hub_client_device_twin_reported_properties_send(
        client, text, nx_azure_iot_json_writer_get_bytes_used(&writer), &request_id, &response,
        &reported_version, wait_option);
    if (status != NX_AZURE_IOT_SUCCESS)
        return status;
    return response / 100 == 2 ? NX_AZURE_IOT_SUCCESS : NX_AZURE_IOT_FAILURE;
}

/* ---- applying ---- */

static struct picket_properties properties;
static unsigned properties_of_start; /* picket_device_starts() */

static enum picket_property_result apply(const struct property *property)
{
    enum picket_property_result result = PICKET_PROPERTY_UNKNOWN;
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return result;
    if (property->name_bytes > 0)
        result = picket_properties_apply(&properties, (const char *)property->name,
                                         property->name_bytes, property->kind,
                                         (const char *)property->value, property->value_bytes);
    picket_device_leave();
    return result;
}

/* What is unsent goes out as it was collected. What the agent was started with is taken down before
 * the first change. */
static bool prepare(void)
{
    struct picket_agent *agent = picket_device_enter();
    if (agent == NULL)
        return false;
    if (properties_of_start != picket_device_starts())
        picket_properties_init(&properties, agent);
    properties_of_start = picket_device_starts();
    picket_agent_flush(agent);
    picket_device_leave();
    return true;
}

UINT picket_netxduo_desired_properties_apply(NX_AZURE_IOT_HUB_CLIENT *client, NX_PACKET *packet,
                                             UINT wait_option)
{
    struct walk walk;
    struct property property;
    UINT status = NX_AZURE_IOT_SUCCESS;
    if (!begin(&walk, packet))
        return NX_AZURE_IOT_INVALID_PARAMETER;
    if (!prepare())
        return NX_NOT_ENABLED;
    int32_t version = version_of(packet);
    while (next_property(&walk, &property)) {
        enum picket_property_result result = apply(&property);
        if (result == PICKET_PROPERTY_UNKNOWN)
            continue;
        UINT sent = answer(client, &property, result, version, wait_option);
        if (status == NX_AZURE_IOT_SUCCESS)
            status = sent;
    }
    return walk.broken ? NX_AZURE_IOT_INVALID_PARAMETER : status;
}
