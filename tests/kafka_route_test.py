"""A route to Kafka while picket is killed: librdkafka's mock cluster in another process, read by its consumer."""

import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import unittest

from mosquitto_broker import free_port, make_authority
from picket_harness import BUILD, Picket, wait_until
from route_device import RouteDevice


class Cluster:
    def __init__(self, topic):
        self.process = subprocess.Popen([BUILD / "tests" / "kafka_cluster", topic], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.brokers = self.process.stdout.readline().strip()
        self.messages = []  # (key, payload)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            key, _, payload = line.rstrip("\n").partition(" ")
            self.messages.append((key, int(payload)))

    def of(self, key):
        return [payload for of, payload in list(self.messages) if of == key]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.thread.join()
        self.process.stdout.close()


class KafkaRoute(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("telemetry")
        self.addCleanup(self.cluster.stop)

    def start(self, more=""):
        picket = Picket("routes:\n  - name: lake\n    kind: kafka\n    payload: body\n"
                        f"    location: kafka://{self.cluster.brokers}/telemetry\n{more}")
        self.addCleanup(picket.remove)
        picket.start()
        self.addCleanup(picket.stop)
        return picket

    def test_nothing_acknowledged_is_missing_when_picket_is_killed(self):
        picket = self.start()
        devices = [RouteDevice(picket.add_device(f"d{i}"), picket) for i in range(3)]
        for device in devices:
            self.addCleanup(device.close)
        for _ in range(5):
            before = len(self.cluster.messages)
            for _ in range(100):
                for device in devices:
                    device.send(str(len(device.published)))
            wait_until(lambda: len(self.cluster.messages) > before, "the first of them")
            picket.kill()
            picket.start()
        for device in devices:
            device.settle()
            wait_until(lambda: set(self.cluster.of(device.name)) == set(range(500)), f"what {device.name} sent")

    def test_a_wrong_password_file_is_told_at_the_start_without_its_secret(self):
        password = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"picket-kafka-password-{os.getpid()}"
        password.write_text("not-to-be-seen\n")
        self.addCleanup(password.unlink)
        password.chmod(0o644)
        with self.assertRaises(RuntimeError) as raised:
            self.start(f"    user: picket\n    password_file: {password}\n")
        self.assertIn("everybody may read this secret", str(raised.exception))
        self.assertNotIn("not-to-be-seen", str(raised.exception))

    def test_the_status_names_what_it_is(self):
        output = self.start().json("status")["outputs"][0]
        self.assertEqual((output["name"], output["kind"], output["takes"]), ("lake", "kafka", "telemetry"))


class KafkaOverTls(unittest.TestCase):
    """Against openssl's server, which knows TLS and not Kafka: how far it comes is told by the reason."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="picket-kafka-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.authority = make_authority(self.folder / "authority")
        self.port = free_port()

    def serve(self, *arguments):
        server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-quiet",
                                   "-cert", self.authority / "server.crt", "-key", self.authority / "server.key",
                                   "-CAfile", self.authority / "ca.crt", *arguments],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(server.wait)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.stdin.close)
        self.addCleanup(server.kill)
        wait_until(self.listens, "openssl to listen")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def problem(self, **settings):
        lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
        with Picket(f"routes:\n  - name: lake\n    kind: kafka\n"
                    f"    location: kafkas://127.0.0.1:{self.port}/t\n{lines}") as picket:
            picket.start()
            problem = wait_until(lambda: picket.json("status")["outputs"][0]["problem"], "a problem")
            picket.stop()
        return problem

    def test_a_broker_of_another_authority_is_not_trusted(self):
        self.serve()
        other = make_authority(self.folder / "other")
        self.assertIn("certificate verify failed", self.problem(ca_file=f"{other}/ca.crt"))

    def test_one_of_the_configured_authority_is(self):
        self.serve()
        problem = self.problem(ca_file=f"{self.authority}/ca.crt")
        self.assertNotIn("certificate", problem)
        self.assertNotIn("refused", problem)
        self.assertNotIn("handshake", problem.lower())

    def test_a_client_certificate_is_shown_and_missed(self):
        self.serve("-Verify", "1", "-verify_return_error")
        without = self.problem(ca_file=f"{self.authority}/ca.crt")
        self.assertIn("certificate required", without)
        shown = self.problem(ca_file=f"{self.authority}/ca.crt", certificate_file=f"{self.authority}/client.crt",
                             key_file=f"{self.authority}/client.key")
        self.assertNotIn("certificate", shown)
        self.assertNotIn("refused", shown)


if __name__ == "__main__":
    unittest.main(verbosity=2)
