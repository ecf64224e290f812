#!/bin/sh
# needs_only_memory_functions.sh LIBRARY...: of libc the core uses memcpy, memset and memcmp only, and it
# has no writable data of its own. (What the sanitizers and gcov add does not count.)
set -eu
allowed='^(memcpy|memset|memcmp|picket_.*|__asan_.*|__ubsan_.*|__tsan_.*|__sanitizer_.*|__gcov_.*|__sancov_.*|__start_.*|__stop_.*|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$'
for library; do
    needed=$(nm --undefined-only --format=posix "$library" | awk '$2 == "U" {print $1}' | sort -u | grep -Ev "$allowed" || true)
    if [ -n "$needed" ]; then
        echo "$library: needs $needed"
        exit 1
    fi
    writable=$(objdump --syms "$library" | grep -E '[[:space:]]\.(data|bss)[[:space:]].* picket' || true)
    if [ -n "$writable" ]; then
        echo "$library: has writable data: $writable"
        exit 1
    fi
    echo "$library: needs memcpy, memset, memcmp at most"
done
