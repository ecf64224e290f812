#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "activity_entry.h"
#include "identity/credential.h"

static void add(struct activity_json *json, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct activity_json *json, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        vsnprintf(json->text + json->used, sizeof json->text - json->used, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < sizeof json->text - json->used)
        json->used += (size_t)size;
}

/* None of these texts is a peer's: nothing is to be escaped. */
static void add_attempt(struct activity_json *json, const char *name, const struct attempt *attempt)
{
    char print[PICKET_THUMBPRINT_TEXT_BYTES];
    if (attempt->address[0] == '\0')
        return;
    add(json, ",\"%s\":{\"address\":\"%s\",\"tls\":\"%s\",\"cipher\":\"%s\"", name,
        attempt->address, attempt->tls, attempt->cipher);
    if (attempt->certificate.size_bytes > 0)
        add(json, ",\"certificate\":\"%s\"",
            picket_thumbprint_format(&attempt->certificate, print));
    add(json, "}");
}

/* Members of an object that opens with the first of them. */
struct group {
    struct activity_json *json;
    const char *name; /* NULL: none is open */
};

static void add_number(struct group *group, const char *name, const char *member, uint64_t number)
{
    if (number == 0)
        return;
    if (group->name == NULL || strcmp(group->name, name) != 0)
        add(group->json, "%s,\"%s\":{", group->name != NULL ? "}" : "", name);
    else
        add(group->json, ",");
    group->name = name;
    add(group->json, "\"%s\":%llu", member, (unsigned long long)number);
}

static void end_group(const struct group *group)
{
    if (group->name != NULL)
        add(group->json, "}");
}

static void add_counts(struct activity_json *json, const struct activity_entry *entry)
{
    struct group group = {json, NULL};
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        add_number(&group, "counts", ending_name((enum ending)i), entry->endings[i]);
    for (int i = 0; i < TALLY_KINDS; i++)
        add_number(&group, tally_group((enum tally_kind)i), tally_name((enum tally_kind)i),
                   entry->tally.counts[i]);
    end_group(&group);
}

static void add_trespass(struct activity_json *json, const struct trespass *trespass)
{
    if (trespass->topic[0] != '\0')
        add(json, ",\"last_unauthorized\":{\"operation\":\"%s\",\"topic\":\"%s\"}",
            tally_name(trespass->kind), trespass->topic);
}

void activity_write(struct activity_json *json, const struct activity_entry *entry)
{
    static const char *const credentials[] = {
        [CREDENTIAL_KEY] = "sas", [CREDENTIAL_THUMBPRINT] = "thumbprint", [CREDENTIAL_CA] = "ca"};
    json->used = 0;
    add(json, "{\"about\":\"activity\",\"since_ms\":%lld", (long long)entry->begin_ms);
    if (entry->connected > 0)
        add(json, ",\"connected\":%u,\"authentication\":\"%s\"", entry->connected,
            credentials[entry->credential]);
    if (entry->moved > 0)
        add(json, ",\"moved\":%u", entry->moved);
    if (entry->held_back > 0)
        add(json, ",\"held_back\":%u", entry->held_back);
    add_counts(json, entry);
    add_attempt(json, "last_accepted", &entry->accepted);
    add_attempt(json, "last_refused", &entry->refused);
    if (tally_unauthorized(&entry->tally) > 0)
        add_trespass(json, &entry->trespass);
    add(json, "}");
}

void activity_write_trespasses(struct activity_json *json, const struct activity_entry *entry,
                               uint64_t operations, int64_t seconds)
{
    json->used = 0;
    add(json, "{\"about\":\"unauthorized\",\"operations\":%llu,\"seconds\":%lld",
        (unsigned long long)operations, (long long)seconds);
    add_trespass(json, &entry->trespass);
    add(json, "}");
}

void activity_write_burst(struct activity_json *json, uint64_t refusals, int64_t seconds)
{
    json->used = 0;
    add(json, "{\"about\":\"burst\",\"refusals\":%llu,\"seconds\":%lld}",
        (unsigned long long)refusals, (long long)seconds);
}

void activity_write_certificate(struct activity_json *json, const char *of, const char *name,
                                int64_t until_s, bool expired)
{
    json->used = 0;
    add(json,
        "{\"about\":\"certificate\",\"of\":\"%s\",\"name\":\"%s\",\"until_ms\":%lld,\"expired\":%"
        "s}",
        of, name, (long long)until_s * 1000, expired ? "true" : "false");
}

void activity_plain_topic(char plain[ACTIVITY_TOPIC_BYTES], struct slice topic)
{
    size_t size = topic.size < ACTIVITY_TOPIC_BYTES ? topic.size : ACTIVITY_TOPIC_BYTES - 1;
    for (size_t i = 0; i < size; i++) {
        char c = topic.bytes[i];
        plain[i] = (char)(c >= 0x20 && c < 0x7f && c != '"' && c != '\\' ? c : '?');
    }
    plain[size] = '\0';
}
