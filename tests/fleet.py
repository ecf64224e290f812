"""Many devices that publish as fast as they are acknowledged, through paho, whatever becomes of Picket meanwhile.

One thread drives all of them. Each keeps a window of messages in flight, security messages and telemetry in turn, each with a number
of its own; paho sends again what was not acknowledged when a connection broke. The fleet remembers what was sent and what was
acknowledged; check() holds it against what Picket has."""

import collections
import json
import selectors
import ssl
import threading
import time

import paho.mqtt.client as mqtt

from picket_harness import SECURITY_TOPIC, build_message, network_activity, wait_until

MARKER = bytes(range(200, 216))
LISTED = "198.51.100.7"
TELEMETRY_EVERY = 3  # one message of so many
RECONNECT_S = 0.2


class Publisher:
    """A device. All but counting is the fleet's thread's."""

    def __init__(self, fleet, device, number):
        self.fleet, self.device, self.number = fleet, device, number
        self.lock = threading.Lock()
        self.in_flight = {}  # packet id → the message's number; packet ids are used again once acknowledged
        self.sent = 0
        self.acknowledged = 0
        self.connected = False
        self.due = 0.0
        self.client = mqtt.Client(client_id=device.id, clean_session=False)
        self.client.tls_set(fleet.picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.max_inflight_messages_set(fleet.window)
        self.client.max_queued_messages_set(0)
        self.client.username_pw_set(device.user_name, device.token(6 * 3600))
        self.client.on_connect = self._connected
        self.client.on_disconnect = self._lost
        self.client.on_publish = self._acknowledged
        self.client.on_socket_open = lambda client, userdata, sock: fleet.watch(self, sock)
        self.client.on_socket_close = lambda client, userdata, sock: fleet.forget(sock)
        self.client.on_socket_register_write = lambda client, userdata, sock: fleet.watch(self, sock)
        self.client.on_socket_unregister_write = lambda client, userdata, sock: None
        self.client.connect_async("localhost", fleet.picket.port, keepalive=60)

    def _connected(self, client, userdata, flags, code):
        assert code == 0, f"{self.device.id}: refused with {code}"
        self.connected = True
        self.fill()

    def _lost(self, client, userdata, code):
        self.connected = False
        self.due = time.monotonic() + RECONNECT_S

    def _acknowledged(self, client, userdata, mid):
        with self.lock:
            del self.in_flight[mid]
            self.acknowledged += 1
        self.fill()

    def fill(self):
        while not self.fleet.stopping and len(self.in_flight) < self.fleet.window:
            n = self.sent
            if is_telemetry(n):
                info = self.client.publish(self.device.events_topic + "kind=t", json.dumps({"n": n}), qos=1)
            else:
                payload = self.fleet.template.replace(MARKER, self.event_id(n))
                info = self.client.publish(self.device.events_topic + SECURITY_TOPIC, payload, qos=1)
            with self.lock:
                self.in_flight[info.mid] = n
                self.sent += 1

    def event_id(self, n):
        return self.number.to_bytes(4, "big") + n.to_bytes(12, "big")

    def connect(self):
        """One attempt; true: the loop goes on with it."""
        try:
            self.client.reconnect()
            return True
        except OSError:  # ssl's errors among them
            self._lost(None, None, 1)
            return False

    def turn(self, events):
        """The socket is ready. Some of TLS's errors escape paho when the server vanishes in a write."""
        try:
            code = 0
            if events & selectors.EVENT_READ:
                code = self._read()
            if code == 0 and self.client.want_write():
                self.client.loop_write()
        except OSError:
            self._lost(None, None, 1)
            self.fleet.forget(self.client.socket())

    def _read(self):
        while True:
            code = self.client.loop_read()
            sock = self.client.socket()
            if code != 0 or sock is None or sock.pending() == 0:
                return code


def is_telemetry(n):
    return n % TELEMETRY_EVERY == TELEMETRY_EVERY - 1


class Fleet:
    """devices many, with so many messages in flight each; connects at once. Picket must have a route to routed_file."""

    def __init__(self, picket, devices, window, routed_file):
        self.picket, self.window, self.routed_file = picket, window, routed_file
        self.template = build_message(network_activity(MARKER, 1700000000, [(LISTED, 443, 1000, 100)]))
        assert self.template.count(MARKER) == 1
        feed = picket.folder / "listed.txt"
        feed.write_text(LISTED + "\n")
        picket.run("feed", "add", "listed", feed, "--match-special-purpose")
        self.selector = selectors.DefaultSelector()
        self.sockets = {}
        self.stopping = False  # no new messages
        self.ended = False
        self.failure = None
        self.publishers = [Publisher(self, picket.add_device(f"fleet-{i}"), i) for i in range(devices)]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # ---- the thread ----

    def watch(self, publisher, sock):
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if publisher.client.want_write() else 0)
        if sock in self.sockets:
            self.selector.modify(sock, events, publisher)
        else:
            self.selector.register(sock, events, publisher)
            self.sockets[sock] = publisher

    def forget(self, sock):
        if self.sockets.pop(sock, None):
            self.selector.unregister(sock)

    def _run(self):
        try:
            while not self.ended:
                self._round()
        except Exception as failure:
            self.failure = failure
            raise

    def _round(self):
        for key, events in self.selector.select(0.05):
            if key.fileobj in self.sockets:
                key.data.turn(events)
        now = time.monotonic()
        for publisher in self.publishers:
            if publisher.client.socket() in self.sockets:
                publisher.client.loop_misc()
                if publisher.client.socket() in self.sockets:
                    self.watch(publisher, publisher.client.socket())
            elif now >= publisher.due and not publisher.connect():
                break  # nobody is there: the others need not ask as well

    # ---- whoever tests ----

    def acknowledged(self):
        if self.failure:
            raise self.failure
        return sum(publisher.acknowledged for publisher in self.publishers)

    def all_are_connected(self):
        return all(publisher.connected for publisher in self.publishers)

    def finish(self, seconds=300):
        """Sends nothing new, waits for the last acknowledgement, disconnects."""
        self.stopping = True
        wait_until(lambda: self.acknowledged() >= 0 and not any(p.in_flight for p in self.publishers),
                   "the last acknowledgements", seconds)
        self.ended = True
        self.thread.join()
        for publisher in self.publishers:
            publisher.client.disconnect()

    def check(self):
        """Everything was acknowledged; is it there? Returns how many events and messages, and how many of these came twice."""
        events = sum(self._check_events(publisher) for publisher in self.publishers)
        alerts = {alert["device"]: alert["count"] for alert in self.picket.json("alert", "list")}
        for publisher in self.publishers:
            count = sum(not is_telemetry(n) for n in range(publisher.sent))
            assert alerts.get(publisher.device.id, 0) == count, (publisher.device.id, count, alerts)
        return events, *self._check_telemetry()

    def _check_events(self, publisher):
        expected = [publisher.event_id(n).hex() for n in range(publisher.sent) if not is_telemetry(n)]
        events = self.picket.json("event", "list", "--device", publisher.device.id, "--limit", 10 + 2 * len(expected))
        found = sorted(event["event_id"] for event in events)
        assert found == expected, (f"{publisher.device.id}: {len(expected)} events were acknowledged, "
                                   f"{len(found)} are stored, {len(set(found))} of them distinct")
        assert all(len(event["flows"]) == 1 for event in events)
        return len(expected)

    def _check_telemetry(self):
        """At least once: what was committed when Picket was killed, and not yet acknowledged, is sent and routed again."""
        wait_until(self._all_is_routed, "the route's backlog")
        found, broken = collections.Counter(), 0
        for line in self._routed_lines():
            try:
                item = json.loads(line)
                found[item["device"], json.loads(item["body"])["n"]] += 1
            except ValueError:
                broken += 1  # cut off by a kill: see docs/outputs.md
        expected = {(p.device.id, n) for p in self.publishers for n in range(p.sent) if is_telemetry(n)}
        missing, strange = expected - set(found), set(found) - expected
        assert not missing, f"{len(missing)} acknowledged messages were not routed: {sorted(missing)[:10]}"
        assert not strange, f"routed and never sent: {sorted(strange)[:10]}"
        return len(expected), found.total() - len(found), broken

    def _routed_lines(self):
        """Of the file, and of those that were made of it by renaming."""
        files = self.routed_file.parent.glob(f"{self.routed_file.stem}*{self.routed_file.suffix}")
        return [line for file in files for line in file.read_bytes().splitlines()]

    def _all_is_routed(self):
        outputs = self.picket.json("status")["outputs"]
        return all(output["waiting"] == 0 for output in outputs)
