/* The calls of the removed module, and messages on their way through hub clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "double.h"
#include "nx_azure_iot_security_module.h"
#include "reports.h"

static NX_IP ip;
static NX_AZURE_IOT azure, another;
static TX_MUTEX mutex;
static NX_AZURE_IOT_HUB_CLIENT client, second_client;

static int setup(void **state)
{
    (void)state;
    double_reset();
    reports_reset();
    memset(&azure, 0, sizeof azure);
    memset(&mutex, 0, sizeof mutex);
    azure.nx_azure_iot_mutex_ptr = &mutex;
    another = azure;
    double_ip_create(&ip, 0x0A000001, 0xFFFFFF00);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    double_state.deregistering_fails = false;
    assert_int_equal(nx_azure_iot_security_module_disable(NX_NULL), NX_AZURE_IOT_SUCCESS);
    assert_int_equal(mutex.tx_mutex_ownership_count, 0);
    assert_int_equal(double_state.packets_held, 0);
    return 0;
}

static void enable(void)
{
    assert_int_equal(nx_azure_iot_security_module_enable(&azure), NX_AZURE_IOT_SUCCESS);
}

static void pass(unsigned seconds)
{
    while (seconds-- > 0)
        double_periodic_event(&azure);
}

static void after_the_first_delay(void)
{
    pass(PICKET_AGENT_FIRST_DELAY_MAX_S + 1);
}

static void receive_udp(uint16_t remote_port)
{
    uint8_t packet[PACKET_BYTES_MAX];
    struct packet_spec spec = {.version = 4,
                               .protocol = PICKET_WIRE_UDP,
                               .local = 0x0A000001,
                               .remote = 0x0A000002,
                               .local_port = 5000,
                               .remote_port = remote_port,
                               .direction = PICKET_IN};
    size_t size_bytes = packet_build(packet, &spec);
    double_receive(&ip, packet, size_bytes, size_bytes);
}

static void read_message(size_t i)
{
    const struct double_message *message = &double_state.messages[i];
    reports_read(message->bytes + message->topic_bytes, message->size_bytes);
}

/* How many there are depends on the random moment of the first. */
static void read_messages(void)
{
    assert_true(double_state.message_count > 0);
    for (size_t i = 0; i < double_state.message_count; i++)
        read_message(i);
}

static void enabling_and_disabling_answer_as_the_removed_module_did(void **state)
{
    (void)state;
    assert_int_equal(nx_azure_iot_security_module_enable(NX_NULL), NX_AZURE_IOT_INVALID_PARAMETER);
    assert_int_equal(nx_azure_iot_security_module_disable(&azure), NX_AZURE_IOT_SUCCESS);
    enable();
    enable();
    assert_int_equal(nx_azure_iot_security_module_enable(&another), NX_AZURE_IOT_INVALID_PARAMETER);
    assert_int_equal(nx_azure_iot_security_module_disable(&another),
                     NX_AZURE_IOT_INVALID_PARAMETER);
    assert_int_equal(nx_azure_iot_security_module_disable(NX_NULL), NX_AZURE_IOT_SUCCESS);
    assert_int_equal(nx_azure_iot_security_module_enable(&another), NX_AZURE_IOT_SUCCESS);
    assert_int_equal(nx_azure_iot_security_module_disable(&another), NX_AZURE_IOT_SUCCESS);
}

static void a_cloud_thread_that_does_not_take_or_let_go_is_a_failure(void **state)
{
    (void)state;
    const NX_IP before = ip;
    double_state.registering_fails = true;
    assert_int_equal(nx_azure_iot_security_module_enable(&azure), NX_AZURE_IOT_FAILURE);
    assert_memory_equal(&ip, &before, sizeof ip);
    double_state.registering_fails = false;
    enable();
    double_state.deregistering_fails = true;
    assert_int_equal(nx_azure_iot_security_module_disable(NX_NULL), NX_AZURE_IOT_FAILURE);
}

static void a_message_carries_the_topic_of_a_security_message(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    enable();
    receive_udp(6000);
    after_the_first_delay();
    assert_true(double_state.message_count >= 1);
    static const char topic[] = "devices/d/messages/events/" PICKET_WIRE_TOPIC_PROPERTIES;
    assert_int_equal(double_state.messages[0].topic_bytes, sizeof topic - 1);
    assert_memory_equal(double_state.messages[0].bytes, topic, sizeof topic - 1);
    read_message(0);
    assert_int_equal(reports.flows, 1);
}

static void what_is_collected_before_there_is_a_connection_is_sent_with_it(void **state)
{
    (void)state;
    enable();
    for (uint16_t port = 0; port < 10; port++)
        receive_udp(port);
    pass(2 * PICKET_AGENT_PENDING_TIME_S);
    assert_int_equal(double_state.message_count, 0);
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    pass(5);
    read_messages();
    assert_int_equal(reports.flows, 10);
}

static void each_device_gets_a_message_once_whatever_its_clients(void **state)
{
    (void)state;
    static NX_AZURE_IOT_HUB_CLIENT clients[4];
    double_hub_client_add(&azure, &clients[0], "hub.example", "pump-7");
    double_hub_client_add(&azure, &clients[1], "hub.example", "pump-7"); /* a module's */
    double_hub_client_add(&azure, &clients[2], "hub.example", "pump-8");
    double_hub_client_add(&azure, &clients[3], "other.example", "pump-7");
    clients[3].nx_azure_iot_hub_client_state = NX_AZURE_IOT_HUB_CLIENT_STATUS_NOT_CONNECTED;
    clients[2].nx_azure_iot_hub_client_resource.resource_next = NULL;
    clients[1].nx_azure_iot_hub_client_resource.resource_next =
        &clients[2].nx_azure_iot_hub_client_resource;
    clients[3].nx_azure_iot_hub_client_resource.resource_next =
        &clients[1].nx_azure_iot_hub_client_resource;
    clients[2].nx_azure_iot_hub_client_resource.resource_next =
        &clients[0].nx_azure_iot_hub_client_resource;
    enable();
    receive_udp(6000);
    after_the_first_delay();
    size_t per_device[2] = {0};
    for (size_t i = 0; i < double_state.message_count; i++) {
        const NXD_MQTT_CLIENT *used = double_state.messages[i].client;
        assert_ptr_not_equal(used, &clients[0].nx_azure_iot_hub_client_resource.resource_mqtt);
        assert_ptr_not_equal(used, &clients[3].nx_azure_iot_hub_client_resource.resource_mqtt);
        per_device[used == &clients[2].nx_azure_iot_hub_client_resource.resource_mqtt]++;
    }
    assert_true(per_device[0] > 0);
    assert_int_equal(per_device[0], per_device[1]);
}

static void without_a_packet_nothing_is_lost_and_nothing_leaks(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    double_state.no_packets = true;
    enable();
    receive_udp(6000);
    after_the_first_delay();
    assert_int_equal(double_state.message_count, 0);
    double_state.no_packets = false;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
}

static NXD_MQTT_CLIENT *mqtt(void)
{
    return &client.nx_azure_iot_hub_client_resource.resource_mqtt;
}

/* ---- what becomes of a message that was handed over ---- */

/* The flows that all messages from one on tell of. */
static unsigned flows_from(size_t first)
{
    reports_reset();
    for (size_t i = first; i < double_state.message_count; i++)
        read_message(i);
    return reports.flows;
}

/* Hands a message with one flow over to a hub that is silent; returns how many messages there are.
 */
static size_t hand_over(UINT clean_session)
{
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    mqtt()->nxd_mqtt_clean_session = clean_session;
    double_state.hub_is_silent = true;
    enable();
    receive_udp(6000);
    while (double_state.message_count == 0)
        pass(1);
    assert_int_equal(flows_from(0), 1);
    assert_int_equal(double_state.message_count, 1);
    return 1;
}

static void until_all_is_told(void)
{
    double_state.hub_is_silent = false;
    pass(2 * PICKET_AGENT_LOW_INTERVAL_S);
    assert_true(double_state.message_count > 1);
}

static void while_a_message_is_on_its_way_no_other_goes_out(void **state)
{
    (void)state;
    size_t first = hand_over(NX_TRUE);
    receive_udp(6001);
    pass(PICKET_AGENT_DELIVERY_TIMEOUT_S - 1);
    assert_int_equal(double_state.message_count, first);
    double_hub_acknowledge(&client);
    until_all_is_told();
    assert_int_equal(flows_from(first), 1);
}

static void what_was_acknowledged_is_not_said_again(void **state)
{
    (void)state;
    size_t first = hand_over(NX_TRUE);
    pass(1);
    double_hub_acknowledge(&client);
    double_hub_disconnect(&client);
    pass(1);
    double_hub_connect(&client, NX_TRUE);
    until_all_is_told();
    assert_int_equal(flows_from(first), 0);
}

static void what_was_acknowledged_before_the_client_connects_again_is_not_said_again(void **state)
{
    (void)state;
    size_t first = hand_over(NX_TRUE);
    double_hub_acknowledge(&client);
    assert_null(mqtt()->nxd_mqtt_ack_receive_notify);
    double_hub_disconnect(&client);
    double_hub_connect(&client, NX_TRUE);
    until_all_is_told();
    assert_int_equal(flows_from(first), 0);
}

static unsigned notified;

static VOID notify_another(NXD_MQTT_CLIENT *notified_client, UINT type, USHORT packet_id,
                           NX_PACKET *packet, VOID *context)
{
    (void)notified_client, (void)type, (void)packet_id, (void)packet, (void)context;
    notified++;
}

/* Where it is another's, the queue tells, too. */
static void the_callback_of_acknowledgements_may_be_anothers(void **state)
{
    (void)state;
    for (int before = 0; before < 2; before++) {
        setup(state);
        notified = 0;
        double_hub_client_add(&azure, &client, "hub.example", "pump-7");
        if (before)
            mqtt()->nxd_mqtt_ack_receive_notify = notify_another;
        double_state.hub_is_silent = true;
        enable();
        receive_udp(6000);
        while (double_state.message_count == 0)
            pass(1);
        mqtt()->nxd_mqtt_ack_receive_notify = notify_another;
        double_hub_acknowledge(&client);
        assert_int_equal(notified, 1);
        assert_ptr_equal(mqtt()->nxd_mqtt_ack_receive_notify, notify_another);
        until_all_is_told();
        assert_int_equal(flows_from(1), 0);
        nx_azure_iot_security_module_disable(NX_NULL);
    }
}

static void what_is_lost_with_the_connection_is_in_the_next_report(void **state)
{
    (void)state;
    size_t first = hand_over(NX_TRUE);
    double_hub_disconnect(&client);
    pass(3);
    double_hub_connect(&client, NX_TRUE);
    until_all_is_told();
    assert_int_equal(flows_from(first), 1);
}

static void so_it_is_if_the_client_connects_again_before_the_agent_looks(void **state)
{
    (void)state;
    size_t first = hand_over(NX_TRUE);
    double_hub_disconnect(&client);
    double_hub_connect(&client, NX_TRUE);
    until_all_is_told();
    assert_int_equal(flows_from(first), 1);
}

static void without_a_clean_session_the_client_sends_it_again_and_the_agent_does_not(void **state)
{
    (void)state;
    size_t first = hand_over(NX_FALSE);
    double_hub_disconnect(&client);
    pass(3);
    double_hub_connect(&client, NX_FALSE);
    pass(3);
    assert_int_equal(double_state.message_count, first);
    double_hub_acknowledge(&client);
    until_all_is_told();
    assert_int_equal(flows_from(first), 0);
}

static void so_it_is_if_it_is_acknowledged_before_the_agent_looks(void **state)
{
    (void)state;
    size_t first = hand_over(NX_FALSE);
    double_hub_disconnect(&client);
    double_hub_connect(&client, NX_FALSE);
    double_hub_acknowledge(&client);
    until_all_is_told();
    assert_int_equal(flows_from(first), 0);
}

static void a_message_that_could_not_be_transmitted_waits_in_the_clients_queue(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    enable();
    receive_udp(6000);
    double_state.publish_status = NXD_MQTT_COMMUNICATION_FAILURE;
    after_the_first_delay();
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    double_hub_disconnect(&client);
    double_hub_connect(&client, NX_FALSE);
    double_hub_acknowledge(&client);
    pass(PICKET_AGENT_LOW_INTERVAL_S);
    read_messages();
    assert_int_equal(reports.flows, 0);
}

static void in_a_queue_that_is_emptied_it_is_lost_and_sent_again(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    mqtt()->nxd_mqtt_clean_session = NX_TRUE;
    enable();
    receive_udp(6000);
    double_state.publish_status = NXD_MQTT_COMMUNICATION_FAILURE;
    after_the_first_delay();
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    double_hub_disconnect(&client);
    double_hub_connect(&client, NX_TRUE);
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
}

/* Its queue is emptied, then it goes. */
static void what_is_lost_with_a_client_is_said_through_another(void **state)
{
    (void)state;
    size_t first = hand_over(NX_FALSE);
    double_hub_client_delete(&client);
    pass(1);
    double_hub_client_remove(&client);
    pass(1);
    double_hub_client_add(&azure, &second_client, "hub.example", "pump-7");
    until_all_is_told();
    assert_int_equal(flows_from(first), 1);
}

static void so_it_is_if_the_other_is_in_its_place_before_the_agent_looks(void **state)
{
    (void)state;
    size_t first = hand_over(NX_FALSE);
    double_hub_client_delete(&client);
    double_hub_client_remove(&client);
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    until_all_is_told();
    assert_int_equal(flows_from(first), 1);
}

static void of_two_hubs_one_that_acknowledges_is_enough(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &second_client, "other.example", "pump-7");
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    double_state.hub_is_silent = true;
    enable();
    receive_udp(6000);
    while (double_state.message_count == 0)
        pass(1);
    assert_int_equal(flows_from(0), 2);
    double_hub_client_delete(&client);
    pass(1);
    assert_int_equal(double_state.message_count, 2);
    double_hub_acknowledge(&second_client);
    until_all_is_told();
    assert_int_equal(flows_from(2), 0);
}

static void what_both_hubs_lose_is_said_again(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &second_client, "other.example", "pump-7");
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    double_state.hub_is_silent = true;
    enable();
    receive_udp(6000);
    while (double_state.message_count == 0)
        pass(1);
    double_hub_disconnect(&client);
    double_hub_connect(&client, NX_TRUE);
    double_hub_client_delete(&second_client);
    until_all_is_told();
    assert_int_equal(flows_from(2), 1);
}

static void a_message_on_its_way_when_the_agent_is_disabled_does_no_harm(void **state)
{
    (void)state;
    size_t first = hand_over(NX_TRUE);
    assert_int_equal(nx_azure_iot_security_module_disable(NX_NULL), NX_AZURE_IOT_SUCCESS);
    enable();
    receive_udp(6001);
    until_all_is_told();
    assert_int_equal(flows_from(first), 1);
    double_hub_acknowledge(&client);
}

/* A message that has to wait is not even begun: half a record would end the TLS session. */
static void expect_it_waits_until(ULONG *variable, ULONG wrong, ULONG right)
{
    *variable = wrong;
    enable();
    receive_udp(6000);
    after_the_first_delay();
    assert_int_equal(double_state.message_count, 0);
    *variable = right;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
}

static void a_message_waits_until_the_hub_has_room_for_all_of_it(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    expect_it_waits_until(&mqtt()->nxd_mqtt_client_socket.nx_tcp_socket_tx_window_advertised, 400,
                          65535);
}

static void a_message_waits_while_what_is_on_the_way_fills_the_hubs_window(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    expect_it_waits_until(&mqtt()->nxd_mqtt_client_socket.nx_tcp_socket_tx_outstanding_bytes, 65400,
                          0);
}

static void a_message_waits_until_there_are_packets_for_its_copies(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    expect_it_waits_until(&double_state.packets_left, 3, 4);
}

static void a_message_waits_for_a_session_that_is_being_ended(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    mqtt()->nxd_mqtt_tls_session.nx_secure_tls_local_session_active = 0;
    enable();
    receive_udp(6000);
    after_the_first_delay();
    mqtt()->nxd_mqtt_tls_session.nx_secure_tls_local_session_active = 1;
    mqtt()->nxd_mqtt_client_socket.nx_tcp_socket_state = NX_TCP_ESTABLISHED + 1;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    assert_int_equal(double_state.message_count, 0);
    mqtt()->nxd_mqtt_client_socket.nx_tcp_socket_state = NX_TCP_ESTABLISHED;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
}

static void a_message_that_is_refused_is_sent_again(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    enable();
    receive_udp(6000);
    double_state.publish_status = NX_AZURE_IOT_DISCONNECTED;
    after_the_first_delay();
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
}

static void one_device_hearing_it_is_enough(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    double_hub_client_add(&azure, &second_client, "hub.example", "pump-8");
    client.nx_azure_iot_hub_client_state = NX_AZURE_IOT_HUB_CLIENT_STATUS_NOT_CONNECTED;
    enable();
    receive_udp(6000);
    after_the_first_delay();
    read_messages();
    assert_int_equal(reports.flows, 1);
}

static void expect_it_is_sent_when_all_is_well_again(void)
{
    assert_int_equal(double_state.message_count, 0);
    assert_int_equal(double_state.packets_held, 0);
    double_state.create_status = double_state.packet_id_status = NX_AZURE_IOT_SUCCESS;
    double_state.no_packets = false;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
    assert_int_equal(double_state.packets_held, 0);
}

static void without_a_message_or_an_identifier_nothing_is_lost_and_nothing_leaks(void **state)
{
    (void)state;
    UINT *const statuses[] = {&double_state.create_status, &double_state.packet_id_status};
    for (size_t i = 0; i < 2; i++) {
        setup(NULL);
        double_hub_client_add(&azure, &client, "hub.example", "pump-7");
        enable();
        receive_udp(6000);
        *statuses[i] = NX_AZURE_IOT_DISCONNECTED;
        after_the_first_delay();
        expect_it_is_sent_when_all_is_well_again();
        nx_azure_iot_security_module_disable(NX_NULL);
    }
}

static void at_whichever_piece_packets_run_out_nothing_is_lost_and_nothing_leaks(void **state)
{
    (void)state;
    for (unsigned piece = 1; piece < 6; piece++) {
        setup(NULL);
        double_hub_client_add(&azure, &client, "hub.example", "pump-7");
        enable();
        receive_udp(6000);
        double_state.appends_left = piece;
        after_the_first_delay();
        expect_it_is_sent_when_all_is_well_again();
        nx_azure_iot_security_module_disable(NX_NULL);
    }
}

static void resources_that_are_no_hub_clients_are_passed_over(void **state)
{
    (void)state;
    static NX_AZURE_IOT_RESOURCE provisioning[2] = {{.resource_type = 2}, {.resource_type = 2}};
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    double_hub_client_add(&azure, &second_client, "hub.example", "pump-8");
    provisioning[0].resource_next = azure.nx_azure_iot_resource_list_header;
    provisioning[1].resource_next = &client.nx_azure_iot_hub_client_resource;
    second_client.nx_azure_iot_hub_client_resource.resource_next = &provisioning[1];
    azure.nx_azure_iot_resource_list_header = &provisioning[0];
    enable();
    receive_udp(6000);
    after_the_first_delay();
    read_messages();
    assert_int_equal(reports.flows, 2); /* one for each device */
}

static void two_full_tables_go_through_the_hub_client(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    double_ipv6_enable(&ip);
    enable();
    for (uint16_t port = 0; port < PICKET_AGENT_IPV4_FLOWS; port++)
        receive_udp(port);
    for (uint16_t port = 0; port < PICKET_AGENT_IPV6_FLOWS; port++) {
        uint8_t packet[PACKET_BYTES_MAX];
        struct packet_spec spec = {.version = 6,
                                   .protocol = PICKET_WIRE_UDP,
                                   .local = 1,
                                   .remote = 2,
                                   .remote_port = port,
                                   .direction = PICKET_IN};
        size_t size_bytes = packet_build(packet, &spec);
        double_receive(&ip, packet, size_bytes, size_bytes);
    }
    after_the_first_delay();
    read_messages();
    assert_int_equal(reports.flows + reports.lost_flows,
                     PICKET_AGENT_IPV4_FLOWS + PICKET_AGENT_IPV6_FLOWS);
    assert_true(reports.lost_flows <= 2); /* a chain may be full, once in 14,000 fillings */
    /* The cloud's thread goes on. */
    receive_udp(6000);
    pass(PICKET_AGENT_HIGH_INTERVAL_S + 1);
    double_state.message_count = 0;
    pass(PICKET_AGENT_LOW_INTERVAL_S);
    read_messages();
}

static void an_idle_device_sends_no_network_activity(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    enable();
    pass(PICKET_AGENT_FIRST_DELAY_MAX_S + 3 * PICKET_AGENT_LOW_INTERVAL_S);
    /* Heartbeat and system information, at most once a minute. */
    assert_true(double_state.message_count <= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(enabling_and_disabling_answer_as_the_removed_module_did),
        TEST(a_cloud_thread_that_does_not_take_or_let_go_is_a_failure),
        TEST(a_message_carries_the_topic_of_a_security_message),
        TEST(what_is_collected_before_there_is_a_connection_is_sent_with_it),
        TEST(each_device_gets_a_message_once_whatever_its_clients),
        TEST(without_a_packet_nothing_is_lost_and_nothing_leaks),
        TEST(while_a_message_is_on_its_way_no_other_goes_out),
        TEST(what_was_acknowledged_is_not_said_again),
        TEST(what_was_acknowledged_before_the_client_connects_again_is_not_said_again),
        TEST(the_callback_of_acknowledgements_may_be_anothers),
        TEST(what_is_lost_with_the_connection_is_in_the_next_report),
        TEST(so_it_is_if_the_client_connects_again_before_the_agent_looks),
        TEST(without_a_clean_session_the_client_sends_it_again_and_the_agent_does_not),
        TEST(so_it_is_if_it_is_acknowledged_before_the_agent_looks),
        TEST(a_message_that_could_not_be_transmitted_waits_in_the_clients_queue),
        TEST(in_a_queue_that_is_emptied_it_is_lost_and_sent_again),
        TEST(what_is_lost_with_a_client_is_said_through_another),
        TEST(so_it_is_if_the_other_is_in_its_place_before_the_agent_looks),
        TEST(of_two_hubs_one_that_acknowledges_is_enough),
        TEST(what_both_hubs_lose_is_said_again),
        TEST(a_message_on_its_way_when_the_agent_is_disabled_does_no_harm),
        TEST(a_message_waits_until_the_hub_has_room_for_all_of_it),
        TEST(a_message_waits_while_what_is_on_the_way_fills_the_hubs_window),
        TEST(a_message_waits_until_there_are_packets_for_its_copies),
        TEST(a_message_waits_for_a_session_that_is_being_ended),
        TEST(a_message_that_is_refused_is_sent_again),
        TEST(one_device_hearing_it_is_enough),
        TEST(without_a_message_or_an_identifier_nothing_is_lost_and_nothing_leaks),
        TEST(at_whichever_piece_packets_run_out_nothing_is_lost_and_nothing_leaks),
        TEST(resources_that_are_no_hub_clients_are_passed_over),
        TEST(two_full_tables_go_through_the_hub_client),
        TEST(an_idle_device_sends_no_network_activity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
