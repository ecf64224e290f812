"""Twin requests a second: CONNECTIONS devices with ten requests in flight each, for SECONDS each kind.

    HUB_TEST_SERVER=build/bench/hub/tests/hub_test_server python3 bench/hub/exchange.py CONNECTIONS SECONDS
"""
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "hub" / "tests"))
from harness import Hub, accepted_client, publish_packet, subscribe_packet  # noqa: E402

WINDOW = 10


def cpu_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reports(number):
    return b"".join(publish_packet(f"$iothub/twin/PATCH/properties/reported/?$rid={n}",
                                   b'{"n":%d,"v":{"value":%d,"ac":200}}' % (number, n)) for n in range(WINDOW))


def reads(number):
    del number
    return b"".join(publish_packet(f"$iothub/twin/GET/?$rid={n}") for n in range(WINDOW))


def measure(hub, clients, seconds, requests, answer):
    """Requests a second, the hub's CPU in cores, the median time of a round in ms."""
    begin, cpu_before, rounds = time.monotonic(), cpu_s(hub.process), []
    while time.monotonic() < begin + seconds:
        start = time.monotonic()
        for client in clients:
            client.send(requests(len(rounds)))
        for client in clients:
            answered = 0
            while answered < WINDOW:
                answered += client.socket.recv(65536).count(answer)
        rounds.append(time.monotonic() - start)
    span = time.monotonic() - begin
    return (len(rounds) * WINDOW * len(clients) / span, (cpu_s(hub.process) - cpu_before) / span,
            sorted(rounds)[len(rounds) // 2] * 1000)


def main():
    connections, seconds = int(sys.argv[1]), float(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub("--store", folder, "--quiet")
        clients = []
        for n in range(connections):
            hub.device(f"d{n}")
            client = accepted_client(hub, f"d{n}")
            client.send(subscribe_packet(1, ("$iothub/twin/res/#", 0)))
            client.read_packet()
            clients.append(client)
        for name, requests, answer in (("reports", reports, b"twin/res/204"), ("reads", reads, b"twin/res/200")):
            rate, cores, round_ms = measure(hub, clients, seconds, requests, answer)
            print(f"{name}: {rate:.0f}/s, hub's CPU {cores:.2f} cores, median round {round_ms:.1f} ms")
        hub.stop()


if __name__ == "__main__":
    main()
