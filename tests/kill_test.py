"""kill -9 at random moments under load: what a device got an acknowledgement for is there, and nothing twice.

Devices publish security messages with a window of messages in flight (paho, QoS 1, persistent session); what was not
acknowledged when the connection broke, paho sends again. Picket is killed at random moments and started again. In the
end every acknowledged event is in the store exactly once, with its flow; its alert has counted it exactly once."""

import argparse
import random
import ssl
import threading
import time

import paho.mqtt.client as mqtt

from picket_harness import SECURITY_TOPIC, Picket, build_message, network_activity, wait_until

MARKER = bytes(range(200, 216))
LISTED = "198.51.100.7"


class Publisher:
    """A device that keeps a window of unacknowledged messages, each with an event id of its own."""

    def __init__(self, device, picket, number, window, template):
        self.device = device
        self.number = number
        self.window = window
        self.template = template
        self.lock = threading.Lock()
        self.in_flight = {}  # packet id → event id; packet ids are used again once acknowledged
        self.sent = []
        self.acknowledged = set()
        self.stopping = False
        self.stopped = threading.Event()
        self.client = mqtt.Client(client_id=device.id, clean_session=False)
        self.client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.max_inflight_messages_set(window)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_publish = self._acknowledged
        self.client.username_pw_set(device.user_name, device.token())
        self.client.connect_async("localhost", picket.port, keepalive=30)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        """paho's loop, which some of the errors of TLS escape when the server vanishes in a write."""
        while not self.stopped.is_set():
            try:
                self.client.loop_forever(retry_first_connection=True)
            except OSError:
                self._reconnect()

    def _reconnect(self):
        while not self.stopped.wait(0.2):
            try:
                self.client.reconnect()
                return
            except OSError:
                pass

    def stop(self):
        self.stopped.set()
        self.client.disconnect()
        self.thread.join()

    def _connected(self, client, userdata, flags, code):
        assert code == 0, f"{self.device.id}: refused with {code}"
        self._fill()

    def _acknowledged(self, client, userdata, mid):
        with self.lock:
            self.acknowledged.add(self.in_flight.pop(mid))
        self._fill()

    def _fill(self):
        with self.lock:
            while not self.stopping and len(self.in_flight) < self.window:
                event_id = self.number.to_bytes(4, "big") + len(self.sent).to_bytes(12, "big")
                payload = self.template.replace(MARKER, event_id)
                info = self.client.publish(self.device.events_topic + SECURITY_TOPIC, payload, qos=1)
                self.in_flight[info.mid] = event_id
                self.sent.append(event_id)

    def outstanding(self):
        with self.lock:
            return len(self.in_flight)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--window", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    print(f"seed {options.seed}")
    moments = random.Random(options.seed)

    template = build_message(network_activity(MARKER, 1700000000, [(LISTED, 443, 1000, 100)]))
    assert template.count(MARKER) == 1
    with Picket() as picket:
        picket.start()
        feed = picket.folder / "listed.txt"
        feed.write_text(LISTED + "\n")
        picket.run("feed", "add", "listed", feed, "--match-special-purpose")
        publishers = [Publisher(picket.add_device(f"pump-{i}"), picket, i, options.window, template)
                      for i in range(options.devices)]
        for kill in range(options.kills):
            before = sum(len(p.acknowledged) for p in publishers)
            wait_until(lambda: sum(len(p.acknowledged) for p in publishers) > before, "acknowledgements")
            time.sleep(moments.uniform(0, 0.5))
            picket.kill()
            picket.start()
        for publisher in publishers:
            publisher.stopping = True
        wait_until(lambda: all(p.outstanding() == 0 for p in publishers), "the last acknowledgements")
        for publisher in publishers:
            publisher.stop()

        total = 0
        for publisher in publishers:
            expected = sorted(event_id.hex() for event_id in publisher.sent)
            events = picket.json("event", "list", "--device", publisher.device.id, "--limit", 10 * len(expected))
            found = sorted(event["event_id"] for event in events)
            assert found == expected, (f"{publisher.device.id}: {len(expected)} events were acknowledged, "
                                       f"{len(found)} are stored, {len(set(found))} of them distinct")
            assert all(len(event["flows"]) == 1 for event in events)
            alerts = [a for a in picket.json("alert", "list") if a["device"] == publisher.device.id]
            assert [a["count"] for a in alerts] == [len(expected)], [a["count"] for a in alerts]
            total += len(expected)
        picket.stop()
        print(f"{options.kills} kills, {total} events acknowledged, each stored and counted once")


if __name__ == "__main__":
    main()
