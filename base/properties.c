#include "picket/base/properties.h"

#include <stddef.h>
#include <string.h>

#include "picket/base/hexadecimal.h"

/* PICKET_WIRE_INTERFACE_ID of the wire, which stands beside base and not below it. */
static const char interface_id[] = "urn:azureiot:Security:SecurityAgent:1";

/* Compares text, of size bytes, URL-decoded, with what is expected. */
static bool decodes_to(const char *text, size_t size, const char *expected)
{
    size_t at = 0;
    for (size_t i = 0; i < size; i++, at++) {
        char c = text[i];
        int high = c == '%' && size - i >= 3 ? picket_hexadecimal_digit(text[i + 1]) : -1;
        int low = high >= 0 ? picket_hexadecimal_digit(text[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || expected[at] != c)
            return false;
    }
    return expected[at] == '\0';
}

/* As all clients known to us write it; others may encode other characters, or none. */
static bool is_interface_as_usual(const char *property, size_t size)
{
    static const char usual[] = "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1";
    return size == sizeof usual - 1 && memcmp(property, usual, size) == 0;
}

static bool is_interface(const char *property, size_t size)
{
    if (is_interface_as_usual(property, size))
        return true;
    const char *equals = memchr(property, '=', size);
    if (equals == NULL)
        return false;
    size_t key = (size_t)(equals - property), value = size - key - 1;
    if (value > 0 && equals[value] == '/') /* NetX Duo may end the bag so */
        value--;
    return decodes_to(property, key, "$.ifid") && decodes_to(equals + 1, value, interface_id);
}

bool picket_properties_tell_security_message(const char *properties)
{
    while (properties != NULL && *properties != '\0') {
        size_t size = strcspn(properties, "&");
        if (is_interface(properties, size))
            return true;
        properties += size;
        properties += *properties == '&';
    }
    return false;
}

/* NetX Duo may end the bag with /. */
static bool is_value(const char *value, size_t size, bool is_last, const char *expected)
{
    return decodes_to(value, size, expected) ||
           (is_last && size > 0 && value[size - 1] == '/' && decodes_to(value, size - 1, expected));
}

bool picket_properties_have(const char *properties, const char *name, const char *value)
{
    while (properties != NULL && *properties != '\0') {
        size_t size = strcspn(properties, "&");
        const char *equals = memchr(properties, '=', size), *end = properties + size;
        if (equals != NULL && decodes_to(properties, (size_t)(equals - properties), name) &&
            is_value(equals + 1, (size_t)(end - equals - 1), *end == '\0', value))
            return true;
        properties = end + (*end == '&');
    }
    return false;
}
