/* The settings of a feed on the command line: for `feed add` and `feed set` alike.
 */
#ifndef PICKET_CLI_FEED_SETTINGS_H
#define PICKET_CLI_FEED_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "command.h"

/* NULL, and negative: not given. */
struct feed_settings {
    const char *source; /* of `feed set`; an operand of `feed add` */
    const char *format, *columns, *pattern, *role, *refresh, *max_bytes;
    const char *user, *password_file, *token_file, *header, *header_file;
    const char *proxy, *ca, *certificate, *key;
    const char *match_special_purpose, *match_own_networks; /* "yes" or "no" */
    long long confidence;
};

/* How its server is reached. */
#define FEED_ACCESS_OPTIONS(settings)                                                              \
    {"user", OPTION_TEXT, &(settings).user, "NAME", "for HTTP basic, with --password-file"},       \
        {"password-file", OPTION_TEXT, &(settings).password_file, "FILE",                          \
         "whose first line is the password"},                                                      \
        {"token-file", OPTION_TEXT, &(settings).token_file, "FILE",                                \
         "whose first line is a bearer token"},                                                    \
        {"header", OPTION_TEXT, &(settings).header, "NAME",                                        \
         "one more header, such as Auth-Key, with --header-file"},                                 \
        {"header-file", OPTION_TEXT, &(settings).header_file, "FILE",                              \
         "whose first line is the header's value"},                                                \
        {"proxy", OPTION_TEXT, &(settings).proxy, "URL",                                           \
         "http://, https://, socks5h:// (default: the environment's)"},                            \
        {"ca", OPTION_TEXT, &(settings).ca, "FILE", "whom to trust instead of the system's CAs"},  \
        {"certificate", OPTION_TEXT, &(settings).certificate, "FILE", "our own, with --key"},      \
    {                                                                                              \
        "key", OPTION_TEXT, &(settings).key, "FILE", "of our certificate"                          \
    }

/* The options of a command that sets them, to go into its struct option_spec array. */
#define FEED_SETTING_OPTIONS(settings)                                                             \
    {"format", OPTION_TEXT, &(settings).format, "FORMAT",                                          \
     "auto (default), plain, csv, ndjson, stix, misp, zeek, rules, p2p, text"},                    \
        {"columns", OPTION_TEXT, &(settings).columns, "MAP",                                       \
         "which column has what: address=ioc,port=dst_port"},                                      \
        {"pattern", OPTION_TEXT, &(settings).pattern, "GLOB", "which files of a folder: '*.txt'"}, \
        {"role", OPTION_TEXT, &(settings).role, "ROLE",                                            \
         "threat (default); allow: raises no alert; shared: weaker evidence"},                     \
        {"confidence", OPTION_NUMBER, &(settings).confidence, "0..100",                            \
         "of indicators that bring none (default 50)"},                                            \
        {"refresh", OPTION_TEXT, &(settings).refresh, "SPAN",                                      \
         "90s, 30m, 1h (default), 2d; never"},                                                     \
        {"max-bytes", OPTION_TEXT, &(settings).max_bytes, "BYTES",                                 \
         "how large it may be: 500000, 50M (default 512M)"},                                       \
        FEED_ACCESS_OPTIONS(settings)

/* The server has another working folder than we have; into out. What is no path stays. */
const char *feed_absolute(const char *path, char *out, size_t size_bytes);

/* Puts those given into the body of a request. False, after saying why: one is wrong. */
bool feed_settings_put(json_t *body, const struct feed_settings *settings);

#endif
