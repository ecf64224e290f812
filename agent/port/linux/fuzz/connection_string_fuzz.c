#include <stdlib.h>
#include <string.h>

#include "connection_string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct connection_string parsed;
    struct picket_error error;
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (connection_string_parse(&parsed, text, &error) == PICKET_OK &&
        (parsed.host_name[0] == '\0' || parsed.device_id[0] == '\0' || parsed.key_bytes == 0 ||
         strpbrk(parsed.device_id, "/+#") != NULL))
        abort();
    free(text);
    return 0;
}
