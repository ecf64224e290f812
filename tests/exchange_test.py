"""What goes to and fro between a device and its owner: commands on one side, a device (paho) on the other."""

import json
import queue
import ssl
import unittest

import paho.mqtt.client as mqtt

from picket_harness import Picket, wait_until

DEADLINE_S = 30


class ExchangeDevice:
    """A device that subscribes to what it is told to, and keeps what it gets."""

    def __init__(self, device, picket, *filters, module=None):
        self.device = device
        self.received = queue.Queue()
        self.granted = []
        name = device.id + (f"/{module}" if module else "")
        self.client = mqtt.Client(client_id=name, clean_session=True)
        self.client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.username_pw_set(f"{device.host}/{name}/?api-version=2021-04-12", device.token())
        self.client.on_connect = lambda *_: [self.client.subscribe(f) for f in filters]
        self.client.on_subscribe = lambda client, userdata, mid, codes: self.granted.extend(codes)
        self.client.on_message = lambda client, userdata, message: self.received.put(message)
        self.client.connect("localhost", picket.port, keepalive=30)
        self.client.loop_start()
        wait_until(lambda: len(self.granted) == len(filters), "the subscriptions")

    def next(self):
        """(topic, payload)"""
        message = self.received.get(timeout=DEADLINE_S)
        return message.topic, message.payload

    def ask(self, topic, payload=b""):
        self.client.publish(topic, payload)
        return self.next()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class ExchangeCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.picket = Picket()
        cls.addClassCleanup(cls.picket.remove)
        cls.picket.start()
        cls.addClassCleanup(cls.picket.stop)

    def setUp(self):
        self.enrolled = self.picket.add_device(self.id().rpartition(".")[2][:100])
        self.name = self.enrolled.id

    def device(self, *filters, **options):
        device = ExchangeDevice(self.enrolled, self.picket, *filters, **options)
        self.addCleanup(device.close)
        return device

    def refused(self, code, *arguments):
        result = self.picket.run(*arguments, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr


class Twins(ExchangeCase):
    RESULTS = "$iothub/twin/res/#"
    DESIRED = "$iothub/twin/PATCH/properties/desired/#"

    def test_a_device_is_told_at_once_and_its_answer_is_shown(self):
        device = self.device(self.RESULTS, self.DESIRED)
        self.picket.run("twin", "set", self.name, "Heartbeat_Disabled=true", "limit=5", "c.__t=c", "c.x=[1, 2]")
        topic, payload = device.next()
        self.assertEqual(topic, "$iothub/twin/PATCH/properties/desired/?$version=2")
        self.assertEqual(json.loads(payload), {"Heartbeat_Disabled": True, "limit": 5,
                                               "c": {"__t": "c", "x": [1, 2]}, "$version": 2})
        reported = {"Heartbeat_Disabled": {"value": True, "ac": 200, "av": 2},
                    "limit": {"value": 4, "ac": 400, "av": 2, "ad": "at most 4"}, "uptime": 17}
        topic, payload = device.ask("$iothub/twin/PATCH/properties/reported/?$rid=1", json.dumps(reported))
        self.assertEqual((topic, payload), ("$iothub/twin/res/204/?$rid=1&$version=2", b""))
        lines = {line.split()[0]: line for line in self.picket.run("twin", "show", self.name).stdout.splitlines()
                 if line}
        self.assertRegex(lines["Heartbeat_Disabled"], r"true +true +applied$")
        self.assertRegex(lines["limit"], r"5 +4 +REFUSED \(400\): at most 4$")
        self.assertRegex(lines["c.x"], r"\[1,2\] +- +no answer$")
        self.assertRegex(lines["uptime"], r"- +17 +-$")
        self.picket.run("twin", "set", self.name, "Heartbeat_Disabled=null", "limit=4")
        shown = self.picket.run("twin", "show", self.name).stdout
        self.assertRegex(shown, r"limit +4 +4 +answered to version 2 only")
        twin = self.picket.json("twin", "show", self.name)
        self.assertNotIn("Heartbeat_Disabled", twin["desired"])
        self.assertEqual(twin["desired"]["$version"], 3)

    def test_who_was_away_finds_the_change_also_after_a_kill(self):
        self.picket.run("twin", "set", self.name, "CollectorsCore_PriorityIntervals=30,60,1440")
        self.picket.kill()
        self.picket.start()
        topic, payload = self.device(self.RESULTS).ask("$iothub/twin/GET/?$rid=2", b" ")
        self.assertEqual(topic, "$iothub/twin/res/200/?$rid=2")
        self.assertEqual(json.loads(payload)["desired"],
                         {"CollectorsCore_PriorityIntervals": "30,60,1440", "$version": 2})

    def test_a_change_for_another_version_is_refused(self):
        self.picket.run("twin", "set", self.name, "a=1", "--if-version", 1)
        self.assertIn("version 2, not 1", self.refused(1, "twin", "set", self.name, "a=2", "--if-version", 1))

    def test_a_module_has_its_own(self):
        module = self.device(self.DESIRED, module="vision")
        self.picket.run("twin", "set", self.name, "m=1", "--module", "vision")
        self.assertEqual(json.loads(module.next()[1]), {"m": 1, "$version": 2})
        self.assertEqual(self.picket.json("twin", "show", self.name)["desired"], {"$version": 1})

    def test_wrong_assignments_are_refused_before_anything_is_sent(self):
        for words, told in ((("a",), "NAME=VALUE"), (("=1",), "NAME=VALUE"), (('a={"b"',), "not a JSON value"),
                            (("a..b=1",), "empty"), ((), "missing")):
            self.assertIn(told, self.refused(2, "twin", "set", self.name, *words))
        self.assertIn("$x", self.refused(1, "twin", "set", self.name, "$x=1"))
        self.assertIn("not registered", self.refused(1, "twin", "show", "nobody"))
        self.assertEqual(self.picket.json("twin", "show", self.name)["desired"], {"$version": 1})


if __name__ == "__main__":
    unittest.main()
