#!/usr/bin/python3
"""From a device's send to the alert in a webhook: median and p99.

Each message has one flow to an address that a feed lists and no message before had, so each raises one new alert. The
clock starts when the message is handed to the MQTT client and stops when the webhook's server has read the alert."""

import argparse
import http.server
import json
import os
import pathlib
import ssl
import statistics
import sys
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("PICKET_BUILD_DIRECTORY", str(SOURCE / "build" / "release"))
sys.path.insert(0, str(SOURCE / "tests"))
import paho.mqtt.client as mqtt  # noqa: E402

from picket_harness import SECURITY_TOPIC, Picket, build_message, network_activity, wait_until  # noqa: E402


def listed(number):
    return f"198.18.{number >> 8}.{number & 255}"


class Webhook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = {}

    def do_POST(self):
        alert = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received[alert["subject"].split("/")[0]] = time.monotonic()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--gap", type=float, default=0.02, help="seconds between messages (default 0.02)")
    options = parser.parse_args()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    messages = [build_message(network_activity(number.to_bytes(16, "big"), 1700000000,
                                               [(listed(number), 443, 1000, 100)]))
                for number in range(options.messages)]
    outputs = f"""
outputs:
  - name: bench
    kind: webhook
    location: http://127.0.0.1:{server.server_port}/
"""
    with Picket(extra_configuration=outputs) as picket:
        picket.start()
        feed = picket.folder / "listed.txt"
        feed.write_text("".join(listed(number) + "\n" for number in range(options.messages)))
        picket.run("feed", "add", "listed", feed, "--match-special-purpose")
        device = picket.add_device("pump")
        connected = threading.Event()
        client = mqtt.Client(client_id=device.id)
        client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.username_pw_set(device.user_name, device.token())
        client.on_connect = lambda *_: connected.set()
        client.connect("localhost", picket.port)
        client.loop_start()
        connected.wait(30)
        sent = []
        for message in messages:
            sent.append(time.monotonic())
            client.publish(device.events_topic + SECURITY_TOPIC, message, qos=1)
            time.sleep(options.gap)
        wait_until(lambda: len(Webhook.received) == options.messages, "all alerts")
        took_ms = sorted(1000 * (Webhook.received[listed(number)] - sent[number])
                         for number in range(options.messages))
        client.disconnect()
        client.loop_stop()
        picket.stop()
    print(f"{options.messages} alerts, one message each {options.gap * 1000:.0f} ms: "
          f"median {statistics.median(took_ms):.1f} ms, p99 {took_ms[int(len(took_ms) * 0.99)]:.1f} ms, "
          f"largest {took_ms[-1]:.1f} ms")


if __name__ == "__main__":
    main()
