#!/usr/bin/python3
"""What runs on a device follows MISRA C:2012 but for the deviations that docs/misra.md lists, and cppcheck finds nothing else.

Needs cppcheck with its MISRA addon; ends with 77 without it."""
import concurrent.futures
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = "agent/port/netxduo"
DEVIATIONS = "docs/misra.md"
COMMAND = ["cppcheck", "--quiet", "--addon=misra", "--std=c99", "--platform=arm32-wchar_t4", "--error-exitcode=0",
           "--enable=warning,style,performance,portability", "--suppress=missingIncludeSystem",
           "--template={file}\t{line}\t{id}\t{message}", "-Iwire/include", "-Iwire", "-Iagent/include", f"-I{PORT}/include",
           f"-I{PORT}/tests/double", '-DPICKET_AGENT_OPTIONS_FILE="picket/netxduo/options.h"',
           '-DPICKET_WIRE_OPTIONS_FILE="picket/agent/wire_options.h"']
# As any compiler sees it, and what GCC gets where speed is asked for.
CONFIGURATIONS = [[], ["-D__GNUC__=12", "-D__OPTIMIZE__=1"]]
# Headers that stand for the stack's are not ours to judge.
NOT_OURS = f"{PORT}/tests/"


def sources():
    with open(f"{ROOT}/{PORT}/sources.cmake", encoding="utf-8") as listing:
        return re.findall(r"^\s+(\S+\.c)\b", listing.read(), re.M)


def deviations():
    """Number, rule, and patterns of the files, of each row."""
    with open(f"{ROOT}/{DEVIATIONS}", encoding="utf-8") as page:
        rows = [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in page if re.match(r"\| D\d+ \|", line)]
    for row in rows:
        if len(row) != 5 or not row[4]:
            sys.exit(f"{DEVIATIONS}: {row[0]}: a row is number, rule, kind, where, why")
    numbers = [row[0] for row in rows]
    if len(set(numbers)) != len(numbers):
        sys.exit(f"{DEVIATIONS}: a number stands twice")
    return [(number, rule, where.split(", ")) for number, rule, _, where, _ in rows]


def findings(configuration):
    with tempfile.TemporaryDirectory() as folder:  # else what it writes beside the sources gets in each other's way
        result = subprocess.run([*COMMAND, f"--cppcheck-build-dir={folder}", *configuration, *sources()], cwd=ROOT,
                                capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(COMMAND)}\n{result.stdout}{result.stderr}")
    for line in result.stderr.splitlines():
        if line.count("\t") != 3:
            sys.exit(f"cppcheck: {line}")
        path, number, check, message = line.split("\t")
        if not path.startswith(NOT_OURS):
            yield path, int(number), check.removeprefix("misra-c2012-"), message


def place(path, number):
    with open(f"{ROOT}/{path}", encoding="utf-8") as source:
        return source.readlines()[number - 1].strip()


def main():
    if shutil.which("cppcheck") is None:
        print("skipped: cppcheck is not installed; deploy/install-dependencies tests")
        sys.exit(77)
    listed, used, new = deviations(), {}, []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = sorted({one for result in pool.map(lambda one: list(findings(one)), CONFIGURATIONS) for one in result})
    for path, number, check, message in found:
        by = next((deviation for deviation, rule, patterns in listed
                   if rule == check and any(fnmatch.fnmatch(path, pattern) for pattern in patterns)), None)
        if by is None:
            new.append(f"{path}:{number}: {check}: {place(path, number)}" + ("" if message.startswith("misra") else f"\n    {message}"))
        used[by] = used.get(by, 0) + 1
    for deviation, rule, _ in listed:
        print(f"{deviation}: {rule}: {used.get(deviation, 0)}")
    stale = [deviation for deviation, _, _ in listed if deviation not in used]
    if new:
        print(f"Not in {DEVIATIONS}:", *new, sep="\n")
    if stale:
        print(f"Not needed in {DEVIATIONS} any more: {', '.join(stale)}")
    sys.exit(1 if new or stale else 0)


if __name__ == "__main__":
    main()
