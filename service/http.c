#include "http.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialize(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURL *http_handle(char *reason)
{
    pthread_once(&once, initialize);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "picket/" PICKET_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    return curl;
}
