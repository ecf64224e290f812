/* The property bag of a message, as it stands in an MQTT topic: NAME=VALUE&NAME=VALUE, both
 * percent-encoded (RFC 3986: all but letters, digits and - . _ ~). Thread: pure functions. */
#ifndef PICKET_SERVICE_MESSAGE_BAG_H
#define PICKET_SERVICE_MESSAGE_BAG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends a pair to the bag, of size_bytes with its NUL; false when it does not fit. */
bool message_bag_add(char *bag, size_t size_bytes, const char *name, const char *value);

/* As an object; of names that stand there twice the last. What is no UTF-8 is made so. */
json_t *message_bag_json(const char *bag);

#endif
