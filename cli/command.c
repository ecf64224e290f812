#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "text.h"

enum { OPTIONS_MAX = 32, HELP_COLUMN = 31, FIRST_CODE = 256 };

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

static void print_option(const char *name, const char *argument, const char *help)
{
    char left[80];
    snprintf(left, sizeof left, "  --%s%s%s", name, argument ? " " : "", argument ? argument : "");
    page_line(left, HELP_COLUMN, "%s", help);
}

void command_print_help(const struct command *command, const struct option_spec *options)
{
    printf("Usage: picket %s [OPTION...]%s%s\n\n", command->name, *command->operands ? " " : "",
           command->operands);
    page_line("", 0, "%s.", command->summary);
    printf("\nOptions:\n");
    for (const struct option_spec *option = options; option->name; option++)
        print_option(option->name, option->argument, option->help);
    print_option("help", NULL, "print this");
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

static bool take_one_more(const struct option_spec *option, const char *text)
{
    struct option_texts *texts = option->value;
    if (texts->count == OPTION_TEXTS_MAX) {
        complain("--%s: is given more than %d times", option->name, OPTION_TEXTS_MAX);
        return false;
    }
    texts->texts[texts->count++] = text;
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
    case OPTION_TEXTS:
        return take_one_more(option, text);
    default:
        return take_number(option, text);
    }
}

/* getopt's codes: FIRST_CODE and the place among the options. */
static void build(const struct option_spec *options, struct option *out)
{
    int count = 0;
    for (; options[count].name && count < OPTIONS_MAX; count++)
        out[count] =
            (struct option){options[count].name,
                            options[count].kind == OPTION_FLAG ? no_argument : required_argument,
                            NULL, FIRST_CODE + count};
    out[count] = (struct option){"help", no_argument, NULL, 'h'};
    out[count + 1] = (struct option){0};
}

/* optopt tells the option that was recognised, but not used as it has to be. */
static void complain_of_option(int code, char **argv)
{
    const char *problem = code == ':'                             ? "needs a value"
                          : optopt >= FIRST_CODE || optopt == 'h' ? "takes no value"
                                                                  : "there is no such option";
    complain("%s: %s", argv[optind > 0 ? optind - 1 : 0], problem);
}

/* 0: go on; 'h': help was asked for; '?': wrong. */
static int read_options(const struct option_spec *options, int argc, char **argv)
{
    struct option table[OPTIONS_MAX + 2];
    int code;
    build(options, table);
    optind = 0;
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
        if (code == 'h')
            return 'h';
        if (code == ':' || code == '?')
            complain_of_option(code, argv);
        else if (take(&options[code - FIRST_CODE], optarg))
            continue;
        return '?';
    }
    return 0;
}

/* ---- operands ---- */

/* The name of the index-th operand, of those that "NAME FILE-OR-URL" or "ADDRESS..." name; the last
 * goes on for what follows. */
static int name_length(const char *names, int index, const char **name)
{
    *name = names;
    for (const char *next; index > 0 && (next = strchr(*name, ' ')) != NULL; index--)
        *name = next + 1;
    *name += **name == '[';
    return (int)strcspn(*name, " .]");
}

static bool complain_of_operand(const struct command *command, int index, const char *problem)
{
    const char *name;
    int length = name_length(command->operands, index, &name);
    complain("%.*s %s: picket %s [OPTION...] %s", length, name, problem, command->name,
             command->operands);
    return false;
}

static bool check_operands(const struct command *command, const struct operands *operands)
{
    const char *names = command->operands;
    int words = *names != 0, optional = 0;
    for (const char *at = names; *at; at++) {
        words += *at == ' ';
        optional += *at == '[';
    }
    if (operands->count > words && !strstr(names, "...")) {
        complain("\"%s\" is too much: picket %s [OPTION...]%s%s", operands->words[words],
                 command->name, *names ? " " : "", names);
        return false;
    }
    if (operands->count < words - optional)
        return complain_of_operand(command, operands->count, "is missing");
    for (int i = 0; i < operands->count; i++) {
        if (!*operands->words[i])
            return complain_of_operand(command, i, "is empty");
    }
    return true;
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
    if (code == 0 && check_operands(command, operands))
        return true;
    fprintf(stderr, "picket %s --help says more\n", command->name);
    *exit_code = EXIT_USAGE;
    return false;
}
