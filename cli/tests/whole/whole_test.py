"""picket from outside: serve, a device, the commands. usage: whole_test.py PICKET SCHEMA SHARED"""

import glob
import json
import os
import re
import selectors
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import unittest

from device import Refused, little_endian, network_activity, security_message, system_information
from outside import FakeServer, WebServer, http_answer, on_terminal, trusting
from running import CERTIFICATES, PICKET, Running, setUpModule, tearDownModule
from server import Server, make_certificates

SCHEMA, SHARED = sys.argv[2:4]
REMOTE = "45.148.10.7"  # globally routable: no special-purpose address
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(SCHEMA)))


class Receiving(Running):
    """Messages and feeds come in."""

    def message(self, *events):
        return security_message(self.server.folder, SCHEMA, *events)

    def add_feed(self, content, *options):
        path = os.path.join(self.server.folder, "feed.txt")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(content)
        done = self.server.run("feed", "add", "ours", path, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done


class TheWholePath(Receiving):
    def test_a_malicious_flow_becomes_an_alert_everywhere_and_survives_a_restart(self):
        device = self.connect(self.add_device())
        device.publish(self.message(network_activity(1, REMOTE)))
        events = self.server.json("event", "list")
        self.assertEqual([event["flows"][0]["remote_address"] for event in events], [REMOTE])
        self.assertEqual(self.server.json("alert", "list"), [])

        added = self.add_feed(f"{REMOTE}\nrubbish here\n", "--confidence", "90")
        self.assertIn("1 indicator ", added.stdout)
        self.assertIn("feed.txt:2: ", added.stderr)
        live = ("--type", "IoT_SuspiciousIpCommunication")  # what was before is another alert
        follower = self.follow(*live)
        device.publish(self.message(network_activity(2, REMOTE)))
        # The PUBACK came after the commit: the alert is there, without waiting.
        alerts = self.server.json("alert", "list", *live)
        self.assertEqual(len(alerts), 1)
        self.assertEqual(json.loads(follower.stdout.readline())["id"], alerts[0]["id"])
        self.server.wait_for(lambda: REMOTE in self.server.alerts_written())
        self.check_alert_page(alerts[0])

        device.close()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.server.json("alert", "list", *live), alerts)
        self.assertEqual(len(self.server.json("event", "list")), 2)
        self.assertEqual(self.server.json("feed", "list")[0]["indicators"], 1)
        self.assertEqual(self.server.run("intel", "lookup", REMOTE).returncode, 0)

    def follow(self, *options):
        follower = subprocess.Popen([PICKET, "alert", "list", "--follow", "--json", "--socket",
                                     self.server.socket, *options], stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        return follower

    def test_a_follower_ends_when_nobody_reads_any_more(self):
        follower = subprocess.Popen([PICKET, "alert", "list", "--follow", "--socket",
                                     self.server.socket], stdout=subprocess.PIPE)
        self.addCleanup(follower.kill)
        follower.stdout.close()
        self.assertEqual(follower.wait(120), 1)

    def test_following_shows_the_last_and_then_what_is_new_each_once(self):
        device = self.connect(self.add_device())
        self.add_feed("45.148.0.0/16\n45.148.10.0/24\n" +
                      "".join(f"45.148.10.{i}\n" for i in range(1, 255)))
        raised = 0

        def raise_one():
            nonlocal raised
            raised += 1
            device.publish(self.message(network_activity(raised, f"45.148.10.{raised}")))

        for _ in range(4):
            raise_one()
        last_two = self.follow("--limit", "2")
        only_new = self.follow("--since", "2100-01-01")
        self.assertEqual([json.loads(last_two.stdout.readline())["id"] for _ in range(2)], [3, 4])
        with selectors.DefaultSelector() as selector:
            selector.register(only_new.stdout, selectors.EVENT_READ)
            while not selector.select(0.3):  # it may begin to follow later than we raise
                self.assertLess(raised, 200)
                raise_one()
        shown = json.loads(only_new.stdout.readline())["id"]
        self.assertGreater(shown, 4)
        raise_one()
        self.assertEqual([json.loads(last_two.stdout.readline())["id"]
                          for _ in range(5, raised + 1)], list(range(5, raised + 1)))
        self.assertEqual([json.loads(only_new.stdout.readline())["id"]
                          for _ in range(shown + 1, raised + 1)], list(range(shown + 1, raised + 1)))

    def check_alert_page(self, alert):
        page = self.server.run("alert", "show", str(alert["id"])).stdout
        for part in (REMOTE, "pump-7", "ours", "90", alert["remediation"][:20]):
            self.assertIn(part, page)

    def test_messages_of_the_predecessor_become_events(self):
        messages = sorted(glob.glob(f"{SHARED}/wire/golden/*.bin"))
        if not messages:
            self.skipTest("no golden messages in ../shared")
        device = self.connect(self.add_device())
        for path in messages:
            with open(path, "rb") as stream:
                device.publish(stream.read())
        self.assertEqual(self.server.json("dead-letter", "list"), [])
        stored = len(self.server.json("event", "list", "--limit", "10000"))
        decoded = subprocess.run([PICKET, "decode", *messages], capture_output=True, check=True)
        expected = sum(len(json.loads(line)["events"]) for line in decoded.stdout.splitlines())
        self.assertGreater(stored, 0)
        self.assertLessEqual(stored, expected)  # what is equal is one

    def test_lists_go_on_past_a_page_of_the_api(self):
        count = 1100
        remotes = [f"45.148.{i // 250}.{i % 250 + 1}" for i in range(count)]
        self.add_feed("\n".join(remotes) + "\n")
        device = self.connect(self.add_device())
        device.publish(self.message(*[network_activity(i + 1, remote)
                                      for i, remote in enumerate(remotes)]))
        for what in ("event", "alert"):
            ids = [item["id"] for item in self.server.json(what, "list", "--limit", "5000")]
            self.assertEqual(ids, list(range(count, 0, -1)), what)
            some = [item["id"] for item in self.server.json(what, "list", "--limit", "1050")]
            self.assertEqual(some, ids[:1050], what)
            self.assertEqual(self.server.json(what, "list", "--device", "none"), [])
            self.assertEqual(len(self.server.json(what, "list", "--since", "1h")), 100)
        shown = self.server.run("event", "list", "--flows", "--limit", "2").stdout.splitlines()
        self.assertEqual([line.split()[5] for line in shown[1:]], remotes[:-3:-1])
        self.assertIn("1 flow, 1.2 kB in, 300 B out", self.server.run("event", "list").stdout)

    def test_an_alert_is_acknowledged_and_closed_and_the_next_finding_is_a_new_one(self):
        self.add_feed(f"{REMOTE}\n")
        device = self.connect(self.add_device())
        device.publish(self.message(network_activity(1, REMOTE)))
        for words in (["acknowledge", "1", "--reason", "Ann looks"],
                      ["close", "#1", "--verdict", "false-positive", "--reason", "our own"]):
            done = self.server.run("alert", *words)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn(f"picket suppression add --device pump-7 --indicator {REMOTE}/32 --until 30d", done.stderr)
        page = self.server.run("alert", "show", "1").stdout
        for line in (r"alert +#1, dismissed", r"verdict +false-positive", r"reason +our own"):
            self.assertRegex(page, f"(?m)^  {line}$")
        device.publish(self.message(network_activity(2, REMOTE)))
        self.assertEqual([(alert["id"], alert["status"]) for alert in self.server.json("alert", "list")],
                         [(2, "new"), (1, "dismissed")])
        self.assertEqual(self.server.run("alert", "close", "2").returncode, 2)
        again = self.server.run("alert", "close", "1", "--verdict", "unknown")
        self.assertEqual(again.returncode, 1)
        self.assertIn("alert 1 is closed already: dismissed", again.stderr)

    def test_all_devices_are_listed_past_a_page_of_the_api(self):
        with sqlite3.connect(os.path.join(self.server.folder, "data", "picket.db"), timeout=30) as store:
            store.executemany("insert into devices (id, registered, enabled) values (?, 1, 1)",
                              ((f"d%{i:04}",) for i in range(2100)))
        store.close()
        self.assertEqual([device["id"] for device in self.server.json("device", "list")],
                         [f"d%{i:04}" for i in range(2100)])

    def test_a_device_is_shown_with_what_it_said_of_itself(self):
        connection_string = self.add_device()
        self.assertEqual(self.server.run("device", "show", "pump-7", "--connection-string").stdout,
                         connection_string + "\n")
        self.connect(connection_string).publish(
            self.message(system_information(1, "ThreadX 6.2.1"), network_activity(2, REMOTE)))
        page = self.server.run("device", "show", "pump-7").stdout
        for line in (r"device +pump-7", r"state +enabled", r"events +2", r"alerts +0 open",
                     r"agent +test-agent 1\.2\.3", r"os +ThreadX 6\.2\.1"):
            self.assertRegex(page, f"(?m)^{line}$")
        self.assertNotIn("SharedAccessKey", page)
        self.assertIn("os_info ThreadX 6.2.1, kernel_info k", self.server.run("event", "list").stdout)

    def test_a_heartbeat_tells_how_long_the_device_has_been_up(self):
        device = self.connect(self.add_device())
        for uptime, shown in ((7500, "up 2 h 5 min"), (0, "-")):
            event = network_activity(uptime + 1, REMOTE)
            event.update(payload_type="Heartbeat", payload={"uptime": uptime})
            device.publish(self.message(event))
            self.assertRegex(self.server.run("event", "list").stdout, rf"(?m)Heartbeat +{shown}$")

    def test_ports_are_listed_as_people_write_them(self):
        port = lambda address, number: {"local_address": address,
                                        "common": {"local_port": number, "protocol": "TCP"}}
        event = network_activity(1, REMOTE)
        event.update(payload_type="ListeningPorts", payload={
            "ipv4_ports": [port(little_endian("10.0.0.7"), 80)], "unlisted": 3})
        self.connect(self.add_device()).publish(self.message(event))
        self.assertRegex(self.server.run("event", "list").stdout,
                         r"(?m)ListeningPorts +4 ports, TCP 10\.0\.0\.7:80$")

    def test_a_removed_device_is_still_listed_for_its_events(self):
        self.connect(self.add_device()).publish(self.message(network_activity(1, REMOTE)))
        self.server.run("device", "remove", "pump-7")
        self.assertRegex(self.server.run("device", "list").stdout, r"(?m)^pump-7 +removed ")

    def test_a_second_delivery_changes_nothing(self):
        device = self.connect(self.add_device())
        message = self.message(network_activity(1, REMOTE))
        for _ in range(3):
            device.publish(message)
        self.assertEqual(len(self.server.json("event", "list")), 1)

    def test_a_malformed_message_is_acknowledged_and_kept_with_its_reason(self):
        device = self.connect(self.add_device())
        device.publish(b"\xff" * 40)
        letters = self.server.json("dead-letter", "list", "--payload")
        self.assertEqual(len(letters), 1)
        self.assertEqual(letters[0]["device"], "pump-7")
        self.assertEqual(letters[0]["payload_bytes"], 40)
        table = self.server.run("dead-letter", "list").stdout
        self.assertIn(letters[0]["reason"], table)

    def test_a_wrong_key_and_an_unknown_device_are_refused(self):
        connection_string = self.add_device()
        wrong = "A" * 43 + "="
        for attempt in (connection_string.replace("pump-7", "other"), connection_string):
            with self.assertRaises(Refused) as refusal:
                self.connect(attempt, wrong)
            self.assertEqual(refusal.exception.args[0], 5)
        refused = [counter for counter in self.server.json("status")["counters"]
                   if "refused" in counter["name"] and counter["value"] > 0]
        self.assertTrue(refused)

    def test_a_disabled_device_is_disconnected_and_comes_back_when_it_is_enabled(self):
        connection_string = self.add_device()
        device = self.connect(connection_string)
        gone = []
        device.client.on_disconnect = lambda *arguments: gone.append(arguments)
        self.assertEqual(self.server.run("device", "disable", "pump-7").returncode, 0)
        self.server.wait_for(lambda: gone)
        device.close()
        self.assertRegex(self.server.run("device", "show", "pump-7").stdout, r"(?m)^state +disabled$")
        with self.assertRaises(Refused):
            self.connect(connection_string)
        self.assertEqual(self.server.run("device", "enable", "pump-7").returncode, 0)
        self.connect(connection_string).publish(self.message(network_activity(1, REMOTE)))
        unknown = self.server.run("device", "disable", "pump-8")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("device pump-8: is not registered", unknown.stderr)

    def test_a_removed_device_is_disconnected_and_stays_out(self):
        connection_string = self.add_device()
        device = self.connect(connection_string)
        gone = []
        device.client.on_disconnect = lambda *arguments: gone.append(arguments)
        self.assertEqual(self.server.run("device", "remove", "pump-7").returncode, 0)
        self.server.wait_for(lambda: gone)
        device.close()
        with self.assertRaises(Refused):
            self.connect(connection_string)

    def test_text_of_a_device_cannot_control_the_terminal(self):
        device = self.connect(self.add_device())
        device.publish(self.message(system_information(1, "evil\x1b[2Jos")))
        for command in (["device", "list"], ["device", "show", "pump-7"], ["event", "list"]):
            shown = self.server.run(*command)
            self.assertEqual(shown.returncode, 0)
            self.assertNotIn("\x1b", shown.stdout)
            self.assertIn("evil", shown.stdout)


class KeptLists(Receiving):
    """Indicators that come, change and go one by one."""

    def intel(self, *arguments, code=0):
        done = self.server.run("intel", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def listed(self, *options):
        return [found["indicator"] for found in self.server.json("intel", "list", *options)]

    def test_an_indicator_is_matched_when_add_returns_and_not_when_remove_has(self):
        device = self.connect(self.add_device())
        self.assertIn("local: 1 added", self.intel("add", REMOTE, "--tags", "from our logs").stdout)
        device.publish(self.message(network_activity(1, REMOTE)))
        alerts = self.server.json("alert", "list")
        self.assertEqual([alert["subject"] for alert in alerts], [f"{REMOTE}/32"])
        self.intel("remove", REMOTE)
        device.publish(self.message(network_activity(2, REMOTE)))
        self.assertEqual(self.server.json("alert", "list")[0]["count"], 1)
        self.assertEqual(self.server.run("intel", "lookup", REMOTE).returncode, 1)

    def test_what_is_said_is_shown_changed_and_expires(self):
        self.intel("add", REMOTE, "45.148.11.0-45.148.11.2", "--port", "443", "--protocol", "tcp",
                   "--confidence", "60", "--severity", "low", "--malware", "Mirai", "--tags", "c2",
                   "--reference", "case 42", "--tlp", "amber", "--listed", "2026-01-02",
                   "--expires", "12h")
        self.assertEqual(self.listed(), [f"{REMOTE}/32", "45.148.11.0/31", "45.148.11.2/32"])
        self.assertEqual(self.listed("--address", "45.148.11.1"), ["45.148.11.0/31"])
        self.intel("change", REMOTE, "--port", "443", "--protocol", "tcp", "--confidence", "95",
                   "--expires", "never")
        found = self.server.json("intel", "list", "--address", REMOTE)[0]
        self.assertEqual((found["confidence"], found["valid_until"], found["malware"]), (95, None, "Mirai"))
        self.assertIn("does not have", self.intel("change", REMOTE, code=1).stderr)
        self.assertIn("does not have", self.intel("remove", "45.148.11.0/24", code=1).stderr)
        self.assertIn("no span", self.intel("add", REMOTE, "--expires", "soon", code=2).stderr)
        self.intel("change", REMOTE, "--port", "443", "--protocol", "tcp", "--expires", "2026-01-03")
        self.assertEqual(self.listed("--expired"), [f"{REMOTE}/32"])
        self.assertNotIn(f"{REMOTE}/32", self.listed())
        table = self.intel("list").stdout
        self.assertIn("45.148.11.0/31", table)
        self.assertIn("Mirai", table)

    def test_what_was_answered_is_there_after_a_kill_and_the_rest_whole_or_not_at_all(self):
        answered = []

        def add_until_killed():
            for number in range(10000):
                group = [f"45.{number // 256}.{number % 256}.{i}/32" for i in range(3)]
                if self.server.run("intel", "add", *group).returncode != 0:
                    return
                answered.append(group)

        adding = threading.Thread(target=add_until_killed)
        adding.start()
        self.server.wait_for(lambda: len(answered) >= 5)
        self.server.stop(signal.SIGKILL)
        adding.join()
        self.server.start()
        listed = self.listed()
        self.assertTrue(set(listed).issuperset(prefix for group in answered for prefix in group))
        self.assertIn(len(listed), (3 * len(answered), 3 * len(answered) + 3))
        self.assertEqual(self.server.run("intel", "lookup", answered[-1][0][:-3]).returncode, 0)

    def test_a_private_address_is_taken_and_flagged(self):
        self.assertIn("10.0.0.0/8: private-use", self.intel("add", "10.0.0.0/8").stderr)

    def test_a_file_is_put_onto_a_list_of_its_own(self):
        self.assertEqual(self.server.run("feed", "add", "incidents", "--kept", "--confidence", "95").returncode, 0)
        path = os.path.join(self.server.folder, "incidents.txt")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"{REMOTE} # case 42\nrubbish here\n")
        done = self.intel("import", path, "--list", "incidents")
        self.assertIn("incidents: 1 indicator (1 added", done.stdout)
        self.assertIn("incidents.txt:2: ", done.stderr)
        self.assertEqual(self.server.json("intel", "list", "--list", "incidents")[0]["confidence"], 95)
        self.assertIn("(kept here)", self.server.run("feed", "list").stdout)
        self.assertEqual(self.server.run("feed", "refresh").returncode, 0)
        self.assertIn("nothing to read again", self.server.run("feed", "refresh", "incidents").stderr)
        self.intel("import", "/nowhere", code=1)
        self.assertIn("has no FILE-OR-URL", self.server.run("feed", "add", "x", path, "--kept").stderr)
        self.assertEqual(self.server.run("feed", "remove", "incidents").returncode, 0)
        self.assertEqual(self.server.run("intel", "lookup", REMOTE).returncode, 1)


class OnATerminal(Receiving):
    def setUp(self):
        super().setUp()
        self.add_feed(f"{REMOTE}\n", "--confidence", "90")
        device = self.connect(self.add_device("a-device-with-quite-a-long-name"))
        device.publish(self.message(network_activity(1, REMOTE)))

    def shown(self, columns, *arguments, **environment):
        code, text = on_terminal(columns, [PICKET, *arguments],
                                 dict(os.environ, LC_ALL="C.UTF-8", PICKET_SOCKET=self.server.socket,
                                      **environment))
        self.assertEqual(code, 0)
        return text

    def test_tables_and_pages_fit_the_terminal(self):
        self.connect(self.add_device("other")).publish(b"\xff" * 40)
        self.add_flow_of_long_addresses()
        self.server.wait_for(lambda: len(self.server.json("event", "list", "--hub")) >= 3)
        for columns in (60, 80, 100, 110, 200):
            for command in (["alert", "list"], ["device", "list"], ["event", "list"], ["feed", "list"],
                            ["event", "list", "--flows"], ["event", "list", "--hub"], ["dead-letter", "list"], ["status"],
                            ["intel", "lookup", REMOTE], ["alert", "show", "1"],
                            ["device", "show", "other"]):
                text = self.shown(columns, *command, NO_COLOR="1")
                words = max(len(line) for line in text.splitlines())
                self.assertLessEqual(words, columns, text)

    def is_told_at_once(self, name):
        """False: the machine is so busy that the hub told of the device before it was through."""
        listing = ("event", "list", "--hub", "--device", name)
        device = self.connect(self.add_device(name))
        device.client.subscribe("devices/+/messages/#")
        device.publish(b"x" * 1500)
        device.close()
        self.server.wait_for(lambda: "ended once" in self.server.run(*listing).stdout)
        return "connected once" in self.server.run(*listing).stdout.splitlines()[1] and len(self.server.json(*listing)) == 1

    def test_what_the_hub_saw_is_told_in_words_that_fit(self):
        name = next(name for number in range(9) if self.is_told_at_once(name := f"pump-{number}"))
        piped = self.server.run("event", "list", "--hub", "--device", name).stdout
        self.assertRegex(piped, rf"Z  {name}  connected once \(SAS token, TLSv1.3, from 127.0.0.1\); UNAUTHORIZED: "
                                r"wildcard 1, last wildcard devices/\+/messages/#; ended once \(by device 1\); "
                                r"1 message \(1 security\), 1.5 kB\n")
        narrow = self.shown(60, "event", "list", "--hub", "--device", name, NO_COLOR="1")
        self.assertRegex(narrow, rf"Z  {name}\n    connected once .*\n    \S")
        wide = self.shown(80, "event", "list", "--hub", "--device", name, NO_COLOR="1")
        self.assertRegex(wide, rf"Z  {name}  connected once .*\n {{30}}\S")

    def add_flow_of_long_addresses(self):
        addresses = [[0xabababfd, 0xabababab, 0xabababab, end] for end in (0x01ababab, 0x02ababab)]
        activity = network_activity(9, REMOTE)
        activity["payload"] = {"ipv6_activity": [{
            "addresses": dict(zip(("local_address", "remote_address"), addresses)),
            "common": {"local_port": 49152, "remote_port": 443, "protocol": "TCP"}}]}
        self.connect(self.add_device("third")).publish(self.message(activity))

    def test_what_a_narrow_terminal_leaves_out_matters_least_and_is_hinted_at(self):
        for columns, title in ((80, "Communication with 45.148.10.7"), (200, "lists")):
            text = self.shown(columns, "alert", "list", NO_COLOR="1")
            heading, row = text.splitlines()
            self.assertIn(title, row)
            self.assertRegex(row, r"high +new ")
            self.assertRegex(row, r" \d+[sm] ago  " if columns == 80 else r" \d{4}-\d\d-\d\dT[\d:]+Z  ")
            self.assertEqual(heading.endswith(" \u2026"), columns == 80)
        narrow = self.shown(60, "device", "list").splitlines()
        self.assertRegex(narrow[0], r"^ID +STATE +LAST SEEN +OPEN ALERTS \u2026$")
        self.assertRegex(narrow[1], r"^a-device-with-quite-a.*\u2026 +enabled +\d+[sm] ago +1$")
        piped = self.server.run("device", "list").stdout
        self.assertRegex(piped, r"^ID +STATE +LAST SEEN +EVENTS +OPEN ALERTS +FLOWS LOST +AGENT +SYSTEM\n")
        self.assertIn("a-device-with-quite-a-long-name", piped)

    def test_what_goes_on_stands_under_what_it_belongs_to(self):
        page = self.shown(60, "alert", "show", "1", NO_COLOR="1")
        self.assertRegex(page, r"(?m)^  feed            ours, line 1: .*\n {18}\S")
        self.assertRegex(page, r"(?m)^  1\. Block .*\n     \S")
        self.assertRegex(self.shown(50, "alert", "list", "--help"), r"(?m)^  --since .*\n {31}\S")

    def test_colors_are_for_terminals_and_those_who_want_them(self):
        self.assertIn("\x1b[1;31mhigh\x1b[0m", self.shown(120, "alert", "list"))
        self.assertNotIn("\x1b", self.shown(120, "alert", "list", NO_COLOR="1"))
        self.assertNotIn("\x1b", self.server.run("alert", "list").stdout)
        self.assertNotIn("\x1b", self.server.run("alert", "show", "1").stdout)

    def test_json_on_a_terminal_is_ascii(self):
        self.connect(self.add_device("other")).publish(
            self.message(system_information(1, "C1 \x9b31m, \u202e, M\u00fcller")))
        text = self.shown(100, "device", "show", "other", "--json")
        self.assertTrue(text.isascii())
        self.assertEqual(json.loads(text), self.server.json("device", "show", "other"))
        self.assertTrue(self.shown(100, "decode", self.written_message()).isascii())

    def written_message(self):
        path = os.path.join(self.server.folder, "said.bin")
        with open(path, "wb") as stream:
            stream.write(self.message(system_information(1, "\u009b31m")))
        return path


class AgainstAnotherServer(unittest.TestCase):
    """The commands get answers that picket does not give."""

    def answered(self, answer, *arguments):
        with FakeServer(answer) as socket_path:
            return subprocess.run([PICKET, *arguments, "--socket", socket_path], capture_output=True,
                                  text=True, timeout=60)

    def test_an_answer_that_is_not_understood_is_an_error(self):
        for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
                       http_answer(200, "not JSON"), http_answer(500, "{}"), http_answer(404, ""),
                       b"\x00\xff\r\n\r\n"):
            done = self.answered(answer, "status")
            self.assertEqual(done.returncode, 1, answer)
            self.assertTrue(done.stderr.startswith("picket: "), answer)
            self.assertEqual(done.stdout, "")

    def test_members_that_are_missing_or_of_another_type_harm_nobody(self):
        for answer in ("[]", "{}", '{"devices": 5, "alerts": [3, null, {"id": "x"}], "feeds": [[]]}',
                       '{"service": 7, "hub": [], "counters": [{"value": 1}], "outputs": [1]}',
                       '{"evidence": {"flows": [1], "matches": ["x"], "a": [1], "b": {}}}'):
            for command in (["status"], ["device", "list"], ["device", "show", "a"], ["feed", "list"],
                            ["alert", "list"], ["alert", "show", "1"], ["event", "list"],
                            ["dead-letter", "list"]):
                done = self.answered(http_answer(200, answer), *command)
                self.assertEqual(done.returncode, 0, (answer, command, done.stderr))

    def test_a_service_that_stalls_is_shown_with_its_reason(self):
        done = self.answered(http_answer(200, json.dumps({
            "service": {"state": "stalled", "stalled_since": "2026-11-20T23:51:17.123Z",
                        "problem": "disk full: picket.db"}})), "status")
        self.assertIn("STALLED since 2026-11-20T23:51:17Z: disk full: picket.db", done.stdout)

    def test_what_was_dropped_is_shown_where_it_was_kept(self):
        shown = self.answered(http_answer(200, json.dumps({
            "store": {"dead_letters": 7, "dead_letter_bytes": 2000, "dead_letters_dropped": 3},
            "outputs": [{"name": "soc", "takes": "alerts", "kind": "webhook", "waiting": 5, "dropped": 2,
                         "set_aside": 1, "last_refusal": "the receiver answered 400"},
                        {"name": "old", "takes": None, "kind": None, "waiting": 1, "dropped": 0}]})),
            "status").stdout
        self.assertIn("events none, kept for ever", shown)
        self.assertIn("7, 2.0 kB; 3 older ones DROPPED for want of room", shown)
        self.assertIn("soc (webhook, alerts): 5 waiting; 1 SET ASIDE until the next start: the "
                      "receiver answered 400; 2 DROPPED undelivered\n", shown)
        self.assertIn("old (NOT CONFIGURED any more): 1 waiting\n", shown)

    def test_an_error_of_the_server_is_shown_as_it_is_but_printable(self):
        done = self.answered(http_answer(409, json.dumps({"error": "device \x1b[31mx: exists"})),
                             "device", "add", "x")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "picket: device \\x1b[31mx: exists\n")


class Serving(Receiving):
    def test_a_second_one_on_the_same_data_is_refused(self):
        second = self.server.run("serve", "--config", self.server.config)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another picket serve uses it", second.stderr)
        self.assertEqual(self.server.run("status").returncode, 0)

    @unittest.skipUnless(os.geteuid() == 0, "takes root, to be somebody else")
    def test_who_may_not_open_the_socket_is_told_so(self):
        try:
            done = subprocess.run([PICKET, "status", "--socket", self.server.socket], user=65534,
                                  group=65534, extra_groups=[], capture_output=True, text=True)
        except PermissionError:
            self.skipTest("others may not run what was built here")
        self.assertEqual(done.returncode, 1)
        self.assertIn("permission denied", done.stderr)

    def test_a_stop_does_not_wait_for_those_who_follow(self):
        follower = subprocess.Popen([PICKET, "alert", "list", "--follow", "--socket",
                                     self.server.socket], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        self.assertEqual(self.server.stop(signal.SIGINT, deadline_s=50), 0)
        self.assertFalse(os.path.exists(self.server.socket))

    def test_who_follows_goes_on_when_picket_is_back(self):
        self.add_feed("45.148.10.0/24\n45.148.10.1\n45.148.10.2\n")
        follower = subprocess.Popen([PICKET, "alert", "list", "--follow", "--json", "--socket",
                                     self.server.socket], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        for stream in (follower.stdout, follower.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        connection_string = self.add_device()
        self.connect(connection_string).publish(self.message(network_activity(1, "45.148.10.1")))
        self.assertEqual(json.loads(follower.stdout.readline())["id"], 1)
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(follower.stderr.readline(), "picket: picket has gone; waiting until it is back\n")
        self.server.start()
        self.connect(connection_string).publish(self.message(network_activity(2, "45.148.10.2")))
        self.assertEqual(json.loads(follower.stdout.readline())["id"], 2)
        self.assertEqual(follower.stderr.readline(), "picket: picket is back\n")

    def test_a_stop_does_not_wait_for_a_feed_that_does_not_come(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            adding = subprocess.Popen([PICKET, "feed", "add", "slow", "--socket", self.server.socket,
                                       f"http://127.0.0.1:{silent.getsockname()[1]}/"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            asked, _ = silent.accept()
            self.assertEqual(self.server.stop(deadline_s=20), 0)
            _, said = adding.communicate(timeout=20)
            asked.close()
        self.assertEqual(adding.returncode, 1)
        self.assertIn("stopping", said)

    def test_it_ends_cleanly_when_its_terminal_is_closed(self):
        self.assertEqual(self.server.stop(signal.SIGHUP), 0)
        self.assertFalse(os.path.exists(self.server.socket))

    def test_under_nohup_a_closed_terminal_means_nothing(self):
        self.server.stop()
        self.server.start(under=["nohup"])
        self.server.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.server.run("status").returncode, 0)
        self.assertEqual(self.server.stop(), 0)

    def test_after_a_kill_it_starts_again(self):
        self.add_device()
        self.assertEqual(self.server.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(os.path.exists(self.server.socket))
        self.server.start()
        self.assertEqual(self.server.json("device", "list")[0]["id"], "pump-7")

    def test_the_status_tells_each_part(self):
        shown = self.server.run("status").stdout
        for part in ("picket", "hub", "log", "service", "store", "alerts", "feeds", "outputs"):
            self.assertRegex(shown, rf"(?m)^{part} ")
        self.assertIn(f"port {self.server.port}", shown)

    def test_the_status_says_why_an_output_does_not_deliver(self):
        os.unlink(self.server.alerts_file)
        os.mkdir(self.server.alerts_file)
        self.add_feed(f"{REMOTE}\n")
        self.connect(self.add_device()).publish(self.message(network_activity(1, REMOTE)))
        self.server.wait_for(lambda: "FAILING since 2" in self.server.run("status").stdout)
        self.assertRegex(self.server.run("status").stdout,
                         r"file \(file, alerts\): 1 waiting\n +FAILING since .*Is a directory")

    def test_what_went_well_is_not_shown_as_lost(self):
        self.add_feed(f"{REMOTE}\n")
        device = self.connect(self.add_device())
        device.publish(self.message(network_activity(1, REMOTE)))
        device.close()
        self.server.wait_for(lambda: "items that outputs" in self.server.run("status").stdout)
        self.assertIn("\nNothing was dropped, refused or lost since the start.\n",
                      self.server.run("status").stdout)


class NotServing(unittest.TestCase):
    def setUp(self):
        self.server = Server(PICKET, CERTIFICATES)
        self.addCleanup(self.server.end)

    def refused(self, error_part):
        done = self.server.run("serve", "--config", self.server.config)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(error_part, done.stderr)

    def test_a_port_in_use_is_named(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.server.configure(CERTIFICATES, port)
            self.refused(str(port))
        self.assertFalse(os.path.exists(self.server.socket))

    def test_a_missing_certificate_is_named(self):
        self.server.configure("/nonexistent")
        self.refused("/nonexistent/hub.crt: server certificate cannot be used: No such file")
        self.refused("deploy/make-certificates FOLDER localhost")

    def test_a_data_folder_that_cannot_be_made_is_named(self):
        with open(os.path.join(self.server.folder, "data"), "w", encoding="utf-8"):
            pass
        self.refused(os.path.join(self.server.folder, "data"))

    def test_a_wrong_configuration_is_named_with_its_line(self):
        with open(self.server.config, "a", encoding="utf-8") as stream:
            stream.write("nonsense: 1\n")
        self.refused("picket.yaml:9: Unexpected key: nonsense")

    def test_the_configuration_can_be_checked_alone(self):
        done = self.server.run("serve", "--check-config", "--config", self.server.config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(os.path.join(self.server.folder, "data"), done.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.server.folder, "data")))

    def checked(self):
        return self.server.run("serve", "--check-config", "--config", self.server.config)

    def test_a_certificate_for_another_name_is_found_before_devices_refuse_it(self):
        self.server.configure(CERTIFICATES, host_name="hub.example.org")
        done = self.checked()
        self.assertEqual(done.returncode, 1)
        self.assertIn("hub.host_name hub.example.org: ", done.stderr)

    def test_a_certificate_that_ends_soon_and_a_key_of_another_are_found(self):
        other = os.path.join(self.server.folder, "other")
        os.mkdir(other)
        make_certificates(other, days=29)
        self.server.configure(other)
        done = self.checked()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"hub.crt: ends 20\d\d-")
        shutil.copy(f"{CERTIFICATES}/hub.crt", other)
        self.assertIn("hub.key: is not the key of", self.checked().stderr)

    def test_files_that_are_no_certificate_and_no_key_are_named(self):
        for name in ("hub.crt", "hub.key"):
            with open(os.path.join(self.server.folder, name), "w", encoding="utf-8") as stream:
                stream.write("nothing\n")
        self.server.configure(self.server.folder)
        said = self.checked().stderr
        self.assertIn("hub.crt: holds no certificate", said)
        self.assertIn("hub.key: holds no private key", said)

    def test_a_command_says_that_nobody_serves(self):
        done = self.server.run("status")
        self.assertEqual(done.returncode, 1)
        self.assertIn("picket is not running: cannot connect to " + self.server.socket, done.stderr)
        self.assertIn("picket serve", done.stderr)


class Commands(unittest.TestCase):
    def run_picket(self, *arguments):
        return subprocess.run([PICKET, *arguments], capture_output=True, text=True, timeout=60)

    def all_commands(self):
        listed = self.run_picket("--help").stdout
        return [line.split() for line in re.findall(r"(?m)^  ([a-z0-9 -]+?)(?= [A-Z\[]|  )", listed)]

    def test_every_command_has_help(self):
        commands = self.all_commands()
        self.assertGreater(len(commands), 40)
        for command in commands:
            done = self.run_picket(*command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn("Usage: picket " + " ".join(command), done.stdout)

    def test_help_fits_a_terminal_of_80_columns(self):
        for command in [[], ["device"], *self.all_commands()]:
            code, text = on_terminal(80, [PICKET, *command, "--help"], dict(os.environ))
            self.assertEqual(code, 0, command)
            self.assertEqual([line for line in text.splitlines() if len(line) > 80], [])

    def test_half_a_command_names_those_it_may_become(self):
        done = self.run_picket("device")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r'^picket: "device" goes on with one of these\n  device add ID ')
        done = self.run_picket("device", "frob")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r'^picket: there is no command "device frob"\n  device add ID ')

    def test_help_can_be_asked_for_in_front_of_the_command(self):
        for command in (["device", "add"], ["device"], ["status"]):
            self.assertEqual(self.run_picket("help", *command).stdout,
                             self.run_picket(*command, "--help").stdout)
        self.assertEqual(self.run_picket("help", "frob").returncode, 2)

    def test_an_error_says_what_is_wrong_with_the_call(self):
        for arguments, expected in ((["device", "add"], "ID is missing"),
                                    (["feed", "add", "drop"], "FILE-OR-URL is missing"),
                                    (["intel", "lookup"], "ADDRESS is missing"),
                                    (["device", "list", "x"], '"x" is too much'),
                                    (["device", "show", ""], "ID is empty"),
                                    (["feed", "add", "drop", ""], "FILE-OR-URL is empty"),
                                    (["feed", "refresh", ""], "NAME is empty"),
                                    (["intel", "lookup", REMOTE, ""], "ADDRESS is empty"),
                                    (["feed", "refresh", "a", "b"], '"b" is too much'),
                                    (["status", "--json=1"], "--json=1: takes no value"),
                                    (["status", "--help=1"], "--help=1: takes no value"),
                                    (["status", "--socket"], "--socket: needs a value"),
                                    (["status", "--frob"], "--frob: there is no such option")):
            done = self.run_picket(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(f"picket: {expected}", done.stderr)

    def test_every_command_refuses_an_unknown_option(self):
        for command in self.all_commands():
            done = self.run_picket(*command, "--frobnicate")
            self.assertEqual(done.returncode, 2, command)
            self.assertIn("--frobnicate", done.stderr)

    def test_wrong_calls_are_usage_errors(self):
        for arguments in ([], ["frob"], ["device"], ["device", "frob"], ["device", "add"],
                          ["device", "add", "a", "b"], ["feed", "add", "x"], ["intel", "lookup"],
                          ["alert", "list", "--limit", "x"], ["alert", "list", "--limit", "0"],
                          ["alert", "list", "--limit"], ["feed", "add", "a", "b", "--refresh", "5x"]):
            self.assertEqual(self.run_picket(*arguments).returncode, 2, arguments)


class Manuals(unittest.TestCase):
    """What the manuals must not fall behind of."""

    def read(self, path):
        with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
            return stream.read()

    def test_every_command_and_option_is_in_its_manual(self):
        manual = self.read("docs/picket.md")
        for command in Commands().all_commands():
            self.assertIn("picket " + " ".join(command), manual)
            page = subprocess.run([PICKET, *command, "--help"], capture_output=True, text=True).stdout
            for option in re.findall(r"(?m)^  (--[a-z-]+)", page):
                self.assertIn(option, manual, command)

    def test_every_link_between_documents_leads_somewhere(self):
        documents = [path for path in glob.glob(f"{ROOT}/**/*.md", recursive=True)
                     if not path.startswith((f"{ROOT}/build/", f"{ROOT}/data/"))]
        self.assertGreater(len(documents), 20)
        for document in documents:
            for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", self.read(document)):
                if not link.startswith(("http://", "https://")):
                    target = os.path.join(os.path.dirname(document), link)
                    self.assertTrue(os.path.exists(target), f"{document}: {link}")

    def test_every_part_has_a_page(self):
        for folder in glob.glob(f"{ROOT}/*/"):
            if os.path.basename(folder[:-1]) not in ("build", "data"):
                self.assertTrue(os.path.exists(f"{folder}README.md"), folder)

    def test_every_resource_is_in_its_manual(self):
        manual = self.read("docs/api.md")
        routes = re.findall(r'\{"([A-Z]+)", "(/v1/[^"]*)", "([^"]*)", (?:NULL|"([^"]*)")',
                            self.read("service/api/api_route.c"))
        self.assertGreater(len(routes), 10)
        for method, path, query, members in routes:
            pattern = re.escape(f"### {method} {path}").replace(r"\{\}", r"\{[a-z]+\}")
            section = re.search(pattern + r"\n(.*?)(?=\n### |\Z)", manual, re.DOTALL)
            self.assertTrue(section, f"{method} {path}")
            for name in query.split():
                self.assertRegex(section[1], rf"[?&]{name}=", path)
            for name in members.split():
                self.assertIn(f"`{name}`", section[1], path)

    def test_every_setting_is_in_its_manual(self):
        manual = self.read("docs/configuration.md")
        example = self.read("deploy/picket.yaml")
        names = re.findall(r"TEXT\(struct yaml_[a-z]+, ([a-z_]+)\)", self.read("cli/config_yaml.c"))
        self.assertGreater(len(names), 15)
        for name in names:
            self.assertRegex(manual, rf"[`.]{name}`")
            self.assertRegex(example, rf"(?m)^# *(- )?{name}:")


class Looking(Receiving):
    def test_a_lookup_tells_by_its_exit_code_whether_anything_covers(self):
        self.add_feed(f"{REMOTE}\n45.148.0.0/16\n")
        found = self.server.run("intel", "lookup", REMOTE, "192.0.2.1")
        self.assertEqual(found.returncode, 0)
        self.assertEqual(len(re.findall(rf"(?m)^{re.escape(REMOTE)} ", found.stdout)), 2)
        self.assertIn("192.0.2.1: no indicator covers it", found.stderr)
        self.assertEqual(self.server.run("intel", "lookup", "192.0.2.1").returncode, 1)
        self.assertEqual(self.server.run("intel", "lookup", "nonsense").returncode, 1)

    def test_names_that_mean_something_in_paths_are_names_like_others(self):
        for name in (".", "..", "%2e", "?"):
            self.add_device(name)
            self.assertIn(f" {name}\n", self.server.run("device", "show", name).stdout)
            self.assertEqual(self.server.run("device", "remove", name).returncode, 0)

    def test_a_relative_feed_path_is_the_callers(self):
        with open(os.path.join(self.server.folder, "mine.txt"), "w", encoding="utf-8") as stream:
            stream.write(f"{REMOTE}\n")
        done = self.server.run("feed", "add", "mine", "mine.txt", cwd=self.server.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.json("feed", "list")[0]["source"],
                         os.path.join(self.server.folder, "mine.txt"))

    def test_a_removed_feed_covers_nothing(self):
        self.add_feed(f"{REMOTE}\n", "--refresh", "never", "--match-special-purpose")
        self.assertIn("never", self.server.run("feed", "list").stdout)
        self.assertEqual(self.server.json("feed", "refresh", "ours")[0]["kept"], 1)
        self.assertEqual(self.server.run("feed", "remove", "ours").returncode, 0)
        self.assertEqual(self.server.run("intel", "lookup", REMOTE).returncode, 1)
        self.assertEqual(self.server.run("feed", "remove", "ours").returncode, 1)

    def test_a_source_of_another_kind_is_refused(self):
        for source in ("ftp://127.0.0.1/list", "file:///etc/hostname"):
            done = self.server.run("feed", "add", "ours", source)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{source}: expected a path, http://, https://, taxii+https://", done.stderr)

    def test_a_redirect_is_followed_but_not_from_https_to_http(self):
        under = trusting(f"{CERTIFICATES}/ca.crt")
        if not under:
            self.skipTest("takes a mount namespace")
        self.server.stop()
        self.server.start(under=under)
        tls = (f"{CERTIFICATES}/hub.crt", f"{CERTIFICATES}/hub.key")
        to = lambda address: (302, {"Location": address}, "")
        pages = {"/list": (200, {}, f"{REMOTE}\n"), "/here": to("/list")}
        with WebServer(pages) as plain, WebServer(pages, *tls) as secure:
            pages["/up"], pages["/down"] = to(f"{secure}/list"), to(f"{plain}/list")
            for name, source in (("a", f"{plain}/here"), ("b", f"{secure}/here"), ("c", f"{plain}/up")):
                done = self.server.run("feed", "add", name, source)
                self.assertEqual(done.returncode, 0, done.stderr)
            refused = self.server.run("feed", "add", "d", f"{secure}/down")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("/down: redirects elsewhere than to https://", refused.stderr)

    def test_a_feed_that_shrinks_to_nothing_keeps_what_it_had(self):
        self.add_feed(f"{REMOTE}\n")
        with open(os.path.join(self.server.folder, "feed.txt"), "w", encoding="utf-8") as stream:
            stream.write("# empty now\n")
        self.assertEqual(self.server.run("feed", "refresh").returncode, 1)
        self.assertEqual(self.server.run("intel", "lookup", REMOTE).returncode, 0)
        self.assertIn("PROBLEM with ours", self.server.run("status").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:], verbosity=2)
