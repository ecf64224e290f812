#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { OPTIONS_MAX = 16, HELP_COLUMN = 28 };

void complain(const char *format, ...)
{
    char text[1200], safe[4 * sizeof text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "picket: %s\n", text_printable(text, safe, sizeof safe));
}

/* ---- help ---- */

static void print_option(const struct option_spec *option)
{
    char left[80];
    snprintf(left, sizeof left, "  --%s%s%s", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    printf("%-*s%s%s\n", HELP_COLUMN, left, strlen(left) >= HELP_COLUMN ? "  " : "", option->help);
}

void command_print_help(const struct command *command, const struct option_spec *options)
{
    printf("Usage: picket %s [OPTION...]%s%s\n\n%s.\n", command->name,
           *command->operands ? " " : "", command->operands, command->summary);
    printf("\nOptions:\n");
    for (const struct option_spec *option = options; option->name; option++)
        print_option(option);
    printf("%-*s%s\n", HELP_COLUMN, "  --help", "print this");
    if (*command->more)
        printf("\n%s", command->more);
}

/* ---- options ---- */

static bool take_number(const struct option_spec *option, const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (!*text || text[strspn(text, "0123456789")] || errno) {
        complain("--%s: \"%s\" is not a whole number", option->name, text);
        return false;
    }
    *(long long *)option->value = number;
    return true;
}

static bool take(const struct option_spec *option, const char *text)
{
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)option->value = true;
        return true;
    case OPTION_TEXT:
        *(const char **)option->value = text;
        return true;
    default:
        return take_number(option, text);
    }
}

static int build(const struct option_spec *options, struct option *out)
{
    int count = 0;
    for (; options[count].name && count < OPTIONS_MAX; count++)
        out[count] = (struct option){
            options[count].name,
            options[count].kind == OPTION_FLAG ? no_argument : required_argument, NULL, 0};
    out[count] = (struct option){"help", no_argument, NULL, 'h'};
    out[count + 1] = (struct option){0};
    return count;
}

static void complain_of_option(const char *problem, char **argv)
{
    complain("%s: %s", argv[optind > 0 ? optind - 1 : 0], problem);
}

/* 0: go on; 'h': help was asked for; '?': wrong. */
static int read_options(const struct option_spec *options, int argc, char **argv)
{
    struct option table[OPTIONS_MAX + 2];
    int index = 0, code;
    build(options, table);
    optind = 0;
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":h", table, &index)) != -1) {
        if (code == 'h')
            return 'h';
        if (code == ':')
            complain_of_option("needs a value", argv);
        else if (code == '?')
            complain_of_option("there is no such option", argv);
        else if (take(&options[index], optarg))
            continue;
        return '?';
    }
    return 0;
}

static bool count_fits(const char *operands, int count)
{
    size_t length = strlen(operands);
    int words = length > 0;
    for (const char *at = operands; *at; at++)
        words += *at == ' ';
    if (length >= 3 && strcmp(operands + length - 3, "...") == 0)
        return count >= words;
    if (*operands == '[')
        return count <= words;
    return count == words;
}

bool command_parse(const struct command *command, const struct option_spec *options, int argc,
                   char **argv, struct operands *operands, int *exit_code)
{
    int code = read_options(options, argc, argv);
    if (code == 'h') {
        command_print_help(command, options);
        *exit_code = EXIT_DONE;
        return false;
    }
    operands->words = argv + optind;
    operands->count = argc - optind;
    if (code == 0 && count_fits(command->operands, operands->count))
        return true;
    if (code == 0)
        complain("usage: picket %s [OPTION...]%s%s", command->name, *command->operands ? " " : "",
                 command->operands);
    fprintf(stderr, "picket %s --help says more\n", command->name);
    *exit_code = EXIT_USAGE;
    return false;
}
