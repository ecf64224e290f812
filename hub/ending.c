#include "ending.h"

#include "picket/base/counter.h"
#include "picket/base/diagnostics.h"

static struct {
    enum picket_level level;
    struct picket_counter counter;
    struct picket_say_limit limit;
} endings[ENDING_COUNT] = {
#define ENDING(id, weight, counter_name, counter_help)                                             \
    [ENDING_##id] = {weight, {.name = counter_name, .help = counter_help}, {0, 0, 0}}
    [ENDING_BY_DEVICE] = {PICKET_DEBUG,
                          {.name = "hub_ended_by_device",
                           .help = "connections ended with DISCONNECT",
                           .is_work = true},
                          {0, 0, 0}},
    ENDING(LOST, PICKET_DEBUG, "hub_ended_lost",
           "connections that the peer closed without DISCONNECT or the network lost"),
    ENDING(KEEP_ALIVE, PICKET_NOTICE, "hub_ended_keep_alive",
           "connections silent for 1.5 times their keep-alive"),
    ENDING(TOKEN_EXPIRED_LATER, PICKET_NOTICE, "hub_ended_token_expired",
           "connections whose SAS token came to its end"),
    ENDING(CERTIFICATE_EXPIRED_LATER, PICKET_NOTICE, "hub_ended_certificate_expired",
           "connections whose X.509 certificate came to its end"),
    ENDING(TAKEN_OVER, PICKET_NOTICE, "hub_ended_taken_over",
           "connections ended because the same device connected again"),
    ENDING(DEVICE_CHANGED, PICKET_NOTICE, "hub_ended_device_changed",
           "connections ended because their credential was taken away, or the device disabled"),
    ENDING(FILTERED, PICKET_NOTICE, "hub_ended_ip_filter",
           "connections ended because the IP filter has changed and denies their address"),
    ENDING(STOPPED, PICKET_DEBUG, "hub_ended_stopped", "connections ended because the hub stopped"),
    ENDING(MALFORMED, PICKET_WARNING, "hub_ended_malformed",
           "connections closed for a malformed or unexpected packet"),
    ENDING(FOREIGN_TOPIC, PICKET_WARNING, "hub_ended_foreign_topic",
           "connections closed for publishing to a topic that is not the device's own"),
    ENDING(QOS_2, PICKET_WARNING, "hub_ended_qos_2",
           "connections closed for publishing with QoS 2"),
    ENDING(TOO_LARGE, PICKET_WARNING, "hub_ended_too_large",
           "connections closed for a packet larger than allowed"),
    ENDING(STALLED, PICKET_WARNING, "hub_ended_stalled",
           "connections closed because the peer neither read nor finished its packet in time"),
    ENDING(SLOW, PICKET_WARNING, "hub_ended_slow",
           "connections closed for a large packet that came slowly while others waited for memory"),
    ENDING(TLS, PICKET_WARNING, "hub_ended_tls",
           "connections closed for TLS key updates or renegotiations again and again"),
    ENDING(NO_MEMORY, PICKET_ERROR, "hub_ended_no_memory", "connections closed for want of memory"),
    ENDING(HANDSHAKE, PICKET_WARNING, "hub_handshakes_failed", "TLS handshakes failed"),
    ENDING(NO_CONNECT, PICKET_WARNING, "hub_handshakes_late",
           "connections closed because no CONNECT came in time"),
    ENDING(EVICTED, PICKET_WARNING, "hub_handshakes_evicted",
           "silent unauthenticated connections closed to make room for new ones"),
    ENDING(WRONG_PROTOCOL, PICKET_WARNING, "hub_refused_protocol",
           "CONNECTs refused: not MQTT 3.1.1"),
    ENDING(WRONG_CLIENT_ID, PICKET_WARNING, "hub_refused_client_id",
           "CONNECTs refused: client id is no device id"),
    ENDING(WRONG_USER_NAME, PICKET_WARNING, "hub_refused_user_name",
           "CONNECTs refused: user name unreadable or of another device"),
    ENDING(WRONG_HOST, PICKET_WARNING, "hub_refused_host",
           "CONNECTs refused: user name is for another host"),
    ENDING(WRONG_WILL, PICKET_WARNING, "hub_refused_will",
           "CONNECTs refused: the will's topic is not the device's own"),
    ENDING(NO_PASSWORD, PICKET_WARNING, "hub_refused_no_password",
           "CONNECTs refused: neither SAS token nor certificate"),
    ENDING(WRONG_TOKEN, PICKET_WARNING, "hub_refused_token",
           "CONNECTs refused: SAS token unreadable"),
    ENDING(WRONG_SCOPE, PICKET_WARNING, "hub_refused_scope",
           "CONNECTs refused: SAS token is for another resource"),
    ENDING(TOKEN_EXPIRED, PICKET_WARNING, "hub_refused_token_expired",
           "CONNECTs refused: SAS token has expired"),
    ENDING(WRONG_SIGNATURE, PICKET_WARNING, "hub_refused_signature",
           "CONNECTs refused: SAS signature matches neither key"),
    ENDING(NO_CERTIFICATE, PICKET_WARNING, "hub_refused_no_certificate",
           "CONNECTs refused: no certificate of a device that authenticates with one"),
    ENDING(WRONG_CERTIFICATE, PICKET_WARNING, "hub_refused_certificate",
           "CONNECTs refused: certificate unfit, or one between it and its CA"),
    ENDING(WRONG_THUMBPRINT, PICKET_WARNING, "hub_refused_thumbprint",
           "CONNECTs refused: certificate matches neither thumbprint"),
    ENDING(CERTIFICATE_EXPIRED, PICKET_WARNING, "hub_refused_certificate_expired",
           "CONNECTs refused: certificate has expired"),
    ENDING(CERTIFICATE_EARLY, PICKET_WARNING, "hub_refused_certificate_early",
           "CONNECTs refused: certificate is not valid yet"),
    ENDING(UNKNOWN_CA, PICKET_WARNING, "hub_refused_ca_unknown",
           "CONNECTs refused: no registered CA issued the certificate"),
    ENDING(WRONG_COMMON_NAME, PICKET_WARNING, "hub_refused_common_name",
           "CONNECTs refused: certificate is for another device"),
    ENDING(UNKNOWN_DEVICE, PICKET_WARNING, "hub_refused_unknown_device",
           "CONNECTs refused: device is not registered"),
    ENDING(DISABLED_DEVICE, PICKET_WARNING, "hub_refused_disabled",
           "CONNECTs refused: device is disabled"),
    ENDING(REGISTRY_FAILED, PICKET_ERROR, "hub_refused_registry_failed",
           "CONNECTs turned away because the registry could not be read"),
    ENDING(HELD_OFF, PICKET_WARNING, "hub_refused_held_off",
           "CONNECTs with a good credential turned away: the device connects too often"),
    ENDING(TOO_MANY_OF_DEVICE, PICKET_WARNING, "hub_refused_too_many_of_device",
           "CONNECTs with a good credential turned away: too many modules of one device"),
#undef ENDING
};

void ending_register_counters(void)
{
    for (int i = ENDING_NONE + 1; i < ENDING_COUNT; i++)
        picket_counter_register(&endings[i].counter);
}

void ending_report(enum ending ending, const char *who, const char *sentence)
{
    picket_count(&endings[ending].counter, 1);
    picket_say_limited(&endings[ending].limit, endings[ending].level, "hub", "%s: %s", who,
                       sentence);
}

const char *ending_name(enum ending ending)
{
    return endings[ending].counter.name;
}
