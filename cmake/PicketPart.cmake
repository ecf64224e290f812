# The few verbs the parts' CMakeLists are written with.
#
#   picket_library(NAME SOURCES file... [LINKS target...] [PRIVATE_LINKS target...] [FREESTANDING])
#       a static library whose public headers are in include/; FREESTANDING: C99, no hosted libc
#   picket_program(NAME SOURCES file... [LINKS target...])
#       an installed program
#   picket_test(NAME SOURCES file... [LINKS target...] [ARGS arg...] [TIMEOUT seconds])
#       a cmocka program run by ctest
#   picket_fuzzer(NAME SOURCES file... [LINKS target...] CORPUS directory)
#       a libFuzzer target (PICKET_FUZZ with clang); otherwise a program that runs the corpus, as a test

option(PICKET_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
set(PICKET_FUZZ_SECONDS 60 CACHE STRING "How long each fuzz target runs")
option(PICKET_WERROR "Treat compiler warnings as errors" OFF)

set(PICKET_WARNINGS
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
    -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef $<$<BOOL:${PICKET_WERROR}>:-Werror>)
set(PICKET_FUZZ_DRIVER ${CMAKE_CURRENT_LIST_DIR}/fuzz_driver.c)

function(picket_common target)
  target_compile_options(${target} PRIVATE ${PICKET_WARNINGS})
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
  target_compile_definitions(${target} PRIVATE PICKET_VERSION="${PROJECT_VERSION}")
  if(PICKET_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

function(picket_library name)
  cmake_parse_arguments(P "FREESTANDING" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${P_SOURCES})
  picket_common(${name})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_link_libraries(${name} PUBLIC ${P_LINKS} PRIVATE ${P_PRIVATE_LINKS})
  if(P_FREESTANDING)
    set_target_properties(${name} PROPERTIES C_STANDARD 99)
    target_compile_options(${name} PRIVATE -ffreestanding -Wconversion)
  else()
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  endif()
endfunction()

function(picket_program name)
  cmake_parse_arguments(P "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  picket_common(${name})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE ${P_LINKS})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# What a machine says of its proxies is not for tests, whose servers are their own.
function(picket_without_proxies)
  set_property(TEST ${ARGN} PROPERTY ENVIRONMENT_MODIFICATION http_proxy=unset: https_proxy=unset: all_proxy=unset:
               HTTPS_PROXY=unset: ALL_PROXY=unset: no_proxy=unset: NO_PROXY=unset:)
endfunction()

function(picket_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(P "" "TIMEOUT" "SOURCES;LINKS;ARGS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  picket_common(${name})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE
                             PICKET_SHARED_DIRECTORY="${PROJECT_SOURCE_DIR}/../shared")
  target_link_libraries(${name} PRIVATE ${P_LINKS} cmocka)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests) # check.h
  add_test(NAME ${name} COMMAND ${name} ${P_ARGS} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  picket_without_proxies(${name})
  if(P_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${P_TIMEOUT})
  endif()
endfunction()

function(picket_fuzzer name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(P "" "CORPUS" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  picket_common(${name})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE ${P_LINKS})
  if(PICKET_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # From the corpus: ctest -L fuzz in the fuzz preset. What is found stays in the build tree.
    add_test(NAME ${name}
             COMMAND sh -c "mkdir -p found-${name} && exec $<TARGET_FILE:${name}> -max_total_time=${PICKET_FUZZ_SECONDS} -timeout=20 -print_final_stats=1 found-${name} ${P_CORPUS}")
    math(EXPR timeout "${PICKET_FUZZ_SECONDS} + 300")
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT ${timeout})
  else()
    target_sources(${name} PRIVATE ${PICKET_FUZZ_DRIVER})
    add_test(NAME ${name}_corpus COMMAND ${name} ${P_CORPUS})
  endif()
endfunction()
