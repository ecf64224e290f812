"""The hub with clients that nobody here wrote: mosquitto_pub, mosquitto_sub, paho."""
import ssl
import subprocess
import threading
import unittest
import warnings

from harness import (Certificates, DEADLINE_S, Hub, device_token, events, key_of, user_name, wait_until, with_longer_lives)

warnings.simplefilter("ignore", DeprecationWarning)
import paho.mqtt.client as paho  # noqa: E402


class Device:
    """A paho client that connects as the Azure SDKs do."""

    def __init__(self, hub, name, password=None, clean=True, will=None, keep_alive=60):
        self.name = name
        self.connected, self.acknowledged, self.subscribed = [], [], []
        self.disconnected = threading.Event()
        self.client = paho.Client(client_id=name, clean_session=clean, protocol=paho.MQTTv311)
        self.client.username_pw_set(user_name(name), password or device_token(name))
        self.client.tls_set(ca_certs=Certificates.path("ca.pem"), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.reconnect_delay_set(1, 1)
        if will:
            self.client.will_set(*will)
        self.client.on_connect = lambda c, u, flags, code: self.connected.append((code, flags["session present"]))
        self.client.on_publish = lambda c, u, message: self.acknowledged.append(message)
        self.client.on_subscribe = lambda c, u, message, qos: self.subscribed.append(qos)
        self.client.on_disconnect = lambda c, u, code: self.disconnected.set()
        self.client.connect("localhost", hub.port, keep_alive)
        self.client.loop_start()

    def accepted(self):
        wait_until(lambda: self.connected, "a CONNACK")
        assert self.connected[0] == (0, 0), self.connected
        return self

    def publish(self, payload, bag="", qos=1, retain=False, topic=None):
        return self.client.publish(topic or events(self.name, bag), payload, qos, retain)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class ClientCase(unittest.TestCase):
    def setUp(self):
        self.hub = Hub()
        self.devices = []
        for name in ("pump-7", "pump-8"):
            self.hub.device(name)

    def tearDown(self):
        for device in self.devices:
            device.close()
        self.hub.stop()

    def mosquitto(self, program, *arguments, device="pump-7", password=None):
        return subprocess.run(
            [program, "-h", "localhost", "-p", str(self.hub.port), "--cafile", Certificates.path("ca.pem"), "-i",
             device, "-u", user_name(device), "-P", password or device_token(device), "-V", "mqttv311", *arguments],
            capture_output=True, text=True, timeout=DEADLINE_S)


class Mosquitto(ClientCase):
    def test_a_message_is_published(self):
        for qos in ("0", "1"):
            result = self.mosquitto("mosquitto_pub", "-q", qos, "-t", events("pump-7", "a=b"), "-m", f"qos {qos}")
            self.assertEqual(result.returncode, 0, result.stderr)
        messages = self.hub.wait_for_messages(2)
        self.assertTrue(messages[0].is_of(b"qos 0") and messages[1].is_of(b"qos 1"))
        self.assertEqual(messages[0].properties, "a=b")

    def test_a_thousand_lines_are_published_in_order(self):
        lines = [f"line {i}" for i in range(1000)]
        process = subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.hub.port), "--cafile", Certificates.path("ca.pem"),
             "-i", "pump-7", "-u", user_name("pump-7"), "-P", device_token("pump-7"), "-q", "1", "-l", "-t",
             events("pump-7")], input="\n".join(lines) + "\n", text=True, capture_output=True, timeout=4 * DEADLINE_S)
        self.assertEqual(process.returncode, 0, process.stderr)
        messages = self.hub.wait_for_messages(1000)
        self.assertTrue(all(m.is_of(line.encode()) for m, line in zip(messages, lines)))

    def test_refusals_are_told(self):
        for password in (device_token("pump-7", key_of("guess")), device_token("pump-7", seconds=-5)):
            result = self.mosquitto("mosquitto_pub", "-t", events("pump-7"), "-m", "x", password=password)
            self.assertEqual(result.returncode, 5, result.stderr)
            self.assertIn("not authorised", result.stderr)
        result = self.mosquitto("mosquitto_pub", "-t", events("nobody"), "-m", "x", device="nobody")
        self.assertEqual(result.returncode, 5)
        self.assertEqual(self.hub.messages, [])

    def test_a_will_is_sent_for_a_killed_client(self):
        process = subprocess.Popen(
            ["mosquitto_sub", "-h", "localhost", "-p", str(self.hub.port), "--cafile", Certificates.path("ca.pem"),
             "-i", "pump-7", "-u", user_name("pump-7"), "-P", device_token("pump-7"), "-t",
             "devices/pump-7/messages/devicebound/#", "--will-topic", events("pump-7", "w=1"), "--will-payload",
             "gone", "--will-qos", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.hub.statistics()["devices"] == 1, "mosquitto_sub connected")
        process.kill()
        process.wait()
        message = self.hub.wait_for_messages(1)[0]
        self.assertTrue(message.is_of(b"gone"))
        self.assertEqual(message.properties, "w=1&iothub-MessageType=Will")

    def test_foreign_subscriptions_are_denied(self):
        result = self.mosquitto("mosquitto_sub", "-t", "devices/pump-8/messages/devicebound/#", "-E", "-d")
        self.assertIn("Subscribed (mid: 1): 128", result.stdout + result.stderr)
        result = self.mosquitto("mosquitto_sub", "-q", "2", "-t", "devices/+/messages/devicebound/#", "-E", "-d")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Subscribed (mid: 1): 1", result.stdout)


class Paho(ClientCase):
    def device(self, name="pump-7", **options):
        device = Device(self.hub, name, **options)
        self.devices.append(device)
        return device

    def test_messages_of_all_sizes_are_acknowledged(self):
        device = self.device(clean=False).accepted()
        payloads = [bytes([i]) * size for i, size in enumerate((0, 1, 100, 16383, 16384, 65536, 262144))]
        for payload in payloads:
            device.publish(payload)
        messages = self.hub.wait_for_messages(len(payloads))
        self.assertTrue(all(m.is_of(p) for m, p in zip(messages, payloads)))
        wait_until(lambda: len(device.acknowledged) == len(payloads), "all acknowledged")

    def test_puback_comes_with_the_commit(self):
        device = self.device().accepted()
        self.hub.tell("hold")
        device.publish(b"x")
        self.hub.wait_for_messages(1)
        self.assertEqual(device.acknowledged, [])
        self.hub.tell("release")
        wait_until(lambda: len(device.acknowledged) == 1, "PUBACK after the commit")

    def test_refused_credentials_give_code_5(self):
        device = self.device(password=device_token("pump-7", key_of("guess")))
        wait_until(lambda: device.connected, "a CONNACK")
        self.assertEqual(device.connected[0], (5, 0))

    def test_the_contracts_subscriptions_are_granted(self):
        device = self.device().accepted()
        device.client.subscribe([("$iothub/twin/res/#", 0), ("$iothub/methods/POST/#", 0),
                                 ("devices/pump-7/messages/devicebound/#", 2), ("#", 1)])
        wait_until(lambda: device.subscribed, "a SUBACK")
        self.assertEqual(tuple(device.subscribed[0]), (0, 0, 1, 128))

    def test_qos_2_and_foreign_topics_disconnect(self):
        device = self.device().accepted()
        device.publish(b"x", qos=2)
        self.assertTrue(device.disconnected.wait(DEADLINE_S))
        device.close()
        other = self.device("pump-8").accepted()
        other.publish(b"x", topic=events("pump-7"))
        self.assertTrue(other.disconnected.wait(DEADLINE_S))
        other.close()
        self.assertEqual(self.hub.messages, [])

    def test_the_same_device_again_takes_over(self):
        first = self.device().accepted()
        second = self.device().accepted()
        self.assertTrue(first.disconnected.wait(DEADLINE_S))
        first.close()
        wait_until(lambda: self.hub.statistics()["devices"] <= 1, "one of them left")
        self.assertTrue(second.connected)

    def test_keep_alive_pings_hold_a_quiet_connection(self):
        def is_held(seconds):  # paho itself may be late with its pings on a busy machine
            device = self.device(keep_alive=seconds).accepted()
            is_lost = device.disconnected.wait(1.8 * seconds)
            device.close()
            return not is_lost
        self.assertTrue(is_held(5) or is_held(20) or is_held(60))

    def test_a_client_resends_what_was_not_acknowledged_when_its_token_ends(self):
        def does(seconds):
            name = self.hub.device(f"lives-{seconds}-s")
            device = self.device(name, password=device_token(name, seconds=seconds), clean=False)
            device.client.username_pw_set(user_name(name), device_token(name))  # for the next connection
            wait_until(lambda: device.connected, "a CONNACK")
            self.hub.tell("hold")
            device.publish(b"again")
            wait_until(lambda: device.disconnected.is_set() or any(m.device == name for m in self.hub.messages), "the message")
            if device.disconnected.is_set():
                self.hub.tell("release")
                return False
            self.assertTrue(device.disconnected.wait(seconds + DEADLINE_S))
            self.hub.wait_for_messages(2, name)
            self.assertEqual(device.acknowledged, [])
            self.hub.tell("release")
            wait_until(lambda: len(device.acknowledged) == 1, "the PUBACK on the second connection")
            return True
        with_longer_lives(does)

    def test_many_devices_publish_at_once(self):
        names = [f"sensor-{i}" for i in range(20)]
        for name in names:
            self.hub.device(name)
        devices = [self.device(name).accepted() for name in names]
        for n in range(50):
            for device in devices:
                device.publish(b"%d" % n, f"n={n}")
        for device in devices:
            messages = self.hub.wait_for_messages(50, device.name)
            self.assertEqual([m.properties for m in messages], [f"n={n}" for n in range(50)])
            wait_until(lambda d=device: len(d.acknowledged) == 50, "all acknowledged")


if __name__ == "__main__":
    unittest.main()
