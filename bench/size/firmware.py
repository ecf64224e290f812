"""Compiles the agent with its port for a device, and links what a firmware would keep of it."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = f"{ROOT}/agent/port/netxduo"
COMMON = ["-std=gnu99", "-Os", "-ffreestanding", "-ffunction-sections", "-fdata-sections",
          '-DPICKET_AGENT_OPTIONS_FILE="picket/netxduo/options.h"', '-DPICKET_WIRE_OPTIONS_FILE="picket/agent/wire_options.h"',
          f"-I{ROOT}/wire/include", f"-I{ROOT}/agent/include", f"-I{PORT}/include"]

# What a firmware calls, from which the linker's garbage collection goes on; its own bytes do not count.
ROOTS = {
    "azure": """#include "nx_azure_iot_security_module.h"
void _start(void); void _start(void) { nx_azure_iot_security_module_enable(0); nx_azure_iot_security_module_disable(0); }
""",
    "azure_twin": """#include "nx_azure_iot_security_module.h"
#include "picket/netxduo/azure_twin.h"
void _start(void); void _start(void) {
    nx_azure_iot_security_module_enable(0); nx_azure_iot_security_module_disable(0);
    picket_netxduo_desired_properties_apply(0, 0, 0); }
""",
    "plain": """#include "picket/netxduo/netxduo.h"
static bool connected(void *context) { return context == 0; }
static bool append(void *context, const void *piece, size_t size_bytes) { return context != piece + size_bytes; }
static enum picket_send_result send(void *context, const struct picket_wire_message *message) {
    return picket_wire_encode(message, append, context) ? PICKET_SEND_ACCEPTED : PICKET_SEND_REFUSED; }
void _start(void); void _start(void) {
    static const struct picket_netxduo_transport transport = {0, connected, send, 0};
    picket_netxduo_start(&transport, 0); picket_netxduo_poll(); picket_netxduo_stop(); }
""",
}


class Target:
    """A processor, with the folder names of ThreadX's and NetX Duo's ports for it; None: there is none."""

    def __init__(self, name, prefix, flags, port):
        self.name, self.prefix, self.flags, self.port = name, prefix, flags, port

    def tool(self, name):
        return self.prefix + name


ARM, RISCV = "arm-none-eabi-", "riscv64-unknown-elf-"
TARGETS = [
    Target("Cortex-M0", ARM, ["-mcpu=cortex-m0", "-mthumb"], "cortex_m0"),
    Target("Cortex-M4", ARM, ["-mcpu=cortex-m4", "-mthumb"], "cortex_m4"),
    Target("Cortex-M33", ARM, ["-mcpu=cortex-m33", "-mthumb"], "cortex_m33"),
    Target("rv32imac", RISCV, ["-march=rv32imac", "-mabi=ilp32", "-Wl,-melf32lriscv"], None),
]
MAIN_TARGET = TARGETS[1]


class Stack:
    """Where the headers of ThreadX and NetX Duo are; without paths, the double of the port's tests."""

    def __init__(self, threadx=None, netxduo=None):
        self.threadx, self.netxduo = threadx, netxduo

    def missing(self):
        """The first header that should be there and is not, or None."""
        if self.threadx is None:
            return None
        wanted = [f"{self.threadx}/common/inc/tx_api.h", f"{self.netxduo}/common/inc/nx_api.h",
                  f"{self.netxduo}/addons/azure_iot/nx_azure_iot.h"]
        for target in TARGETS:
            if target.port is not None:
                wanted += [f"{self.threadx}/ports/{target.port}/gnu/inc/tx_port.h",
                           f"{self.netxduo}/ports/{target.port}/gnu/inc/nx_port.h"]
        return next((path for path in wanted if not os.path.exists(path)), None)

    def is_real(self, target):
        return self.threadx is not None and target.port is not None

    def flags(self, target):
        if not self.is_real(target):
            return [f"-I{PORT}/tests/double"]
        folders = [f"{self.threadx}/common/inc", f"{self.threadx}/ports/{target.port}/gnu/inc"]
        folders += [f"{self.netxduo}/{name}" for name in (
            "common/inc", f"ports/{target.port}/gnu/inc", "nx_secure/inc", "nx_secure/ports", "crypto_libraries/inc",
            "crypto_libraries/ports/cortex_m4/gnu/inc", "addons/cloud", "addons/mqtt", "addons/dns", "addons/azure_iot",
            "addons/azure_iot/azure-sdk-for-c/sdk/inc")]
        return [f"-isystem{folder}" for folder in folders] + [
            "-DNX_ENABLE_IP_PACKET_FILTER", "-DNX_SECURE_ENABLE", "-DNXD_MQTT_CLOUD_ENABLE",
            "-DNX_ENABLE_EXTENDED_NOTIFY_SUPPORT"]

    def describe(self, target):
        if not self.is_real(target):
            return "the test double"
        return f"ThreadX {self._version('threadx', 'tx_api.h')}, NetX Duo {self._version('netxduo', 'nx_api.h')}"

    def _version(self, product, header):
        with open(f"{getattr(self, product)}/common/inc/{header}", encoding="utf-8", errors="replace") as source:
            text = source.read()
        return ".".join(re.search(rf"#define\s+{product.upper()}_{part}_VERSION\s+(\d+)", text).group(1)
                        for part in ("MAJOR", "MINOR", "PATCH"))


def run(*command, cwd=None):
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def sources(transport):
    """All of sources.cmake that the transport needs, in paths from the top."""
    with open(f"{PORT}/sources.cmake", encoding="utf-8") as listing:
        text = listing.read()
    found = re.search(r"set\(PICKET_NETXDUO_SOURCES(.*?)\)", text, re.S).group(1).split()
    if transport != "plain":
        found += re.search(r"set\(PICKET_NETXDUO_AZURE_SOURCES(.*?)\)", text, re.S).group(1).split()
    return found


def compile_all(folder, target, stack, transport, options=()):
    """The sources as objects in the folder, each beside what -fstack-usage and -fcallgraph-info say of it."""
    flags = [*COMMON, *libc_headers(target), *target.flags, *stack.flags(target), *options]
    objects = []
    for source in sources(transport):
        objects.append(source.replace("/", "_")[:-2] + ".o")
        run(target.tool("gcc"), *flags, "-fcallgraph-info=su,da", "-c",
            f"{ROOT}/{source}", "-o", objects[-1], cwd=folder)
    with open(f"{folder}/root.c", "w", encoding="ascii") as root:
        root.write(ROOTS[transport])
    run(target.tool("gcc"), *flags, "-c", "root.c", "-o", "root.o", cwd=folder)
    return objects


def libc_headers(target):
    """string.h: that of newlib is found by itself."""
    return ["--specs=picolibc.specs"] if target.prefix == RISCV else []


def link(folder, target, objects):
    """Returns flash and RAM in bytes, and the flash of each object. The stack and libc stay unresolved."""
    run(target.tool("gcc"), *target.flags, "-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,_start",
        "-Wl,--unresolved-symbols=ignore-all", "-Wl,--no-warn-rwx-segments", "-Wl,-Map,map", "root.o", *objects,
        "-o", "firmware.elf", cwd=folder)
    text, data, bss = run(target.tool("size"), "firmware.elf", cwd=folder).splitlines()[1].split()[:3]
    root_bytes = int(run(target.tool("size"), "root.o", cwd=folder).splitlines()[1].split()[0])
    return int(text) + int(data) - root_bytes, int(data) + int(bss), flash_by_object(folder)


def flash_by_object(folder):
    with open(f"{folder}/map", encoding="ascii", errors="replace") as listing:
        text = listing.read().split("Linker script and memory map", 1)[1]
    found = {}
    for size, name in re.findall(r"^ \.(?:text|rodata|data)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+\.o)$", text, re.M):
        found[name] = found.get(name, 0) + int(size, 16)
    return found
