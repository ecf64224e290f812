#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "device_twin.h"
#include "flow_storage.h"
#include "host.h"
#include "hub_connection.h"
#include "intake.h"
#include "listening_ports.h"
#include "live_capture.h"
#include "message_bytes.h"
#include "network_watch.h"
#include "picket/base/diagnostics.h"
#include "picket/base/time.h"

enum {
    TICK_MS = 1000,
    REFRESH_MS = 10000, /* interfaces and their addresses, even if the kernel tells of no change */
    SETTLE_MS = 200,    /* changes come in groups: after one it waits for the others */
    LAST_FRAMES_MS = 250,   /* at the end, for frames that the kernel has and has not handed over */
    DELIVERY_TIME_MS = 5000 /* at the end, for acknowledgements */
};

/* One thread does all but the hub's connection, so the agent needs no lock. */
struct runner {
    struct run_settings *settings;
    struct picket_agent agent;
    struct picket_agent_config config;
    struct host_description description;
    struct picket_wire_system_information information;
    struct intake intake;
    struct live_capture *capture;
    struct hub_connection *hub;
    struct device_twin twin;
    int64_t ask_ms; /* for the twin; INT64_MAX: not */
    char *report;   /* for the twin, that the hub has not taken yet; or NULL */
    int signals;
    int changes; /* network_watch.h */
    int64_t refresh_ms;
    bool woken; /* the agent asked for a poll */
};

static struct runner runner; /* large for a stack */

static bool is_connected(void *context)
{
    return hub_connection_ready(((struct runner *)context)->hub);
}

static void wake(void *context)
{
    ((struct runner *)context)->woken = true;
}

static enum picket_send_result send(void *context, const struct picket_wire_message *message)
{
    static struct picket_say_limit limit;
    struct runner *self = context;
    struct picket_error error;
    uint8_t *bytes = NULL;
    uint32_t size_bytes = 0;
    int status = message_bytes_encode(message, &bytes, &size_bytes, &error);
    if (status == PICKET_OK)
        status = hub_connection_publish(self->hub, bytes, size_bytes, &error);
    free(bytes);
    if (status != PICKET_OK) {
        picket_say_limited(&limit, PICKET_WARNING, "agent", "message kept for later: %s",
                           error.text);
        return PICKET_SEND_REFUSED;
    }
    picket_say(PICKET_DEBUG, "agent", "message of %u events, %u bytes, handed over",
               message->event_count, size_bytes);
    return PICKET_SEND_ACCEPTED;
}

static void take_frame(void *context, int link, const uint8_t *bytes, uint32_t captured_bytes,
                       uint32_t wire_bytes)
{
    intake_frame(&((struct runner *)context)->intake, link, bytes, captured_bytes, wire_bytes);
}

/* The three places where it may stand, the command line first. */
static int find_connection_string(const struct run_settings *settings,
                                  struct connection_string *device, struct picket_error *error)
{
    if (settings->connection_string_file != NULL)
        return connection_string_read(device, settings->connection_string_file, error);
    const char *text = settings->connection_string;
    if (text == NULL)
        text = getenv("PICKET_CONNECTION_STRING");
    if (text == NULL)
        return picket_fail(
            error, PICKET_INVALID,
            "no connection string: expected --connection-string, "
            "--connection-string-file or PICKET_CONNECTION_STRING in the environment");
    return connection_string_parse(device, text, error);
}

static int init_agent(struct runner *self, struct picket_error *error)
{
    const struct agent_settings *agent = &self->settings->agent;
    struct picket_agent_config *config = &self->config;
    settings_configure(agent, config);
    host_describe(&self->description, "");
    self->information = host_system_information(&self->description);
    config->system_information = &self->information;
    config->callbacks = (struct picket_agent_callbacks){.context = self,
                                                        .lock = picket_agent_no_lock,
                                                        .unlock = picket_agent_no_unlock,
                                                        .uptime_s = host_uptime_s,
                                                        .unix_time_s = host_unix_time_s,
                                                        .random = host_random,
                                                        .connected = is_connected,
                                                        .send = send,
                                                        .listening_ports = listening_ports,
                                                        .wake = wake};
    int status =
        flow_storage_allocate(config, agent->ipv4_flows, agent->ipv6_flows, FLOWS_RESERVE, error);
    if (status != PICKET_OK)
        return status;
    if (!picket_agent_config_valid(config))
        return picket_fail(error, PICKET_INVALID, "the agent does not accept its configuration");
    picket_agent_init(&self->agent, config);
    self->ask_ms = INT64_MAX;
    status = device_twin_init(&self->twin, &self->agent, error);
    if (status != PICKET_OK)
        return status;
    /* Where interfaces are chosen by us, a VLAN that this machine takes part in has one of its own.
     */
    self->intake = (struct intake){.local = &self->settings->local,
                                   .agent = &self->agent,
                                   .groups = agent->groups,
                                   .ignore_vlans = self->settings->interface_count == 0};
    return PICKET_OK;
}

/* Blocks SIGINT and SIGTERM for all threads and makes them readable. */
static int catch_signals(struct runner *self, struct picket_error *error)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &ending, NULL) != 0 ||
        (self->signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return picket_fail(error, PICKET_IO, "signals cannot be caught: %s", strerror(errno));
    return PICKET_OK;
}

static int read_addresses(struct runner *self, struct picket_error *error)
{
    struct local_addresses *local = &self->settings->local;
    bool first = local->own_count == 0, changed = false;
    int status = local_addresses_read_interfaces(local, &changed, error);
    if (status != PICKET_OK || !changed)
        return status;
    if (!first)
        picket_say(PICKET_NOTICE, "agent", "the addresses of this machine have changed");
    if (local->omitted > 0)
        picket_say(PICKET_WARNING, "agent",
                   "this machine has %zu addresses more than the %d that are "
                   "known: name their prefixes by --local",
                   local->omitted, LOCAL_INTERFACE_ADDRESSES_MAX);
    return PICKET_OK;
}

static int start(struct runner *self, struct picket_error *error)
{
    struct run_settings *settings = self->settings;
    int status = catch_signals(self, error);
    self->changes = network_watch_open();
    if (status == PICKET_OK)
        status = read_addresses(self, error);
    if (status == PICKET_OK)
        status = live_capture_open(&self->capture, settings->interfaces, settings->interface_count,
                                   take_frame, self, error);
    return status;
}

static int connect_hub(struct runner *self, const struct connection_string *device,
                       struct picket_error *error)
{
    struct hub_connection_config config = {.device = *device,
                                           .port = self->settings->port,
                                           .ca_file = self->settings->ca_file,
                                           .token_life_s = self->settings->token_life_s};
    int status = hub_connection_start(&self->hub, &config, error);
    explicit_bzero(&config, sizeof config);
    return status;
}

static void refresh(struct runner *self)
{
    struct picket_error error;
    if (read_addresses(self, &error) != PICKET_OK)
        picket_say(PICKET_WARNING, "agent", "%s", error.text);
    if (live_capture_refresh(self->capture, &error) != PICKET_OK)
        picket_say(PICKET_WARNING, "agent", "%s", error.text);
}

/* Waits for frames, a change or a signal, and counts the frames. True: a signal wants the end. */
static bool wait_and_read(struct runner *self, int64_t until_ms)
{
    struct pollfd fds[LIVE_INTERFACES_MAX + 2];
    unsigned count = live_capture_poll_fds(self->capture, fds);
    struct pollfd *signals = &fds[count], *changes = &fds[count + 1];
    *signals = (struct pollfd){.fd = self->signals, .events = POLLIN};
    *changes = (struct pollfd){.fd = self->changes, .events = POLLIN}; /* -1 is passed over */
    int64_t left_ms = until_ms - picket_monotonic_ms();
    if (poll(fds, count + 2, left_ms > 0 ? (int)left_ms : 0) <= 0)
        return false;
    if (changes->revents != 0) {
        network_watch_drain(self->changes);
        int64_t settled_ms = picket_monotonic_ms() + SETTLE_MS;
        if (settled_ms < self->refresh_ms)
            self->refresh_ms = settled_ms;
    }
    live_capture_read(self->capture);
    return (signals->revents & POLLIN) != 0;
}

/* ---- the device twin ---- */

/* Of two reports the later one stays; the whole twin is asked for, and shows what is then missing.
 */
static void keep_report(struct runner *self, char *report)
{
    if (report == NULL)
        return;
    if (self->report != NULL)
        self->ask_ms = picket_monotonic_ms();
    free(self->report);
    self->report = report;
}

static void take_twin_message(struct runner *self, const struct hub_message *message)
{
    struct device_twin_orders orders;
    device_twin_take(&self->twin, message->topic, message->payload, message->payload_bytes,
                     &orders);
    if (orders.ask_in_s != DEVICE_TWIN_NEVER)
        self->ask_ms = picket_monotonic_ms() + orders.ask_in_s * 1000;
    keep_report(self, orders.report);
}

/* What the hub does not take now is tried again at the next tick. */
static void send_twin_requests(struct runner *self)
{
    struct picket_error error;
    if (self->report != NULL && hub_connection_request(self->hub, DEVICE_TWIN_REPORT_TOPIC,
                                                       self->report, &error) == PICKET_OK) {
        free(self->report);
        self->report = NULL;
    }
    if (picket_monotonic_ms() >= self->ask_ms &&
        hub_connection_request(self->hub, DEVICE_TWIN_ASK_TOPIC, "", &error) == PICKET_OK)
        self->ask_ms = INT64_MAX;
}

static void attend_twin(struct runner *self)
{
    struct hub_message *message;
    if (hub_connection_twin_is_new(self->hub)) {
        device_twin_connected(&self->twin);
        self->ask_ms = picket_monotonic_ms();
    }
    while ((message = hub_connection_take(self->hub)) != NULL) {
        take_twin_message(self, message);
        free(message);
    }
    send_twin_requests(self);
}

static void work(struct runner *self)
{
    int64_t tick_ms = 0;
    self->refresh_ms = picket_monotonic_ms() + REFRESH_MS;
    for (;;) {
        int64_t now_ms = picket_monotonic_ms();
        if (now_ms >= self->refresh_ms) {
            refresh(self);
            self->refresh_ms = now_ms + REFRESH_MS;
        }
        if (now_ms >= tick_ms || self->woken) {
            self->woken = false;
            attend_twin(self);
            picket_agent_poll(&self->agent);
            tick_ms = now_ms + TICK_MS;
        }
        if (wait_and_read(self, tick_ms < self->refresh_ms ? tick_ms : self->refresh_ms))
            return;
    }
}

/* Everything that was seen goes out, as far as the hub takes it within a bounded time. */
static void finish(struct runner *self)
{
    int64_t frames_until_ms = picket_monotonic_ms() + LAST_FRAMES_MS;
    struct pollfd fds[LIVE_INTERFACES_MAX];
    for (int64_t left; (left = frames_until_ms - picket_monotonic_ms()) > 0;) {
        poll(fds, live_capture_poll_fds(self->capture, fds), (int)left);
        live_capture_read(self->capture);
    }
    int64_t until_ms = picket_monotonic_ms() + DELIVERY_TIME_MS;
    bool sent = picket_agent_flush(&self->agent) == PICKET_SEND_ACCEPTED;
    for (int64_t left; !sent && (left = until_ms - picket_monotonic_ms()) > 0;) {
        hub_connection_wait(self->hub, left < 200 ? (uint32_t)left : 200);
        sent = hub_connection_ready(self->hub) &&
               picket_agent_flush(&self->agent) == PICKET_SEND_ACCEPTED;
    }
    int64_t left_ms = until_ms - picket_monotonic_ms();
    unsigned unacknowledged = hub_connection_stop(self->hub, left_ms > 0 ? (uint32_t)left_ms : 0);
    if (!sent)
        picket_say(PICKET_WARNING, "agent",
                   "ended with flows that were not reported: no hub took them");
    if (unacknowledged > 0)
        picket_say(PICKET_WARNING, "agent",
                   "ended with %u messages that the hub did not acknowledge", unacknowledged);
}

static void say_statistics(struct runner *self)
{
    struct picket_agent_statistics statistics;
    picket_agent_statistics(&self->agent, &statistics);
    picket_say(PICKET_NOTICE, "agent",
               "ended: %u messages, %" PRIu64 " packets counted, %" PRIu64
               " lost for want of room, %" PRIu64 " dropped by the kernel",
               statistics.messages_sent, self->intake.outcomes[INTAKE_COUNTED],
               self->intake.outcomes[INTAKE_LOST], live_capture_dropped(self->capture));
    for (int i = INTAKE_LOST + 1; i < INTAKE_OUTCOMES; i++)
        if (self->intake.outcomes[i] > 0)
            picket_say(PICKET_NOTICE, "agent", "not counted: %" PRIu64 " %s",
                       self->intake.outcomes[i], intake_outcome_text((enum intake_outcome)i));
}

static int fail(const struct picket_error *error, int exit_code)
{
    fprintf(stderr, "picket-agent: %s\n", error->text);
    return exit_code;
}

int run(struct run_settings *settings)
{
    struct picket_error error;
    struct connection_string device;
    struct runner *self = &runner;
    self->settings = settings;
    self->signals = self->changes = -1;
    if (settings->verbose)
        picket_diagnostics_threshold(PICKET_DEBUG);
    int status = find_connection_string(settings, &device, &error);
    if (status != PICKET_OK)
        return fail(&error, status == PICKET_IO ? EXIT_FAILURE : EXIT_USAGE);
    status = init_agent(self, &error);
    if (status == PICKET_OK)
        status = start(self, &error);
    if (status == PICKET_OK)
        status = connect_hub(self, &device, &error);
    explicit_bzero(&device, sizeof device);
    if (status == PICKET_OK) {
        work(self);
        finish(self);
        say_statistics(self);
    }
    live_capture_close(self->capture);
    close(self->changes);
    close(self->signals);
    device_twin_free(&self->twin);
    free(self->report);
    flow_storage_free(&self->config);
    return status == PICKET_OK ? EXIT_SUCCESS : fail(&error, EXIT_FAILURE);
}
