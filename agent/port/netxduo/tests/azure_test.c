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
    double_hub_client_add(&azure, &clients[1], "hub.example", "pump-7/module");
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

static void a_message_that_waits_in_the_clients_queue_is_not_sent_twice(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    enable();
    receive_udp(6000);
    double_state.publish_status = NXD_MQTT_COMMUNICATION_FAILURE;
    after_the_first_delay();
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    pass(PICKET_AGENT_LOW_INTERVAL_S);
    read_messages();
    assert_int_equal(reports.flows, 0);
}

static NXD_MQTT_CLIENT *mqtt(void)
{
    return &client.nx_azure_iot_hub_client_resource.resource_mqtt;
}

/* A client that starts with a clean session forgets what waits in its queue. */
static void a_message_in_a_queue_that_is_going_to_be_emptied_is_sent_again(void **state)
{
    (void)state;
    double_hub_client_add(&azure, &client, "hub.example", "pump-7");
    mqtt()->nxd_mqtt_clean_session = NX_TRUE;
    enable();
    receive_udp(6000);
    double_state.publish_status = NXD_MQTT_COMMUNICATION_FAILURE;
    after_the_first_delay();
    double_state.publish_status = NX_AZURE_IOT_SUCCESS;
    pass(PICKET_AGENT_SEND_RETRY_S + 1);
    read_messages();
    assert_int_equal(reports.flows, 1);
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
        TEST(a_message_that_waits_in_the_clients_queue_is_not_sent_twice),
        TEST(a_message_in_a_queue_that_is_going_to_be_emptied_is_sent_again),
        TEST(a_message_waits_until_the_hub_has_room_for_all_of_it),
        TEST(a_message_waits_while_what_is_on_the_way_fills_the_hubs_window),
        TEST(a_message_waits_until_there_are_packets_for_its_copies),
        TEST(a_message_waits_for_a_session_that_is_being_ended),
        TEST(a_message_that_is_refused_is_sent_again),
        TEST(one_device_hearing_it_is_enough),
        TEST(an_idle_device_sends_no_network_activity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
