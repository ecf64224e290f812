#!/usr/bin/python3
"""run_emulated.py MACHINE REFERENCE SAMPLES.c

Builds the program of this folder for MACHINE, for size and for speed, runs it under emulation, and
compares what it prints with what REFERENCE prints, the same program built for this machine. Before
that, what the machine must not let pass: reading behind the edge and, on a Cortex-M, at an odd
address.

MACHINE: cortex-m0 (BBC micro:bit), cortex-m3 (MPS2 AN385), s390x (big-endian; runs the corpora of the
fuzz targets as well). Ends with 77 if a compiler or QEMU is missing."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SKIPPED = 77
TIMEOUT_S = 900
INCLUDES = [f"-I{ROOT}/{folder}" for folder in ("wire", "wire/include", "wire/tests", "agent/include", "tests/emulation")]
LIBRARY = sorted(glob.glob(f"{ROOT}/wire/*.c") + glob.glob(f"{ROOT}/agent/src/*.c"))
PARTS = [f"{HERE}/{name}.c" for name in
         ("main", "output", "packets", "port", "traffic", "hostile", "sequences", "messages", "samples")]
PROGRAM = PARTS + [f"{ROOT}/wire/tests/walk.c", f"{ROOT}/wire/tests/reencode.c", f"{ROOT}/agent/fuzz/agent_fuzz.c"]
# Compilers may merge accesses only as the smallest core, which has no others, allows.
CORTEX_M = ["arm-none-eabi-gcc", "-mthumb", "-mno-unaligned-access", "-nostartfiles", "-ffunction-sections",
            "-fdata-sections", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", f"-L{HERE}"]
SEMIHOSTING = ["-nographic", "-semihosting-config", "enable=on,target=native", "-kernel"]


class Machine:
    def __init__(self, compiler, board, emulator, refuses_odd_addresses, same_layout):
        self.compiler, self.board, self.emulator = compiler, board, emulator
        self.refuses_odd_addresses, self.same_layout = refuses_odd_addresses, same_layout

    def build(self, out, sources, *options):
        run([*self.compiler, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Werror", *INCLUDES, *options, "-o", out, *sources])
        return out

    def run(self, program, *arguments):
        """Semihosting prints to QEMU's error output."""
        return subprocess.run([*self.emulator, program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False)


MACHINES = {
    "cortex-m0": Machine([*CORTEX_M, "-mcpu=cortex-m0", f"-T{HERE}/microbit.ld"], f"{HERE}/cortex_m.c",
                         ["qemu-system-arm", "-M", "microbit", *SEMIHOSTING], True, True),
    "cortex-m3": Machine([*CORTEX_M, "-mcpu=cortex-m3", f"-T{HERE}/mps2_an385.ld"], f"{HERE}/cortex_m.c",
                         ["qemu-system-arm", "-M", "mps2-an385", *SEMIHOSTING], True, True),
    "s390x": Machine(["s390x-linux-gnu-gcc", "-static"], f"{HERE}/hosted.c", ["qemu-s390x"], False, False),
}


def fail(text):
    sys.exit(f"run_emulated.py: {text}")


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        fail(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def check_trespasses(machine, folder):
    for number, what in ((1, "a word read at an odd address"), (2, "a byte read behind the edge")):
        if number == 1 and not machine.refuses_odd_addresses:
            continue
        program = machine.build(f"{folder}/trespass{number}", [f"{HERE}/trespass.c", f"{HERE}/output.c", machine.board],
                                f"-DTRESPASS={number}", "-O1")
        result = machine.run(program)
        if result.returncode == 0 or "nothing happened" in result.stdout:
            fail(f"{what} was let pass: the emulation would prove nothing")
        print(f"{what} ends the program, as it should")


def lines(output, same_layout):
    return [line for line in output.splitlines() if same_layout or not line.startswith("layout")]


def check_program(machine, folder, level, expected, samples):
    program = machine.build(f"{folder}/program{level}", [*PROGRAM, samples, *LIBRARY, machine.board], level)
    result = machine.run(program)
    seen = lines(result.stdout, machine.same_layout)
    for number, (line, reference) in enumerate(zip(seen, expected), start=1):
        if line != reference:
            fail(f"{level}: line {number} is\n  {line}\nbut should be\n  {reference}")
    if result.returncode != 0 or len(seen) != len(expected):
        last = seen[-1] if seen else "nothing"
        fail(f"{level}: {len(seen)} lines of {len(expected)}, ended with {result.returncode}; last: {last}")
    print(f"{level}: {len(seen)} lines, each as on this machine")


def check_corpora(machine, folder):
    support = [f"{ROOT}/wire/tests/walk.c", f"{ROOT}/wire/tests/reencode.c", f"{ROOT}/cmake/fuzz_driver.c"]
    for target, corpus in (("agent/fuzz/agent", "agent/fuzz/agent"), ("agent/fuzz/packet", "agent/fuzz/packet"),
                           ("wire/fuzz/decoder", "wire/fuzz/decoder_corpus"),
                           ("wire/fuzz/roundtrip", "wire/fuzz/roundtrip_corpus")):
        program = machine.build(f"{folder}/{os.path.basename(target)}", [f"{ROOT}/{target}_fuzz.c", *support, *LIBRARY], "-O2")
        result = machine.run(program, f"{ROOT}/{corpus}")
        if result.returncode != 0:
            fail(f"{target}_fuzz.c over {corpus}: ended with {result.returncode}\n{result.stdout}")
        print(f"{target}_fuzz.c: {result.stdout.strip()}")


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in MACHINES:
        sys.exit(__doc__)
    machine, reference, samples = MACHINES[sys.argv[1]], sys.argv[2], sys.argv[3]
    for tool in (machine.compiler[0], machine.emulator[0]):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed; deploy/install-dependencies tests")
            sys.exit(SKIPPED)
    expected = lines(run([reference]), machine.same_layout)
    with tempfile.TemporaryDirectory() as folder:
        check_trespasses(machine, folder)
        for level in ("-Os", "-O2"):
            check_program(machine, folder, level, expected, samples)
        if sys.argv[1] == "s390x":
            check_corpora(machine, folder)


if __name__ == "__main__":
    main()
