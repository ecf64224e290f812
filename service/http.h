/* What all of the service's HTTP clients share.
 *
 * Thread: any; a handle belongs to one thread at a time.
 */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include <curl/curl.h>

/* A handle for http and https only, without signals, that tells who we are and writes why it failed
 * to reason, of CURL_ERROR_SIZE, which must outlive it. NULL: no memory. */
CURL *http_handle(char *reason);

#endif
