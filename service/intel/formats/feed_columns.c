#include "feed_columns.h"

#include <stdbool.h>
#include <string.h>

static const char *const member_names[] = {
    [FEED_ADDRESS] = "address",
    [FEED_PORT] = "port",
    [FEED_PROTOCOL] = "protocol",
    [FEED_CONFIDENCE] = "confidence",
    [FEED_SEVERITY] = "severity",
    [FEED_MALWARE] = "malware",
    [FEED_REFERENCE] = "reference",
    [FEED_LISTED] = "first_seen",
    [FEED_VALID_UNTIL] = "valid_until",
    [FEED_TLP] = "tlp",
    [FEED_TAGS] = "tags",
};

const char *feed_member_name(enum feed_member member)
{
    return member_names[member];
}

struct part {
    const char *text; /* MEMBER=COLUMN, for messages */
    size_t size;
    size_t member_size;
    const char *column;
    size_t column_size;
};

/* The part at *text, which moves behind it and its comma. */
static int next_part(const char **text, struct part *part, struct picket_error *error)
{
    const char *start = *text, *equals = start + strcspn(start, "=,");
    *part = (struct part){.text = start, .member_size = (size_t)(equals - start)};
    if (*equals != '=')
        return picket_fail(error, PICKET_INVALID,
                           "columns: \"%.*s\": MEMBER=COLUMN expected, as in address=ip",
                           (int)part->member_size, start);
    part->column = equals + 1;
    if (*part->column == '"') {
        part->column++;
        part->column_size = strcspn(part->column, "\"");
        const char *after = part->column + part->column_size;
        if (*after != '"' || (after[1] != ',' && after[1] != '\0'))
            return picket_fail(error, PICKET_INVALID, "columns: \"%s\": a quote is not closed",
                               start);
        *text = after + 1;
    } else {
        part->column_size = strcspn(part->column, ",");
        *text = part->column + part->column_size;
    }
    part->size = (size_t)(*text - start);
    if (**text == ',')
        (*text)++;
    return PICKET_OK;
}

static enum feed_member member_of(const struct part *part)
{
    for (int i = 0; i < FEED_MEMBERS; i++)
        if (strlen(member_names[i]) == part->member_size &&
            strncmp(part->text, member_names[i], part->member_size) == 0)
            return (enum feed_member)i;
    return FEED_MEMBERS;
}

/* Where the column's name belongs; NULL: it has been given already. */
static char *room_for(struct feed_column_names *names, enum feed_member member)
{
    if (member != FEED_TAGS)
        return names->of[member][0] == '\0' ? names->of[member] : NULL;
    for (int i = 0; i < FEED_TAG_COLUMNS; i++)
        if (names->tags[i][0] == '\0')
            return names->tags[i];
    return NULL;
}

static int take_part(const struct part *part, struct feed_column_names *names,
                     struct picket_error *error)
{
    enum feed_member member = member_of(part);
    if (member == FEED_MEMBERS)
        return picket_fail(error, PICKET_INVALID,
                           "columns: there is no member \"%.*s\"; address, port, protocol, "
                           "confidence, severity, malware, reference, first_seen, valid_until, "
                           "tlp and tags are expected",
                           (int)part->member_size, part->text);
    if (part->column_size == 0 || part->column_size >= FEED_COLUMN_BYTES)
        return picket_fail(error, PICKET_INVALID,
                           "columns: \"%.*s\": a column's name of 1 to %d bytes expected",
                           (int)part->size, part->text, FEED_COLUMN_BYTES - 1);
    char *room = room_for(names, member);
    if (room == NULL)
        return picket_fail(error, PICKET_INVALID, "columns: %s is given more than %s",
                           member_names[member], member == FEED_TAGS ? "four times" : "once");
    memcpy(room, part->column, part->column_size);
    return PICKET_OK;
}

int feed_columns_parse(const char *text, struct feed_column_names *names,
                       struct picket_error *error)
{
    int status = PICKET_OK;
    bool any = text[0] != '\0';
    memset(names, 0, sizeof *names);
    while (status == PICKET_OK && *text != '\0') {
        struct part part;
        status = next_part(&text, &part, error);
        if (status == PICKET_OK)
            status = take_part(&part, names, error);
    }
    if (status == PICKET_OK && any && names->of[FEED_ADDRESS][0] == '\0')
        status = picket_fail(error, PICKET_INVALID,
                             "columns: which one holds the address is not given; address=COLUMN "
                             "expected");
    if (status != PICKET_OK)
        memset(names, 0, sizeof *names);
    return status;
}
