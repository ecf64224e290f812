"""What goes to and fro between a device and its owner: commands on one side, a device (paho) on the other."""

import json
import os
import queue
import ssl
import subprocess
import unittest

import paho.mqtt.client as mqtt

from picket_harness import AGENT, Picket, wait_until

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


@unittest.skipIf(os.geteuid() != 0, "capturing takes root")
class AgentTwin(ExchangeCase):
    """picket-agent, as it is installed, on the loopback interface."""

    def agent(self):
        process = subprocess.Popen(
            [AGENT, "run", "--connection-string", self.enrolled.connection_string, "--port", str(self.picket.port),
             "--ca", self.picket.ca, "--interface", "lo", "--first-delay", "0-0", "--low", "3600"],
            stdout=self.picket.log, stderr=self.picket.log)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            self.assertEqual(process.wait(30), 0, self.picket.logged())

    def set(self, *assignments):
        return self.picket.json("twin", "set", self.name, *assignments)["desired"]["$version"]

    def wait_for_report(self, expected):
        def reported():
            report = self.picket.json("twin", "show", self.name)["reported"]
            return all(report.get(name) == answer for name, answer in expected.items()) and report
        return wait_until(reported, f"{expected} to be reported", 30)

    def test_what_is_set_reaches_a_running_agent_and_it_reports_what_it_made_of_it(self):
        self.agent()
        version = self.set("NetworkActivity_Disabled=true", "Heartbeat_MessageFrequency=Often", "color=red")
        report = self.wait_for_report({
            "NetworkActivity_Disabled": {"value": True, "ac": 200, "av": version},
            "Heartbeat_MessageFrequency": {"value": "Often", "ac": 400, "av": version,
                                           "ad": "expected High, Medium or Low"}})
        self.assertNotIn("color", report)
        shown = self.picket.run("twin", "show", self.name).stdout
        self.assertRegex(shown, r"NetworkActivity_Disabled +true +true +applied\n")
        self.assertRegex(shown, r"Heartbeat_MessageFrequency .* REFUSED \(400\): expected High, Medium or Low")

    def test_an_interval_and_a_firmware_identity_show_in_what_the_agent_sends(self):
        self.set("CollectorsCore_PriorityIntervals=1s,1s,1s", "SystemInformation_FirmwareVendor=Contoso",
                 'SystemInformation_FirmwareVersion="2.1"')
        self.agent()
        wait_until(lambda: self.picket.json("device", "show", self.name)["hw_info"] == "Contoso 2.1",
                   "the identity in what the agent reports of its system", 30)

    def test_what_is_taken_away_is_as_at_the_start_also_after_picket_was_killed(self):
        self.agent()
        version = self.set("Heartbeat_Disabled=true")
        self.wait_for_report({"Heartbeat_Disabled": {"value": True, "ac": 200, "av": version}})
        self.picket.kill()
        self.picket.start()
        self.set("Heartbeat_Disabled=null")
        wait_until(lambda: "Heartbeat_Disabled" not in self.picket.json("twin", "show", self.name)["reported"],
                   "the answer to be taken away", 60)


if __name__ == "__main__":
    unittest.main()
