#include "world.h"

#include <string.h>

#include "account.h"
#include "double.h"
#include "hub.h"
#include "machine.h"
#include "nx_azure_iot_json_reader.h"
#include "nx_azure_iot_security_module.h"
#include "picket/netxduo/azure_twin.h"
#include "stack.h"

enum { PACKETS_EACH = 24, CHANGES_EACH = 8 };

static struct {
    NX_IP ips[ACCOUNT_IPS];
    bool exists[ACCOUNT_IPS];
    TX_MUTEX uses[ACCOUNT_IPS]; /* the application's: nobody deletes what another uses */
    NX_AZURE_IOT azure;
    NX_AZURE_IOT_HUB_CLIENT client, module_client;
    bool has_module;
    UINT clean_session; /* of every client */
    unsigned actors_left;
    bool closing;      /* all is well from now on */
    unsigned change;   /* of what is watched: begun or done */
    unsigned changing; /* those that are at it */
    bool enabled;
    bool has_filter; /* the application's, somewhere among ours */
#ifdef DOUBLE_NETXDUO_6_1_0
    UINT (*saved_filter)(VOID *, UINT);
#else
    UINT (*saved_filter)(NX_IP *, NX_PACKET *, UINT);
#endif
} world;

static TX_MUTEX *middleware(void)
{
    return &world.azure.nx_azure_iot_cloud.nx_cloud_mutex;
}

/* Goes on at once, mostly; waits a little, or a few seconds. */
static void pace(void)
{
    uint32_t chance = machine_draw(16);
    if (chance == 0)
        tx_thread_sleep(1 + machine_draw(3 * TX_TIMER_TICKS_PER_SECOND));
    else if (chance < 5)
        tx_thread_sleep(1 + machine_draw(20));
}

static void begin_change(void)
{
    world.changing++;
    world.change++;
}

static void end_change(void)
{
    world.changing--;
    world.change++;
}

/* ---- packets ---- */

/* The application's filter refuses nothing, and calls what was there. */
#ifdef DOUBLE_NETXDUO_6_1_0
#define FILTER_OF(ip) ((ip)->nx_ip_packet_filter)
static UINT application_filter(VOID *header, UINT direction)
{
    machine_point();
    return world.saved_filter != NULL ? world.saved_filter(header, direction) : NX_SUCCESS;
}
#else
#define FILTER_OF(ip) ((ip)->nx_ip_packet_filter_extended)
static UINT application_filter(NX_IP *ip, NX_PACKET *packet, UINT direction)
{
    machine_point();
    return world.saved_filter != NULL ? world.saved_filter(ip, packet, direction) : NX_SUCCESS;
}
#endif

static bool is_hooked(const NX_IP *ip, enum picket_direction direction, UCHAR version)
{
    if (direction == PICKET_OUT)
        return FILTER_OF(ip) != NULL && FILTER_OF(ip) != application_filter;
    VOID(*receive)
    (NX_IP *, NX_PACKET *) = version == 4 ? ip->nx_ipv4_packet_receive : ip->nx_ipv6_packet_receive;
    return receive != stack_take && receive != NULL;
}

enum way { RECEIVED, RECEIVED_IN_INTERRUPT, SENT };

static void let_pass(NX_IP *ip, struct stack_packet *packet, enum way way)
{
    if (way == RECEIVED)
        stack_receive(ip, packet);
    else if (way == RECEIVED_IN_INTERRUPT)
        stack_receive_in_interrupt(ip, packet);
    else if (!stack_send(ip, packet))
        machine_fail("a packet that nobody refuses does not pass");
}

/* Lets a packet pass, and compares how often it was counted with how often it should. */
static void pass(unsigned ip, enum way way)
{
    unsigned change = world.change;
    enum picket_direction direction = way == SENT ? PICKET_OUT : PICKET_IN;
    struct stack_packet *packet = account_packet(ip, direction);
    /* In an interrupt it would count up what the port compares for the packet that was interrupted.
     */
    bool refused = way == RECEIVED && machine_draw(8) == 0;
    bool watched = world.enabled && world.changing == 0 &&
                   is_hooked(&world.ips[ip], direction, *packet->packet.nx_packet_prepend_ptr >> 4);
    packet->refused = refused;
    let_pass(&world.ips[ip], packet, way);
    unsigned calls = account_calls();
    if (calls > 1 || (refused && calls > 0))
        machine_fail("a packet is counted %u times", calls);
    if (watched && !refused && world.change == change && calls == 0)
        machine_fail("a packet is not counted");
}

static void receive_in_interrupt(void)
{
    struct account_passing passing = account_put_aside();
    pass(0, RECEIVED_IN_INTERRUPT);
    account_take_up(passing);
}

static void pass_if_exists(unsigned ip, enum way way)
{
    tx_mutex_get(&world.uses[ip], TX_WAIT_FOREVER);
    if (world.exists[ip])
        pass(ip, way);
    tx_mutex_put(&world.uses[ip]);
}

static void receive(unsigned ip)
{
    for (unsigned i = 0; i < PACKETS_EACH; i++) {
        pass_if_exists(ip, RECEIVED);
        pace();
    }
    world.actors_left--;
}

static void receive_0(void)
{
    receive(0);
}

static void receive_1(void)
{
    receive(1);
}

static void receive_2(void)
{
    receive(2);
}

static void send_out(void)
{
    for (unsigned i = 0; i < PACKETS_EACH; i++) {
        pass_if_exists(machine_draw(ACCOUNT_IPS), SENT);
        pace();
    }
    world.actors_left--;
}

/* ---- the way to the hub ---- */

/* A message is a packet like any other, and may not get through; the hub may take its time. */
static void publishing(void)
{
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    double_state.no_packets = !world.closing && machine_draw(8) == 0;
    pass(0, SENT);
    if (!world.closing && machine_draw(4) == 0)
        double_state.publish_status = NX_AZURE_IOT_DISCONNECTED;
    hub_will_keep_waiting(!world.closing && machine_draw(3) != 0);
}

static bool is_connected(const NX_AZURE_IOT_HUB_CLIENT *client)
{
    return client->nx_azure_iot_hub_client_state == NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED;
}

static void acknowledge(void)
{
    tx_mutex_get(middleware(), TX_WAIT_FOREVER);
    if (is_connected(&world.client))
        hub_acknowledge(&world.client);
    if (world.has_module)
        hub_acknowledge(&world.module_client);
    tx_mutex_put(middleware());
}

static void poll_on_the_clouds_thread(void)
{
    while (world.actors_left > 0) {
        tx_thread_sleep(TX_TIMER_TICKS_PER_SECOND);
        if (machine_draw(2) == 0)
            acknowledge();
        double_periodic_event(&world.azure);
    }
}

/* The application's own callback, in whose place the agent's cannot be. */
static VOID take_note(NXD_MQTT_CLIENT *mqtt, UINT type, USHORT packet_id, NX_PACKET *packet,
                      VOID *context)
{
    (void)mqtt, (void)type, (void)packet_id, (void)packet, (void)context;
}

static void add_client(NX_AZURE_IOT_HUB_CLIENT *client)
{
    NXD_MQTT_CLIENT *mqtt = &client->nx_azure_iot_hub_client_resource.resource_mqtt;
    double_hub_client_add(&world.azure, client, "hub.example", "pump-7");
    mqtt->nxd_mqtt_clean_session = world.clean_session;
    if (machine_draw(3) == 0)
        mqtt->nxd_mqtt_ack_receive_notify = take_note;
}

/* A client of the same device, which comes first in the list. */
static void add_or_delete_module(void)
{
    tx_mutex_get(middleware(), TX_WAIT_FOREVER);
    bool deletes = world.has_module && hub_may_lose(&world.module_client, false);
    if (deletes) {
        hub_lose(&world.module_client);
        double_hub_client_delete(&world.module_client);
        world.has_module = false;
    } else if (!world.has_module) {
        add_client(&world.module_client);
        world.has_module = true;
    }
    tx_mutex_put(middleware());
    if (!deletes)
        return;
    machine_point();
    tx_mutex_get(middleware(), TX_WAIT_FOREVER);
    double_hub_client_remove(&world.module_client);
    tx_mutex_put(middleware());
}

/* The queue is emptied without the mutex. */
static void connect_client(void)
{
    NXD_MQTT_CLIENT *mqtt = &world.client.nx_azure_iot_hub_client_resource.resource_mqtt;
    tx_mutex_get(middleware(), TX_WAIT_FOREVER);
    bool connects = !world.clean_session || hub_may_lose(&world.client, true);
    if (connects)
        mqtt->nxd_mqtt_clean_session = world.clean_session;
    if (connects && world.clean_session)
        hub_lose(&world.client);
    tx_mutex_put(middleware());
    if (!connects)
        return;
    if (world.clean_session)
        double_hub_empty_queue(&world.client);
    tx_mutex_get(middleware(), TX_WAIT_FOREVER);
    world.client.nx_azure_iot_hub_client_state = NX_AZURE_IOT_HUB_CLIENT_STATUS_CONNECTED;
    tx_mutex_put(middleware());
}

static void disconnect_client(void)
{
    tx_mutex_get(middleware(), TX_WAIT_FOREVER);
    double_hub_disconnect(&world.client);
    tx_mutex_put(middleware());
}

static void connect_and_disconnect(void)
{
    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        if (machine_draw(2) == 0)
            add_or_delete_module();
        else if (!is_connected(&world.client))
            connect_client();
        else if (machine_draw(2) == 0)
            disconnect_client();
        pace();
    }
    world.actors_left--;
}

/* ---- those who change something ---- */

/* As a device twin does. */
static void apply_desired_properties(void)
{
    static const struct double_token change[2][4] = {
        {{NX_AZURE_IOT_READER_TOKEN_BEGIN_OBJECT, ""},
         {NX_AZURE_IOT_READER_TOKEN_PROPERTY_NAME, "Heartbeat_Disabled"},
         {NX_AZURE_IOT_READER_TOKEN_TRUE, ""},
         {NX_AZURE_IOT_READER_TOKEN_END_OBJECT, ""}},
        {{NX_AZURE_IOT_READER_TOKEN_BEGIN_OBJECT, ""},
         {NX_AZURE_IOT_READER_TOKEN_PROPERTY_NAME, "CollectorsCore_PriorityIntervals"},
         {NX_AZURE_IOT_READER_TOKEN_STRING, "1s,2s,3s"},
         {NX_AZURE_IOT_READER_TOKEN_END_OBJECT, ""}}};
    static NX_PACKET document;
    double_state.tokens = change[machine_draw(2)];
    double_state.token_count = 4;
    double_state.reported[0] = '\0';
    picket_netxduo_desired_properties_apply(&world.client, &document, NX_NO_WAIT);
}

static void change_settings(void)
{
    struct picket_netxduo_statistics statistics;
    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        const uint32_t interval_s[PICKET_PRIORITIES] = {1 + machine_draw(3), 1 + machine_draw(3),
                                                        1 + machine_draw(3)};
        switch (machine_draw(7)) {
        case 0:
            picket_netxduo_set_intervals(interval_s);
            break;
        case 1:
            picket_netxduo_set_collector(PICKET_COLLECTOR_HEARTBEAT, machine_draw(2) == 0,
                                         PICKET_PRIORITY_MEDIUM);
            break;
        case 2:
            picket_netxduo_set_collector(PICKET_COLLECTOR_NETWORK_ACTIVITY, machine_draw(3) != 0,
                                         PICKET_PRIORITY_HIGH);
            break;
        case 3:
            picket_netxduo_flush();
            break;
        case 4:
            picket_netxduo_poll();
            break;
        case 5:
            apply_desired_properties();
            break;
        default:
            picket_netxduo_statistics(&statistics);
        }
        pace();
    }
    world.actors_left--;
}

/* As from a callback of the stack, which runs with the NX_IP's lock held. */
static void ask_from_within_the_stack(void)
{
    struct picket_netxduo_statistics statistics;
    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        tx_mutex_get(&world.ips[0].nx_ip_protection, TX_WAIT_FOREVER);
        picket_netxduo_statistics(&statistics);
        tx_mutex_put(&world.ips[0].nx_ip_protection);
        pace();
    }
    world.actors_left--;
}

static void create_and_delete(void)
{
    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        unsigned ip = 1 + machine_draw(ACCOUNT_IPS - 1);
        tx_mutex_get(&world.uses[ip], TX_WAIT_FOREVER);
        if (world.exists[ip] && machine_draw(3) == 0) {
            stack_enable_ipv6(&world.ips[ip]);
        } else {
            if (world.exists[ip])
                stack_delete(&world.ips[ip]);
            else
                stack_create(&world.ips[ip], account_address(ip));
            world.exists[ip] = !world.exists[ip];
        }
        tx_mutex_put(&world.uses[ip]);
        pace();
    }
    world.actors_left--;
}

static void enable_and_disable(void)
{
    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        begin_change();
        bool enable = !world.enabled;
        UINT status = enable ? nx_azure_iot_security_module_enable(&world.azure)
                             : nx_azure_iot_security_module_disable(&world.azure);
        if (status != NX_AZURE_IOT_SUCCESS)
            machine_fail("%s fails: %u", enable ? "enabling" : "disabling", status);
        world.enabled = enable;
        end_change();
        pace();
    }
    world.actors_left--;
}

static void change_filter(void)
{
    NX_IP *ip = &world.ips[0];
    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        begin_change();
        if (FILTER_OF(ip) == application_filter) {
            FILTER_OF(ip) = world.saved_filter;
            world.has_filter = false;
        } else if (!world.has_filter) {
            world.has_filter = true;
            world.saved_filter = FILTER_OF(ip);
            FILTER_OF(ip) = application_filter;
        }
        pace();
        end_change();
    }
    world.actors_left--;
}

/* ---- a life ---- */

static void start(const char *name, void (*entry)(void))
{
    machine_thread(name, entry);
    world.actors_left++;
}

/* The same at each run, wherever the host has put things in memory. */
static VOID draw_bytes(VOID *bytes, UINT size)
{
    for (UINT i = 0; i < size; i++)
        ((UCHAR *)bytes)[i] = (UCHAR)machine_draw(256);
}

static void begin(void)
{
    picket_netxduo_random_set(draw_bytes);
    stack_create(&world.ips[0], account_address(0));
    stack_create(&world.ips[1], account_address(1));
    stack_enable_ipv6(&world.ips[0]);
    stack_enable_ipv6(&world.ips[1]);
    world.exists[0] = world.exists[1] = true;
    if (nx_azure_iot_security_module_enable(&world.azure) != NX_AZURE_IOT_SUCCESS)
        machine_fail("enabling fails");
    world.enabled = true;
}

/* Sends all that is left, ends, and looks whether all is as it was. */
static void end(void)
{
    struct picket_netxduo_statistics statistics;
    world.closing = true;
    while (world.enabled && !is_connected(&world.client)) {
        acknowledge();
        picket_netxduo_poll();
        connect_client();
    }
    acknowledge();
    double_state.no_packets = false;
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    if (world.enabled) {
        picket_netxduo_set_collector(PICKET_COLLECTOR_NETWORK_ACTIVITY, true, PICKET_PRIORITY_HIGH);
        if (picket_netxduo_flush() != NX_IN_PROGRESS)
            machine_fail("the last message is refused");
        picket_netxduo_statistics(&statistics);
        account_compare(&statistics.agent);
        nx_azure_iot_security_module_disable(&world.azure);
    }
    acknowledge();
    account_settle();
    for (unsigned ip = 0; ip < ACCOUNT_IPS; ip++)
        if (world.exists[ip] &&
            (is_hooked(&world.ips[ip], PICKET_IN, 4) || is_hooked(&world.ips[ip], PICKET_IN, 6)))
            machine_fail("a hook is left in");
    if (double_state.packets_held != 0)
        machine_fail("%zu packets are not released", double_state.packets_held);
}

void world_run(unsigned changes)
{
    memset(&world, 0, sizeof world);
    double_reset();
    account_reset();
    double_state.publishing = publishing;
    world.azure.nx_azure_iot_mutex_ptr = middleware();
    middleware()->tx_mutex_name = (CHAR *)(uintptr_t) "nx_cloud_mutex";
    for (unsigned ip = 0; ip < ACCOUNT_IPS; ip++)
        world.uses[ip].tx_mutex_name = (CHAR *)(uintptr_t) "the application's";
    hub_reset();
    world.clean_session = machine_draw(2) == 0 ? NX_TRUE : NX_FALSE;
    add_client(&world.client);
    machine_thread("begin", begin);
    machine_run();
    start("ip 0", receive_0);
    start("ip 1", receive_1);
    start("ip 2", receive_2);
    start("sender 1", send_out);
    start("sender 2", send_out);
    start("connections", connect_and_disconnect);
    start("settings", change_settings);
    if ((changes & WORLD_IPS_COME_AND_GO) != 0)
        start("creator", create_and_delete);
    if ((changes & WORLD_AGENT_RESTARTS) != 0)
        start("switch", enable_and_disable);
    if ((changes & WORLD_FILTER_CHANGES) != 0)
        start("filter", change_filter);
    if ((changes & WORLD_CALLS_FROM_WITHIN_THE_STACK) != 0)
        start("within", ask_from_within_the_stack);
    machine_thread("cloud", poll_on_the_clouds_thread);
    if ((changes & WORLD_INTERRUPTS) != 0)
        machine_interrupts(receive_in_interrupt);
    machine_run();
    machine_interrupts(NULL);
    machine_thread("end", end);
    machine_run();
}
