#!/usr/bin/python3
"""embed.py OUT.c FILE...: writes the files into a C source, as the table of samples.h."""
import os
import sys


def main():
    out_path, paths = sys.argv[1], sorted(sys.argv[2:])
    lines = ['#include "samples.h"\n']
    for i, path in enumerate(paths):
        with open(path, "rb") as sample:
            lines.append(f"static const uint8_t sample_{i}[] = {{{','.join(str(byte) for byte in sample.read())}}};\n")
    lines.append("const struct sample samples[] = {\n")
    for i, path in enumerate(paths):
        lines.append(f'    {{"{os.path.basename(path)}", sample_{i}, sizeof sample_{i}}},\n')
    lines.append(f"}};\nconst uint32_t sample_count = {len(paths)};\n")
    with open(out_path, "w", encoding="ascii") as out:
        out.writelines(lines)


if __name__ == "__main__":
    main()
