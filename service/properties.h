/* The property bag of a device's topic: key=value&key=value, URL-encoded or, from NetX Duo,
 * verbatim.
 *
 * Thread: pure functions.
 */
#ifndef SERVICE_PROPERTIES_H
#define SERVICE_PROPERTIES_H

#include <stdbool.h>

/* True if the bag says that the message is a security message: $.ifid is PICKET_WIRE_INTERFACE_ID,
 * key and value each URL-encoded or not. */
bool properties_tell_security_message(const char *properties);

#endif
