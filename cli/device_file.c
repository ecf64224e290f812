#include "device_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

enum { COLUMNS_MAX = 16, LINE_BYTES_MAX = 4096 };

struct device_file {
    const char *path;
    FILE *stream;
    json_t *devices;
    json_int_t line;
    bool is_json;
    bool has_heading;
    char heading_line[LINE_BYTES_MAX];
    const char *heading[COLUMNS_MAX]; /* point into heading_line */
    size_t columns;                   /* 0: no line has been read */
};

static bool fail_at(const struct device_file *file, const char *problem)
{
    complain("%s:%lld: %s", file->path, (long long)file->line, problem);
    return false;
}

/* ---- CSV ---- */

/* Takes the quotes off, in place. NULL: they are not in pairs. */
static char *unquote(char *field, char **rest)
{
    char *out = field, *in = field + 1;
    for (; *in != '\0'; in++) {
        if (*in == '"' && in[1] != '"')
            break;
        in += *in == '"';
        *out++ = *in;
    }
    if (*in != '"' || (in[1] != '\0' && in[1] != ','))
        return NULL;
    *rest = in[1] == ',' ? in + 2 : NULL;
    *out = '\0';
    return field;
}

/* Cuts the next field off *rest, which becomes NULL at the last one. */
static char *next_field(char **rest)
{
    char *field = *rest;
    if (*field == '"')
        return unquote(field, rest);
    char *comma = strchr(field, ',');
    *rest = comma != NULL ? comma + 1 : NULL;
    if (comma != NULL)
        *comma = '\0';
    return field;
}

static bool split(const struct device_file *file, char *line, const char **fields, size_t *count)
{
    char *rest = line;
    for (*count = 0; rest != NULL; ++*count) {
        if (*count == COLUMNS_MAX)
            return fail_at(file, "more than 16 columns");
        fields[*count] = next_field(&rest);
        if (fields[*count] == NULL)
            return fail_at(file, "a quote that is not closed, or something behind it");
    }
    return true;
}

static bool take_heading(struct device_file *file, const char *line)
{
    strcpy(file->heading_line, line);
    if (!split(file, file->heading_line, file->heading, &file->columns))
        return false;
    file->has_heading = strcmp(file->heading[0], "id") == 0;
    if (!file->has_heading && file->columns > 1)
        return fail_at(file, "expected an id alone, or a heading that begins with id, such as "
                             "id,primary_key,secondary_key");
    if (!file->has_heading)
        file->heading[0] = "id";
    return true;
}

static bool take_row(struct device_file *file, char *line)
{
    const char *fields[COLUMNS_MAX];
    size_t count;
    if (!split(file, line, fields, &count))
        return false;
    if (count != file->columns)
        return fail_at(file, file->has_heading ? "has not as many columns as the heading"
                                               : "expected an id alone: there is no heading");
    json_t *device = json_pack("{s:I}", "line", file->line);
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good = fields[i][0] == '\0' ||
               json_object_set_new(device, file->heading[i], json_string(fields[i])) == 0;
    json_array_append_new(file->devices, device);
    return good || fail_at(file, "is not UTF-8");
}

static bool take_csv(struct device_file *file, char *line)
{
    bool is_first = file->columns == 0;
    if (is_first && !take_heading(file, line))
        return false;
    return (is_first && file->has_heading) || take_row(file, line);
}

/* ---- lines of JSON ---- */

static bool take_json(struct device_file *file, const char *line)
{
    json_error_t problem;
    json_t *device = json_loads(line, JSON_REJECT_DUPLICATES, &problem);
    if (device == NULL)
        return fail_at(file, problem.text);
    if (!json_is_object(device)) {
        json_decref(device);
        return fail_at(file, "expected a JSON object");
    }
    json_object_set_new(device, "line", json_integer(file->line));
    json_array_append_new(file->devices, device);
    return true;
}

/* ---- files ---- */

static bool take_line(struct device_file *file, char *line)
{
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (file->columns == 0 && line[0] == '{')
        file->is_json = true;
    return file->is_json ? take_json(file, line) : take_csv(file, line);
}

static bool read_lines(struct device_file *file)
{
    char line[LINE_BYTES_MAX];
    while (fgets(line, sizeof line, file->stream) != NULL) {
        size_t length = strcspn(line, "\r\n");
        file->line++;
        if (line[length] == '\0' && length + 1 == sizeof line)
            return fail_at(file, "longer than 4094 bytes");
        line[length] = '\0';
        if (!take_line(file, line))
            return false;
    }
    if (ferror(file->stream)) {
        complain("%s: %s", file->path, strerror(errno));
        return false;
    }
    if (json_array_size(file->devices) == 0) {
        complain("%s: lists no devices", file->path);
        return false;
    }
    return true;
}

json_t *device_file_read(const char *path)
{
    struct device_file file = {.path = path};
    file.stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file.stream == NULL) {
        complain("%s: %s", path, strerror(errno));
        return NULL;
    }
    file.devices = json_array();
    bool good = read_lines(&file);
    if (file.stream != stdin)
        fclose(file.stream);
    if (good)
        return file.devices;
    json_decref(file.devices);
    return NULL;
}
