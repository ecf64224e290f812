# The HTTP API; included by CMakeLists.txt.

pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
find_package(OpenSSL REQUIRED)

picket_library(picket_api
  SOURCES
    api/api.c api/api_socket.c api/api_stores.c api/api_route.c api/api_values.c api/api_json.c
    api/api_status.c api/api_devices.c api/api_devices_import.c api/api_twins.c api/api_methods.c api/api_messages.c api/message_bag.c api/api_credentials.c api/api_authorities.c api/authority.c
    api/api_ip_filter.c api/audit.c api/audit_start.c api/audit_note.c api/audit_state.c api/api_audit.c api/api_feeds.c api/api_feed_values.c api/api_intelligence.c api/api_hunts.c api/api_allow.c api/api_indicators.c api/api_indicator_values.c api/api_alerts.c api/api_events.c
    api/api_alert_filter.c api/api_alert_decisions.c api/api_explanation.c api/silence.c api/techniques.c
    api/api_suppressions.c
    api/api_dead_letters.c
  LINKS picket_base picket_store picket_log picket_service PkgConfig::JANSSON
  PRIVATE_LINKS picket_message_json PkgConfig::MICROHTTPD OpenSSL::Crypto Threads::Threads)
