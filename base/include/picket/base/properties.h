/* The property bag of a device's topic: key=value&key=value, URL-encoded or, from NetX Duo,
 * verbatim.
 *
 * Thread: pure functions.
 */
#ifndef PICKET_BASE_PROPERTIES_H
#define PICKET_BASE_PROPERTIES_H

#include <stdbool.h>

/* True if the bag says that the message is a security message: $.ifid is
 * urn:azureiot:Security:SecurityAgent:1, key and value each URL-encoded or not. */
bool picket_properties_tell_security_message(const char *properties);

/* True if one of the properties is of that name and has that value, each URL-encoded or not. */
bool picket_properties_have(const char *properties, const char *name, const char *value);

#endif
