#!/usr/bin/python3
"""Many devices on `picket serve`, whole and with its default limits, beside mosquitto in the same run: TLS, the same
certificate, one subscriber to everything; nothing of mosquitto's is durable, every PUBACK of Picket's is on the disk.

    bench/hub/scale.py [PART...] [--devices N] [--minutes M] [--storm-seconds S] [--rounds R]

quiet   N devices with keys of their own, connected, a message each a minute, half of them security messages, half
        telemetry with a route: memory for a connection, processor by thread, latency; then connected and
        disconnected again and again: is memory given back
storm   1,000 reconnects a second are asked for, each with one message, while 1,000 other devices send 200 messages a
        second: how many come, what they cost, how long the others' messages take meanwhile
rates   messages a second at 100 connections x 10 in flight and 1000 x 1

Processor time and ratios say more than rates: load generator and server share the machine with whatever else it does, and
the load is printed. Needs mosquitto, 2 x N file descriptors, and the release build."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ.setdefault("PICKET_BUILD_DIRECTORY", str(SOURCE / "build" / "release"))
sys.path.insert(0, str(SOURCE / "tests"))
sys.path.insert(0, str(SOURCE / "bench"))
from mosquitto import Mosquitto  # noqa: E402
from picket_harness import BUILD, SECURITY_TOPIC, Picket, build_message, network_activity  # noqa: E402
from processor import thread_times  # noqa: E402

MARKER = bytes(range(200, 216))
ROUTE = "routes:\n  - {name: telemetry, kind: file, location: telemetry.jsonl}\n"
STEADY = 1000
STEADY_RATE = 200
STORM_RATE = 1000
SOURCES = 64


def say(text):
    print(text, flush=True)


# ---- processes ----

def memory_kb(pid):
    """(proportional set, anonymous): what a process has of the machine's memory, and what of that is its own."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return values["Pss"], values["Anonymous"]


def kernel_kb():
    """Of sockets and what they hang on, of the whole machine: slabs and buffers."""
    kinds = ("TCP", "sock_inode_cache", "eventpoll_epi", "filp", "dentry")
    slabs = [line.split() for line in pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]]
    size = sum(int(slab[2]) * int(slab[3]) for slab in slabs if slab[0] in kinds) / 1024
    tcp = pathlib.Path("/proc/net/sockstat").read_text().split("TCP: ")[1].split("\n")[0].split()
    return size + int(tcp[tcp.index("mem") + 1]) * 4


def spent(before, after):
    return {name: after[name] - before.get(name, 0) for name in after if after[name] - before.get(name, 0) >= 0.01}


def load_average():
    return "load " + pathlib.Path("/proc/loadavg").read_text().split()[0]


# ---- servers ----

class PicketServer:
    """`picket serve` with devices of their own keys."""
    name = "Picket"

    def __init__(self, options, key_kind, devices):
        self.picket = Picket(ROUTE)
        self.folder = self.picket.folder
        if key_kind == "ec":
            make_ec_certificates(self.folder / "certificates")
        self.picket.start()
        self.pid, self.port, self.ca = self.picket.process.pid, self.picket.port, self.picket.ca
        (self.folder / "ids").write_text("".join(f"device-{n}\n" for n in range(devices)))
        began = time.monotonic()
        self.picket.run("device", "import", self.folder / "ids", "--out", self.folder / "connections")
        self.import_s = time.monotonic() - began
        self.strings = (self.folder / "connections").read_text().splitlines(keepends=True)

    def who(self, first, count):
        path = self.folder / f"connections-{first}"
        path.write_text("".join(self.strings[first:first + count]))
        return ["--devices", path]

    def stop(self):
        self.picket.stop()
        self.picket.remove()


class MosquittoServer:
    name = "mosquitto"

    def __init__(self, options, key_kind, devices):
        self.scratch = Picket()  # for its folder and certificates; never started
        self.folder = self.scratch.folder
        certificates = self.folder / "certificates"
        if key_kind == "ec":
            make_ec_certificates(certificates)
        self.ca = self.scratch.ca
        self.broker = Mosquitto(self.folder, certificates / "server.crt", certificates / "server.key", self.ca)
        self.pid, self.port = self.broker.process.pid, self.broker.port

    def who(self, first, count):
        return [*self.broker.load_options, "--prefix", f"device-{first}-"]

    def stop(self):
        self.broker.stop()
        self.scratch.remove()


SERVERS = (PicketServer, MosquittoServer)


def make_ec_certificates(folder):
    """The same names with P-256 keys, in place of the RSA ones."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
            "/CN=bench CA", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout",
            "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "names", "-out", "server.crt")


# ---- load ----

class Load:
    """One load generator, under way."""

    def __init__(self, server, first, count, *options):
        self.process = subprocess.Popen(
            [BUILD / "bench" / "hub" / "bench_mqtt_load", "--port", str(server.port), "--ca", server.ca, "--json",
             "--sources", str(SOURCES), *map(str, server.who(first, count)), "--connections", str(count),
             *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_connected(self):
        line = self.process.stderr.readline()
        if "connected in" not in line:
            sys.exit(f"bench_mqtt_load: {line}{self.process.stderr.read()}")

    def result(self):
        output, problem = self.process.communicate()
        if not output:
            sys.exit(f"bench_mqtt_load: {problem}")
        return json.loads(output)


def security_payload(folder, flows):
    """Options to send security messages, no two of them alike."""
    start = int(time.time()) - 86400
    message = build_message(network_activity(
        MARKER, start, [(f"198.18.0.{i}", 443, 1000 + i, 100 + i) for i in range(flows)]))
    path = pathlib.Path(folder) / "payload"
    path.write_bytes(message)
    return ["--payload", path, "--stamp", message.index(MARKER), "--stamp-time",
            message.index(start.to_bytes(4, "little")), "--topic", "devices/{id}/messages/events/" + SECURITY_TOPIC]


# ---- quiet ----

def connect_and_leave(server, count):
    """All connect, send one message, and go."""
    result = Load(server, 0, count, "--messages", count, "--in-flight", 1, "--rate", 5000).result()
    if result["failed"]:
        sys.exit(f"{result['failed']} connections failed")


def measure_quiet(options):
    count = options.devices
    for make in SERVERS:
        server = make(options, "rsa", count)
        if isinstance(server, PicketServer):
            say(f"quiet   {count} devices imported in {server.import_s:.2f} s")
        sizes, kernel = [memory_kb(server.pid)], kernel_kb()
        half, messages = count // 2, count // 2 * options.minutes
        both = ["--messages", messages, "--rate", half / 60, "--in-flight", 1, "--idle", 10]
        loads = []
        for first, payload in ((0, security_payload(server.folder, 8)), (half, [])):
            loads.append(Load(server, first, half, *both, *payload))
            loads[-1].wait_connected()
            time.sleep(5)
            sizes.append(memory_kb(server.pid))
        quiet_kernel = kernel_kb()
        times, began = thread_times(server.pid), time.monotonic()
        time.sleep(options.minutes * 60)
        minutes = (time.monotonic() - began) / 60
        used = spent(times, thread_times(server.pid))
        after = memory_kb(server.pid)
        results = [load.result() for load in loads]
        report_quiet(server, half, [size[0] for size in [*sizes, after]], quiet_kernel - kernel)
        report_use(server, used, minutes, results)
        measure_churn(server, options, sizes[0])
        server.stop()


def report_quiet(server, half, sizes, kernel):
    """The second half of the devices finds what is there once for all, caches and queues, as it will be."""
    none, first, second, after = sizes
    say(f"quiet   {server.name:10} {(second - first) / half:.1f} KB a connection, of the second half of the devices; "
        f"{(first - none) / half:.1f} KB of the first; {(after - second) / half / 2:.1f} KB more each after their messages; "
        f"{none / 1024:.0f} MB without devices; the kernel, both ends: {kernel / half / 2:.1f} KB each")


def report_use(server, used, minutes, results):
    threads = ", ".join(f"{name} {seconds / minutes / 0.6:.2f} %" for name, seconds in
                        sorted(used.items(), key=lambda item: -item[1]))
    say(f"quiet   {server.name:10} {sum(used.values()) / minutes / 0.6:.2f} % of a core ({threads}); PUBACK after "
        f"p50 {max(r['p50_ms'] for r in results):.2f} ms, p99 {max(r['p99_ms'] for r in results):.2f} ms; "
        f"{sum(r['failed'] for r in results)} failed; {load_average()}")


def measure_churn(server, options, before):
    sizes = []
    for _ in range(options.churn):
        connect_and_leave(server, min(options.devices, 5000))
        time.sleep(2)
        sizes.append(f"{(memory_kb(server.pid)[0] - before[0]) / 1024:.0f}")
    say(f"quiet   {server.name:10} all gone, and {min(options.devices, 5000)} came and went {options.churn} times: "
        f"{', '.join(sizes)} MB more than at first")


# ---- storm ----

STORMS = (("rsa", "TLS 1.3, RSA-2048, new sessions", ("--tls", "1.3")),
          ("rsa", "TLS 1.3, RSA-2048, resumed", ("--tls", "1.3", "--resume")),
          ("ec", "TLS 1.3, ECDSA P-256, new sessions", ("--tls", "1.3")),
          ("rsa", "TLS 1.2, RSA-2048, resumed", ("--tls", "1.2", "--resume")))


def steady(server, seconds):
    load = Load(server, 0, STEADY, "--messages", STEADY_RATE * seconds, "--rate", STEADY_RATE, "--in-flight", 4, "--idle", 2)
    load.wait_connected()
    time.sleep(2)
    return load


def measure_storm(options):
    for key_kind, name, tls in STORMS:
        for make in SERVERS:
            devices = min(options.devices, STORM_RATE * options.storm_seconds // 6)  # each comes six times
            server = make(options, key_kind, devices + STEADY)
            alone = steady(server, 5).result()
            beside = steady(server, options.storm_seconds)
            times = thread_times(server.pid)
            storm = Load(server, STEADY, devices, "--reconnects", STORM_RATE, "--seconds", options.storm_seconds,
                         *tls).result()
            used = spent(times, thread_times(server.pid))
            report_storm(server, name, storm, used, alone, beside.result())
            server.stop()


def report_storm(server, name, storm, used, alone, beside):
    count = max(storm["reconnects"], 1)
    threads = ", ".join(f"{thread} {seconds * 1e6 / count:.0f}" for thread, seconds in
                        sorted(used.items(), key=lambda item: -item[1]) if seconds * 1e6 / count >= 1)
    say(f"storm   {name}: {server.name}: {storm['reconnects_per_s']} reconnects/s ({storm['resumed']} resumed, "
        f"{storm['failed']} failed) of {STORM_RATE} asked for; to CONNACK p50 {storm['connect_p50_ms']:.0f} ms, "
        f"p99 {storm['connect_p99_ms']:.0f} ms; us of a core each: {threads}; the others' messages p50 "
        f"{beside['p50_ms']:.2f} ms, p99 {beside['p99_ms']:.1f} ms (before: {alone['p50_ms']:.2f}, {alone['p99_ms']:.1f}); "
        f"{load_average()}")


# ---- rates ----

LOADS = ((100, 10), (1000, 1))


def measure_rates(options):
    for connections, in_flight in LOADS:
        rounds = []
        for _ in range(options.rounds):
            row = []
            for make in SERVERS:
                server = make(options, "rsa", connections)
                payload = security_payload(server.folder, 8)
                if isinstance(server, MosquittoServer):
                    payload = payload[:2]
                load = Load(server, 0, connections, "--in-flight", in_flight, "--messages", options.messages,
                            "--idle", 2, *payload)
                load.wait_connected()
                before = sum(thread_times(server.pid).values())
                result = load.result()
                cpu_us = (sum(thread_times(server.pid).values()) - before) * 1e6 / options.messages
                server.stop()
                row.append((result["messages_per_s"], cpu_us, result["p50_ms"], result["p99_ms"]))
            rounds.append(row)
            report_rates(f"{connections}x{in_flight}", row)
        ratios = sorted(row[0][0] / row[1][0] for row in rounds)
        say(f"rates   {connections}x{in_flight}: Picket, durable, of mosquitto, not durable: median "
            f"{statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f} in {len(rounds)} rounds")


def report_rates(name, row):
    texts = [f"{make.name} {rate} messages/s, {cpu_us:.1f} us of a core each, p50 {p50:.2f} ms, p99 {p99:.2f} ms"
             for make, (rate, cpu_us, p50, p99) in zip(SERVERS, row)]
    say(f"rates   {name}: {'; '.join(texts)}; {load_average()}")


PARTS = {"quiet": measure_quiet, "storm": measure_storm, "rates": measure_rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--devices", type=int, default=9900)
    parser.add_argument("--minutes", type=int, default=3, help="of quiet")
    parser.add_argument("--churn", type=int, default=5, help="times that they come and go")
    parser.add_argument("--storm-seconds", type=int, default=60)
    parser.add_argument("--messages", type=int, default=100000, help="a round of rates")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for part in options.part or PARTS:
        PARTS[part](options)


if __name__ == "__main__":
    main()
