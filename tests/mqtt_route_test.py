"""Routes to an MQTT broker: a real mosquitto, read by paho."""

import json
import pathlib
import socket
import subprocess
import tempfile
import threading
import unittest

from mosquitto_broker import Broker, Subscriber, make_authority
from picket_harness import Picket, wait_until
from route_device import RouteDevice


def numbers(messages):
    return [int(payload) for _, payload, _ in messages]


def without_repeats(values):
    return list(dict.fromkeys(values))


class MqttRouteCase(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="picket-mqtt-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def broker(self, configuration="allow_anonymous true", address="127.0.0.1"):
        broker = Broker(self.folder / "broker", configuration, address)
        self.addCleanup(broker.stop)
        return broker.start()

    def subscriber(self, *arguments, **keywords):
        subscriber = Subscriber(*arguments, **keywords)
        self.addCleanup(subscriber.close)
        return subscriber

    def picket(self, location, **settings):
        lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
        picket = Picket(f"routes:\n  - name: out\n    kind: mqtt\n    location: {location}\n{lines}")
        self.addCleanup(picket.remove)
        picket.start()
        self.addCleanup(picket.stop)
        return picket

    def device(self, picket, name="pump", module=None):
        device = RouteDevice(picket.add_device(name), picket, module)
        self.addCleanup(device.close)
        return device

    def route(self, picket):
        return next(output for output in picket.json("status")["outputs"] if output["name"] == "out")

    def wait_failing(self, picket, *expected):
        def problem():
            text = self.route(picket)["problem"] or ""
            return text if all(part in text for part in expected) else None
        return wait_until(problem, f"a failure with {expected}")

    def wait_well(self, picket):
        wait_until(lambda: self.route(picket)["problem"] is None, "the route to do well")


class OfOrder(MqttRouteCase):
    def test_all_arrives_once_and_in_order_with_who_sent_it(self):
        broker = self.broker()
        subscriber = self.subscriber(broker.port)
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/fleet/{{device}}/{{module}}")
        device = self.device(picket, "pump$7=%a")
        for number in range(500):
            device.send(str(number), "kind=t")
        device.settle()
        wait_until(lambda: len(subscriber.all()) >= 500, "all messages")
        messages = subscriber.all()
        self.assertEqual([int(json.loads(payload)["body"]) for _, payload, _ in messages], list(range(500)))
        self.assertEqual({topic for topic, _, _ in messages}, {"fleet/pump%247=%25a/-"})
        first = json.loads(messages[0][1])
        self.assertEqual((first["device"], first["properties"]), ("pump$7=%a", "kind=t"))
        self.assertEqual(len({properties["picket-delivery"] for _, _, properties in messages}), 500)

    def test_a_body_is_forwarded_as_the_device_sent_it(self):
        broker = self.broker()
        subscriber = self.subscriber(broker.port)
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/raw/{{device}}/{{module}}", payload="body")
        device = self.device(picket, "pump", module="valve")
        bodies = [b"\x00\xff\x01", b"", b'{"t": 21.50}']
        for body in bodies:
            device.send(body, "kind=t&x=%20")
        device.settle()
        wait_until(lambda: len(subscriber.all()) >= 3, "all messages")
        topics, payloads, properties = zip(*subscriber.all())
        self.assertEqual(list(payloads), bodies)
        self.assertEqual(set(topics), {"raw/pump/valve"})
        self.assertEqual((properties[0]["picket-device"], properties[0]["picket-module"],
                          properties[0]["picket-properties"]), ("pump", "valve", "kind=t&x=%20"))
        self.assertTrue(properties[0]["picket-received"].endswith("Z"))


class OfFailures(MqttRouteCase):
    def test_nothing_is_missing_when_the_broker_is_killed_in_the_middle(self):
        broker = self.broker()
        subscribers = [self.subscriber(broker.port, qos=qos) for qos in (0, 1)]
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/t", payload="body")
        device = self.device(picket)

        def arrived():
            return set().union(*(numbers(subscriber.all()) for subscriber in subscribers))

        for sent in (300, 600, 900):
            for number in range(sent - 300, sent):
                device.send(str(number))
            wait_until(lambda: max(arrived(), default=0) > sent - 300, "some of them")
            broker.kill()
            self.wait_failing(picket, f"127.0.0.1:{broker.port}")
            broker.start()
            # All of them, before it is killed again: mosquitto acknowledges before it has written to its disk
            # what it cannot give to a subscriber at once.
            wait_until(lambda: len(arrived()) == sent, "all messages")
            wait_until(subscribers[0].is_subscribed.is_set, "the subscriber")
        for subscriber in subscribers:
            in_order = without_repeats(numbers(subscriber.all()))
            self.assertEqual(in_order, sorted(in_order))
        self.wait_well(picket)

    def test_nothing_acknowledged_is_missing_when_picket_is_killed(self):
        broker = self.broker()
        subscriber = self.subscriber(broker.port)
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/{{device}}", payload="body")
        devices = [self.device(picket, f"d{i}") for i in range(3)]
        for _ in range(5):
            before = len(subscriber.all())
            for _ in range(100):
                for device in devices:
                    device.send(str(len(device.published)))
            wait_until(lambda: len(subscriber.all()) > before, "the first of them")
            picket.kill()
            picket.start()
        for device in devices:
            device.settle()
        wait_until(lambda: self.route(picket)["waiting"] == 0, "the route to send everything")
        for device in devices:
            def arrived():
                return [int(payload) for topic, payload, _ in subscriber.all() if topic == device.name]
            wait_until(lambda: set(arrived()) == set(range(500)), f"what {device.name} sent")

    def test_a_wrong_password_is_told_before_there_is_anything_to_send_and_can_be_mended(self):
        password = self.folder / "password"
        password.write_text("not-the-secret\n")
        password.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-b", "-c", self.folder / "users", "picket", "right"], check=True)
        broker = self.broker(f"allow_anonymous false\npassword_file {self.folder}/users")
        subscriber = self.subscriber(broker.port, user=("picket", "right"))
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/t", user="picket", password_file=password)
        self.wait_failing(picket, "refuses the connection", "uthori")
        shown = picket.run("status").stdout + picket.run("status", "--json").stdout + picket.logged()
        self.assertIn("FAILING since", shown)
        self.assertNotIn("not-the-secret", shown)
        device = self.device(picket)
        device.send("1")
        device.settle()
        self.assertEqual(self.route(picket)["waiting"], 1)
        password.write_text("right\n")
        wait_until(lambda: len(subscriber.all()) == 1, "the message")
        self.wait_well(picket)

    def test_a_message_that_the_broker_refuses_is_set_aside_and_the_others_go_on(self):
        acl = self.folder / "acl"
        acl.write_text("topic readwrite good/#\n")
        broker = self.broker(f"allow_anonymous true\nacl_file {acl}")
        subscriber = self.subscriber(broker.port, "good/#")
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/{{device}}/{{module}}", payload="body")
        good, bad = self.device(picket, "good"), self.device(picket, "bad")
        for number in range(3):
            good.send(str(number))
        good.settle()
        bad.send("refused")
        bad.settle()
        for number in range(3, 10):
            good.send(str(number))
        good.settle()
        wait_until(lambda: len(set(numbers(subscriber.all()))) == 10, "what is not refused")
        wait_until(lambda: self.route(picket)["set_aside"] == 1, "the message to be set aside")
        self.assertIn("ot authorized", self.route(picket)["last_refusal"])

    def test_a_message_that_is_too_large_for_the_broker_is_set_aside(self):
        broker = self.broker("allow_anonymous true\nmax_packet_size 2000")
        subscriber = self.subscriber(broker.port)
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/t", payload="body")
        device = self.device(picket)
        device.send("0")
        device.send("9" * 3000)
        device.send("1")
        device.settle()
        wait_until(lambda: set(numbers(subscriber.all())) == {0, 1}, "the small ones")
        wait_until(lambda: self.route(picket)["set_aside"] == 1, "the large one to be set aside")
        self.assertIn("larger than the broker takes", self.route(picket)["last_refusal"])

    def test_a_broker_that_accepts_nobody_does_not_hold_up_the_end(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            picket = self.picket(f"mqtt://127.0.0.1:{silent.getsockname()[1]}/t")
            stopping = threading.Thread(target=picket.stop)
            stopping.start()
            stopping.join(60)
            self.assertFalse(stopping.is_alive())


class OfTls(MqttRouteCase):
    def tls_broker(self, more="", address="127.0.0.1"):
        authority = make_authority(self.folder / "authority")
        return authority, self.broker(f"allow_anonymous true\ncafile {authority}/ca.crt\n"
                                      f"certfile {authority}/server.crt\nkeyfile {authority}/server.key\n{more}",
                                      address)

    def assert_carries(self, picket, subscriber):
        device = self.device(picket)
        device.send("42")
        device.settle()
        wait_until(lambda: numbers(subscriber.all()) == [42], "the message")

    def test_a_broker_with_a_certificate_of_the_configured_authority_is_trusted(self):
        authority, broker = self.tls_broker()
        subscriber = self.subscriber(broker.port, tls=(f"{authority}/ca.crt",))
        picket = self.picket(f"mqtts://localhost:{broker.port}/t", payload="body", ca_file=f"{authority}/ca.crt")
        self.assert_carries(picket, subscriber)

    def test_the_last_of_its_addresses_is_tried_too(self):
        addresses = [found[4][0] for found in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)]
        authority, broker = self.tls_broker(address=addresses[-1])
        subscriber = self.subscriber(broker.port, tls=(f"{authority}/ca.crt",), host="localhost")
        picket = self.picket(f"mqtts://localhost:{broker.port}/t", payload="body", ca_file=f"{authority}/ca.crt")
        self.assert_carries(picket, subscriber)

    def test_another_authority_is_not(self):
        _, broker = self.tls_broker()
        other = make_authority(self.folder / "other")
        picket = self.picket(f"mqtts://127.0.0.1:{broker.port}/t", ca_file=f"{other}/ca.crt")
        self.wait_failing(picket, "certificate verify failed")

    def test_the_systems_authorities_are_not_this_one(self):
        _, broker = self.tls_broker()
        picket = self.picket(f"mqtts://127.0.0.1:{broker.port}/t")
        self.wait_failing(picket, "certificate verify failed")

    def test_a_client_certificate_is_shown(self):
        authority, broker = self.tls_broker("require_certificate true")
        certificate = {"certificate_file": f"{authority}/client.crt", "key_file": f"{authority}/client.key"}
        subscriber = self.subscriber(broker.port, tls=(f"{authority}/ca.crt", *certificate.values()))
        picket = self.picket(f"mqtts://127.0.0.1:{broker.port}/t", payload="body",
                             ca_file=f"{authority}/ca.crt", **certificate)
        self.assert_carries(picket, subscriber)

    def test_without_one_the_reason_is_told(self):
        authority, broker = self.tls_broker("require_certificate true")
        picket = self.picket(f"mqtts://127.0.0.1:{broker.port}/t", ca_file=f"{authority}/ca.crt")
        self.wait_failing(picket, "certificate required")


class OldBroker(threading.Thread):
    """What MQTT 3.1.1 demands of a broker that does not know a version: CONNACK 1, then the end. No such broker is packaged."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.versions, self.topics = [], []
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self.serve(stream)

    def serve(self, stream):
        while head := stream.read(1):
            length, shift = 0, 0
            while (byte := stream.read(1)[0]) & 0x80:
                length |= (byte & 0x7f) << shift
                shift += 7
            packet = stream.read(length | byte << shift)
            kind = head[0] >> 4
            if kind == 1:
                self.versions.append(packet[6])
                stream.write(bytes([0x20, 2, 0, packet[6] != 4]))
                stream.flush()
                if packet[6] != 4:
                    return
            elif kind == 3:
                end = 2 + int.from_bytes(packet[:2], "big")
                self.topics.append(packet[2:end].decode())
                stream.write(b"\x40\x02" + packet[end:end + 2])
            elif kind == 12:
                stream.write(b"\xd0\x00")
            stream.flush()


class OfOldBrokers(MqttRouteCase):
    def test_one_that_does_not_know_mqtt_5_is_spoken_to_as_it_likes(self):
        broker = OldBroker()
        self.addCleanup(broker.listener.close)
        picket = self.picket(f"mqtt://127.0.0.1:{broker.port}/t/{{device}}")
        device = self.device(picket)
        device.send("1")
        device.settle()
        wait_until(lambda: broker.topics == ["t/pump"], "the message")
        self.assertEqual(broker.versions[:2], [5, 4])
        wait_until(lambda: self.route(picket)["waiting"] == 0, "its confirmation")


if __name__ == "__main__":
    unittest.main(verbosity=2)
