"""Starts, stops and kills a real Picket in a temporary folder, for tests that drive it from outside.

Programs are found through PICKET_BUILD_DIRECTORY (set by ctest)."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("PICKET_BUILD_DIRECTORY", SOURCE / "build" / "test"))
PICKET = BUILD / "cli" / "picket"
AGENT = BUILD / "agent" / "port" / "linux" / "picket-agent"
SECURITY_TOPIC = "mti=2.4-1-0-0&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"


def wait_until(condition, what, seconds=180):
    """Waits for a condition with a deadline; its last value is returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class ApiConnection(http.client.HTTPConnection):
    """To the API's Unix socket."""

    def __init__(self, path, timeout_s=180):
        super().__init__("picket", timeout=timeout_s)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Device:
    """What a device knows of itself: its connection string, taken apart."""

    def __init__(self, connection_string):
        self.connection_string = connection_string.strip()
        fields = dict(part.split("=", 1) for part in self.connection_string.split(";"))
        self.host = fields["HostName"]
        self.id = fields["DeviceId"]
        self.key = base64.b64decode(fields["SharedAccessKey"])

    @property
    def user_name(self):
        return f"{self.host}/{self.id}/?api-version=2021-04-12"

    @property
    def events_topic(self):
        return f"devices/{self.id}/messages/events/"

    def token(self, life_s=3600):
        """A SAS token as Azure's documentation defines it; written from that, not from our C code."""
        resource = urllib.parse.quote(f"{self.host}/devices/{self.id}", safe="")
        expiry = int(time.time()) + life_s
        digest = hmac.new(self.key, f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
        signature = urllib.parse.quote(base64.b64encode(digest), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}"


class Picket:
    """One installation: a folder with certificates, configuration and data."""

    def __init__(self, extra_configuration="", folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="picket-test-"))
        self.data_folder = self.folder
        self.power_cut = None  # a PowerCut of the data folder: kill() is then one
        self.extra_configuration = extra_configuration
        self.process = None
        self.port = 0
        self.log = open(self.folder / "picket.log", "ab")
        subprocess.run([SOURCE / "deploy" / "make-certificates", self.folder / "certificates",
                        "localhost", "127.0.0.1"], check=True)

    @property
    def socket(self):
        return self.data_folder / "picket.sock"

    @property
    def ca(self):
        return str(self.folder / "certificates" / "ca.crt")

    def write_configuration(self):
        (self.folder / "picket.yaml").write_text(f"""
data_folder: {self.data_folder}
hub:
  address: 127.0.0.1
  port: {self.port}
  host_name: localhost
  certificate_file: {self.folder}/certificates/server.crt
  key_file: {self.folder}/certificates/server.key
{self.extra_configuration}
""")

    def start(self):
        """Starts `picket serve`; the port stays the same from the second start on."""
        self.write_configuration()
        self.process = subprocess.Popen(
            [PICKET, "serve", "--config", self.folder / "picket.yaml"],
            stdout=self.log, stderr=self.log, preexec_fn=self.before_exec,
            env=self.power_cut.environment() if self.power_cut else None)
        wait_until(self._answers, "picket serve to answer")
        self.port = self.json("status")["hub"]["port"]
        return self

    before_exec = None

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"picket serve ended with {self.process.returncode}:\n{self.logged()}")
        result = self.run("status", "--json", check=False)
        return result.returncode == 0 and "hub" in json.loads(result.stdout)  # which comes last

    def kill(self):
        """kill -9, and the power goes, if it can."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.power_cut:
            self.power_cut.cut()

    def stop(self):
        """A clean stop; what the process said of it is checked, sanitizers included."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        code = self.process.wait(180)
        assert code == 0, f"picket serve ended with {code}:\n{self.logged()}"

    def logged(self):
        self.log.flush()
        return (self.folder / "picket.log").read_text(errors="replace")

    def run(self, *arguments, check=True):
        result = subprocess.run([PICKET, *map(str, arguments)], capture_output=True, text=True, timeout=300,
                                env={**os.environ, "PICKET_SOCKET": str(self.socket)})
        if check and result.returncode != 0:
            raise RuntimeError(f"picket {' '.join(map(str, arguments))}: exit {result.returncode}: {result.stderr}")
        return result

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def call(self, method, path, body=None):
        """Of the API: (status, answer); (0, None): it was not answered, and what became of it is not known."""
        connection = ApiConnection(self.socket)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def add_device(self, name):
        return Device(self.run("device", "add", name).stdout)

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class PicketCase(unittest.TestCase):
    """One Picket for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.picket = Picket()
        cls.addClassCleanup(cls.picket.remove)
        cls.picket.start()
        cls.addClassCleanup(cls.picket.stop)


class EnrolledCase(PicketCase):
    """And a device for each test, named after it."""

    def setUp(self):
        self.enrolled = self.picket.add_device(self.id().rpartition(".")[2][:100])
        self.name = self.enrolled.id


def build_message(document):
    """A security message from JSON by flatc, which is not ours."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "message.json"
        source.write_text(json.dumps(document))
        subprocess.run(["flatc", "-b", "-o", folder, SOURCE / "wire" / "security_message.fbs", source],
                       check=True, capture_output=True)
        return (pathlib.Path(folder) / "message.bin").read_bytes()


def ipv4_word(text):
    """An IPv4 address as the number that the schema stores: the bytes in network order, read little-endian."""
    return int.from_bytes(bytes(map(int, text.split("."))), "little")


def network_activity(event_id, time_s, flows):
    """The JSON of a message with one network-activity event; flows: (remote, remote_port, bytes_in, bytes_out)."""
    return {
        "security_module_id": "test-agent",
        "security_module_version": 0x01020003,
        "events": [{
            "id": {"value": list(event_id)},
            "time": time_s,
            "collection_interval": 10,
            "payload_type": "NetworkActivity",
            "payload": {"ipv4_activity": [{
                "addresses": {"local_address": ipv4_word("192.168.1.2"), "remote_address": ipv4_word(remote)},
                "common": {"local_port": 50000, "remote_port": port, "bytes_in": bytes_in,
                           "bytes_out": bytes_out, "protocol": "TCP"},
            } for remote, port, bytes_in, bytes_out in flows]},
        }],
    }
