#include "config_yaml.h"

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "file.h"

#define TEXT(structure, member)                                                                    \
    CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member,   \
                           0, 4096)
#define PART(structure, member, fields)                                                            \
    CYAML_FIELD_MAPPING(#member, CYAML_FLAG_OPTIONAL, structure, member, fields)

static const cyaml_schema_field_t limits_fields[] = {
    TEXT(struct yaml_limits, connections),
    TEXT(struct yaml_limits, message_bytes),
    TEXT(struct yaml_limits, connect_timeout_s),
    TEXT(struct yaml_limits, handshakes),
    TEXT(struct yaml_limits, handshakes_per_address),
    TEXT(struct yaml_limits, input_bytes),
    TEXT(struct yaml_limits, output_bytes),
    TEXT(struct yaml_limits, device_packets_per_s),
    TEXT(struct yaml_limits, device_bytes_per_s),
    TEXT(struct yaml_limits, device_connections),
    TEXT(struct yaml_limits, device_connects_per_minute),
    TEXT(struct yaml_limits, address_connections_per_s),
    TEXT(struct yaml_limits, address_refusals_per_minute),
    CYAML_FIELD_END};
static const cyaml_schema_field_t hub_fields[] = {TEXT(struct yaml_hub, address),
                                                  TEXT(struct yaml_hub, port),
                                                  TEXT(struct yaml_hub, host_name),
                                                  TEXT(struct yaml_hub, certificate_file),
                                                  TEXT(struct yaml_hub, key_file),
                                                  TEXT(struct yaml_hub, activity_interval),
                                                  TEXT(struct yaml_hub, certificate_warning),
                                                  PART(struct yaml_hub, limits, limits_fields),
                                                  CYAML_FIELD_END};
static const cyaml_schema_field_t log_fields[] = {TEXT(struct yaml_log, messages),
                                                  TEXT(struct yaml_log, bytes), CYAML_FIELD_END};
static const cyaml_schema_field_t service_fields[] = {TEXT(struct yaml_service, batch_messages),
                                                      CYAML_FIELD_END};
static const cyaml_schema_field_t store_fields[] = {
    TEXT(struct yaml_store, dead_letters), TEXT(struct yaml_store, dead_letter_bytes),
    TEXT(struct yaml_store, outbox_items), TEXT(struct yaml_store, outbox_bytes),
    TEXT(struct yaml_store, outbox_age),   TEXT(struct yaml_store, retention),
    TEXT(struct yaml_store, max_bytes),    TEXT(struct yaml_store, closed_alerts),
    TEXT(struct yaml_store, audit),        CYAML_FIELD_END};
static const cyaml_schema_field_t api_fields[] = {TEXT(struct yaml_api, socket), CYAML_FIELD_END};
static const cyaml_schema_field_t diagnostics_fields[] = {TEXT(struct yaml_diagnostics, level),
                                                          CYAML_FIELD_END};
static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 4096)};
static const cyaml_schema_field_t intelligence_fields[] = {
    CYAML_FIELD_SEQUENCE("own_networks", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct yaml_intelligence, own_networks, &text_value, 0,
                         PICKET_CONFIG_NETWORKS_MAX),
    CYAML_FIELD_END};
static const cyaml_schema_field_t output_fields[] = {
    TEXT(struct yaml_output, name),
    TEXT(struct yaml_output, kind),
    TEXT(struct yaml_output, location),
    TEXT(struct yaml_output, payload),
    TEXT(struct yaml_output, client_id),
    TEXT(struct yaml_output, user),
    TEXT(struct yaml_output, password_file),
    TEXT(struct yaml_output, ca_file),
    TEXT(struct yaml_output, certificate_file),
    TEXT(struct yaml_output, key_file),
    CYAML_FIELD_IGNORE("librdkafka", CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_SEQUENCE("devices", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_output,
                         devices, &text_value, 0, PICKET_CONFIG_PATTERNS_MAX),
    CYAML_FIELD_IGNORE("properties", CYAML_FLAG_OPTIONAL),
    CYAML_FIELD_END};
static const cyaml_schema_value_t output_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_output, output_fields)};
static const cyaml_schema_field_t config_fields[] = {
    TEXT(struct yaml_config, data_folder),
    PART(struct yaml_config, hub, hub_fields),
    PART(struct yaml_config, log, log_fields),
    PART(struct yaml_config, service, service_fields),
    PART(struct yaml_config, store, store_fields),
    PART(struct yaml_config, intelligence, intelligence_fields),
    PART(struct yaml_config, api, api_fields),
    PART(struct yaml_config, diagnostics, diagnostics_fields),
    CYAML_FIELD_SEQUENCE("outputs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_config,
                         outputs, &output_value, 0, PICKET_CONFIG_OUTPUTS_MAX),
    CYAML_FIELD_SEQUENCE("routes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_config,
                         routes, &output_value, 0, PICKET_CONFIG_OUTPUTS_MAX),
    CYAML_FIELD_END};
static const cyaml_schema_value_t config_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_config, config_fields)};

/* ---- what libcyaml complains of ---- */

/* It tells in lines: what was wrong, "Backtrace:", then the places from the innermost outwards. */
struct complaint {
    char text[200];
    char setting[200];
    int line;
};

static void add_place(struct complaint *complaint, const char *text)
{
    char name[100], whole[sizeof complaint->setting];
    int line, index;
    if (complaint->line == 0 &&
        sscanf(strstr(text, "(line:") ? strstr(text, "(line:") : "", "(line: %d", &line) == 1)
        complaint->line = line;
    if (sscanf(text, " in mapping field '%99[^']'", name) == 1)
        snprintf(whole, sizeof whole, "%s%s%.80s", name,
                 complaint->setting[0] && complaint->setting[0] != '[' ? "." : "",
                 complaint->setting);
    else if (sscanf(text, " in sequence entry '%d'", &index) == 1)
        snprintf(whole, sizeof whole, "[%d]%s%.80s", index - 1, complaint->setting[0] ? "." : "",
                 complaint->setting);
    else
        return;
    strcpy(complaint->setting, whole);
}

static void on_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    char text[300];
    (void)level;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof text, format, arguments);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = 0;
    const char *said = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    if (said[0] == ' ')
        add_place(complaint, said);
    else if (!complaint->text[0] && strcmp(said, "Backtrace:") != 0)
        snprintf(complaint->text, sizeof complaint->text, "%.199s", said);
}

/* The fields of the mapping that a setting of libcyaml's backtrace names. */
static const cyaml_schema_field_t *fields_at(const char *setting)
{
    const cyaml_schema_field_t *fields = config_fields;
    while (*setting) {
        size_t length = strcspn(setting, ".[");
        const cyaml_schema_field_t *field = fields;
        while (field->key && (strlen(field->key) != length || memcmp(field->key, setting, length)))
            field++;
        if (!field->key)
            return NULL;
        if (field->value.type == CYAML_SEQUENCE)
            return output_fields;
        if (field->value.type != CYAML_MAPPING)
            return NULL;
        fields = field->value.mapping.fields;
        setting += length + (setting[length] == '.');
    }
    return fields;
}

/* After an unknown key: the keys there are, and the key's own line; libcyaml gives that of the
 * mapping. */
static void explain_unknown_key(struct yaml_file *file, struct complaint *complaint, char *out,
                                size_t size_bytes)
{
    static const char start[] = "Unexpected key: ";
    const cyaml_schema_field_t *field = fields_at(complaint->setting);
    char key[2 * sizeof complaint->setting];
    size_t used = 0;
    out[0] = 0;
    if (strncmp(complaint->text, start, sizeof start - 1) != 0)
        return;
    snprintf(key, sizeof key, "%s%s%s", complaint->setting, complaint->setting[0] ? "." : "",
             complaint->text + sizeof start - 1);
    size_t line = yaml_file_line(file, key);
    if (line > 0)
        complaint->line = (int)line;
    for (; field && field->key && used < size_bytes; field++)
        used += (size_t)snprintf(out + used, size_bytes - used, "%s%s",
                                 used ? ", " : "; known here: ", field->key);
}

/* ---- loading ---- */

/* By libyaml alone, which knows the line of a syntax error better, and the line of each value. */
static int load_document(struct yaml_file *file, const char *text, size_t size_bytes,
                         struct picket_error *error)
{
    yaml_parser_t parser;
    int status = PICKET_OK;
    if (!yaml_parser_initialize(&parser))
        return picket_fail(error, PICKET_NO_MEMORY, "%s: out of memory", file->path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size_bytes);
    if (!yaml_parser_load(&parser, &file->document)) {
        status =
            picket_fail(error, PICKET_INVALID, "%s:%zu: %s", file->path,
                        parser.problem_mark.line + 1, parser.problem ? parser.problem : "not YAML");
        memset(&file->document, 0, sizeof file->document);
    }
    yaml_parser_delete(&parser);
    return status;
}

static int load_values(struct yaml_file *file, const char *text, size_t size_bytes,
                       struct picket_error *error)
{
    struct complaint complaint = {.line = 0};
    const cyaml_config_t config = {.log_fn = on_complaint,
                                   .log_ctx = &complaint,
                                   .log_level = CYAML_LOG_WARNING,
                                   .mem_fn = cyaml_mem,
                                   .flags = CYAML_CFG_NO_ALIAS};
    cyaml_err_t result = cyaml_load_data((const uint8_t *)text, size_bytes, &config, &config_value,
                                         (cyaml_data_t **)&file->values, NULL);
    if (result == CYAML_OK && !complaint.text[0])
        return PICKET_OK;
    char known[300];
    explain_unknown_key(file, &complaint, known, sizeof known);
    return picket_fail(error, PICKET_INVALID, "%s:%d: %s%s%s%s", file->path,
                       complaint.line ? complaint.line : 1, complaint.setting,
                       complaint.setting[0] ? ": " : "",
                       complaint.text[0] ? complaint.text : cyaml_strerror(result), known);
}

/* Nothing at all, or nothing but "---". */
static bool is_empty(yaml_document_t *document)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);
    return !root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0);
}

int yaml_file_load(struct yaml_file *file, const char *path, struct picket_error *error)
{
    char *text = NULL;
    size_t size_bytes = 0;
    memset(file, 0, sizeof *file);
    file->path = path;
    int status = file_read(path, PICKET_CONFIG_BYTES_MAX, &text, &size_bytes, error);
    if (status == PICKET_OK)
        status = load_document(file, text, size_bytes, error);
    if (status == PICKET_OK && !is_empty(&file->document))
        status = load_values(file, text, size_bytes, error);
    free(text);
    if (status != PICKET_OK)
        yaml_file_free(file);
    return status;
}

void yaml_file_free(struct yaml_file *file)
{
    const cyaml_config_t config = {.mem_fn = cyaml_mem};
    cyaml_free(&config, &config_value, file->values, 0);
    yaml_document_delete(&file->document);
    memset(file, 0, sizeof *file);
}

/* ---- lines ---- */

/* A member's value, and the line of its key. */
static yaml_node_t *member(yaml_document_t *document, const yaml_node_t *node, const char *name,
                           size_t length, size_t *line)
{
    if (node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        if (key && key->type == YAML_SCALAR_NODE && key->data.scalar.length == length &&
            memcmp(key->data.scalar.value, name, length) == 0) {
            *line = key->start_mark.line + 1;
            return yaml_document_get_node(document, pair->value);
        }
    }
    return NULL;
}

static yaml_node_t *entry(yaml_document_t *document, const yaml_node_t *node, size_t index)
{
    if (node->type != YAML_SEQUENCE_NODE ||
        index >= (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
        return NULL;
    return yaml_document_get_node(document, node->data.sequence.items.start[index]);
}

/* The value of a setting, and the line of its name. The rest of a setting may be a name with dots
 * in it. NULL: it is not there. */
static yaml_node_t *value_of(struct yaml_file *file, const char *setting, size_t *line)
{
    yaml_node_t *node = yaml_document_get_root_node(&file->document);
    *line = 0;
    while (node && *setting) {
        size_t length = strcspn(setting, ".[");
        if (*setting == '[') {
            node = entry(&file->document, node, strtoul(setting + 1, NULL, 10));
            length = strcspn(setting, "]") + 1;
            if (node)
                *line = node->start_mark.line + 1;
        } else {
            yaml_node_t *whole = member(&file->document, node, setting, strlen(setting), line);
            if (whole)
                return whole;
            node = member(&file->document, node, setting, length, line);
        }
        setting += length;
        setting += *setting == '.';
    }
    return node;
}

size_t yaml_file_line(struct yaml_file *file, const char *setting)
{
    size_t line;
    value_of(file, setting, &line);
    return line;
}

static const char *text_of(yaml_document_t *document, int index)
{
    const yaml_node_t *node = yaml_document_get_node(document, index);
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

int yaml_file_pairs(struct yaml_file *file, const char *setting, yaml_pair visit, void *context)
{
    size_t line;
    yaml_node_t *node = value_of(file, setting, &line);
    if (!node)
        return PICKET_OK;
    if (node->type != YAML_MAPPING_NODE)
        return visit(context, NULL, NULL);
    int status = PICKET_OK;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && status == PICKET_OK; pair++)
        status = visit(context, text_of(&file->document, pair->key),
                       text_of(&file->document, pair->value));
    return status;
}
