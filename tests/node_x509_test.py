"""Picket with Microsoft's Node client for IoT Hub devices, with an X.509 certificate: by thumbprint, by CA, and without a gap."""

import json
import sys
import tempfile
import unittest

from node_device import NodeDevice
from picket_harness import SOURCE, PicketCase, wait_until

sys.path.insert(0, str(SOURCE / "hub" / "tests"))

from authority import Authority, self_signed  # noqa: E402


class Enrolled:
    def __init__(self, connection_string, name):
        self.connection_string = connection_string.strip()
        self.id = name


class NodeClientWithCertificate(PicketCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="picket-node-x509-")
        cls.addClassCleanup(cls.folder.cleanup)

    def enrol(self, name, *options):
        return Enrolled(self.picket.run("device", "add", name, *options).stdout, name)

    def device(self, enrolled, certificate):
        device = NodeDevice(enrolled, self.picket, certificate=(certificate.chain, certificate.key))
        self.addCleanup(device.close)
        return device

    def is_served(self, device, name):
        device.do("open")
        device.do("event", payload="by certificate", properties={"n": "1"})
        device.do("twin")
        device.do("report", patch={"answer": 42})
        twin = self.picket.json("twin", "show", name)
        self.assertEqual(twin["reported"]["answer"], 42)

    def test_a_device_known_by_its_thumbprint_is_served(self):
        own = self_signed(self.folder.name, "whatever")
        enrolled = self.enrol("by-thumbprint", "--thumbprint", own.sha256())
        self.assertTrue(enrolled.connection_string.endswith(";x509=true"))
        self.is_served(self.device(enrolled, own), "by-thumbprint")

    def test_a_device_of_a_registered_ca_is_served_also_through_an_intermediate(self):
        root = Authority("plant root")
        line = Authority("plant line 1", above=root)
        self.picket.run("ca", "add", "plant", root.certificate.own)
        for name, authority in (("by-ca", root), ("by-line", line)):
            self.is_served(self.device(self.enrol(name, "--x509-ca"), authority.issue(name)), name)

    def test_one_certificate_follows_another_without_a_gap(self):
        old, new = (self_signed(self.folder.name, "whatever") for _ in range(2))
        enrolled = self.enrol("rotates", "--thumbprint", old.sha1())
        device = self.device(enrolled, old)
        device.do("open")
        self.picket.run("device", "rotate-x509", "rotates", "--secondary", new.sha256())
        device.do("event", payload="still here")
        device.close()  # it would come back, and drive the next one out
        device = self.device(enrolled, new)
        self.is_served(device, "rotates")
        self.picket.run("device", "rotate-x509", "rotates", "--primary", "none")
        device.do("event", payload="still here")

    def test_another_certificate_is_refused_and_becomes_an_alert(self):
        own, other = (self_signed(self.folder.name, "whatever") for _ in range(2))
        device = self.device(self.enrol("meets-strangers", "--thumbprint", own.sha256()), other)
        device.tell("open")
        self.assertEqual(device.next("failed")["error"], "UnauthorizedError")
        wait_until(lambda: [alert for alert in self.picket.json("alert", "list")
                            if alert["type"] == "IoT_Cert_Print_Mismatch" and alert["device"] == "meets-strangers"
                            and other.sha256().upper() in json.dumps(alert)], "an alert that names the certificate")


if __name__ == "__main__":
    unittest.main()
