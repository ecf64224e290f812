"""picket-agent run, live: real packets, real TLS, a hub of ours that does as told, and mosquitto as
one that is not. In a network namespace of its own, which takes root.
"""
import base64
import hashlib
import hmac
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

from agent_program import AGENT, decode, packed, skip
from fake_hub import Hub
from messages import events_of, sums_of

INSIDE = "PICKET_TEST_NETWORK_NAMESPACE"
KEY = base64.b64encode(b"picket-test-key-0123456789abcdef").decode()
CONNECTION_STRING = f"HostName=127.0.0.1;DeviceId=pump-7;SharedAccessKey={KEY}"
TOPIC = ("devices/pump-7/messages/events/mti=2.4-1-0-0&"
         "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1")
FAST = ["--high", "1", "--low", "3600", "--first-delay", "0-0"]


def shell(*command):
    subprocess.run(command, check=True, capture_output=True)


class Certificates:
    """A certificate authority and servers of it."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = folder / "ca.crt"
        shell("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
              "/CN=Test CA", "-keyout", folder / "ca.key", "-out", self.ca)

    def server(self, name, subject_alternative_name):
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={subject_alternative_name}\n")
        shell("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
              key, "-out", request)
        shell("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
              self.folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
              certificate)
        return certificate, key


class Agent:
    """A running picket-agent whose lines can be waited for."""

    def __init__(self, arguments, environment=None):
        self.process = subprocess.Popen([AGENT, "run", *map(str, arguments)], text=True,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **(environment or {})})
        self.lines = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stderr as lines:
            for line in lines:
                with self._changed:
                    self.lines.append(line.rstrip())
                    self._changed.notify_all()
        with self._changed:
            self.lines.append("(end)")
            self._changed.notify_all()

    def count(self, words):
        return sum(words in line for line in self.lines)

    def wait(self, words, times=1, timeout=180):
        with self._changed:
            seen = self._changed.wait_for(lambda: self.count(words) >= times, timeout)
        assert seen, f"no '{words}' in:\n" + "\n".join(self.lines)

    def end(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        code = self.process.wait(timeout=180)
        self.wait("(end)")
        return code


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.certificates = Certificates(cls.folder)
        cls.server = cls.certificates.server("server", "IP:127.0.0.1")
        cls.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.sender.bind(("127.0.0.1", 0))
        cls.addClassCleanup(cls.sender.close)
        cls.sent = {}

    def setUp(self):
        self.sent = {}

    def hub(self, **options):
        hub = Hub(*self.server, **options)
        self.addCleanup(hub.stop)
        return hub

    def agent(self, port, *arguments, interface="lo", environment=None, string=CONNECTION_STRING):
        settings = ["--port", port, "--ca", self.certificates.ca, *arguments]
        if string is not None:
            settings += ["--connection-string", string]
        if interface is not None:
            settings += ["--interface", interface]
        agent = Agent(settings, environment)

        def cleanup():
            agent.process.kill()
            agent.process.wait()
        self.addCleanup(cleanup)
        return agent

    def send(self, remote="127.9.9.9", port=4000, size=100, times=1):
        """Datagrams to an address of nobody's; remembers what the agent should report."""
        for _ in range(times):
            self.sender.sendto(bytes(size), (remote, port))
        key = ("udp", packed("127.0.0.1"), self.sender.getsockname()[1], packed(remote), port)
        before = self.sent.get(key, (0, 0))
        self.sent[key] = (0, before[1] + times * (8 + size))

    def decoded(self, payloads):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        files = []
        for number, payload in enumerate(payloads):
            files.append(folder / f"{number}.bin")
            files[-1].write_bytes(payload)
        return decode(files) if files else []

    def reported(self, payloads):
        """The flows of the messages that this test sent, and no other."""
        flows, lost = sums_of(self.decoded(payloads))
        self.assertEqual(lost, [0, 0])
        return {key: sums for key, sums in flows.items() if key[0] == "udp"}

    def payloads(self, hub, acknowledged=True):
        with hub.changed:
            return [p["payload"] for p in hub.publishes if p["acknowledged"] or not acknowledged]


class AgainstAHubOfOurs(Live):
    def test_it_connects_as_a_device_of_an_iot_hub_does(self):
        hub = self.hub()
        before = int(time.time())
        agent = self.agent(hub.port, *FAST)
        agent.wait("connected as pump-7")
        connect = hub.connects[0]
        self.assertEqual((connect["protocol"], connect["level"]), ("MQTT", 4))
        self.assertEqual(connect["client_id"], "pump-7")
        self.assertRegex(connect["user"], r"^127\.0\.0\.1/pump-7/\?api-version=2021-04-12&"
                                          r"DeviceClientType=picket-agent%2F\d+\.\d+\.\d+$")
        self.assertFalse(connect["clean"])
        token = dict(part.split("=", 1) for part in
                     connect["password"].removeprefix("SharedAccessSignature ").split("&"))
        self.assertEqual(urllib.parse.unquote(token["sr"]), "127.0.0.1/devices/pump-7")
        self.assertTrue(before + 3600 <= int(token["se"]) <= time.time() + 3600)
        signature = hmac.new(base64.b64decode(KEY), f"{token['sr']}\n{token['se']}".encode(),
                             hashlib.sha256).digest()
        self.assertEqual(base64.b64decode(urllib.parse.unquote(token["sig"])), signature)
        self.assertEqual(agent.end(), 0)
        hub.wait(lambda: hub.disconnects == 1)

    def test_flows_system_and_heartbeat_are_published(self):
        hub = self.hub()
        agent = self.agent(hub.port, *FAST)
        agent.wait("connected as")
        self.send(size=100, times=7)
        self.send(remote="127.8.8.8", port=53, size=11, times=3)
        hub.wait(lambda: len(hub.publishes) >= 2)
        self.assertEqual(agent.end(signal.SIGINT), 0)
        for publish in hub.publishes:
            self.assertEqual((publish["topic"], publish["qos"], publish["retain"]), (TOPIC, 1, False))
        self.assertEqual(self.reported(self.payloads(hub)), self.sent)
        events = events_of(self.decoded(self.payloads(hub)))
        system = [e["payload"] for e in events if e["payload_type"] == "SystemInformation"][0]
        self.assertIn(platform.release(), system["kernel_info"])
        match = re.search(r'^PRETTY_NAME="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.M)
        self.assertEqual(system["os_info"], match.group(1))
        uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        beat = [e["payload"] for e in events if e["payload_type"] == "Heartbeat"][0]
        self.assertTrue(uptime - 600 <= beat["uptime"] <= uptime + 1, (beat, uptime))
        self.assertTrue(all(abs(event["time"] - time.time()) < 600 for event in events))

    def test_the_last_packets_before_the_signal_are_delivered(self):
        hub = self.hub()
        agent = self.agent(hub.port, "--high", "3600", "--low", "3600", "--first-delay", "0-0")
        hub.wait(lambda: len(hub.publishes) >= 1)
        self.send(size=40, times=50)
        self.assertEqual(agent.end(), 0)
        self.assertEqual(self.reported(self.payloads(hub)), self.sent)

    def test_a_refusal_is_said_in_words_and_nothing_is_lost(self):
        hub = self.hub()
        hub.refusal = 5
        agent = self.agent(hub.port, *FAST)
        agent.wait("refused with code 5: not authorized")
        self.send(times=5)
        agent.wait("refused with code 5", times=2)
        hub.refusal = 0
        agent.wait("connected as")
        hub.wait(lambda: any(publish["acknowledged"] for publish in hub.publishes))
        self.assertEqual(agent.end(), 0)
        self.assertEqual(self.reported(self.payloads(hub)), self.sent)

    def test_what_was_not_acknowledged_comes_again_after_a_reconnect(self):
        hub = self.hub()
        hub.drop_after = 1
        agent = self.agent(hub.port, *FAST)
        agent.wait("connected as")
        for _ in range(4):
            self.send(times=3)
            count = len(hub.publishes)
            hub.wait(lambda: len(hub.publishes) > count)
        agent.wait("connection lost")
        agent.wait("connected as", times=2)
        self.assertEqual(agent.end(), 0)
        missed = [p for p in hub.publishes if not p["acknowledged"]]
        again = [p for p in hub.publishes if p["duplicate"]]
        self.assertEqual(len(missed), 1)
        self.assertIn(missed[0]["payload"], [p["payload"] for p in again])
        self.assertEqual(self.reported(self.payloads(hub)), self.sent)

    def test_a_hub_of_another_name_gets_no_token(self):
        hub = Hub(*self.certificates.server("other", "DNS:other.example.net"))
        self.addCleanup(hub.stop)
        agent = self.agent(hub.port, *FAST)
        agent.wait("not connected")
        self.assertIn("host name verification failed", "\n".join(agent.lines))
        self.assertEqual(agent.end(), 0)
        self.assertEqual(hub.connects, [])

    def test_a_hub_of_another_authority_gets_no_token(self):
        folder = self.folder / "other-authority"
        folder.mkdir()
        hub = Hub(*Certificates(folder).server("server", "IP:127.0.0.1"))
        self.addCleanup(hub.stop)
        agent = self.agent(hub.port, *FAST)
        agent.wait("certificate verify failed (--ca has to name the authority")
        self.assertEqual(agent.end(), 0)
        self.assertEqual(hub.connects, [])

    def test_the_token_is_renewed_before_it_ends_and_nothing_is_lost(self):
        hub = self.hub()
        agent = self.agent(hub.port, *FAST, "--token-life", "5")
        for round_number in range(1, 4):
            agent.wait("connected as", times=round_number)
            self.send(times=round_number)
        self.assertEqual(agent.end(), 0)
        ends = [int(re.search(r"se=(\d+)", connect["password"]).group(1)) for connect in hub.connects]
        self.assertEqual(ends, sorted(set(ends)))
        self.assertEqual(agent.count("connection lost"), 0)
        self.assertEqual(self.reported(self.payloads(hub)), self.sent)

    def test_a_hub_that_acknowledges_nothing_is_not_flooded(self):
        hub = self.hub()
        hub.acknowledge = False
        agent = self.agent(hub.port, *FAST, "--empty-events")
        agent.wait("too many messages wait for acknowledgement")
        hub.wait(lambda: len(hub.publishes) >= 16)
        self.assertEqual(len(hub.publishes), 16)
        started = time.monotonic()
        self.assertEqual(agent.end(), 0)
        self.assertLess(time.monotonic() - started, 60)
        self.assertEqual(agent.count("16 messages that the hub did not acknowledge"), 1)

    def test_a_hub_that_is_not_there_is_waited_for(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        agent = self.agent(port, *FAST)
        agent.wait("Connection refused")
        self.send(times=4)
        hub = self.hub(port=port)
        agent.wait("connected as")
        hub.wait(lambda: hub.publishes)
        self.assertEqual(agent.end(), 0)
        self.assertEqual(self.reported(self.payloads(hub)), self.sent)

    def test_it_ends_when_no_hub_was_ever_there(self):
        agent = self.agent(1, *FAST)
        agent.wait("Connection refused")
        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.count("flows that were not reported"), 1)

    def test_the_connection_string_may_stand_in_a_file_or_the_environment(self):
        hub = self.hub()
        file = self.folder / "connection-string"
        file.write_text(CONNECTION_STRING + "\n")
        agent = self.agent(hub.port, *FAST, "--connection-string-file", file, string=None)
        agent.wait("connected as pump-7")
        self.assertEqual(agent.end(), 0)
        agent = self.agent(hub.port, *FAST, string=None,
                           environment={"PICKET_CONNECTION_STRING": CONNECTION_STRING})
        agent.wait("connected as pump-7")
        self.assertEqual(agent.end(), 0)

    def test_frames_that_the_kernel_drops_are_told(self):
        hub = self.hub()
        agent = self.agent(hub.port, *FAST)
        agent.wait("connected as")
        agent.process.send_signal(signal.SIGSTOP)
        sent = 60000
        self.send(size=500, times=sent)
        agent.process.send_signal(signal.SIGCONT)
        agent.wait("the kernel dropped")
        self.assertEqual(agent.end(), 0)
        dropped = sum(int(match.group(1)) for line in agent.lines
                      if (match := re.search(r"the kernel dropped (\d+) frames", line)))
        counted = sum(out for _, out in self.reported(self.payloads(hub)).values()) // 508
        self.assertLess(counted, sent)
        self.assertGreaterEqual(counted + dropped, sent)
        self.assertEqual(agent.count(f"{dropped} dropped by the kernel"), 1)

    def make_link(self):
        """An interface with an address; what it sends goes to a member of a bridge."""
        for command in ("link add outer type veth peer name inner", "link set inner master bridge",
                        "link set inner up", "address add 10.7.0.1/24 broadcast 10.7.0.255 dev outer",
                        "link set outer up",
                        "neighbour add 10.7.0.2 lladdr 02:00:00:00:00:02 dev outer"):
            shell("ip", *command.split())

    def test_interfaces_with_an_address_are_captured_by_default_and_found_when_they_come(self):
        hub = self.hub()
        agent = self.agent(hub.port, *FAST, interface=None)
        agent.wait("no interface to capture on")
        shell("ip", "link", "add", "bridge", "type", "bridge")
        self.addCleanup(shell, "ip", "link", "del", "bridge")
        self.make_link()
        self.addCleanup(shell, "ip", "link", "del", "outer")
        agent.wait("interface outer: captured")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("10.7.0.1", 0))
            sender.sendto(bytes(100), ("10.7.0.2", 4000))
            key = ("udp", packed("10.7.0.1"), sender.getsockname()[1], packed("10.7.0.2"), 4000)
            hub.wait(lambda: len(hub.publishes) >= 2)
        shell("ip", "link", "del", "outer")
        self.make_link()
        agent.wait("interface outer: left")
        agent.wait("interface outer: captured", times=2)
        self.assertEqual(agent.end(), 0)
        self.assertEqual(agent.count("interface lo: captured"), 0)
        self.assertEqual(agent.count("interface inner: captured"), 0)
        self.assertEqual(self.reported(self.payloads(hub)).get(key), (0, 108))


class AgainstMosquitto(Live):
    """mosquitto takes any user and password; it keeps what it acknowledged over a restart."""

    def setUp(self):
        super().setUp()
        if shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") is None:
            self.skipTest("mosquitto is not installed")
        try:
            import paho.mqtt.client
        except ImportError:
            self.skipTest("paho-mqtt is not installed")
        self.paho = paho.mqtt.client
        self.configure()

    def configure(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o777)
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            self.port, self.plain_port = one.getsockname()[1], two.getsockname()[1]
        certificate, key = self.server
        self.configuration = folder / "mosquitto.conf"
        self.configuration.write_text(f"""
user root
allow_anonymous true
persistence true
persistence_location {folder}/
listener {self.port} 127.0.0.1
cafile {self.certificates.ca}
certfile {certificate}
keyfile {key}
listener {self.plain_port} 127.0.0.1
""")

    def start_broker(self):
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        broker = subprocess.Popen([program, "-c", str(self.configuration)], stderr=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)

        def cleanup():
            broker.kill()
            broker.wait()
        self.addCleanup(cleanup)
        deadline = time.monotonic() + 180
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.plain_port)).close()
                return broker
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def subscribe(self):
        self.messages, self.changed, self.subscribed = [], threading.Condition(), 0

        def on_connect(client, *_):
            client.subscribe("devices/+/messages/events/#", qos=1)

        def on_subscribe(*_):
            with self.changed:
                self.subscribed += 1
                self.changed.notify_all()

        def on_message(_client, _context, message):
            with self.changed:
                self.messages.append(message)
                self.changed.notify_all()
        client = self.paho.Client("watcher", clean_session=False)
        client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
        client.reconnect_delay_set(min_delay=1, max_delay=1)
        client.connect("127.0.0.1", self.plain_port)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.addCleanup(client.disconnect)
        self.wait(lambda: self.subscribed >= 1)

    def wait(self, condition, timeout=180):
        with self.changed:
            self.assertTrue(self.changed.wait_for(condition, timeout))

    def flows(self):
        with self.changed:
            return self.reported([message.payload for message in self.messages])

    def test_nothing_is_lost_over_a_restart_of_the_broker(self):
        broker = self.start_broker()
        self.subscribe()
        agent = self.agent(self.port, *FAST)
        agent.wait("connected as")
        self.send(times=10)
        self.wait(lambda: len(self.messages) >= 2)
        broker.send_signal(signal.SIGTERM)
        broker.wait(timeout=180)
        agent.wait("connection lost")
        self.send(times=20)
        self.send(remote="127.8.8.8", times=5)
        self.start_broker()
        agent.wait("connected as", times=2)
        self.wait(lambda: self.subscribed >= 2)
        self.send(times=30)
        self.assertEqual(agent.end(), 0)
        deadline = time.monotonic() + 180
        while self.flows() != self.sent and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.flows(), self.sent)
        for message in self.messages:
            self.assertEqual((message.topic, message.qos, message.retain), (TOPIC, 1, False))


def all_tests():
    loaded = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    return [test.id().removeprefix("__main__.") for case in loaded for test in case]


def enter_network_namespaces():
    """Runs this program again in a few networks of its own at a time, each with loopback and nothing
    else: the tests mostly wait."""
    if os.geteuid() != 0:
        skip("capturing takes root")
    enter = ["unshare", "--net", "--mount", "sh", "-c", 'mount -t sysfs sysfs /sys && exec "$@"', "sh"]
    if subprocess.run([*enter, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        skip("a network namespace cannot be made here")
    tests = sys.argv[1:] or all_tests()
    at_a_time = 4
    running = [subprocess.Popen([*enter, sys.executable, sys.argv[0], *tests[first::at_a_time]],
                                env={**os.environ, INSIDE: "1"})
               for first in range(min(at_a_time, len(tests)))]
    sys.exit(max(process.wait() != 0 for process in running))


if __name__ == "__main__":
    if shutil.which("flatc") is None or shutil.which("openssl") is None:
        skip("flatc or openssl is not installed")
    if INSIDE not in os.environ:
        enter_network_namespaces()
    shell("ip", "link", "set", "lo", "up")
    unittest.main(verbosity=2)
