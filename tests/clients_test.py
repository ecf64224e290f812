"""Picket with mosquitto's clients and paho: by key, primary and secondary, and by certificate; messages both ways."""

import json
import ssl
import subprocess
import sys
import tempfile
import unittest

import paho.mqtt.client as mqtt

from picket_harness import SOURCE, Device, PicketCase, wait_until

sys.path.insert(0, str(SOURCE / "hub" / "tests"))

from authority import Authority, self_signed  # noqa: E402

DEADLINE_S = 120


class Clients(PicketCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="picket-clients-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = Authority("plant root")
        cls.picket.run("ca", "add", "plant", cls.root.certificate.own)

    def with_key(self, name):
        """Ways in: one for each of its keys."""
        primary = self.picket.add_device(name)
        secondary = Device(self.picket.run("device", "rotate-key", name, "--secondary").stdout)
        self.assertNotEqual(primary.key, secondary.key)
        return [["-P", device.token()] for device in (primary, secondary)]

    def with_certificate(self, name, by_ca):
        certificate = self.root.issue(name) if by_ca else self_signed(self.folder.name, "whatever")
        self.picket.run("device", "add", name, *(["--x509-ca"] if by_ca else ["--thumbprint", certificate.sha256()]))
        return [["--cert", certificate.chain, "--key", certificate.key]]

    def ways_in(self):
        """(device, arguments of mosquitto's clients)"""
        for name, ways in (("by-key", self.with_key("by-key")), ("by-print", self.with_certificate("by-print", False)),
                           ("by-ca", self.with_certificate("by-ca", True))):
            for way in ways:
                yield name, way

    def mosquitto(self, program, name, way, *arguments):
        result = subprocess.run([program, "-h", "localhost", "-p", str(self.picket.port), "--cafile", self.picket.ca, "-i", name,
                                 "-u", f"localhost/{name}/?api-version=2021-04-12", *way, "-V", "mqttv311", "-q", "1", *arguments],
                                capture_output=True, text=True, timeout=DEADLINE_S)
        self.assertEqual(result.returncode, 0, (name, result.stderr))
        return result.stdout

    def taken(self):
        return next(c["value"] for c in self.picket.json("status")["counters"] if c["name"] == "hub_messages_taken")

    def test_mosquitto_publishes_and_receives_with_qos_1(self):
        for name, way in self.ways_in():
            before = self.taken()
            self.mosquitto("mosquitto_pub", name, way, "-t", f"devices/{name}/messages/events/n=1", "-m", "hello")
            self.assertEqual(self.taken(), before + 1)
            self.picket.run("c2d", "send", name, "answer", "--property", "n=1")
            line = self.mosquitto("mosquitto_sub", name, way, "-C", "1", "-F", "%q %t %p", "-t",
                                  f"devices/{name}/messages/devicebound/#")
            self.assertRegex(line, f"^1 devices/{name}/messages/devicebound/.*n=1 answer\n$")
            wait_until(lambda: self.picket.json("c2d", "list", name) == [], "its PUBACK")

    def test_paho_with_a_certificate_reports_and_is_told(self):
        for by_ca in (False, True):
            name = f"paho-{by_ca}"
            (_, chain, _, key), = self.with_certificate(name, by_ca)
            received = []
            client = mqtt.Client(client_id=name, protocol=mqtt.MQTTv311)
            client.tls_set(self.picket.ca, chain, key, tls_version=ssl.PROTOCOL_TLS_CLIENT)
            client.username_pw_set(f"localhost/{name}/?api-version=2021-04-12")
            client.on_connect = lambda *_: client.subscribe([("$iothub/twin/res/#", 0),
                                                             ("$iothub/twin/PATCH/properties/desired/#", 0)])
            client.on_subscribe = lambda *_: client.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"n":1}')
            client.on_message = lambda client, userdata, message: received.append(message)
            client.connect("localhost", self.picket.port)
            client.loop_start()
            wait_until(lambda: received, "the answer to its report")
            self.picket.run("twin", "set", name, "interval=5")
            wait_until(lambda: len(received) == 2, "the change")
            client.disconnect()
            client.loop_stop()
            self.assertEqual(received[0].topic, "$iothub/twin/res/204/?$rid=1&$version=2")
            self.assertEqual(json.loads(received[1].payload), {"interval": 5, "$version": 2})


if __name__ == "__main__":
    unittest.main()
