"""kill -9 at random moments while twins are patched from both sides and messages to devices queued: what was answered is there.

A device (paho) reports a number that grows, an owner desires one (API), another owner queues numbered messages, and the device
acknowledges them. Picket is killed at random moments and started again. What was answered with 204, 200 or 201 is there; a message that
was completed for good is never seen again, the others are seen, in order, and nothing is seen that was not queued."""

import argparse
import http.client
import json
import queue
import random
import socket
import ssl
import threading
import time

import paho.mqtt.client as mqtt

from picket_harness import Picket, wait_until

DEADLINE_S = 60


class ApiConnection(http.client.HTTPConnection):
    """To the API's Unix socket."""

    def __init__(self, path):
        super().__init__("picket", timeout=DEADLINE_S)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(self._path)


def call(picket, method, path, body=None):
    """(status, answer); (0, None): it was not answered, and what became of it is not known."""
    try:
        connection = ApiConnection(picket.socket)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


class Owner(threading.Thread):
    """Desires a number that grows, or queues numbered messages."""

    def __init__(self, picket, device):
        super().__init__(daemon=True)
        self.picket, self.device = picket, device
        self.stopping = False
        self.tried = self.answered = 0
        self.start()

    def run(self):
        while not self.stopping:
            number = self.tried = self.tried + 1
            if self.act(number):
                self.answered = number
            else:
                time.sleep(0.02)

    def stop(self):
        self.stopping = True
        self.join(DEADLINE_S)


class Desirer(Owner):
    def act(self, number):
        status, _ = call(self.picket, "PATCH", f"/v1/devices/{self.device.id}/twin", {"desired": {"n": number}})
        assert status in (0, 200, 503), status
        return status == 200


class Sender(Owner):
    """Its message's number may be queued although nobody said so: `answered_numbers` are those that must come."""

    def __init__(self, picket, device):
        self.answered_numbers = []
        super().__init__(picket, device)

    def act(self, number):
        status, _ = call(self.picket, "POST", f"/v1/devices/{self.device.id}/messages",
                         {"payload": str(number), "expires_in_s": 86400})
        assert status in (0, 201, 429, 503), status
        if status == 201:
            self.answered_numbers.append(number)
        return status == 201


class Reporter:
    """The device: reports, one at a time, and takes messages. paho acknowledges what on_message has returned from."""

    def __init__(self, picket, device):
        self.picket, self.device = picket, device
        self.results = queue.Queue()
        self.tried = self.answered = 0
        self.seen = []  # numbers of messages, a list for each connection
        self.changed = []  # desired numbers that it was told of
        self.stopping = threading.Event()
        self.client = mqtt.Client(client_id=device.id, clean_session=True)
        self.client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.username_pw_set(device.user_name, device.token())
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._report()
        self.client.on_message = self._message
        self.client.connect_async("localhost", picket.port, keepalive=30)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping.is_set():
            try:
                self.client.loop_forever(retry_first_connection=True)
            except OSError:
                time.sleep(0.1)
                self._reconnect()

    def _reconnect(self):
        while not self.stopping.wait(0.2):
            try:
                self.client.reconnect()
                return
            except OSError:
                pass

    def _connected(self, client, userdata, flags, code):
        assert code == 0, code
        self.seen.append([])
        client.subscribe([("$iothub/twin/res/#", 0), ("$iothub/twin/PATCH/properties/desired/#", 0),
                          (f"devices/{self.device.id}/messages/devicebound/#", 1)])

    def _report(self):
        if not self.stopping.is_set():
            self.tried += 1
            self.client.publish(f"$iothub/twin/PATCH/properties/reported/?$rid={self.tried}",
                                json.dumps({"n": self.tried}))

    def _message(self, client, userdata, message):
        if message.topic.startswith("$iothub/twin/res/204/"):
            rid = int(message.topic.partition("$rid=")[2].partition("&")[0])
            self.answered = max(self.answered, rid)
            self._report()
        elif message.topic.startswith("$iothub/twin/res/"):
            assert "/429/" in message.topic or "/5" in message.topic, message.topic
            self._report()
        elif message.topic.startswith("$iothub/twin/PATCH"):
            self.changed.append(json.loads(message.payload)["n"])
        else:
            self.seen[-1].append(int(message.payload))

    def stop(self):
        self.stopping.set()
        self.client.disconnect()
        self.thread.join(DEADLINE_S)


def check_messages(sender, seen):
    """Each connection's in order; none but those queued; all that were answered."""
    for numbers in seen:
        assert numbers == sorted(set(numbers)), numbers
    every = [number for numbers in seen for number in numbers]
    missing = set(sender.answered_numbers) - set(every)
    assert not missing, f"answered and never seen: {sorted(missing)[:20]}"
    assert set(every) <= set(range(1, sender.tried + 1))
    # Once a connection has gone on to later ones, what it had acknowledged long before does not come again.
    twice = len(every) - len(set(every))
    assert twice <= 17 * len(seen), f"{twice} messages came again over {len(seen)} connections"
    return every, twice


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    print(f"seed {options.seed}")
    moments = random.Random(options.seed)
    with Picket() as picket:
        picket.start()
        device = picket.add_device("pump-7")
        reporter, desirer, sender = Reporter(picket, device), Desirer(picket, device), Sender(picket, device)
        for kill in range(options.kills):
            before = reporter.answered, desirer.answered, sender.answered
            wait_until(lambda: all(now > then for now, then in
                                   zip((reporter.answered, desirer.answered, sender.answered), before)), "answers")
            time.sleep(moments.uniform(0, 0.5))
            picket.kill()
            answered = reporter.answered, desirer.answered  # nothing is answered any more
            picket.start()
            _, twin = call(picket, "GET", f"/v1/devices/{device.id}/twin")
            assert twin["reported"].get("n", 0) >= answered[0], (twin, answered)
            assert twin["desired"].get("n", 0) >= answered[1], (twin, answered)
        desirer.stop()
        sender.stop()
        wait_until(lambda: call(picket, "GET", f"/v1/devices/{device.id}/messages")[1]["messages"] == [],
                   "all messages to be completed", 120)
        reporter.stop()
        _, twin = call(picket, "GET", f"/v1/devices/{device.id}/twin")
        assert reporter.answered <= twin["reported"]["n"] <= reporter.tried
        assert desirer.answered <= twin["desired"]["n"] <= desirer.tried
        every, twice = check_messages(sender, reporter.seen)
        picket.stop()
        print(f"{options.kills} kills: {reporter.answered} reports and {desirer.answered} changes answered, "
              f"{len(sender.answered_numbers)} messages queued, all seen, {twice} of {len(every)} deliveries were repetitions")


if __name__ == "__main__":
    main()
