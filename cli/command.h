/* A command: its place in `picket --help`, its options, and what it does.
 *
 * Exit codes: 0 done; 1 it failed, or a lookup found nothing; 2 it was called wrongly.
 */
#ifndef PICKET_CLI_COMMAND_H
#define PICKET_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;     /* "device add" */
    const char *operands; /* "ID", "" for none, "ADDRESS..." for many; one in [] may be left out */
    const char *summary;  /* one line, no full stop */
    const char *more;     /* what else to know, with examples; whole lines */
    int (*run)(const struct command *command, int argc,
               char **argv); /* argv[0]: the last word of name */
};

extern const struct command command_serve;
extern const struct command command_device_add, command_device_list, command_device_show,
    command_device_disable, command_device_enable, command_device_remove, command_device_rotate_key,
    command_device_rotate_x509, command_device_import;
extern const struct command command_ip_filter_list, command_ip_filter_add, command_ip_filter_remove,
    command_ip_filter_move, command_ip_filter_default;
extern const struct command command_audit_list, command_audit_export, command_audit_check;
extern const struct command command_ca_add, command_ca_list, command_ca_show, command_ca_remove;
extern const struct command command_twin_show, command_twin_set;
extern const struct command command_method_invoke;
extern const struct command command_c2d_send, command_c2d_list, command_c2d_purge;
extern const struct command command_allow_add, command_allow_list, command_allow_remove;
extern const struct command command_feed_add, command_feed_list, command_feed_refresh,
    command_feed_remove, command_feed_show, command_feed_set, command_feed_collections;
extern const struct command command_intel_hunt, command_intel_lookup, command_intel_add,
    command_intel_change, command_intel_remove, command_intel_import, command_intel_list;
extern const struct command command_alert_list, command_alert_show, command_alert_acknowledge,
    command_alert_close, command_alert_reopen, command_alert_explain;
extern const struct command command_suppression_add, command_suppression_list,
    command_suppression_remove;
extern const struct command command_event_list;
extern const struct command command_dead_letter_list;
extern const struct command command_status;
extern const struct command command_decode;

enum option_kind {
    OPTION_FLAG,   /* bool * */
    OPTION_TEXT,   /* const char ** */
    OPTION_NUMBER, /* long long *, not negative */
    OPTION_TEXTS,  /* struct option_texts *: may be repeated */
};

enum { OPTION_TEXTS_MAX = 32 };
struct option_texts {
    const char *texts[OPTION_TEXTS_MAX];
    int count;
};

/* Ends with one whose name is NULL. */
struct option_spec {
    const char *name; /* without -- */
    enum option_kind kind;
    void *value;          /* stays as it is when the option is not given */
    const char *argument; /* "FILE"; NULL for a flag */
    const char *help;
};

/* Of every command that speaks to the server. */
#define OPTION_SOCKET(path)                                                                        \
    {                                                                                              \
        "socket", OPTION_TEXT, &(path), "PATH", "of the running picket (default: $PICKET_SOCKET)"  \
    }

struct operands {
    char **words;
    int count;
};

/* Reads options (anywhere among the operands; "--" ends them) and checks the number of operands
 * against command->operands. True: go on. False: *exit_code says how to end; what there was to say
 * has been said. */
bool command_parse(const struct command *command, const struct option_spec *options, int argc,
                   char **argv, struct operands *operands, int *exit_code);

void command_print_help(const struct command *command, const struct option_spec *options);

/* "picket: …" on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
