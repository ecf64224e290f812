#!/usr/bin/python3
"""The whole of Picket under load, beside what it is built on, in one run.

Devices publish security messages over TLS, QoS 1, so many in flight each. A message counts when its PUBACK is there, which
for Picket means: decoded, every flow matched, events, flows and device state committed to disk. Each round runs in turn

    Picket      picket serve, whole
    SQLite      the very rows that Picket has just written, by SQLite alone into a new file, as many a transaction as Picket had
                on average: no network, no TLS, no decoding, no matching (bench/store/bench_copy.c)
    mosquitto   the same load on mosquitto, TLS, a static password, one subscriber to everything; nothing is durable

and prints messages a second and Picket's ratios; at the end their medians, and the processor time that Picket's threads took
for a message, which other programs on the machine disturb less."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("PICKET_BUILD_DIRECTORY", str(SOURCE / "build" / "release"))
sys.path.insert(0, str(SOURCE / "tests"))
from mosquitto import Mosquitto  # noqa: E402
from picket_harness import BUILD, SECURITY_TOPIC, Picket, build_message, network_activity  # noqa: E402
from processor import thread_times  # noqa: E402

MARKER = bytes(range(200, 216))
# What the hub allows one device and one address is less than a load that is to find out what it can do.
WITHOUT_LIMITS = """  limits:
    device_packets_per_s: 0
    device_bytes_per_s: 0
    address_connections_per_s: 0
"""


def load(options, port, ca, *more):
    """Messages acknowledged a second."""
    result = subprocess.run(
        [BUILD / "bench" / "hub" / "bench_mqtt_load", "--port", str(port), "--ca", ca, "--json",
         "--connections", str(options.connections), "--in-flight", str(options.in_flight),
         "--messages", str(options.messages), *map(str, more)], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"bench_mqtt_load failed: {result.stderr}")
    return json.loads(result.stdout)["messages_per_s"]


def counter(status, name):
    return next(counter["value"] for counter in status["counters"] if counter["name"] == name)


def run_picket(options, payload, stamps):
    """Picket's rate, that of SQLite with its rows, how many messages Picket had in a transaction, and microseconds a message by
    thread."""
    with Picket(WITHOUT_LIMITS) as picket:
        picket.start()
        feed = picket.folder / "listed.txt"
        feed.write_text("".join(f"{9 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.77\n" for n in range(options.indicators)))
        picket.run("feed", "add", "listed", feed)
        devices = picket.folder / "devices"
        devices.write_text("".join(picket.add_device(f"pump-{i}").connection_string + "\n"
                                   for i in range(options.connections)))
        before = thread_times(picket.process.pid)
        rate = load(options, picket.port, picket.ca, "--devices", devices, "--payload", payload, *stamps,
                    "--topic", "devices/{id}/messages/events/" + SECURITY_TOPIC)
        after = thread_times(picket.process.pid)
        status = picket.json("status")
        stored = status["store"]
        # the hub tells of devices, too
        assert stored["events"] >= options.messages, f"{options.messages} acknowledged, {stored['events']} stored"
        assert stored["flows"] == options.messages * options.flows
        picket.stop()
        batch = round(options.messages / counter(status, "store_batches_committed"))
        copied = subprocess.run([BUILD / "bench" / "store" / "picket_bench_copy", picket.folder, str(batch)],
                                capture_output=True, text=True, check=True).stdout
        times = {name: (after[name] - before.get(name, 0)) * 1e6 / options.messages for name in after}
        return rate, float(copied.split()[0]), batch, times


def run_mosquitto(options, payload, certificates):
    folder = certificates.folder
    with Mosquitto(folder, folder / "certificates" / "server.crt", folder / "certificates" / "server.key",
                   certificates.ca) as broker:
        return load(options, broker.port, certificates.ca, *broker.load_options, "--payload", payload)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--in-flight", type=int, default=10)
    parser.add_argument("--messages", type=int, default=100000, help="a round (default 100000)")
    parser.add_argument("--flows", type=int, default=8, help="in each message (default 8)")
    parser.add_argument("--indicators", type=int, default=1000000, help="that Picket matches (default 1000000)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    start = int(time.time()) - 86400  # so that no device is ahead of the clock
    message = build_message(network_activity(
        MARKER, start, [(f"198.18.0.{i}", 443, 1000 + i, 100 + i) for i in range(options.flows)]))
    print(f"{options.connections} connections over TLS, {options.in_flight} in flight each, {options.messages} messages of "
          f"{options.flows} flows ({len(message)} bytes), {options.indicators} indicators")
    print(f"{'round':8}{'Picket':>12}{'SQLite':>12}{'mosquitto':>12}{'of SQLite':>12}{'of mosquitto':>14}{'a transaction':>15}")
    rounds, times = [], []
    with Picket() as scratch:  # for its folder and certificates; never started
        payload = scratch.folder / "payload"
        payload.write_bytes(message)
        stamps = ("--stamp", message.index(MARKER), "--stamp-time", message.index(start.to_bytes(4, "little")))
        for number in range(1, options.rounds + 1):
            picket, sqlite, batch, thread_us = run_picket(options, payload, stamps)
            mosquitto = run_mosquitto(options, payload, scratch)
            times.append(thread_us)
            rounds.append((picket, sqlite, mosquitto, picket / sqlite, picket / mosquitto, batch))
            print_row(str(number), rounds[-1])
    print_row("median", [statistics.median(column) for column in zip(*rounds)])
    medians = {name: statistics.median(round_.get(name, 0) for round_ in times) for name in times[-1]}
    print("processor time a message, median: " +
          ", ".join(f"{name} {us:.2f} µs" for name, us in sorted(medians.items(), key=lambda item: -item[1]) if us >= 0.05))


def print_row(name, row):
    print(f"{name:8}{row[0]:>10.0f}/s{row[1]:>10.0f}/s{row[2]:>10.0f}/s{row[3]:>12.2f}{row[4]:>14.2f}{row[5]:>15.0f}", flush=True)


if __name__ == "__main__":
    main()
