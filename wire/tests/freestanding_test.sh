#!/bin/sh
# wire/ needs nothing of a libc but memcpy, memset and memcmp: what a plain optimized build asks for.
#
#   freestanding_test.sh COMPILER WIRE_FOLDER
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for level in -O0 -Os -O2 -O3; do
    for source in "$2"/*.c; do
        "$1" -std=c99 -pedantic -ffreestanding $level -fno-stack-protector -Wall -Wextra -Werror \
            -I "$2/include" -c "$source" -o "$folder/$(basename "$source" .c).o"
    done
    wanted=$(nm -u "$folder"/*.o | awk '$1 == "U" {print $2}' | sort -u)
    for name in $wanted; do
        case $name in
        memcpy | memset | memcmp | picket_wire_* | _GLOBAL_OFFSET_TABLE_) ;;
        *)
            echo "$level: wire/ asks for $name" >&2
            exit 1
            ;;
        esac
    done
    echo "$level:" $wanted
done
