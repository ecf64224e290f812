/* Tokens that a test lays out, in place of a JSON reader; see double.h. Declared as there. */
#ifndef NX_AZURE_IOT_JSON_READER_H
#define NX_AZURE_IOT_JSON_READER_H

#include "nx_azure_iot.h"

#define NX_AZURE_IOT_READER_TOKEN_NONE          0
#define NX_AZURE_IOT_READER_TOKEN_BEGIN_OBJECT  1
#define NX_AZURE_IOT_READER_TOKEN_END_OBJECT    2
#define NX_AZURE_IOT_READER_TOKEN_BEGIN_ARRAY   3
#define NX_AZURE_IOT_READER_TOKEN_END_ARRAY     4
#define NX_AZURE_IOT_READER_TOKEN_PROPERTY_NAME 5
#define NX_AZURE_IOT_READER_TOKEN_STRING        6
#define NX_AZURE_IOT_READER_TOKEN_NUMBER        7
#define NX_AZURE_IOT_READER_TOKEN_TRUE          8
#define NX_AZURE_IOT_READER_TOKEN_FALSE         9
#define NX_AZURE_IOT_READER_TOKEN_NULL          10

typedef struct NX_AZURE_IOT_READER_STRUCT {
    UINT at;
} NX_AZURE_IOT_JSON_READER;

UINT nx_azure_iot_json_reader_init(NX_AZURE_IOT_JSON_READER *reader_ptr, NX_PACKET *packet_ptr);
UINT nx_azure_iot_json_reader_next_token(NX_AZURE_IOT_JSON_READER *reader_ptr);
UINT nx_azure_iot_json_reader_skip_children(NX_AZURE_IOT_JSON_READER *reader_ptr);
UINT nx_azure_iot_json_reader_token_int32_get(NX_AZURE_IOT_JSON_READER *reader_ptr,
                                              int32_t *value_ptr);
UINT nx_azure_iot_json_reader_token_string_get(NX_AZURE_IOT_JSON_READER *reader_ptr,
                                               UCHAR *buffer_ptr, UINT buffer_size,
                                               UINT *bytes_copied);
UINT nx_azure_iot_json_reader_token_type(NX_AZURE_IOT_JSON_READER *reader_ptr);

#endif
