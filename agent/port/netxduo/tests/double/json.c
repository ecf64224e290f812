#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "double.h"
#include "nx_azure_iot_json_reader.h"
#include "nx_azure_iot_json_writer.h"

/* ---- the reader: tokens of the test ---- */

static const struct double_token *token(const NX_AZURE_IOT_JSON_READER *reader)
{
    return &double_state.tokens[reader->at - 1];
}

UINT nx_azure_iot_json_reader_init(NX_AZURE_IOT_JSON_READER *reader_ptr, NX_PACKET *packet_ptr)
{
    (void)packet_ptr;
    reader_ptr->at = 0;
    return double_state.token_count > 0 ? NX_AZURE_IOT_SUCCESS : NX_AZURE_IOT_INVALID_PARAMETER;
}

UINT nx_azure_iot_json_reader_next_token(NX_AZURE_IOT_JSON_READER *reader_ptr)
{
    if (reader_ptr->at == double_state.token_count)
        return NX_AZURE_IOT_FAILURE;
    reader_ptr->at++;
    return NX_AZURE_IOT_SUCCESS;
}

UINT nx_azure_iot_json_reader_token_type(NX_AZURE_IOT_JSON_READER *reader_ptr)
{
    return token(reader_ptr)->type;
}

/* From the beginning of an object or an array to its end. */
UINT nx_azure_iot_json_reader_skip_children(NX_AZURE_IOT_JSON_READER *reader_ptr)
{
    UINT depth = 0;
    do {
        UINT type = token(reader_ptr)->type;
        if (type == NX_AZURE_IOT_READER_TOKEN_BEGIN_OBJECT ||
            type == NX_AZURE_IOT_READER_TOKEN_BEGIN_ARRAY)
            depth++;
        if (type == NX_AZURE_IOT_READER_TOKEN_END_OBJECT ||
            type == NX_AZURE_IOT_READER_TOKEN_END_ARRAY)
            depth--;
    } while (depth > 0 && nx_azure_iot_json_reader_next_token(reader_ptr) == NX_AZURE_IOT_SUCCESS);
    return NX_AZURE_IOT_SUCCESS;
}

UINT nx_azure_iot_json_reader_token_int32_get(NX_AZURE_IOT_JSON_READER *reader_ptr,
                                              int32_t *value_ptr)
{
    return sscanf(token(reader_ptr)->text, "%d", value_ptr) == 1 ? NX_AZURE_IOT_SUCCESS
                                                                 : NX_AZURE_IOT_FAILURE;
}

/* The real one wants room for a NUL, too. */
UINT nx_azure_iot_json_reader_token_string_get(NX_AZURE_IOT_JSON_READER *reader_ptr,
                                               UCHAR *buffer_ptr, UINT buffer_size,
                                               UINT *bytes_copied)
{
    const char *text = token(reader_ptr)->text;
    if (strlen(text) >= buffer_size)
        return NX_AZURE_IOT_FAILURE;
    memcpy(buffer_ptr, text, strlen(text) + 1);
    *bytes_copied = (UINT)strlen(text);
    return NX_AZURE_IOT_SUCCESS;
}

/* ---- the writer ---- */

static UINT put(NX_AZURE_IOT_JSON_WRITER *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static UINT put(NX_AZURE_IOT_JSON_WRITER *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf((char *)writer->buffer + writer->used, writer->size_bytes - writer->used,
                           format, arguments);
    va_end(arguments);
    if ((UINT)length >= writer->size_bytes - writer->used)
        return NX_AZURE_IOT_FAILURE;
    writer->used += (UINT)length;
    return NX_AZURE_IOT_SUCCESS;
}

/* Values are followed by a comma if something else comes. */
static UINT put_value(NX_AZURE_IOT_JSON_WRITER *writer, const char *value)
{
    writer->needs_comma = 1;
    return put(writer, "%s", value);
}

UINT nx_azure_iot_json_writer_with_buffer_init(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr,
                                               UCHAR *buffer_ptr, UINT buffer_len)
{
    *json_writer_ptr = (NX_AZURE_IOT_JSON_WRITER){buffer_ptr, buffer_len, 0, 0};
    return NX_AZURE_IOT_SUCCESS;
}

UINT nx_azure_iot_json_writer_get_bytes_used(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr)
{
    return json_writer_ptr->used;
}

UINT nx_azure_iot_json_writer_append_property_name(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr,
                                                   const UCHAR *value, UINT value_len)
{
    UINT status = put(json_writer_ptr, "%s\"%.*s\":", json_writer_ptr->needs_comma ? "," : "",
                      (int)value_len, (const char *)value);
    json_writer_ptr->needs_comma = 0;
    return status;
}

UINT nx_azure_iot_json_writer_append_property_with_int32_value(
    NX_AZURE_IOT_JSON_WRITER *json_writer_ptr, const UCHAR *property_name, UINT property_name_len,
    int32_t value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    nx_azure_iot_json_writer_append_property_name(json_writer_ptr, property_name,
                                                  property_name_len);
    return put_value(json_writer_ptr, text);
}

UINT nx_azure_iot_json_writer_append_string(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr,
                                            const UCHAR *value, UINT value_len)
{
    json_writer_ptr->needs_comma = 1;
    return put(json_writer_ptr, "\"%.*s\"", (int)value_len, (const char *)value);
}

UINT nx_azure_iot_json_writer_append_bool(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr, UINT value)
{
    return put_value(json_writer_ptr, value ? "true" : "false");
}

UINT nx_azure_iot_json_writer_append_null(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr)
{
    return put_value(json_writer_ptr, "null");
}

UINT nx_azure_iot_json_writer_append_begin_object(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr)
{
    return put(json_writer_ptr, "{");
}

UINT nx_azure_iot_json_writer_append_end_object(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr)
{
    return put_value(json_writer_ptr, "}");
}
