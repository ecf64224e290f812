"""Stored reports are searched for indicators, from outside. usage: hunt_test.py PICKET SCHEMA"""

import json
import os
import signal
import subprocess
import sys
import unittest

from device import network_activity, security_message
from running import PICKET, Running, setUpModule, tearDownModule  # noqa: F401

SCHEMA = sys.argv[2]
LISTED, OTHER = "45.148.10.7", "45.148.10.8"
PAST = "IoT_PastSuspiciousIpCommunication"


class Hunting(Running):
    def setUp(self):
        super().setUp()
        self.sent = 0
        self.devices = {}

    def talk(self, device, remote=LISTED):
        if device not in self.devices:
            self.devices[device] = self.connect(self.add_device(device))
        self.sent += 1
        self.devices[device].publish(security_message(self.server.folder, SCHEMA,
                                                      network_activity(self.sent, remote)))

    def add_feed(self, content, name="ours"):
        path = os.path.join(self.server.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(content)
        done = self.server.run("feed", "add", name, path, "--confidence", "90")
        self.assertEqual(done.returncode, 0, done.stderr)

    def past_alerts(self):
        return self.server.json("alert", "list", "--type", PAST)

    def hunt(self, *options):
        done = self.server.run("intel", "hunt", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done


class ByItself(Hunting):
    def test_an_indicator_that_comes_later_raises_an_alert_about_the_past(self):
        self.talk("pump-7")
        self.talk("pump-7")
        self.talk("pump-8", OTHER)
        self.add_feed(f"{LISTED}\n")
        alerts = self.server.wait_for(self.past_alerts)
        self.assertEqual([(alert["device"], alert["subject"], alert["count"]) for alert in alerts],
                         [("pump-7", f"{LISTED}/32", 2)])
        self.server.wait_for(lambda: "Past communication" in self.server.alerts_written())
        page = self.server.run("alert", "show", str(alerts[0]["id"])).stdout
        self.assertIn("about the past", page)
        explained = self.server.run("alert", "explain", str(alerts[0]["id"]))
        self.assertEqual(explained.returncode, 0, explained.stderr)
        self.assertRegex(explained.stdout, r"searched +what was received from 20\S+Z to 20\S+Z")
        self.talk("pump-7")
        self.assertEqual([alert["count"] for alert in self.past_alerts()], [2])
        self.assertEqual(len(self.server.json("alert", "list")), 2)

    def test_a_killed_one_is_done_again_and_nothing_is_doubled(self):
        for _ in range(3):
            self.talk("pump-7")
        self.server.stop()
        self.server.start()
        self.devices.clear()
        self.add_feed(f"{LISTED}\n")
        self.server.stop(how=signal.SIGKILL)
        for _ in range(2):
            self.server.start()
            alerts = self.server.wait_for(self.past_alerts)
            self.assertEqual([alert["count"] for alert in alerts], [3])
            self.server.stop(how=signal.SIGKILL)
        self.server.start()
        self.assertEqual(len(self.past_alerts()), 1)


class OnRequest(Hunting):
    def test_addresses_are_found_and_nothing_is_raised(self):
        self.talk("pump-7")
        self.talk("pump-7")
        self.talk("pump-8", OTHER)
        shown = self.hunt(LISTED).stdout
        self.assertRegex(shown, rf"pump-7 +{LISTED}/32 +- ")
        self.assertIn(": 2 flows, by 1 device and indicator", shown)
        found = json.loads(self.hunt("45.148.10.0/24", "--json").stdout)
        self.assertEqual([(item["device"], item["events"]) for item in found["found"]],
                         [("pump-7", 2), ("pump-8", 1)])
        self.assertEqual(found["hunt"]["state"], "done")
        self.assertEqual(len(found["found"][0]["examples"]), 2)
        self.assertIn("nothing found", self.hunt("192.0.2.1").stdout)
        self.assertEqual(self.server.json("alert", "list"), [])

    def test_device_time_feed_and_file_choose(self):
        self.talk("pump-7")
        self.talk("pump-8")
        count = lambda *options: len(json.loads(self.hunt(*options, "--json").stdout)["found"])
        self.assertEqual(count(LISTED, "--device", "pump-8"), 1)
        self.assertEqual(count(LISTED, "--since", "1h"), 2)
        self.assertEqual(count(LISTED, "--until", "1h"), 0)
        path = os.path.join(self.server.folder, "list.csv")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"ip,confidence\n{LISTED},90\n{OTHER},90\n")
        self.assertEqual(count("--file", path), 2)
        self.add_feed(f"{LISTED}\n")
        self.assertEqual(count("--feed", "ours"), 2)
        self.assertEqual(count(), 2)

    def test_alerts_are_raised_once_if_wanted(self):
        self.talk("pump-7")
        self.assertIn("1 alert raised", self.hunt(LISTED, "--alert").stdout)
        self.assertIn("0 alerts raised", self.hunt(LISTED, "--alert").stdout)
        self.assertEqual([alert["count"] for alert in self.past_alerts()], [1])

    def test_what_is_asked_wrongly_is_refused(self):
        for options, said in (((LISTED, "--feed", "x"), "one of them"),
                              (("nonsense",), "nonsense"),
                              (("--feed", "none"), "there is no feed none"),
                              (("--file", "/nowhere"), "/nowhere"),
                              ((LISTED, "--since", "soon"), "since"),
                              ((LISTED, "--since", "1h", "--until", "2h"), "until")):
            done = self.server.run("intel", "hunt", *options)
            self.assertNotEqual(done.returncode, 0, options)
            self.assertIn(said, done.stderr)

    def test_an_interrupt_ends_it_cleanly(self):
        self.talk("pump-7")
        hunting = subprocess.Popen([PICKET, "intel", "hunt", LISTED, "--socket", self.server.socket],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        hunting.send_signal(signal.SIGINT)
        hunting.communicate(timeout=120)
        self.assertIn(hunting.returncode, (0, 1, -signal.SIGINT))
        self.server.wait_for(lambda: not self.server.json("status")["hunts"])

    def test_without_a_terminal_there_is_no_bar(self):
        self.talk("pump-7")
        done = self.hunt(LISTED)
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
