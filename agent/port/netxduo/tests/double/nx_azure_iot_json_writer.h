/* A JSON writer as the middleware has one, without its checks. Declared as there. */
#ifndef NX_AZURE_IOT_JSON_WRITER_H
#define NX_AZURE_IOT_JSON_WRITER_H

#include "nx_azure_iot.h"

typedef struct NX_AZURE_IOT_JSON_WRITER_STRUCT {
    UCHAR *buffer;
    UINT size_bytes;
    UINT used;
    UINT needs_comma;
} NX_AZURE_IOT_JSON_WRITER;

UINT nx_azure_iot_json_writer_with_buffer_init(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr,
                                               UCHAR *buffer_ptr, UINT buffer_len);
UINT nx_azure_iot_json_writer_get_bytes_used(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr);
UINT nx_azure_iot_json_writer_append_property_with_int32_value(
    NX_AZURE_IOT_JSON_WRITER *json_writer_ptr, const UCHAR *property_name, UINT property_name_len,
    int32_t value);
UINT nx_azure_iot_json_writer_append_string(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr,
                                            const UCHAR *value, UINT value_len);
UINT nx_azure_iot_json_writer_append_property_name(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr,
                                                   const UCHAR *value, UINT value_len);
UINT nx_azure_iot_json_writer_append_bool(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr, UINT value);
UINT nx_azure_iot_json_writer_append_null(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr);
UINT nx_azure_iot_json_writer_append_begin_object(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr);
UINT nx_azure_iot_json_writer_append_end_object(NX_AZURE_IOT_JSON_WRITER *json_writer_ptr);

#endif
