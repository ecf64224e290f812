#include "features.h"

#include <string.h>

#include "nx_api.h"

#include "picket/netxduo/options.h"

#define TEXT_OF(value)       TEXT_OF_VALUE(value)
#define TEXT_OF_VALUE(value) #value

#ifdef THREADX_BUILD_VERSION
#define THREADX_BUILD "." TEXT_OF(THREADX_BUILD_VERSION)
#else
#define THREADX_BUILD ""
#endif
#ifdef NETXDUO_BUILD_VERSION
#define NETXDUO_BUILD "." TEXT_OF(NETXDUO_BUILD_VERSION)
#else
#define NETXDUO_BUILD ""
#endif

/* A hotfix is a character constant, a space for none, and cannot be joined to a text. */
#ifdef THREADX_HOTFIX_VERSION
#define THREADX_HOTFIX THREADX_HOTFIX_VERSION
#else
#define THREADX_HOTFIX ' '
#endif
#ifdef NETXDUO_HOTFIX_VERSION
#define NETXDUO_HOTFIX NETXDUO_HOTFIX_VERSION
#else
#define NETXDUO_HOTFIX ' '
#endif

#define THREADX_TEXT                                                                               \
    "ThreadX " TEXT_OF(THREADX_MAJOR_VERSION) "." TEXT_OF(THREADX_MINOR_VERSION) "." TEXT_OF(      \
        THREADX_PATCH_VERSION) THREADX_BUILD
#ifdef NX_DISABLE_IPV4
#define WITH_IPV4 ""
#else
#define WITH_IPV4 " ipv4"
#endif
#ifdef FEATURE_NX_IPV6
#define WITH_IPV6 " ipv6"
#else
#define WITH_IPV6 ""
#endif
#ifdef NX_SECURE_ENABLE
#define WITH_TLS " tls"
#else
#define WITH_TLS ""
#endif
#ifdef NXD_MQTT_CLOUD_ENABLE
#define WITH_CLOUD " cloud"
#else
#define WITH_CLOUD ""
#endif
#define FEATURES WITH_IPV4 WITH_IPV6 WITH_TLS WITH_CLOUD " " PICKET_NETXDUO_ADDONS

#define NETXDUO_TEXT                                                                               \
    "NetX Duo " TEXT_OF(NETXDUO_MAJOR_VERSION) "." TEXT_OF(NETXDUO_MINOR_VERSION) "." TEXT_OF(     \
        NETXDUO_PATCH_VERSION) NETXDUO_BUILD

/* The letter stands right behind the version; where there is none, a space more does no harm. */
static const struct {
    char text[sizeof THREADX_TEXT - 1];
    char hotfix;
    char end;
} threadx = {THREADX_TEXT, THREADX_HOTFIX == ' ' ? '\0' : THREADX_HOTFIX, '\0'};

static const struct {
    char text[sizeof NETXDUO_TEXT - 1];
    char hotfix;
    char features[sizeof FEATURES];
} netxduo = {NETXDUO_TEXT, NETXDUO_HOTFIX, FEATURES};

#if !PICKET_NETXDUO_FIND_ADDONS

static const char *network_stack(void)
{
    return (const char *)&netxduo;
}

#else

/* The address of a weak function is NULL unless the program is linked with it for another reason.
 */
#define ADDONS(add)                                                                                \
    add(auto_ip, _nx_auto_ip_create) add(azure_iot, nx_azure_iot_create) add(                      \
        bsd, nx_bsd_initialize) add(dhcp, _nx_dhcp_create)                                         \
        add(dhcp_server, _nx_dhcp_server_create) add(dhcpv6, _nx_dhcpv6_client_create) add(        \
            dns, _nx_dns_create) add(ftp, _nx_ftp_client_create) add(ftp_server,                   \
                                                                     _nx_ftp_server_create)        \
            add(http, _nx_http_client_create) add(http_server, _nx_http_server_create) add(        \
                mdns, _nx_mdns_create) add(mqtt, _nxd_mqtt_client_create) add(nat, _nx_nat_create) \
                add(pop3, _nxd_pop3_client_create) add(ppp, _nx_ppp_create)                        \
                    add(pppoe, _nx_pppoe_client_create) add(ptp, _nx_ptp_client_create) add(       \
                        rtp, _nx_rtp_sender_create) add(rtsp, _nx_rtsp_server_create)              \
                        add(smtp, _nxd_smtp_client_create) add(snmp, _nx_snmp_agent_create) add(   \
                            sntp, _nx_sntp_client_create) add(telnet, _nx_telnet_client_create)    \
                            add(telnet_server, _nx_telnet_server_create)                           \
                                add(tftp, _nxd_tftp_client_create)                                 \
                                    add(tftp_server, _nxd_tftp_server_create)                      \
                                        add(web, _nx_web_http_client_create)                       \
                                            add(web_server, _nx_web_http_server_create)            \
                                                add(websocket, _nx_websocket_client_create)        \
                                                    add(dtls, _nx_secure_dtls_session_create)

#define DECLARE(name, function) extern VOID function(VOID) __attribute__((weak));
ADDONS(DECLARE)

static char text[PICKET_NETXDUO_FEATURES_BYTES];

static void append(const char *word)
{
    size_t length = strlen(text);
    size_t needed = strlen(word);
    if (length + 1 + needed >= sizeof text)
        return;
    text[length] = ' ';
    memcpy(text + length + 1, word, needed + 1);
}

static const char *network_stack(void)
{
#define ENTRY(name, function)   {#name, function},
    static const struct {
        const char *name;
        VOID (*function)(VOID);
    } addons[] = {ADDONS(ENTRY)};
    text[0] = '\0';
    append((const char *)&netxduo);
    for (size_t i = 0; i < sizeof addons / sizeof *addons; i++)
        if (addons[i].function != NULL)
            append(addons[i].name);
    return text;
}

#endif

void picket_features_tell(struct picket_wire_system_information *information)
{
    information->os_info = (const char *)&threadx;
    information->kernel_info = network_stack();
}
