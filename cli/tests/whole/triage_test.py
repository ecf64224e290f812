"""Alerts are sorted, decided on, kept back and explained, from outside. usage: triage_test.py PICKET SCHEMA"""

import json
import os
import pwd
import re
import sys
import unittest

from device import network_activity, security_message
from outside import on_terminal
from running import PICKET, Running, setUpModule, tearDownModule  # noqa: F401

SCHEMA = sys.argv[2]
LISTED, OTHER = "45.148.10.7", "45.148.10.8"


class Triage(Running):
    def setUp(self):
        super().setUp()
        self.sent = 0
        self.devices = {}
        path = os.path.join(self.server.folder, "feed.csv")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"ip,confidence,malware,reference\n{LISTED},90,Mirai,https://example.org/mirai\n"
                         f"{OTHER},50,,\n")
        self.done("feed", "add", "ours", path)

    def talk(self, device, remote=LISTED, sent=300, received=1200, ago_s=0):
        """The device reports that it talked to the address."""
        if device not in self.devices:
            self.devices[device] = self.connect(self.add_device(device))
        self.sent += 1
        activity = network_activity(self.sent, remote)
        activity["payload"]["ipv4_activity"][0]["common"].update(bytes_out=sent, bytes_in=received)
        activity["time"] -= ago_s
        self.devices[device].publish(security_message(self.server.folder, SCHEMA, activity))

    def listed(self, *options):
        return self.server.json("alert", "list", *options)


class Severity(Triage):
    def test_a_probe_is_low_and_rises_with_an_exchange_which_is_sent_again(self):
        self.talk("pump-7", sent=0, received=60)
        self.assertEqual([alert["severity"] for alert in self.listed()], ["low"])
        self.talk("pump-7")
        alert, = self.listed()
        self.assertEqual((alert["severity"], alert["count"]), ("high", 2))
        self.server.wait_for(lambda: self.server.alerts_written().count("\n") == 2)
        written = [json.loads(line) for line in self.server.alerts_written().splitlines()]
        self.assertEqual([(item["id"], item["severity"]) for item in written], [(1, "low"), (1, "high")])
        self.assertEqual(sum(reason["points"] for reason in written[1]["severity_reasons"]), 5)
        page = self.done("alert", "show", "1")
        self.assertRegex(page, r"Why high\n  \+3 +confidence 90 of 100\n  \+2 +data went both ways")

    def test_ten_attempts_within_more_than_an_hour_are_high(self):
        for ago in range(10, 0, -1):
            self.talk("pump-7", received=0, ago_s=600 * ago)
            alert, = self.listed()
            self.assertEqual((alert["severity"], alert["count"]), ("high" if ago == 1 else "medium", 11 - ago))
        self.assertIn("seen 10 times within 1 h", json.dumps(alert["severity_reasons"]))

    def test_a_third_device_makes_an_attempt_high(self):
        for device in ("a", "b", "c"):
            self.talk(device, received=0)
        self.assertEqual([alert["severity"] for alert in self.listed()], ["high", "medium", "medium"])


class Lists(Triage):
    def test_what_happened_on_which_devices_is_a_line_for_each_indicator(self):
        for device in ("a", "b"):
            self.talk(device)
        self.talk("a", OTHER)
        groups = {group["subject"]: group for group in self.listed("--by-indicator")}
        self.assertEqual({subject: (group["devices"], group["severity"]) for subject, group in groups.items()},
                         {f"{LISTED}/32": (2, "high"), f"{OTHER}/32": (1, "medium")})
        table = self.done("alert", "list", "--by-indicator")
        self.assertRegex(table, rf"high +{LISTED}/32 +2 devices ")
        self.assertRegex(table, rf"medium +{OTHER}/32 +a ")
        self.assertEqual(len(self.listed("--indicator", LISTED)), 2)
        self.assertEqual(len(self.listed("--severity", "high", "--device", "a")), 1)
        self.assertEqual(self.listed("--status", "closed"), [])
        self.assertIn("2 devices, 2 findings", self.done("alert", "show", "1"))
        self.assertIn("none of low, medium, high", self.refused("alert", "list", "--severity", "x"))

    def test_follow_and_by_indicator_exclude_each_other(self):
        self.assertEqual(self.server.run("alert", "list", "--follow", "--by-indicator").returncode, 2)


class Verdicts(Triage):
    def test_many_are_closed_at_once_and_one_is_opened_again(self):
        for device in ("a", "b", "c"):
            self.talk(device)
        done = self.server.run("alert", "close", "--indicator", LISTED, "--verdict", "false-positive")
        self.assertEqual((done.returncode, done.stdout), (0, "3 alerts closed\n"))
        self.assertIn(f"picket suppression add --indicator {LISTED} --until 30d --reason", done.stderr)
        self.assertEqual(len(self.listed("--status", "dismissed")), 3)
        self.done("alert", "reopen", "2", "--reason", "not so")
        self.assertEqual([alert["id"] for alert in self.listed("--status", "open")], [2])
        self.assertIn("closed already", self.refused("alert", "close", "1", "--verdict", "true-positive"))
        self.done("alert", "close", "1", "--verdict", "true-positive", "--change")
        self.assertEqual([alert["id"] for alert in self.listed("--status", "resolved")], [1])
        acts = [entry["act"] for entry in self.server.json("audit", "list") if entry["status"] == 200]
        for act in ("alerts.decide", "alert.decide"):
            self.assertIn(act, acts)

    def test_a_wrong_call_says_what_is_expected(self):
        for arguments, part in (((), "--verdict is missing"),
                                (("--verdict", "unknown"), "expected is one alert's ID"),
                                (("1", "--device", "a", "--verdict", "unknown"), "expected is one alert's ID"),
                                (("--device", "a", "--change", "--verdict", "unknown"), "--change goes with")):
            done = self.server.run("alert", "close", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(part, done.stderr)


class Suppressions(Triage):
    def test_what_is_suppressed_is_kept_counted_and_sent_to_nobody(self):
        self.talk("a")
        self.server.wait_for(lambda: self.server.alerts_written().count("\n") == 1)
        done = self.server.run("suppression", "add", "--indicator", "45.148.10.0/24", "--until", "30d", "--reason",
                               "the vendor is asked")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^suppression 1, until \d{4}-")
        self.assertIn("1 alert that it covers stays open", done.stderr)
        self.talk("a")
        self.talk("b", OTHER)
        self.assertEqual([(alert["device"], alert["count"]) for alert in self.listed()], [("a", 1)])
        suppressed = self.listed("--status", "suppressed")
        self.assertEqual({alert["device"] for alert in suppressed}, {"a", "b"})
        suppression, = self.server.json("suppression", "list")
        self.assertEqual((suppression["hits"], suppression["reason"]), (2, "the vendor is asked"))
        self.assertRegex(self.done("suppression", "list"), r"1 +active +- +45.148.10.0/24 +- ")
        self.assertRegex(self.done("status"), r"2  findings that a suppression kept back")
        self.done("suppression", "remove", "1")
        self.talk("b", OTHER)
        self.assertEqual([alert["device"] for alert in self.listed("--status", "new")], ["b", "a"])
        self.server.wait_for(lambda: self.server.alerts_written().count("\n") == 2)
        written = [json.loads(line)["device"] for line in self.server.alerts_written().splitlines()]
        self.assertEqual(written, ["a", "b"])
        acts = {entry["act"] for entry in self.server.json("audit", "list")}
        self.assertLessEqual({"suppression.add", "suppression.remove"}, acts)

    def test_an_end_and_a_reason_are_needed(self):
        for arguments in (("--device", "a", "--reason", "r"), ("--device", "a", "--until", "1d")):
            self.assertEqual(self.server.run("suppression", "add", *arguments).returncode, 2)
        done = self.server.run("suppression", "add", "--device", "pmup-7", "--until", "30d", "--reason", "mistyped")
        self.assertEqual((done.returncode, done.stderr), (0, "It covers no open alert.\n"))
        self.assertIn("longer than 366 days", self.refused("suppression", "add", "--device", "a", "--until", "400d",
                                                           "--reason", "r"))


class Decisions(Triage):
    def test_a_page_tells_who_decided_when_and_why(self):
        self.talk("pump-7")
        self.assertNotRegex(self.done("alert", "show", "1"), r"(?m)^  decided ")
        user = re.escape(pwd.getpwuid(os.getuid()).pw_name)
        for arguments, status, words in ((("acknowledge", "1", "--reason", "Ann asks"), "acknowledged", "Ann asks"),
                                         (("close", "1", "--verdict", "unknown", "--reason", "gone"), "dismissed", "gone"),
                                         (("reopen", "1", "--reason", "it is back"), "new", "it is back")):
            self.done("alert", *arguments)
            for page in (self.done("alert", "show", "1"), self.done("alert", "explain", "1")):
                self.assertRegex(page, rf"(?m)^  alert +#1, {status}")
                self.assertRegex(page, rf"(?m)^  decided +20\S+Z by {user}$")
                self.assertRegex(page, rf"(?m)^  reason +{words}$")
            self.assertEqual(self.server.json("alert", "show", "1")["decided_uid"], os.getuid())


class EmptyLists(Running):
    def test_each_says_that_there_is_nothing(self):
        for what, *command in (("alerts", "alert", "list"), ("alerts", "alert", "list", "--by-indicator"),
                               ("devices", "device", "list"), ("feeds", "feed", "list"), ("events", "event", "list"),
                               ("events", "event", "list", "--hub"), ("flows", "event", "list", "--flows"),
                               ("dead letters", "dead-letter", "list"), ("suppressions", "suppression", "list"),
                               ("allow entries", "allow", "list"), ("CA certificates", "ca", "list")):
            with self.subTest(command=command):
                done = self.server.run(*command)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
                self.assertEqual(done.stderr.splitlines()[0], f"No {what} found.")
        self.assertEqual(self.server.json("alert", "list"), [])


class Explain(Triage):
    def test_an_alert_says_why_it_is_there_and_what_would_silence_it(self):
        self.talk("pump-6", received=0)
        self.talk("pump-7")
        self.done("alert", "close", "2", "--verdict", "benign-positive", "--reason", "a test")
        self.talk("pump-7")
        page = self.done("alert", "explain", "3")
        for part in ("  detector        intelligence\n", "T0869 Standard Application Layer Protocol (ics)",
                     "Why high\n  +3              confidence 90 of 100\n", "feed            ours, line 2: 45.148.10.7/32",
                     "malware         Mirai\n", "reference       https://example.org/mirai\n",
                     "at the flow     listed\n", "now             listed, line 2\n",
                     "1.2 kB in, 300 B out\n", "pump-6          #1 medium, new",
                     "alert           #2 high, dismissed as benign-positive by",
                     "picket suppression add --device pump-7 --indicator 45.148.10.7/32 --until 30d --reason TEXT\n",
                     "picket allow add 45.148.10.7/32 --reason TEXT\n", "picket feed remove ours\n",
                     "picket alert close 3 --verdict VERDICT"):
            self.assertIn(part, page)
        code, screen = on_terminal(80, [PICKET, "alert", "explain", "3"],
                                   dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1", PICKET_SOCKET=self.server.socket))
        self.assertEqual(code, 0)
        for line in screen.splitlines():
            self.assertTrue(len(line) <= 80 or " " not in line.strip(), line)

    def test_what_has_gone_since_is_told(self):
        self.talk("pump-7")
        now = lambda: self.server.json("alert", "explain", "1")["indicators"][0]["now"]["state"]
        self.assertEqual(now(), "listed")
        path = os.path.join(self.server.folder, "feed.csv")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"ip,confidence,valid_until\n{LISTED},90,2020-01-01\n{OTHER},50,\n")
        self.done("feed", "refresh", "ours")
        self.assertEqual(now(), "expired")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"ip,confidence\n{OTHER},50\n")
        self.done("feed", "refresh", "ours")
        self.assertEqual(now(), "gone")
        self.assertIn("GONE: the feed lists it no more", self.done("alert", "explain", "1"))
        self.assertIn("the same today  raises no alert: nothing lists it any more", self.done("alert", "explain", "1"))
        self.done("feed", "remove", "ours")
        self.assertEqual(now(), "feed removed")

    def test_that_it_is_allowed_since_is_told(self):
        self.talk("pump-7")
        self.assertIn("the same today  raises an alert", self.done("alert", "explain", "1"))
        commands = [item["command"] for item in self.server.json("alert", "explain", "1")["silence"]]
        allow = next(command for command in commands if " allow " in command)
        self.done(*allow.replace("TEXT", "ours").split()[1:])
        self.assertRegex(self.done("alert", "explain", "1"),
                         r"the same today  raises no alert: list local-allow allows 45.148.10.7/32: ours\n")

    def test_an_indicator_of_a_kept_list_is_taken_off_it(self):
        self.done("feed", "remove", "ours")
        self.done("feed", "add", "hunted", "--kept")
        self.done("intel", "add", LISTED, "--port", "443", "--list", "hunted", "--confidence", "90")
        self.talk("pump-7")
        explanation = self.server.json("alert", "explain", "1")
        self.assertEqual([indicator["now"]["state"] for indicator in explanation["indicators"]], ["listed"])
        commands = [item["command"] for item in explanation["silence"]]
        remove = next(command for command in commands if "intel remove" in command)
        self.assertEqual(remove, f"picket intel remove {LISTED}/32 --port 443 --list hunted")
        self.done(*remove.split()[1:])
        explanation = self.server.json("alert", "explain", "1")
        self.assertEqual([indicator["now"]["state"] for indicator in explanation["indicators"]], ["gone"])
        self.assertFalse([item for item in explanation["silence"] if "intel remove" in item["command"]])

    def test_the_commands_it_names_do_what_it_says(self):
        self.talk("pump-7")
        commands = [item["command"] for item in self.server.json("alert", "explain", "1")["silence"]]
        first = next(command for command in commands if "--device" in command)
        self.done(*first.replace("TEXT", "known").split()[1:])
        self.assertEqual(len(self.server.json("alert", "explain", "1")["suppressed_by"]), 1)
        self.assertIn("suppression 1 does already", self.done("alert", "explain", "1"))
        self.talk("pump-7")
        self.assertEqual(self.server.json("suppression", "list")[0]["hits"], 1)

    def test_of_what_is_not_there_nothing_is_explained(self):
        self.assertIn("there is no alert 9", self.refused("alert", "explain", "9"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
