"""What raises no alert, seen from outside: serve, a device, the commands. usage: allow_test.py PICKET SCHEMA"""

import json
import os
import sys
import unittest

from device import network_activity, security_message
from running import Running, setUpModule, tearDownModule

SCHEMA = sys.argv[2]
LISTED = "45.148.10.7"
NEIGHBOUR = "45.148.10.8"


class Silent(Running):
    def setUp(self):
        super().setUp()
        self.device = self.connect(self.add_device())
        self.flows = 0

    def add_feed(self, name, content, *options):
        path = os.path.join(self.server.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(content)
        self.done("feed", "add", name, path, *options)

    def talk_to(self, *remotes):
        for remote in remotes:
            self.flows += 1
            self.device.publish(security_message(self.server.folder, SCHEMA,
                                                 network_activity(self.flows, remote)))

    def alerts(self):
        return sorted(alert["evidence"]["remote_address"] for alert in
                      self.server.json("alert", "list"))

    def test_what_is_allowed_raises_no_alert_and_is_counted(self):
        self.add_feed("bad", "45.148.10.0/24\n")
        self.done("allow", "add", LISTED, "--reason", "our supplier", "--expires", "3d")
        self.talk_to(LISTED, NEIGHBOUR, LISTED)
        self.assertEqual(len(self.server.json("alert", "list")), 1)
        self.assertEqual(self.alerts(), [NEIGHBOUR])
        self.assertIn("2  flows that a feed lists and that raised no alert because of an allow list",
                      self.done("status"))
        self.assertEqual(self.server.json("allow", "list")["silenced"], 2)
        listed = self.done("allow", "list")
        self.assertRegex(listed, rf"{LISTED}/32 +any +ends soon +2\S+Z +2\S+Z +our supplier")
        lookup = self.done("intel", "lookup", LISTED)
        self.assertRegex(lookup, rf"threat .*silent: local-allow allows {LISTED}/32 until 2[0-9-]+T[0-9:]+Z: our supplier")
        self.assertRegex(self.done("audit", "list"), rf"allow.add +{LISTED}")

    def test_what_is_taken_back_raises_alerts_again(self):
        self.add_feed("bad", f"{LISTED}\n")
        self.done("allow", "add", "45.148.0.0/16", "--reason", "a cloud", "--port", "443")
        self.talk_to(LISTED)
        self.assertEqual(self.alerts(), [])
        self.assertIn("just that prefix", self.refused("allow", "remove", "45.148.0.0/16"))
        self.done("allow", "remove", "45.148.0.0/16", "--port", "443")
        self.talk_to(LISTED)
        self.assertEqual(self.alerts(), [LISTED])

    def test_a_reason_is_wanted(self):
        refused = self.server.run("allow", "add", LISTED)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--reason is missing", refused.stderr)

    def test_a_list_of_the_role_allow_wins_and_keeps_winning_after_a_restart(self):
        self.add_feed("bad", "45.148.10.0/24\n")
        self.add_feed("good", f"{LISTED}\n", "--role", "allow")
        self.talk_to(LISTED)
        self.device.close()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.device = self.connect(self.done("device", "show", "pump-7", "--connection-string").strip())
        self.talk_to(LISTED, NEIGHBOUR)
        self.assertEqual(self.alerts(), [NEIGHBOUR])
        self.assertRegex(self.done("feed", "list"), r"(?m)^good +allow +1 ")
        self.assertRegex(self.done("feed", "show", "good"), r"(?m)^ *silenced +1 flow")
        heading, *rows = (line.split() for line in self.done("feed", "list").splitlines())
        silenced = {row[0]: row[heading.index("SILENCED")] for row in rows}
        self.assertEqual((silenced["good"], silenced["bad"]), ("1", "-"))

    def test_a_warninglist_is_a_list_that_allows(self):
        self.add_feed("bad", "45.148.10.0/24\n")
        self.add_feed("resolvers", json.dumps({"name": "Resolvers", "type": "cidr", "version": 1,
                                               "description": "of ours", "matching_attributes": ["ip-dst"],
                                               "list": [LISTED, "45.148.11.0/24"]}), "--role", "allow")
        self.talk_to(LISTED, NEIGHBOUR)
        self.assertEqual(self.alerts(), [NEIGHBOUR])

    def test_an_alert_on_a_shared_address_says_so(self):
        self.add_feed("bad", f"{LISTED}\n{NEIGHBOUR}\n", "--confidence", "90")
        self.add_feed("cdn", f"{LISTED}\n", "--role", "shared")
        self.talk_to(LISTED, NEIGHBOUR)
        severities = {alert["evidence"]["remote_address"]: alert["severity"]
                      for alert in self.server.json("alert", "list")}
        self.assertEqual(severities, {LISTED: "medium", NEIGHBOUR: "high"})
        shared = [alert for alert in self.server.json("alert", "list")
                  if alert["severity"] == "medium"][0]
        self.assertIn('Many use this address, says list "cdn"', shared["description"])
        self.assertEqual(shared["evidence"]["shared_by"][0]["feed"], "cdn")

    def test_the_fleets_own_networks_are_silent_unless_a_feed_asks(self):
        self.device.close()
        self.assertEqual(self.server.stop(), 0)
        with open(os.path.join(self.server.folder, "picket.yaml"), "a", encoding="utf-8") as stream:
            stream.write(f"intelligence:\n  own_networks: [{LISTED}]\n")
        self.server.start()
        self.device = self.connect(self.done("device", "show", "pump-7", "--connection-string").strip())
        self.add_feed("bad", "45.148.10.0/24\n")
        self.talk_to(LISTED)
        self.assertEqual(self.alerts(), [])
        self.assertIn("own network 45.148.10.7/32", self.done("intel", "lookup", LISTED))
        self.add_feed("bots", f"{LISTED}\n", "--match-own-networks")
        self.talk_to(LISTED)
        self.assertEqual(self.alerts(), [LISTED])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
