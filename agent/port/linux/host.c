#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>

uint32_t host_uptime_s(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint32_t)now.tv_sec;
}

uint32_t host_unix_time_s(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec <= 0 || now.tv_sec >= UINT32_MAX)
        return UINT32_MAX;
    return (uint32_t)now.tv_sec;
}

/* Without randomness a peer could choose collisions and ids would repeat: better no agent. */
void host_random(void *context, void *bytes, size_t size_bytes)
{
    (void)context;
    uint8_t *out = bytes;
    while (size_bytes > 0) {
        ssize_t got = getrandom(out, size_bytes, 0);
        if (got <= 0) {
            perror("picket-agent: getrandom");
            abort();
        }
        out += got;
        size_bytes -= (size_t)got;
    }
}

/* What goes into a message must be text, whatever firmware and files hold. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

/* The file's first bytes as one line of text, without what follows the first NUL or newline, and
 * without blanks at the end. */
static bool read_line(const char *root, const char *name, char *line, size_t size_bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    line[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t got = fread(line, 1, size_bytes - 1, file);
    fclose(file);
    line[got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    make_printable(line);
    for (size_t end = strlen(line); end > 0 && line[end - 1] == ' '; end--)
        line[end - 1] = '\0';
    return line[0] != '\0';
}

/* The value of a line NAME=value or NAME="value" of os-release(5), backslashes taken off. */
static void unquote(const char *value, char *out, size_t size_bytes)
{
    char quote = *value == '"' || *value == '\'' ? *value++ : '\0';
    size_t length = 0;
    for (; *value != '\0' && *value != '\n' && length + 1 < size_bytes; value++) {
        if (quote != '\0' && *value == quote)
            break;
        if (*value == '\\' && quote != '\'' && value[1] != '\0' && value[1] != '\n')
            value++;
        out[length++] = *value;
    }
    out[length] = '\0';
}

static bool read_pretty_name(const char *root, const char *name, char *out, size_t size_bytes)
{
    static const char key[] = "PRETTY_NAME=";
    char path[512], line[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, key, sizeof key - 1) == 0;
        if (found)
            unquote(line + sizeof key - 1, out, size_bytes);
    }
    make_printable(out);
    fclose(file);
    return found;
}

static void describe_hardware(const char *root, char *out, size_t size_bytes)
{
    char vendor[80], model[80];
    if (read_line(root, "/proc/device-tree/model", model, sizeof model)) {
        snprintf(out, size_bytes, "%s", model);
        return;
    }
    read_line(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof vendor);
    read_line(root, "/sys/class/dmi/id/product_name", model, sizeof model);
    snprintf(out, size_bytes, "%s%s%s", vendor, vendor[0] != '\0' && model[0] != '\0' ? " " : "",
             model);
}

void host_describe(struct host_description *description, const char *root)
{
    memset(description, 0, sizeof *description);
    if (!read_pretty_name(root, "/etc/os-release", description->os, sizeof description->os))
        read_pretty_name(root, "/usr/lib/os-release", description->os, sizeof description->os);
    struct utsname names;
    if (uname(&names) == 0)
        snprintf(description->kernel, sizeof description->kernel, "%s %s %s %s", names.sysname,
                 names.release, names.machine, names.version);
    describe_hardware(root, description->hardware, sizeof description->hardware);
}

static const char *known(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

struct picket_wire_system_information
host_system_information(const struct host_description *description)
{
    return (struct picket_wire_system_information){.os_info = known(description->os),
                                                   .kernel_info = known(description->kernel),
                                                   .hw_info = known(description->hardware)};
}
