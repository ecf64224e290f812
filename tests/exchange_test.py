"""What goes to and fro between a device and its owner: commands on one side, a device (paho) on the other."""

import json
import os
import queue
import ssl
import subprocess
import threading
import unittest

import paho.mqtt.client as mqtt

from picket_harness import AGENT, EnrolledCase, wait_until

DEADLINE_S = 120


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


class ExchangeCase(EnrolledCase):
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

    def test_mosquitto_reports(self):
        subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.picket.port), "--cafile", self.picket.ca, "-i", self.name,
             "-u", self.enrolled.user_name, "-P", self.enrolled.token(), "-V", "mqttv311", "-q", "1", "-m", '{"by": "mosquitto"}',
             "-t", "$iothub/twin/PATCH/properties/reported/?$rid=1"], check=True, timeout=DEADLINE_S)
        wait_until(lambda: self.picket.json("twin", "show", self.name)["reported"].get("by") == "mosquitto", "the report")

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


class Methods(ExchangeCase):
    FILTER = "$iothub/methods/POST/#"

    def invoke(self, *arguments):
        """In the background; .result is there after join()."""
        def run():
            thread.result = self.picket.run("method", "invoke", self.name, *arguments, check=False)
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def answer(self, device, topic, status, payload):
        rid = topic.rpartition("?$rid=")[2]
        device.client.publish(f"$iothub/methods/res/{status}/?$rid={rid}", payload)

    def end_of(self, call):
        call.join(DEADLINE_S)
        return call.result

    def test_a_device_answers_and_nothing_stands_behind_the_request_id(self):
        device = self.device(self.FILTER)
        call = self.invoke("reboot", "--payload", '{"delay": 5}', "--json")
        topic, payload = device.next()
        self.assertRegex(topic, r"^\$iothub/methods/POST/reboot/\?\$rid=[0-9a-f]+$")
        self.assertEqual(payload, b'{"delay":5}')
        self.answer(device, topic, 207, b'{"ok": [true]}')
        result = self.end_of(call)
        self.assertEqual((result.returncode, json.loads(result.stdout)), (0, {"status": 207, "payload": {"ok": [True]}}))

    def test_without_payload_null_goes_out_and_nothing_comes_back_as_null(self):
        device = self.device(self.FILTER)
        call = self.invoke("comp*command")
        topic, payload = device.next()
        self.assertIn("/POST/comp*command/", topic)
        self.assertEqual(payload, b"null")
        self.answer(device, topic, 500, b"")
        result = self.end_of(call)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"status +500\npayload +null\n")

    def test_a_device_that_is_not_there_is_not_found(self):
        result = self.end_of(self.invoke("reboot"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("is not connected", result.stderr)
        device = self.device()  # connected, but it does not subscribe
        self.assertIn("does not subscribe", self.end_of(self.invoke("reboot")).stderr)
        device.close()

    def test_a_call_waits_for_a_device_that_connects(self):
        call = self.invoke("reboot", "--connect-timeout", "120")
        self.device("$iothub/twin/res/#").close()
        device = self.device(self.FILTER)
        topic, _ = device.next()
        self.answer(device, topic, 200, b"1")
        self.assertEqual(self.end_of(call).returncode, 0)

    def test_a_device_that_does_not_answer_is_told_of(self):
        device = self.device(self.FILTER)
        call = self.invoke("reboot", "--timeout", "1")
        topic, _ = device.next()
        result = self.end_of(call)
        self.assertEqual(result.returncode, 1)
        self.assertIn("did not answer reboot within 1 s", result.stderr)
        self.answer(device, topic, 200, b"{}")  # too late: counted, and nothing else
        wait_until(lambda: self.counter("hub_methods_late") >= 1, "the late answer")

    def counter(self, name):
        return next(c["value"] for c in self.picket.json("status")["counters"] if c["name"] == name)

    def test_calls_at_the_same_time_get_their_own_answers(self):
        device = self.device(self.FILTER)
        calls = {n: self.invoke("echo", "--payload", str(n), "--json") for n in range(12)}
        asked = [device.next() for _ in calls]
        for topic, payload in reversed(asked):
            self.answer(device, topic, 200, payload)
        for n, call in calls.items():
            self.assertEqual(json.loads(self.end_of(call).stdout), {"status": 200, "payload": n})

    def test_another_device_cannot_answer(self):
        device = self.device(self.FILTER)
        other = ExchangeDevice(self.picket.add_device(self.name + "-other"), self.picket, self.FILTER)
        self.addCleanup(other.close)
        call = self.invoke("reboot", "--json")
        topic, _ = device.next()
        late = self.counter("hub_methods_late")
        self.answer(other, topic, 200, b'"forged"')
        wait_until(lambda: self.counter("hub_methods_late") > late, "the forged answer")
        self.answer(device, topic, 200, b'"mine"')
        self.assertEqual(json.loads(self.end_of(call).stdout)["payload"], "mine")

    def test_an_answer_may_come_on_the_next_connection(self):
        device = self.device(self.FILTER)
        call = self.invoke("reboot", "--json")
        topic, _ = device.next()
        device.close()
        self.answer(self.device(self.FILTER), topic, 200, b"7")
        self.assertEqual(json.loads(self.end_of(call).stdout)["payload"], 7)

    def test_a_module_has_methods_of_its_own(self):
        device, module = self.device(self.FILTER), self.device(self.FILTER, module="vision")
        call = self.invoke("look", "--module", "vision", "--json")
        topic, _ = module.next()
        self.answer(module, topic, 200, b"1")
        self.assertEqual(json.loads(self.end_of(call).stdout)["status"], 200)
        self.assertTrue(device.received.empty())

    def test_what_is_no_json_is_a_fault_of_the_device(self):
        device = self.device(self.FILTER)
        call = self.invoke("reboot")
        topic, _ = device.next()
        self.answer(device, topic, 200, b"{oops")
        self.assertIn("5 bytes that are not JSON", self.end_of(call).stderr)

    def test_a_wrong_call_is_refused(self):
        self.assertIn("not JSON", self.refused(2, "method", "invoke", self.name, "m", "--payload", "{"))
        self.assertIn("printable ASCII", self.refused(1, "method", "invoke", self.name, "a/b"))
        self.assertIn("timeout_s", self.refused(1, "method", "invoke", self.name, "m", "--timeout", "301"))
        self.assertIn("not registered", self.refused(1, "method", "invoke", "nobody", "m"))

    def test_stopping_ends_calls_that_wait(self):
        device = self.device(self.FILTER)
        call = self.invoke("reboot", "--timeout", "300")
        device.next()
        self.picket.stop()
        result = self.end_of(call)
        self.picket.start()
        self.assertIn("the hub is stopping", result.stderr)


class CloudToDevice(ExchangeCase):
    def filter(self):
        return (f"devices/{self.name}/messages/devicebound/#", 1)

    def waiting(self):
        return self.picket.json("c2d", "list", self.name)

    def wait_until_done(self):
        wait_until(lambda: self.waiting() == [], "all to be completed")

    def test_a_message_with_properties_reaches_the_device_and_is_completed(self):
        device = self.device(self.filter())
        self.picket.run("c2d", "send", self.name, "v\u00e4rde", "--message-id", "m/1", "--property", "p=v 1", "--property",
                        "q=a&b=c")
        topic, payload = device.next()
        to = f"%2Fdevices%2F{self.name}%2Fmessages%2Fdevicebound"
        self.assertEqual(topic, f"devices/{self.name}/messages/devicebound/%24.to={to}&%24.mid=m%2F1&p=v%201&q=a%26b%3Dc")
        self.assertEqual(payload.decode(), "v\u00e4rde")
        self.wait_until_done()

    def test_messages_wait_for_a_device_that_is_away_also_over_a_kill(self):
        path = self.picket.folder / "image.bin"
        path.write_bytes(bytes(range(256)) * 256)
        self.picket.run("c2d", "send", self.name, "--file", path, "--content-type", "application/octet-stream")
        self.picket.run("c2d", "send", self.name, "second", "--expires-in", "86400")
        self.picket.kill()
        self.picket.start()
        first, second = self.waiting()
        self.assertEqual((first["payload_bytes"], first["deliveries"]), (65536, 0))
        self.assertEqual(first["properties"]["$.ct"], "application/octet-stream")
        device = self.device(self.filter())
        self.assertEqual(device.next()[1], path.read_bytes())
        self.assertEqual(device.next()[1], b"second")
        self.wait_until_done()

    def test_mosquitto_receives_and_completes_with_the_wildcard_of_netx_duo(self):
        self.picket.run("c2d", "send", self.name, "first", "--property", "n=1")
        self.picket.run("c2d", "send", self.name, "second")
        received = subprocess.run(
            ["mosquitto_sub", "-h", "localhost", "-p", str(self.picket.port), "--cafile", self.picket.ca, "-i", self.name,
             "-u", self.enrolled.user_name, "-P", self.enrolled.token(), "-V", "mqttv311", "-q", "1", "-C", "2", "-F", "%t %p",
             "-t", "devices/+/messages/devicebound/#"], capture_output=True, text=True, timeout=DEADLINE_S)
        first, second = received.stdout.splitlines()
        self.assertRegex(first, f"^devices/{self.name}/messages/devicebound/.*&n=1 first$")
        self.assertTrue(second.endswith(" second"), second)
        self.wait_until_done()

    def test_the_queue_is_bounded_listed_and_purged(self):
        for n in range(50):
            self.picket.run("c2d", "send", self.name, f"m{n}")
        self.assertIn("50 messages wait for it already", self.refused(1, "c2d", "send", self.name, "one more"))
        listed = self.picket.run("c2d", "list", self.name).stdout.splitlines()
        self.assertEqual(len(listed), 51)
        self.assertEqual(self.picket.run("c2d", "purge", self.name).stdout, "50 messages removed\n")
        self.assertEqual(self.waiting(), [])

    def test_what_expired_is_gone(self):
        self.picket.run("c2d", "send", self.name, "old", "--expires-in", "1")
        wait_until(lambda: self.waiting() == [], "it to expire")

    def test_wrong_messages_are_refused(self):
        large = self.picket.folder / "large.bin"
        large.write_bytes(bytes(65537))
        for words, told in (((), "what is to be sent"), (("a", "--file", "x"), "exclude"), (("--file", "/nonesuch"), "nonesuch"),
                            (("--file", large), "larger than 65536"), (("a", "--property", "x"), "NAME=VALUE"),
                            (("a", "b"), "too much")):
            self.assertIn(told, self.refused(2, "c2d", "send", self.name, *words))
        self.assertIn("begin with $", self.refused(1, "c2d", "send", self.name, "a", "--property", "$.mid=1"))
        self.assertIn("1024 bytes", self.refused(1, "c2d", "send", self.name, "a", "--property", "p=" + "x" * 1024))
        self.assertIn("expires_in_s", self.refused(1, "c2d", "send", self.name, "a", "--expires-in", "0"))
        self.assertIn("not registered", self.refused(1, "c2d", "send", "nobody", "a"))
        self.assertEqual(self.waiting(), [])


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
            self.assertEqual(process.wait(120), 0, self.picket.logged())

    def set(self, *assignments):
        return self.picket.json("twin", "set", self.name, *assignments)["desired"]["$version"]

    def wait_for_report(self, expected):
        def reported():
            report = self.picket.json("twin", "show", self.name)["reported"]
            return all(report.get(name) == answer for name, answer in expected.items()) and report
        return wait_until(reported, f"{expected} to be reported")

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
                   "the identity in what the agent reports of its system")

    def test_what_is_taken_away_is_as_at_the_start_also_after_picket_was_killed(self):
        self.agent()
        version = self.set("Heartbeat_Disabled=true")
        self.wait_for_report({"Heartbeat_Disabled": {"value": True, "ac": 200, "av": version}})
        self.picket.kill()
        self.picket.start()
        self.set("Heartbeat_Disabled=null")
        wait_until(lambda: "Heartbeat_Disabled" not in self.picket.json("twin", "show", self.name)["reported"],
                   "the answer to be taken away")


if __name__ == "__main__":
    unittest.main()
