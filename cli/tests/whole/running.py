"""A running picket for each test, and the certificates that all of a module's share.

A module of tests imports all of it: unittest finds setUpModule there.
"""

import subprocess
import sys
import tempfile
import unittest

from device import Device
from server import Server, make_certificates

PICKET = sys.argv[1]
CERTIFICATES = tempfile.mkdtemp(prefix="picket-certificates-")


def setUpModule():
    make_certificates(CERTIFICATES)


def tearDownModule():
    subprocess.run(["rm", "-rf", CERTIFICATES], check=True)


class Running(unittest.TestCase):
    def setUp(self):
        self.server = Server(PICKET, CERTIFICATES)
        self.addCleanup(self.server.end)
        self.server.start()

    def done(self, *arguments):
        done = self.server.run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, *arguments):
        done = self.server.run(*arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def add_device(self, name="pump-7"):
        added = self.done("device", "add", name)
        self.assertEqual(added.count("\n"), 1)
        return added.strip()

    def connect(self, connection_string, key=None):
        device = Device(connection_string, self.server.port, f"{CERTIFICATES}/ca.crt", key)
        self.addCleanup(device.close)
        return device
