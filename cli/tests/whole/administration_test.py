"""Who administers, from outside: certificates and keys of devices, CAs. usage: administration_test.py PICKET HUB_TESTS"""

import datetime
import hashlib
import json
import os
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv[2])

from authority import Authority, openssl, self_signed  # noqa: E402
from device import Refused, sas_token  # noqa: E402
from running import CERTIFICATES, Running, setUpModule, tearDownModule  # noqa: E402, F401


class Administered(Running):
    def connect(self, connection_string):
        device = super().connect(connection_string)
        device.gone = []
        device.client.on_disconnect = lambda *arguments: device.gone.append(arguments)
        return device

    def alerts(self, type_name):
        return [alert for alert in self.server.json("alert", "list") if alert["type"] == type_name]

    def publishes(self, device, certificate, code=0):
        """One message by mosquitto_pub, with that certificate."""
        done = subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.server.port), "--cafile", f"{CERTIFICATES}/ca.crt",
             "--cert", certificate.chain, "--key", certificate.key, "-i", device, "-u",
             f"localhost/{device}/?api-version=2021-04-12", "-V", "mqttv311", "-q", "1", "-t",
             f"devices/{device}/messages/events/", "-m", "hello"], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)


class Keys(Administered):
    def test_a_key_is_rotated_without_a_gap(self):
        old = self.add_device()
        device = self.connect(old)
        new = self.done("device", "rotate-key", "pump-7", "--secondary").strip()
        self.assertNotEqual(old, new)
        self.done("device", "rotate-key", "pump-7", "--swap")
        device.publish(b"x")  # its key is the secondary one now, and good
        self.assertEqual(device.gone, [])
        other = self.connect(new)  # takes over
        self.server.wait_for(lambda: device.gone)
        device.close()
        self.done("device", "rotate-key", "pump-7", "--secondary")
        other.publish(b"x")
        self.assertEqual(other.gone, [])
        with self.assertRaises(Refused):
            self.connect(old)

    def test_a_connection_ends_when_its_key_is_replaced(self):
        device = self.connect(self.add_device())
        self.done("device", "rotate-key", "pump-7", "--primary", "--key", "MDEyMzQ1Njc4OWFiY2RlZg==")
        self.server.wait_for(lambda: device.gone)
        device.close()
        self.connect("HostName=localhost;DeviceId=pump-7;SharedAccessKey=MDEyMzQ1Njc4OWFiY2RlZg==").publish(b"x")

    def test_wrong_calls_say_what_is_expected(self):
        for arguments in ((), ("--primary", "--swap"), ("--primary", "--secondary")):
            done = self.server.run("device", "rotate-key", "pump-7", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn("one of --primary, --secondary and --swap", done.stderr)
        self.assertIn("pump-7: is not registered", self.refused("device", "rotate-key", "pump-7", "--swap"))
        self.add_device()
        self.assertIn("has keys, not thumbprints", self.refused("device", "rotate-x509", "pump-7", "--swap"))


class Fleets(Administered):
    """Many devices from a file."""

    def write(self, name, text):
        path = os.path.join(self.server.folder, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path

    def test_ids_alone_become_devices_whose_connection_strings_only_their_owner_can_read(self):
        ids = self.write("ids", "# the pumps\npump-1\n\npump-2\n")
        out = os.path.join(self.server.folder, "connections")
        self.assertEqual(self.done("device", "import", ids, "--out", out), "")
        self.assertEqual(os.stat(out).st_mode & 0o777, 0o600)
        with open(out, encoding="utf-8") as stream:
            strings = stream.read().splitlines()
        self.assertEqual([string.split(";")[1] for string in strings], ["DeviceId=pump-1", "DeviceId=pump-2"])
        self.connect(strings[1]).publish(b"x")
        self.assertIn("File exists", self.refused("device", "import", ids, "--out", out))

    def test_csv_brings_keys_and_its_quotes_are_taken_off(self):
        fleet = self.write("fleet.csv", 'id,primary_key,authentication\r\nold,MDEyMzQ1Njc4OWFiY2RlZg==,\r\n'
                                        '"a,b",,\r\n"q""",,\r\nc,,ca\r\n')
        # "q""" is the id q", which the hub refuses with its line
        self.assertIn(f"{fleet}:4: device id q\": character 2", self.refused("device", "import", fleet))
        fleet = self.write("fleet.csv", 'id,primary_key,authentication\nold,MDEyMzQ1Njc4OWFiY2RlZg==,\n"a,b",,\nc,,ca\n')
        strings = self.done("device", "import", fleet).splitlines()
        self.assertEqual(strings[0], "HostName=localhost;DeviceId=old;SharedAccessKey=MDEyMzQ1Njc4OWFiY2RlZg==")
        self.assertIn(";DeviceId=a,b;SharedAccessKey=", strings[1])
        self.assertEqual(strings[2], "HostName=localhost;DeviceId=c;x509=true")

    def test_lines_of_json_come_back_with_their_keys(self):
        fleet = self.write("fleet.json", '{"id": "a"}\n{"id": "b", "authentication": "ca"}\n')
        lines = [json.loads(line) for line in self.done("device", "import", fleet, "--json").splitlines()]
        self.assertEqual([line["id"] for line in lines], ["a", "b"])
        self.assertEqual(len(lines[0]["secondary_key"]), 44)

    def test_a_wrong_line_is_named_and_nothing_of_the_file_is_added(self):
        out = os.path.join(self.server.folder, "connections")
        for text, expected in [("good\nnot good\n", ":2: device id not good: character 4"),
                               ("good\ngood\n", ":2: device good: is registered already"),
                               ("good,1\n", ":1: expected an id alone, or a heading"),
                               ("good\na,b\n", ":2: expected an id alone: there is no heading"),
                               ("id,primary_key\ngood\n", ":2: has not as many columns"),
                               ("id,primary_key\ngood,AAAA\n", ":2: primary_key: expected are 16 to 64 bytes"),
                               ("id,color\ngood,red\n", ':2: unknown member "color"'),
                               ('good\n"b\n', ":2: a quote that is not closed"),
                               ('{"id": "good"}\nbad\n', ":2: "),
                               ('{"id": "good"}\n[]\n', ":2: expected a JSON object"),
                               ("good\n" + "x" * 5000 + "\n", ":2: longer than 4094 bytes"),
                               ("# nobody\n", ": lists no devices")]:
            fleet = self.write("fleet", text)
            self.assertIn(f"{fleet}{expected}", self.refused("device", "import", fleet, "--out", out), text)
            self.assertFalse(os.path.exists(out), text)
            self.assertEqual(self.server.json("device", "list"), [], text)

    def test_ten_thousand_are_added_at_once(self):
        fleet = self.write("fleet", "".join(f"pump-{i}\n" for i in range(10000)))
        self.assertEqual(len(set(self.done("device", "import", fleet).splitlines())), 10000)
        self.assertEqual(self.server.json("status")["store"]["devices"], 10000)


class Certificates(Administered):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="picket-x509-test-")
        cls.ca = Authority("plant CA")
        cls.own = self_signed(cls.folder.name, "whatever")
        cls.next = self_signed(cls.folder.name, "whatever")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_device_is_known_by_the_thumbprint_that_openssl_prints(self):
        printed = subprocess.run(["openssl", "x509", "-in", self.own.own, "-noout", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True, check=True).stdout.strip().split("=")[1]
        added = self.done("device", "add", "pump-7", "--thumbprint", printed)
        self.assertEqual(added, "HostName=localhost;DeviceId=pump-7;x509=true\n")
        self.publishes("pump-7", self.own)
        self.publishes("pump-7", self.next, code=5)
        page = self.done("device", "show", "pump-7")
        self.assertIn("known thumbprint", page)
        self.assertIn(self.own.sha256().upper(), page)

    def test_a_thumbprint_is_rotated_without_a_gap(self):
        self.done("device", "add", "pump-7", "--thumbprint", self.own.sha1())
        self.done("device", "rotate-x509", "pump-7", "--secondary", self.next.sha256())
        self.publishes("pump-7", self.own)
        self.publishes("pump-7", self.next)
        self.done("device", "rotate-x509", "pump-7", "--swap")
        self.done("device", "rotate-x509", "pump-7", "--secondary", "none")
        self.publishes("pump-7", self.own, code=5)
        self.publishes("pump-7", self.next)
        self.assertIn("one or two thumbprints", self.refused("device", "rotate-x509", "pump-7", "--primary", "none"))

    def test_devices_of_a_ca_come_and_go_with_it(self):
        certificate = self.ca.issue("pump-7")
        self.done("device", "add", "pump-7", "--x509-ca")
        self.publishes("pump-7", certificate, code=5)
        page = self.done("ca", "add", "plant", self.ca.certificate.own)
        for line in ("ca          plant", "CN=plant CA", "RSA 2048 bits", self.ca.certificate.sha256().upper()):
            self.assertIn(line, page)
        self.publishes("pump-7", certificate)
        self.done("ca", "remove", "plant")
        self.publishes("pump-7", certificate, code=5)
        self.assertEqual(self.server.json("ca", "list"), [])

    def test_a_ca_is_still_there_after_a_restart(self):
        self.done("device", "add", "pump-7", "--x509-ca")
        self.done("ca", "add", "plant", self.ca.certificate.own)
        self.server.stop()
        self.server.start()
        self.publishes("pump-7", self.ca.issue("pump-7"))

    def test_pem_and_der_are_the_same(self):
        self.done("ca", "add", "plant", self.ca.certificate.put_der())
        shown = self.server.json("ca", "show", "plant")
        self.assertEqual(ssl.PEM_cert_to_DER_cert(shown["certificate"]), self.ca.certificate.der)
        self.assertFalse(shown["expired"])
        self.assertRegex(self.done("ca", "list"), r"(?m)^plant +CN=plant CA +20")
        self.assertIn("its certificate is registered already, as plant",
                      self.refused("ca", "add", "again", self.ca.certificate.own))

    def test_a_ca_is_taken_from_standard_input(self):
        added = self.server.run("ca", "add", "plant", "-", input=self.ca.certificate.pem)
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertIn("CN=plant CA", added.stdout)

    def test_what_is_no_ca_is_refused_with_a_reason(self):
        def file(name, content):
            path = os.path.join(self.folder.name, name)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(content)
            return path

        weak = os.path.join(self.folder.name, "weak.pem")
        openssl(self.folder.name, "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.key", "-out", weak,
                "-subj", "/CN=weak CA")
        with open(self.ca.certificate.key, encoding="utf-8") as key:
            with_key = file("with.key", self.ca.certificate.pem + key.read())
        expired = self.ca.issue("old CA", extensions="ca_of_one_level", start="20200101000000Z", end="20200201000000Z")
        for path, reason in ((self.ca.issue("pump-7").own, "is not a CA's"),
                             (file("two.pem", self.ca.certificate.pem + self.own.pem), "more than one"),
                             (with_key, "a private key stands beside it"),
                             (expired.own, "expired 2020-02-01T00:00:00Z"),
                             (weak, "weaker than 112 bits"),
                             (file("nothing.pem", "nothing\n"), "holds none in PEM"),
                             (file("empty.pem", ""), "holds none in PEM"),
                             (os.path.join(self.folder.name, "missing"), "No such file")):
            self.assertIn(reason, self.refused("ca", "add", "plant", path))
        self.assertIn("none of letters", self.refused("ca", "add", "a/b", self.ca.certificate.own))
        self.assertIn("CA plant: is not registered", self.refused("ca", "remove", "plant"))
        self.assertIn("CA plant: is not registered", self.refused("ca", "show", "plant"))
        self.assertEqual(self.server.json("ca", "list"), [])


class CertificatesThatEnd(Administered):
    def shown(self):
        return self.server.json("status")["certificates_ending"]

    def adds_while_it_lives(self, authority, seconds):
        """False: the CA that ends after so many seconds had done so before it was added, on a busy machine."""
        ending = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        line = authority.issue("line CA", extensions="ca_of_one_level", end=ending.strftime("%Y%m%d%H%M%SZ"))
        added = self.server.run("ca", "add", "line", line.own)
        if added.returncode != 0:
            self.assertIn("expired", added.stderr)
        return added.returncode == 0

    def test_one_that_is_good_for_long_is_not_told_of(self):
        self.assertEqual(self.shown(), [])
        self.assertNotIn("certificates ", self.done("status"))
        self.assertEqual(self.server.json("alert", "list"), [])

    def test_a_ca_that_ends_soon_or_has_ended_is_shown_and_becomes_an_alert(self):
        authority = Authority("plant CA")
        self.done("ca", "add", "plant", authority.certificate.own)
        self.assertTrue(any(self.adds_while_it_lives(authority, seconds) for seconds in (4, 20, 80)))
        self.server.wait_for(lambda: {one["name"]: one["expired"] for one in self.shown()} ==
                             {"line": True, "plant": False})
        self.assertRegex(self.done("status"), r"(?m)^certificates  CA line EXPIRED 20\S+Z\n +CA plant ENDS 20\S+Z, in 1 d\n")
        self.server.stop()
        self.server.start()
        expected = {("line", "IoT_CertificateSuccessfullyAddedToHub", "medium"),
                    ("plant", "IoT_CertificateSuccessfullyAddedToHub", "medium"),
                    ("ca line", "Picket_HubCertificateExpired", "high"),
                    ("ca plant", "Picket_HubCertificateExpiring", "medium")}
        if_looked_at_early = {("ca line", "Picket_HubCertificateExpiring", "medium")}  # by the first start, before its end

        def shown():
            return {(alert["subject"], alert["type"], alert["severity"]) for alert in self.server.json("alert", "list")
                    if alert["type"] != "Hub_CertificateFailedToBeAddedToHub"}
        self.server.wait_for(lambda: shown() >= expected)
        self.assertEqual(shown() - if_looked_at_early, expected)

    def test_how_long_before_is_configured(self):
        self.server.stop()
        with open(self.server.config, encoding="utf-8") as config:
            text = config.read()
        with open(self.server.config, "w", encoding="utf-8") as config:
            config.write(text.replace("hub:\n", "hub:\n  certificate_warning: 61d\n", 1))
        self.server.start()
        self.assertEqual([(one["of"], one["name"], one["expired"]) for one in self.shown()], [("hub", "localhost", False)])
        self.assertRegex(self.done("status"), r"(?m)^certificates  the hub's own, of localhost ENDS 20\S+Z, in 59 d\n")
        alert = self.server.wait_for(lambda: self.alerts("Picket_HubCertificateExpiring"))[0]
        self.assertEqual(alert["subject"], "hub")


class IpFilter(Administered):
    def rules(self):
        filter = self.server.json("ip-filter", "list")
        return [(rule["number"], rule["action"], rule["prefix"]) for rule in filter["rules"]], filter["default"]

    def test_rules_are_added_moved_and_removed(self):
        self.assertEqual(self.rules(), ([], "allow"))
        self.done("ip-filter", "add", "deny", "203.0.113.0/24", "--note", "scans since May")
        self.done("ip-filter", "add", "allow", "2001:DB8::/32")
        self.done("ip-filter", "add", "allow", "203.0.113.7", "--at", "1")
        self.assertEqual(self.rules(), ([(1, "allow", "203.0.113.7/32"), (2, "deny", "203.0.113.0/24"),
                                         (3, "allow", "2001:db8::/32")], "allow"))
        shown = self.done("ip-filter", "list")
        self.assertRegex(shown, r"(?m)^2  deny +203.0.113.0/24 +scans since May$")
        self.assertRegex(shown, r"(?m)^-  allow +everybody else")
        self.done("ip-filter", "move", "2001:db8::/32", "1")
        self.done("ip-filter", "move", "203.0.113.7", "3")
        self.assertEqual([prefix for _, _, prefix in self.rules()[0]],
                         ["2001:db8::/32", "203.0.113.0/24", "203.0.113.7/32"])
        self.done("ip-filter", "remove", "203.0.113.0/24")
        self.done("ip-filter", "move", "203.0.113.7", "999")
        self.server.stop()
        self.server.start()
        self.assertEqual([prefix for _, _, prefix in self.rules()[0]], ["2001:db8::/32", "203.0.113.7/32"])

    def test_a_default_of_deny_ends_who_is_not_allowed_and_says_so(self):
        connection_string = self.add_device()
        device = self.connect(connection_string)
        done = self.server.run("ip-filter", "default", "deny")
        self.assertIn("Nobody is let in", done.stderr)
        self.server.wait_for(lambda: device.gone)
        device.close()
        with self.assertRaises(OSError):
            self.connect(connection_string)
        done = self.server.run("ip-filter", "add", "allow", "127.0.0.0/8")
        self.assertEqual(done.stderr, "")
        self.connect(connection_string).publish(b"x")

    def test_wrong_rules_are_refused_with_a_reason(self):
        self.done("ip-filter", "add", "deny", "203.0.113.0/24")
        for arguments, reason in ((("add", "allow", "203.0.113.0/24"), "rule 1 is for 203.0.113.0/24 already"),
                                  (("add", "allow", "203.0.113.5/24"), "is 203.0.113.0/24 meant?"),
                                  (("add", "allow", "203.0.113"), "is no IPv4 or IPv6 address"),
                                  (("add", "allow", "0.0.0.0/33"), "is no IPv4 or IPv6 address"),
                                  (("add", "allow", "::ffff:10.0.0.0/104"), "write it as IPv4"),
                                  (("add", "allow", "10.0.0.0/8", "--note", "x" * 201), "longer than 200"),
                                  (("add", "allow", "10.0.0.0/8", "--at", "1001"), "from 1 to 1000"),
                                  (("remove", "10.0.0.0/8"), "there is no rule for 10.0.0.0/8"),
                                  (("move", "10.0.0.0/8", "1"), "there is no rule for 10.0.0.0/8")):
            self.assertIn(reason, self.refused("ip-filter", *arguments))
        for arguments in (("add", "maybe", "10.0.0.0/8"), ("default", "none"), ("move", "10.0.0.0/8", "x")):
            self.assertEqual(self.server.run("ip-filter", *arguments).returncode, 2)
        self.assertEqual(self.rules(), ([(1, "deny", "203.0.113.0/24")], "allow"))


class Audit(Administered):
    def test_acts_are_listed_once_with_who_and_outcome(self):
        self.done("device", "add", "pump-7")
        self.done("device", "disable", "pump-7")
        self.refused("device", "remove", "nobody")
        me = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        table = self.done("audit", "list")
        self.assertRegex(table, rf"(?m)^ *3 +\S+ +{me} +device.add +pump-7 +done$")
        self.assertRegex(table, rf"(?m) {me} +device.change +pump-7 +done$")
        self.assertRegex(table, r"(?m) device.remove +nobody +refused \(404\): device nobody: is not registered$")
        self.assertNotIn("NOT FINISHED", table)
        self.assertEqual(table.count("device.add"), 1)
        limited = self.done("audit", "list", "--limit", "2")
        self.assertEqual(limited.count("device."), 1)

    def test_an_act_that_was_cut_short_shows(self):
        self.done("device", "add", "pump-7")
        self.server.stop()
        with sqlite3.connect(os.path.join(self.server.folder, "data", "picket.db")) as store:
            store.execute("delete from audit where id = 3")
        self.server.start()
        self.assertRegex(self.done("audit", "list"), r"(?m) device.add +pump-7 +NOT FINISHED$")

    def test_a_change_in_the_file_is_found(self):
        self.done("device", "add", "pump-7")
        self.assertRegex(self.done("audit", "check"), r"^entries 1 to 3 hold together; the last seal is [0-9a-f]{64}$")
        self.server.stop()
        with sqlite3.connect(os.path.join(self.server.folder, "data", "picket.db")) as store:
            store.execute("update audit set uid = 4711 where id = 2")
        self.server.start()
        broken = self.server.run("audit", "check")
        self.assertEqual(broken.returncode, 1)
        self.assertIn("BROKEN at entry 2", broken.stdout)

    def test_an_export_goes_on_where_the_last_one_ended(self):
        self.done("device", "add", "pump-7")
        first = [json.loads(line) for line in self.done("audit", "export").splitlines()]
        self.assertEqual([entry["id"] for entry in first], [1, 2, 3])
        self.done("device", "show", "pump-7", "--connection-string")
        more = [json.loads(line) for line in self.done("audit", "export", "--after", "3").splitlines()]
        self.assertEqual([(entry["id"], entry["act"]) for entry in more], [(4, "device.show-keys"), (5, "device.show-keys")])
        self.assertEqual(more[0]["previous"], first[-1]["seal"])
        self.assertEqual(self.done("audit", "export", "--since", "2030-01-01"), "")

    def test_another_time_to_keep_the_audit_log_is_written_down_and_becomes_an_alert(self):
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.json("alert", "list"), [])
        self.server.stop()
        with open(self.server.config, "a", encoding="utf-8") as config:
            config.write("store: {audit: 7d}\n")
        self.server.start()
        changed = [entry for entry in self.server.json("audit", "list") if entry["act"] == "audit.change"]
        self.assertEqual(json.loads(changed[0]["detail"]), {"before": {"audit_age_s": 730 * 86400},
                                                            "after": {"audit_age_s": 7 * 86400}})
        alert = self.server.wait_for(lambda: self.server.json("alert", "list"))[0]
        self.assertEqual((alert["type"], alert["severity"]), ("IoT_DiagnosticSettingAddedOrEditedOnHub", "low"))

    def tampered(self, sql):
        """What is told after that was done to the log while Picket was away."""
        self.done("device", "add", "pump-7")
        self.done("device", "disable", "pump-7")
        self.server.stop()
        with sqlite3.connect(os.path.join(self.server.folder, "data", "picket.db")) as store:
            store.execute(sql)
        self.server.start()
        alert = self.server.wait_for(lambda: self.server.json("alert", "list"))[0]
        self.assertEqual((alert["type"], alert["severity"]), ("IoT_DiagnosticSettingDeletedFromHub", "medium"))
        loss = [entry for entry in self.server.json("audit", "list") if entry["act"] == "audit.loss"]
        self.assertEqual(len(loss), 1)
        self.assertIn(loss[0]["thing"], alert["description"])
        for _ in range(2):  # and not again
            self.server.stop()
            self.server.start()
        self.done("device", "enable", "pump-7")
        self.assertEqual(len([entry for entry in self.server.json("audit", "list") if entry["act"] == "audit.loss"]), 1)
        self.assertEqual(self.server.json("alert", "show", str(alert["id"]))["count"], 1)
        return loss[0]["thing"]

    def test_an_audit_log_that_was_emptied_becomes_an_alert(self):
        self.assertEqual(self.tampered("delete from audit"), "it is empty, and there was an entry 5")

    def test_one_whose_end_was_cut_off_becomes_an_alert(self):
        self.assertEqual(self.tampered("delete from audit where id > 3"), "it ends with entry 3, and there was an entry 5")

    def test_one_with_another_end_becomes_an_alert(self):
        self.assertEqual(self.tampered("update audit set seal = zeroblob(32) where id = 5"),
                         "entry 5 does not follow from the one before it, and entry 5 is not the one that was there")

    def test_one_that_was_sealed_anew_becomes_an_alert(self):
        self.done("device", "add", "other")
        path = os.path.join(self.server.folder, "data", "picket.db")
        with sqlite3.connect(path) as store:
            parts = store.execute("select hex(previous), id, time_ms, 4711, pid, of, status, act, thing, detail from audit "
                                  "where id = 3").fetchone()
        texts = [str(part).encode() for part in (parts[0].lower(), *parts[1:])]
        seal = hashlib.sha256(b"".join(b"%d:%s," % (len(text), text) for text in texts)).hexdigest()
        self.server.stop()
        with sqlite3.connect(path) as store:
            store.execute(f"update audit set uid = 4711, seal = x'{seal}' where id = 3")
        self.server.start()
        alert = self.server.wait_for(lambda: self.server.json("alert", "list"))[0]
        self.assertIn("entry 3 is not the one that was there.", alert["description"])

    def test_one_that_was_changed_in_the_middle_becomes_an_alert(self):
        self.assertEqual(self.tampered("delete from audit where id = 2"),
                         "entry 3 does not follow from the one before it")

    def test_an_audit_log_that_was_left_alone_is_not_told_of(self):
        for age in ("never", "never"):
            self.done("device", "add", f"pump-{age}{len(self.server.json('device', 'list'))}")
            self.server.stop(signal.SIGKILL)
            self.server.start()
        os.remove(os.path.join(self.server.folder, "data", "audit-head"))  # as an older Picket left it
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.json("alert", "list"), [])
        self.assertTrue(self.server.json("audit", "check")["holds"])

    def test_the_check_knows_of_an_end_that_is_missing(self):
        self.done("device", "add", "pump-7")
        with sqlite3.connect(os.path.join(self.server.folder, "data", "picket.db")) as store:
            store.execute("delete from audit where id > 2")
        checked = self.server.run("audit", "check")
        self.assertEqual((checked.returncode, checked.stdout),
                         (1, "BROKEN: it ends with entry 2, and there was an entry 3\n"))

    def test_nothing_is_done_that_cannot_be_written_down(self):
        self.server.stop()
        with sqlite3.connect(os.path.join(self.server.folder, "data", "picket.db")) as store:
            store.execute("create trigger no_audit before insert on audit begin select raise(abort, 'broken'); end")
        self.server.start()
        self.assertIn("not done, because the audit log cannot be written", self.refused("device", "add", "pump-7"))
        self.assertEqual(self.server.json("device", "list"), [])


class HubActivity(Administered):
    def test_a_wrong_key_becomes_an_alert_by_the_name_that_people_know(self):
        self.done("device", "add", "pump-7")
        with self.assertRaises(Refused):
            self.connect(f"HostName=localhost;DeviceId=pump-7;SharedAccessKey={'A' * 43}=")
        alert = self.server.wait_for(lambda: self.alerts("IoT_Invalid_SAS_Token"))[0]
        self.assertEqual((alert["device"], alert["severity"]), ("pump-7", "low"))
        page = self.done("alert", "show", str(alert["id"]))
        for words in ("A SAS token with a wrong signature was shown", "refused 1 time", "127.0.0.1", "What to do"):
            self.assertIn(words, page)

    def test_a_device_that_connects_again_and_again_is_held_off_and_it_shows(self):
        connection_string = self.add_device()
        kept = [self.connect(connection_string)]
        with self.assertRaises(Refused):
            for _ in range(120):  # each takes over from the one before
                kept[-1].close()
                kept.append(self.connect(connection_string))
        self.assertGreaterEqual(len(kept), 30)
        self.server.wait_for(lambda: self.shows_that_it_is_held_off(connection_string))
        self.assertIn("the device connects too often", self.done("status"))
        alert = self.server.wait_for(lambda: self.alerts("Picket_DeviceConnectsTooOften"), 70)[0]
        self.assertEqual((alert["device"], alert["severity"]), ("pump-7", "low"))

    def shows_that_it_is_held_off(self, connection_string):
        """It tries again before, for its time may be over on a busy machine."""
        try:
            self.connect(connection_string).close()
        except Refused:
            pass
        shown = self.server.json("device", "show", "pump-7")["hub"]["held_off_s"]
        return shown > 0 and re.search(r"HELD OFF for another [0-9]+ s", self.done("device", "show", "pump-7"))

    def test_connections_are_listed_apart_from_what_devices_report(self):
        device = self.connect(self.add_device())
        table = self.server.wait_for(lambda: "connected" in (shown := self.done("event", "list", "--hub")) and shown)
        self.assertRegex(table, r"^SINCE +DEVICE +WHAT\n20\S+Z +pump-7 +connected once "
                                r"\(SAS token, TLSv1\.[23], from 127\.0\.0\.1\)\n$")
        self.assertRegex(self.done("device", "show", "pump-7"),
                         r"\n\nAt the hub, .*\n20\S+Z +connected once \(SAS token")
        self.assertEqual(self.server.json("event", "list"), [])
        event = self.server.json("event", "list", "--hub", "--device", "pump-7")[0]
        self.assertEqual(event["content"]["last_accepted"]["address"], "127.0.0.1")
        self.assertEqual(self.server.json("device", "show", "pump-7")["events"], 0)
        device.close()

    def counted(self):
        """Messages of the device that were told of, over all starts of Picket."""
        told = self.server.json("event", "list", "--hub", "--device", "pump-7", "--limit", "1000")
        return sum(event["content"].get("d2c", {}).get("messages", 0) for event in told)

    def publish_some(self, connection_string, count):
        device = self.connect(connection_string)
        for _ in range(count):
            device.publish(b"x")
        return device

    def test_wrong_and_expired_certificates_become_alerts_by_the_names_that_people_know(self):
        authority = Authority("plant CA")
        self.done("ca", "add", "plant", authority.certificate.own)
        self.done("device", "add", "pump-8", "--x509-ca")
        self.publishes("pump-8", authority.issue("pump-8", start="20200101000000Z", end="20210101000000Z"), code=5)
        self.done("device", "add", "pump-7", "--thumbprint", "ab" * 32)
        self.publishes("pump-7", authority.issue("pump-7"), code=5)
        for name, device in (("IoT_Cert_Expired", "pump-8"), ("IoT_Cert_Print_Mismatch", "pump-7")):
            alert, = self.server.wait_for(lambda: self.alerts(name))
            self.assertEqual((alert["device"], alert["severity"], alert["count"]), (device, "medium", 1))

    def test_one_credential_at_two_addresses_becomes_an_alert(self):
        string = self.add_device()
        token = sas_token("localhost", "pump-7", string.rsplit("SharedAccessKey=", 1)[1])
        subscribers = [subprocess.Popen(
            ["mosquitto_sub", "-h", "localhost", "-A", address, "-p", str(self.server.port), "--cafile",
             f"{CERTIFICATES}/ca.crt", "-i", "pump-7", "-u", "localhost/pump-7/?api-version=2021-04-12", "-P", token, "-V",
             "mqttv311", "-t", "$iothub/methods/POST/#"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for address in ("127.0.0.2", "127.0.0.3")]
        try:
            alert, = self.server.wait_for(lambda: self.alerts("Picket_CredentialUsedFromTwoAddresses"), 90)
        finally:
            for subscriber in subscribers:
                subscriber.kill()
                subscriber.wait()
        self.assertRegex(alert["description"], r"two who have its credential .* came from 127\.0\.0\.[23]\.")
        self.assertIn("MOVED to another address", self.done("event", "list", "--hub"))

    def test_an_alert_is_shown_in_words_with_steps_on_lines_of_their_own(self):
        self.done("device", "add", "pump-7")
        with self.assertRaises(Refused):
            self.connect(f"HostName=localhost;DeviceId=pump-7;SharedAccessKey={'A' * 43}=")
        self.server.wait_for(lambda: self.alerts("IoT_Invalid_SAS_Token"))
        page = self.done("alert", "show", "1")
        self.assertRegex(page, r"(?m)^  seen            REFUSED once \(signature 1; last from 127.0.0.1\)$")
        self.assertRegex(page, r"(?m)^  since           20\S+Z$")
        self.assertRegex(page, r"(?m)^  last refused    address 127.0.0.1, tls TLSv1.3, cipher \S+$")
        self.assertRegex(page, r"(?m)^  1\. If the device's key was rotated.*\n(     .*\n)*  2\. If not, (.*\n)+  3\. Look ")
        self.assertNotIn("\\x0a", page)

    def test_counts_outlive_a_stop_and_a_kill_takes_what_was_not_told(self):
        connection_string = self.add_device()
        self.publish_some(connection_string, 20)
        self.server.stop()
        self.server.start()
        self.assertEqual(self.counted(), 20)
        device = self.publish_some(connection_string, 10)
        device.close()
        self.server.wait_for(lambda: self.counted() == 30)
        self.publish_some(connection_string, 5)
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.assertTrue(30 <= self.counted() <= 35, self.counted())

    def test_a_ca_that_is_added_and_one_that_is_refused_become_alerts(self):
        authority = Authority("plant CA")
        self.done("ca", "add", "plant", authority.certificate.own)
        self.refused("ca", "add", "other", authority.issue("pump-7").own)
        added = self.server.wait_for(lambda: self.alerts("IoT_CertificateSuccessfullyAddedToHub"))[0]
        self.assertEqual((added["device"], added["subject"]), ("", "plant"))
        self.assertIn("audit log", added["description"])
        self.server.wait_for(lambda: self.alerts("Hub_CertificateFailedToBeAddedToHub"))
        self.assertIn("A CA was added to the hub", self.done("alert", "list"))
        self.assertNotRegex(self.done("device", "list"), r"(?m)^ *removed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
