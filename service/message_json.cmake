# Security messages as JSON: for the service's store and for `picket decode`.
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)

picket_library(picket_message_json
               SOURCES message_json.c
               LINKS picket_wire picket_base PkgConfig::JANSSON)
target_include_directories(picket_message_json PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
