"""What the hub counts of each device: the sums of what it tells are what clients really did."""
import ssl
import threading
import time
import unittest
import warnings

from harness import (Certificates, DEADLINE_S, RawClient, StoredHubCase, device_token, events, packet, parse_publish,
                     publish_packet, subscribe_packet, user_name, wait_until)

warnings.simplefilter("ignore", DeprecationWarning)
import paho.mqtt.client as paho  # noqa: E402

SECURITY = "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"
GROUPS = ("d2c", "c2d", "methods", "twin", "unauthorized")


class TallyCase(StoredHubCase):
    def of(self, name="pump-7"):
        return [said for device, said in list(self.hub.activities) if device == name]

    def sums(self, name="pump-7"):
        """The sums over all that was told of it, by group and name."""
        sums = {}
        for said in self.of(name):
            for group in GROUPS:
                for member, count in said.get(group, {}).items():
                    sums.setdefault(group, {}).setdefault(member, 0)
                    sums[group][member] += count
        return sums

    def publish(self, client, payload, bag="", device="pump-7"):
        client.send(publish_packet(events(device, bag), payload, 9, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\x09"))


class OnePerInterval(TallyCase):
    """An hour as always: what is told is told with something else, or at the end."""

    def test_sums_are_what_a_client_of_another_hand_did(self):
        acknowledged = []
        for turn in range(3):  # three connections, and counts survive each
            device = paho.Client(client_id="pump-7", protocol=paho.MQTTv311)
            device.username_pw_set(user_name("pump-7"), device_token("pump-7"))
            device.tls_set(ca_certs=Certificates.path("ca.pem"), tls_version=ssl.PROTOCOL_TLS_CLIENT)
            device.on_publish = lambda c, u, message: acknowledged.append(message)
            connected = threading.Event()
            device.on_connect = lambda *_: connected.set()
            device.connect("localhost", self.hub.port)
            device.loop_start()
            self.assertTrue(connected.wait(DEADLINE_S))  # what is published before paho may send twice
            for i in range(100):
                device.publish(events("pump-7", SECURITY if i % 4 == 0 else "a=b"), b"x" * (i + 1), qos=i % 2)
            wait_until(lambda: len(acknowledged) == 100 * (turn + 1), "300 messages")
            device.disconnect()
            device.loop_stop()
        wait_until(lambda: self.hub.counter("hub_messages_taken") == 300, "all taken")
        self.hub.stop()
        self.assertEqual(self.sums(), {"d2c": {"messages": 300, "security": 75, "bytes": 3 * 5050}})

    def test_ordinary_traffic_makes_no_events_of_its_own(self):
        client = self.client()
        wait_until(self.of, "that it connected")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            self.publish(client, b"again")
        self.assertEqual(len(self.of()), 1)

    def test_a_module_is_counted_by_itself(self):
        module = RawClient(self.hub)
        self.addCleanup(module.close)
        self.assertEqual(module.connect("pump-7", "camera", flags=2), (0x20, b"\0\0"))
        module.send(publish_packet("devices/pump-7/modules/camera/messages/events/", b"12345", 3, flags=2))
        self.assertEqual(module.read_packet(), (0x40, b"\0\3"))
        self.publish(self.client(), b"1")
        self.hub.stop()
        self.assertEqual(self.sums("pump-7/camera"), {"d2c": {"messages": 1, "bytes": 5}})
        self.assertEqual(self.sums("pump-7"), {"d2c": {"messages": 1, "bytes": 1}})

    def test_a_will_is_counted_when_it_is_left(self):
        will = (events("pump-7", SECURITY), b"gone")
        lost = RawClient(self.hub)
        lost.connect("pump-7", flags=2, will=will)
        lost.close()
        self.hub.wait_for_messages(1)
        self.hub.stop()
        self.assertEqual(self.sums()["d2c"], {"messages": 1, "security": 1, "bytes": 4, "wills": 1})

    def test_twin_requests_are_counted_by_what_became_of_them(self):
        client = self.client(filters=[("$iothub/twin/res/#", 0), ("$iothub/twin/PATCH/properties/desired/#", 0)])
        for i in range(3):
            client.send(publish_packet(f"$iothub/twin/GET/?$rid={i}"))
            client.read_packet()
        for patch in (b'{"a":1}', b'{"a":2}', b'nonsense'):
            client.send(publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=9", patch))
            client.read_packet()
        for device in ("pump-7", "pump-7", "pump-8"):  # the last is not there
            self.hub.tell("desire", device, "-", '{"b":1}')
        client.read_packet(), client.read_packet()
        self.hub.stop()
        self.assertEqual(self.sums()["twin"], {"gets": 3, "reports": 2, "refused": 1, "desired": 2, "desired_sent": 2})
        self.assertEqual(self.sums("pump-8"), {"twin": {"desired": 1}})

    def test_reports_of_who_left_at_once_are_counted(self):
        client = self.client(filters=[("$iothub/twin/res/#", 0)])
        for i in range(5):
            client.send(publish_packet("$iothub/twin/PATCH/properties/reported/?$rid=9", b'{"a":%d}' % i))
        client.send(b"\xe0\0")
        self.assertTrue(client.is_closed())
        again = self.client(filters=[("$iothub/twin/res/#", 0)])
        again.send(publish_packet("$iothub/twin/GET/?$rid=1"))  # in the order of the requests
        self.assertIn(b'"a":4', parse_publish(again.read_packet())[1])
        self.hub.stop()
        self.assertEqual(self.sums()["twin"], {"gets": 1, "reports": 5})

    def test_messages_to_the_device_are_counted_from_the_queue_to_the_puback(self):
        for text in ("one", "two", "three"):
            self.hub.tell("queue", "pump-7", text, 3600)
        client = self.client(filters=[("devices/pump-7/messages/devicebound/#", 1)])
        ids = [parse_publish(client.read_packet())[2] for _ in range(3)]
        client.send(packet(0x40, ids[0].to_bytes(2, "big")))
        wait_until(lambda: len(self.hub.tell("waiting", "pump-7")[0].split()) == 3, "one completed")
        client.close()
        again = self.client(filters=[("devices/pump-7/messages/devicebound/#", 0)])
        again.read_packet(), again.read_packet()
        self.hub.stop()
        self.assertEqual(self.sums()["c2d"], {"queued": 3, "sent": 5, "completed": 3})

    def test_what_expires_or_cannot_be_delivered_is_counted(self):
        self.hub.tell("queue", "pump-8", "late", -1)
        self.hub.tell("queue", "pump-7", "never", 3600)
        self.hub.tell("queue", "pump-7", "late", -1)
        for _ in range(10):
            client = self.client(filters=[("devices/pump-7/messages/devicebound/#", 1)])
            self.assertEqual(parse_publish(client.read_packet())[1], b"never")
            client.send(b"\xe0\0")
            self.assertTrue(client.is_closed())
        self.client(filters=[("devices/pump-7/messages/devicebound/#", 1)])
        wait_until(lambda: "undeliverable" in self.sums().get("c2d", {}), "that it was given up")
        self.hub.stop()
        self.assertEqual(self.sums()["c2d"], {"queued": 2, "expired": 1, "sent": 10, "undeliverable": 1})
        self.assertEqual(self.sums("pump-8")["c2d"]["queued"], 1)

    def test_methods_are_counted_by_their_answers(self):
        client = self.client(filters=[("$iothub/methods/POST/#", 0)])
        for status in (200, 204, 404, 500, 302):
            self.hub.tell("invoke", "pump-7", "blink", 30)
            rid = parse_publish(client.read_packet())[0].split("$rid=")[1]
            client.send(publish_packet(f"$iothub/methods/res/{status}/?$rid={rid}", b"{}"))
        client.send(publish_packet("$iothub/methods/res/200/?$rid=77777777", b"{}"))
        self.hub.tell("invoke", "pump-7", "sleep", 1)
        client.read_packet()
        self.hub.tell("invoke", "pump-8", "blink", 30)
        wait_until(lambda: self.hub.counter("hub_methods_unanswered") == 1 and
                   self.hub.counter("hub_methods_late") == 1, "the time-out and the late answer")
        wait_until(lambda: self.hub.counter("hub_methods_unconnected") == 1, "nobody there")
        self.hub.stop()
        self.assertEqual(self.sums()["methods"], {"invoked": 6, "answered_2xx": 2, "answered_4xx": 1, "answered_5xx": 1,
                                                  "answered_other": 1, "timed_out": 1, "late": 1})
        self.assertEqual(self.sums("pump-8"), {"methods": {"invoked": 1, "unconnected": 1}})

    def test_what_a_device_reaches_for_that_is_not_its_own_is_told_soon(self):
        client = self.client(filters=[("devices/pump-8/messages/events", 0), ("#", 0), ('a"\\\x7f+', 0),
                                      ("$iothub/twin/res/#", 0)])
        wait_until(lambda: "unauthorized" in self.sums(), "that it was refused")
        self.assertEqual(self.sums()["unauthorized"], {"subscribe": 1, "wildcard": 2})
        self.assertEqual(self.of()[0]["last_unauthorized"], {"operation": "wildcard", "topic": "a???+"})
        client.send(publish_packet("devices/pump-8/messages/events/" + "x" * 300, b"x", 1, flags=2))
        self.assertTrue(client.is_closed())
        refused = RawClient(self.hub)
        self.assertEqual(refused.connect("pump-7", will=(events("pump-8"), b"")), (0x20, b"\0\5"))
        refused.close()
        self.hub.stop()
        last = self.of()[-1]
        self.assertEqual(last["unauthorized"], {"publish": 1, "will": 1})
        self.assertEqual(last["counts"], {"hub_ended_foreign_topic": 1, "hub_refused_will": 1})
        self.assertEqual(last["last_unauthorized"], {"operation": "will", "topic": "devices/pump-8/messages/events/"})


class FullLog(TallyCase):
    options = ("--log-messages", 4)

    def test_what_was_dropped_and_repeated_is_counted(self):
        client = self.client()
        self.hub.tell("hold")
        client.send(publish_packet(events("pump-7"), b"x", 5, flags=2))
        client.send(publish_packet(events("pump-7"), b"x", 5, flags=0xA))  # DUP
        for _ in range(10):
            client.send(publish_packet(events("pump-7"), b"y"))
        wait_until(lambda: self.hub.counter("hub_messages_dropped") > 0 and
                   self.hub.counter("hub_messages_dropped") + self.hub.counter("hub_messages_taken") == 11, "all seen")
        dropped = self.hub.counter("hub_messages_dropped")
        self.hub.tell("release")
        wait_until(lambda: self.sums().get("d2c", {}).get("dropped") == dropped, "that it was dropped")
        self.hub.stop()
        self.assertEqual(self.sums()["d2c"], {"messages": 11 - dropped, "bytes": 11 - dropped, "repeated": 1,
                                              "dropped": dropped})


class ShortInterval(TallyCase):
    options = ("--activity-interval", 1)

    def test_a_busy_device_is_told_of_once_an_interval(self):
        began = time.monotonic()
        client = self.client()
        sent = 0
        while len(self.of()) < 4:
            self.assertLess(time.monotonic() - began, DEADLINE_S)
            self.publish(client, b"xx")
            sent += 1
        self.assertLessEqual(len(self.of()), time.monotonic() - began + 1)
        self.hub.stop()
        self.assertEqual(self.sums()["d2c"], {"messages": sent, "bytes": 2 * sent})
        since = [said["since_ms"] for said in self.of()]
        self.assertEqual(since, sorted(set(since)))

    def test_a_device_that_goes_on_reaching_for_others_is_told_of_once(self):
        client = self.client()

        def is_told():
            client.send(subscribe_packet(1, ("devices/pump-8/#", 0)))
            self.assertEqual(client.read_packet(), (0x90, b"\0\1\x80"))
            return [said for said in self.of() if said["about"] == "unauthorized"]
        told = wait_until(is_told, "that it goes on")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            is_told()
        self.assertEqual(len(is_told()), 1)
        self.assertEqual(told[0]["seconds"], 3)
        self.assertGreaterEqual(told[0]["operations"], 9)
        self.assertEqual(told[0]["last_unauthorized"], {"operation": "wildcard", "topic": "devices/pump-8/#"})


if __name__ == "__main__":
    unittest.main()
