#include "testing.h"

#include "flow_list.h"
#include "flow_storage.h"
#include "intake.h"

static struct local_addresses local;
static struct picket_agent_config config;
static struct picket_agent agent;
static struct intake intake;
static struct flow_list sent;

static uint32_t uptime(void *context)
{
    (void)context;
    return 1;
}

static void counting_up(void *context, void *bytes, size_t size_bytes)
{
    (void)context;
    for (size_t i = 0; i < size_bytes; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(37 * i + 11);
}

static bool connected(void *context)
{
    (void)context;
    return true;
}

static enum picket_send_result take(void *context, const struct picket_wire_message *message)
{
    (void)context;
    assert_int_equal(flow_list_append_message(&sent, message, NULL), PICKET_OK);
    return PICKET_SEND_ACCEPTED;
}

/* An agent of 192.168.1.20 and 2001:db8::1, with room for four flows of each family. */
static int start(void **state)
{
    (void)state;
    memset(&local, 0, sizeof local);
    memset(&intake, 0, sizeof intake);
    memset(&sent, 0, sizeof sent);
    config = (struct picket_agent_config){PICKET_AGENT_CONFIG_DEFAULTS};
    config.callbacks = (struct picket_agent_callbacks){.lock = picket_agent_no_lock,
                                                       .unlock = picket_agent_no_unlock,
                                                       .uptime_s = uptime,
                                                       .unix_time_s = picket_agent_no_clock,
                                                       .random = counting_up,
                                                       .connected = connected,
                                                       .send = take};
    config.unicast_only = false; /* the intake knows the groups */
    intake.local = &local;
    intake.agent = &agent;
    if (flow_storage_allocate(&config, 4, 4, 1, NULL) != PICKET_OK)
        return -1;
    picket_agent_init(&agent, &config);
    return local_addresses_add(&local, "192.168.1.20", NULL) ||
           local_addresses_add(&local, "2001:db8::1", NULL);
}

static int end(void **state)
{
    (void)state;
    flow_list_clear(&sent);
    flow_storage_free(&config);
    return 0;
}

static uint8_t frame[128];

/* Ethernet, a VLAN tag if there is an id, IPv4, UDP with ten bytes of payload; returns its size. */
static uint32_t udp_frame(const char *source, const char *destination, uint16_t sport,
                          uint16_t vlan)
{
    struct picket_address from, to;
    assert_true(picket_address_parse(&from, source, strlen(source)));
    assert_true(picket_address_parse(&to, destination, strlen(destination)));
    memset(frame, 0, sizeof frame);
    uint8_t *at = frame + 12;
    if (vlan != 0) {
        memcpy(at, (uint8_t[]){0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
        at += 4;
    }
    memcpy(at, (uint8_t[]){0x08, 0x00, 0x45, 0, 0, 38, 0, 0, 0, 0, 64, 17}, 12);
    memcpy(at + 14, from.bytes, 4);
    memcpy(at + 18, to.bytes, 4);
    memcpy(at + 22, (uint8_t[]){(uint8_t)(sport >> 8), (uint8_t)sport, 0, 53, 0, 18, 0, 0}, 8);
    return (uint32_t)(at - frame) + 2 + 38;
}

static enum intake_outcome count(const char *source, const char *destination, uint16_t sport,
                                 uint16_t vlan)
{
    uint32_t size = udp_frame(source, destination, sport, vlan);
    return intake_frame(&intake, LINK_ETHERNET, frame, size, size);
}

static void both_directions_of_a_flow_are_one(void **state)
{
    (void)state;
    assert_int_equal(count("192.168.1.20", "8.8.8.8", 53, 0), INTAKE_COUNTED);
    assert_int_equal(count("8.8.8.8", "192.168.1.20", 53, 0), INTAKE_COUNTED);
    assert_int_equal(count("8.8.8.8", "192.168.1.20", 53, 0), INTAKE_COUNTED);
    assert_int_equal(picket_agent_flush(&agent), PICKET_SEND_ACCEPTED);
    assert_int_equal(sent.count, 1);
    assert_int_equal(sent.flows[0].bytes_out, 18);
    assert_int_equal(sent.flows[0].bytes_in, 36);
    assert_int_equal(intake.outcomes[INTAKE_COUNTED], 3);
}

static void what_others_say_is_not_the_devices(void **state)
{
    (void)state;
    assert_int_equal(count("192.168.1.21", "8.8.8.8", 53, 0), INTAKE_NOT_LOCAL);
    assert_int_equal(count("192.168.1.21", "224.0.0.251", 53, 0), INTAKE_GROUP);
    assert_int_equal(count("192.168.1.20", "224.0.0.251", 53, 0), INTAKE_COUNTED);
    intake.groups = true;
    assert_int_equal(count("192.168.1.21", "224.0.0.251", 53, 0), INTAKE_COUNTED);
    assert_int_equal(picket_agent_flush(&agent), PICKET_SEND_ACCEPTED);
    assert_int_equal(sent.count, 2);
}

static void tagged_frames_are_left_to_their_own_interface_when_wanted(void **state)
{
    (void)state;
    assert_int_equal(count("192.168.1.20", "8.8.8.8", 53, 7), INTAKE_COUNTED);
    intake.ignore_vlans = true;
    assert_int_equal(count("192.168.1.20", "8.8.8.8", 53, 7), INTAKE_VLAN);
    assert_int_equal(count("192.168.1.20", "8.8.8.8", 53, 0x1000), INTAKE_COUNTED); /* VLAN 0 */
}

static void a_declared_length_beyond_the_frame_is_believed_in_files_only(void **state)
{
    (void)state;
    uint32_t size = udp_frame("192.168.1.20", "8.8.8.8", 53, 0) - 1;
    assert_int_equal(intake_frame(&intake, LINK_ETHERNET, frame, size, size), INTAKE_MALFORMED);
    intake.believe_headers = true;
    assert_int_equal(intake_frame(&intake, LINK_ETHERNET, frame, size, size), INTAKE_COUNTED);
}

static void every_frame_has_one_outcome(void **state)
{
    (void)state;
    for (uint16_t port = 1; port <= 10; port++)
        count("192.168.1.20", "8.8.8.8", port, 0);
    assert_int_equal(intake.outcomes[INTAKE_COUNTED], 4);
    assert_int_equal(intake.outcomes[INTAKE_LOST], 6);
    uint32_t size = udp_frame("192.168.1.20", "8.8.8.8", 1, 0);
    intake_frame(&intake, LINK_ETHERNET, frame, 13, 13);
    intake_frame(&intake, LINK_ETHERNET, frame, 30, size);
    intake_frame(&intake, 105, frame, size, size);
    frame[13] = 0x06;
    intake_frame(&intake, LINK_ETHERNET, frame, size, size);
    assert_int_equal(intake.outcomes[INTAKE_TRUNCATED], 2);
    assert_int_equal(intake.outcomes[INTAKE_UNKNOWN_LINK], 1);
    assert_int_equal(intake.outcomes[INTAKE_NOT_IP], 1);
    uint64_t sum = 0;
    for (int i = 0; i < INTAKE_OUTCOMES; i++) {
        sum += intake.outcomes[i];
        assert_non_null(intake_outcome_name((enum intake_outcome)i));
        assert_non_null(intake_outcome_text((enum intake_outcome)i));
    }
    assert_int_equal(sum, 14);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(both_directions_of_a_flow_are_one),
        TEST(what_others_say_is_not_the_devices),
        TEST(tagged_frames_are_left_to_their_own_interface_when_wanted),
        TEST(a_declared_length_beyond_the_frame_is_believed_in_files_only),
        TEST(every_frame_has_one_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
