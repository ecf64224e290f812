# The HTTP API; included by CMakeLists.txt.

pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
find_package(OpenSSL REQUIRED)

picket_library(picket_api
  SOURCES
    api.c api_socket.c api_stores.c api_route.c api_values.c api_json.c
    api_status.c api_devices.c api_devices_import.c api_twins.c api_methods.c api_messages.c message_bag.c api_credentials.c api_authorities.c authority.c
    api_ip_filter.c audit.c audit_start.c audit_note.c audit_state.c api_audit.c api_feeds.c api_feed_values.c api_intelligence.c api_hunts.c api_allow.c api_indicators.c api_indicator_values.c api_alerts.c api_events.c
    api_alert_filter.c api_alert_decisions.c api_explanation.c silence.c techniques.c
    api_suppressions.c
    api_dead_letters.c
  LINKS picket_base picket_store picket_log picket_service PkgConfig::JANSSON
  PRIVATE_LINKS picket_message_json PkgConfig::MICROHTTPD OpenSSL::Crypto Threads::Threads)
