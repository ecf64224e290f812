#include "replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flow_list.h"
#include "message_directory.h"
#include "replay_device.h"

/* Tables of replay --flows: 4^7 times the first is the last, 2^30, some 50 GB of IPv4 flows. */
enum { FLOWS_AT_FIRST = 1 << 16, FLOWS_AT_LAST = 1 << 30 };

/* What the passes over the file found. */
struct outcome {
    uint64_t packets;
    uint64_t ipv4_packets;
    uint64_t ipv6_packets;
    uint64_t frames[INTAKE_OUTCOMES];
    size_t flows;
    uint64_t lost_flows;
    uint64_t saturated_flows;
    uint32_t messages;
    struct picket_error file_error; /* why reading ended before the file's end; "" otherwise */
};

/* Reads the file and hands every frame to take(). A file that is cut is used as far as it goes:
 * every pass sees the same frames, and file_error says how far that was. */
static int each_frame(const char *path, struct outcome *outcome,
                      int (*take)(void *context, const struct captured_frame *frame), void *context,
                      struct picket_error *error)
{
    struct capture_file *file;
    int status = capture_file_open(&file, path, error);
    if (status != PICKET_OK)
        return status;
    struct captured_frame frame;
    int got;
    while (status == PICKET_OK && (got = capture_file_next(file, &frame, &outcome->file_error)) > 0)
        status = take(context, &frame);
    capture_file_close(file);
    return status;
}

static int count_versions(void *context, const struct captured_frame *frame)
{
    struct outcome *outcome = context;
    struct ip_packet packet;
    outcome->packets++;
    if (link_layer_find_ip(frame->link, frame->bytes, frame->captured_bytes, frame->wire_bytes,
                           &packet) == LINK_IP)
        *(packet.version == 4 ? &outcome->ipv4_packets : &outcome->ipv6_packets) += 1;
    return PICKET_OK;
}

static int take_frame(void *context, const struct captured_frame *frame)
{
    return replay_device_take(context, frame);
}

static int list_flows(void *context, const struct picket_wire_message *message,
                      struct picket_error *error)
{
    return flow_list_append_message(context, message, error);
}

/* One pass with tables of a size; all flows of the capture come out of the flush at its end. */
static int collect_flows(const struct replay_settings *settings, struct outcome *outcome,
                         uint32_t ipv4_flows, uint32_t ipv6_flows, struct flow_list *list,
                         struct picket_error *error)
{
    static struct replay_device device;
    int status =
        replay_device_init(&device, settings, ipv4_flows, ipv6_flows, 1, list_flows, list, error);
    if (status != PICKET_OK)
        return status;
    status = each_frame(settings->file, outcome, take_frame, &device, error);
    if (status == PICKET_OK)
        status = replay_device_finish(&device);
    memcpy(outcome->frames, device.intake.outcomes, sizeof outcome->frames);
    replay_device_free(&device);
    return status;
}

static uint32_t capacity_for(uint64_t packets, uint64_t at_most)
{
    uint64_t capacity = packets < at_most ? packets : at_most;
    return capacity > 0 ? (uint32_t)capacity : 1;
}

/* There are at most as many flows as packets, but usually far fewer: it starts with small tables
 * and takes larger ones while flows are lost. */
static int find_flows(const struct replay_settings *settings, struct outcome *outcome,
                      struct flow_list *list, struct picket_error *error)
{
    uint64_t most = outcome->ipv4_packets > outcome->ipv6_packets ? outcome->ipv4_packets
                                                                  : outcome->ipv6_packets;
    for (uint64_t at_most = FLOWS_AT_FIRST;; at_most *= 4) {
        flow_list_clear(list);
        int status = collect_flows(settings, outcome, capacity_for(outcome->ipv4_packets, at_most),
                                   capacity_for(outcome->ipv6_packets, at_most), list, error);
        if (status != PICKET_OK)
            return status;
        bool lost = list->lost_flows > 0 || outcome->frames[INTAKE_LOST] > 0;
        if (!lost || at_most >= most || at_most >= FLOWS_AT_LAST)
            break;
    }
    flow_list_sort(list);
    outcome->flows = list->count;
    outcome->lost_flows = list->lost_flows;
    outcome->saturated_flows = list->saturated;
    return PICKET_OK;
}

static int write_message(void *context, const struct picket_wire_message *message,
                         struct picket_error *error)
{
    return message_directory_write(context, message, error);
}

/* The messages that a device with the ordinary tables and intervals would have sent. What the
 * capture does not tell, its system, is not made up from this machine's. */
static int write_messages(const struct replay_settings *settings, struct outcome *outcome,
                          struct picket_error *error)
{
    static struct replay_device device;
    struct message_directory directory;
    const struct agent_settings *agent = &settings->agent;
    int status = message_directory_open(&directory, settings->messages, error);
    if (status == PICKET_OK)
        status = replay_device_init(&device, settings, agent->ipv4_flows, agent->ipv6_flows,
                                    FLOWS_RESERVE, write_message, &directory, error);
    if (status != PICKET_OK)
        return status;
    device.polls = true;
    status = each_frame(settings->file, outcome, take_frame, &device, error);
    if (status == PICKET_OK)
        status = replay_device_finish(&device);
    replay_device_free(&device);
    outcome->messages = directory.written;
    return status;
}

static void print_text(const struct replay_settings *settings, const struct outcome *outcome)
{
    fprintf(stderr, "%s: %" PRIu64 " packets, %" PRIu64 " counted in %zu flows\n", settings->file,
            outcome->packets, outcome->frames[INTAKE_COUNTED], outcome->flows);
    for (int i = INTAKE_COUNTED + 1; i < INTAKE_OUTCOMES; i++)
        if (outcome->frames[i] > 0)
            fprintf(stderr, "%8" PRIu64 " not counted: %s\n", outcome->frames[i],
                    intake_outcome_text((enum intake_outcome)i));
    if (settings->messages != NULL)
        fprintf(stderr, "%8u messages in %s\n", outcome->messages, settings->messages);
    if (outcome->saturated_flows > 0)
        fprintf(stderr,
                "%8" PRIu64 " flows reached the end of a counter, 4294967295: they are "
                "larger than shown\n",
                outcome->saturated_flows);
    if (outcome->lost_flows > 0)
        fprintf(stderr, "%8" PRIu64 " flows lost: they did not fit the table\n",
                outcome->lost_flows);
}

static void print_json(const struct replay_settings *settings, const struct outcome *outcome)
{
    fprintf(stderr,
            "{\"packets\":%" PRIu64 ",\"flows\":%zu,\"lost_flows\":%" PRIu64
            ",\"saturated_flows\":%" PRIu64,
            outcome->packets, outcome->flows, outcome->lost_flows, outcome->saturated_flows);
    if (settings->messages != NULL)
        fprintf(stderr, ",\"messages\":%u", outcome->messages);
    for (int i = 0; i < INTAKE_OUTCOMES; i++)
        fprintf(stderr, ",\"%s\":%" PRIu64, intake_outcome_name((enum intake_outcome)i),
                outcome->frames[i]);
    fprintf(stderr, ",\"complete\":%s}\n", outcome->file_error.text[0] == '\0' ? "true" : "false");
}

static int all_passes(const struct replay_settings *settings, struct outcome *outcome,
                      struct flow_list *list, struct picket_error *error)
{
    int status = each_frame(settings->file, outcome, count_versions, outcome, error);
    if (status == PICKET_OK)
        status = find_flows(settings, outcome, list, error);
    if (status == PICKET_OK && settings->flows_csv) {
        flow_list_print_csv(list, stdout);
        if (fflush(stdout) != 0 || ferror(stdout))
            status = picket_fail(error, PICKET_IO, "standard output: the flows cannot be written");
    }
    if (status == PICKET_OK && settings->messages != NULL)
        status = write_messages(settings, outcome, error);
    return status;
}

int replay(const struct replay_settings *settings)
{
    struct outcome outcome = {0};
    struct flow_list list = {0};
    struct picket_error error = {0};
    int status = all_passes(settings, &outcome, &list, &error);
    flow_list_clear(&list);
    if (status != PICKET_OK) {
        fprintf(stderr, "picket-agent: %s\n", error.text);
        return EXIT_FAILURE;
    }
    if (settings->json)
        print_json(settings, &outcome);
    else
        print_text(settings, &outcome);
    if (outcome.file_error.text[0] == '\0')
        return EXIT_SUCCESS;
    fprintf(stderr, "picket-agent: %s; what comes before is used\n", outcome.file_error.text);
    return EXIT_FAILURE;
}
