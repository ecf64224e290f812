"""What the hub's tests share: the hub as a process, certificates, tokens, and a client that can misbehave.

Everything waits on conditions with a deadline; nothing sleeps for luck.
"""
import base64
import hashlib
import hmac
import json
import os
import queue
import resource
import socket
import sqlite3
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

HOST = "hub.test"
DEADLINE_S = 60


def key_of(name):
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def token(key, resource, expiry, order="sr sig se", policy=None):
    """As in Microsoft's public description of device tokens; resource as it shall stand in the token."""
    text = f"{resource}\n{expiry}".encode()
    signature = base64.b64encode(hmac.new(base64.b64decode(key), text, hashlib.sha256).digest())
    fields = {"sr": resource, "sig": urllib.parse.quote(signature, safe=""), "se": str(expiry)}
    names = order.split()
    if policy is not None:
        fields["skn"] = policy
        names.append("skn")
    return "SharedAccessSignature " + "&".join(f"{name}={fields[name]}" for name in names)


def device_token(device, key=None, seconds=3600, module=None, host=HOST):
    resource = f"{host}/devices/{device}" + (f"/modules/{module}" if module else "")
    return token(key or key_of(device), urllib.parse.quote(resource, safe=""), int(time.time()) + seconds)


def user_name(device, module=None, host=HOST, query="/?api-version=2021-04-12&DeviceClientType=test"):
    return f"{host}/{device}" + (f"/{module}" if module else "") + query


def wait_until(condition, what, seconds=DEADLINE_S):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def with_longer_lives(attempt):
    """attempt(seconds) makes something that ends after so many seconds, and is false if it was over before it could be used:
    then it is tried again with a longer life, for machines that are busy."""
    assert any(attempt(seconds) for seconds in (4, 20, 80)), "each life was over too soon"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Certificates:
    """A CA, a server certificate (RSA, as NetX Duo needs it), made once for the process."""
    _folder = None

    @classmethod
    def folder(cls):
        if cls._folder is None:
            cls._folder = tempfile.TemporaryDirectory(prefix="picket-hub-test-")
            cls._make(cls._folder.name)
        return cls._folder.name

    @staticmethod
    def _make(folder):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                "-days", "2", "-subj", "/CN=test CA")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr",
                "-subj", f"/CN={HOST}")
        with open(os.path.join(folder, "names"), "w") as names:
            names.write(f"subjectAltName=DNS:{HOST},DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", "server.pem", "-days", "2", "-extfile", "names")

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder(), name)


class Message:
    def __init__(self, line):
        _, position, self.device, self.module, size, self.digest, *rest = line.split(" ", 6)
        self.position, self.size = int(position), int(size)
        self.properties = rest[0] if rest else ""

    def is_of(self, payload):
        return self.digest == hashlib.sha256(payload).hexdigest()


class Hub:
    def __init__(self, *options, descriptors=None):
        program = os.environ["HUB_TEST_SERVER"]

        def limit():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.errors = tempfile.NamedTemporaryFile(mode="w")
        self.process = subprocess.Popen(
            [program, "--certificate", Certificates.path("server.pem"), "--key",
             Certificates.path("server.key"), "--host", HOST, *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, preexec_fn=limit)
        self.messages = []
        self.activities = []  # (device, what the hub says of it)
        self._answers = queue.Queue()
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self._answers.get(timeout=DEADLINE_S).split()[1])

    def _read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line.startswith("message "):
                with self._changed:
                    self.messages.append(Message(line))
                    self._changed.notify_all()
            elif line.startswith("activity "):
                _, device, text_of_it = line.split(" ", 2)
                with self._changed:
                    self.activities.append((device, json.loads(text_of_it)))
                    self._changed.notify_all()
            else:
                self._answers.put(line)
        self._answers.put("ended")

    def tell(self, *words):
        with self._lock:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            lines = []
            while (line := self._answers.get(timeout=DEADLINE_S)) != "done":
                assert line != "ended", "the hub ended:\n" + self.log()
                lines.append(line)
            return lines

    def device(self, name, key=None, secondary=None):
        self.tell("device", name, key or key_of(name), *([secondary] if secondary else []))
        return name

    def counter(self, name):
        for line in self.tell("counters"):
            if line.split()[1] == name:
                return int(line.split()[2])
        raise AssertionError(f"no counter {name}")

    def statistics(self):
        connections, devices, awaiting = map(int, self.tell("statistics")[0].split()[1:])
        return {"connections": connections, "devices": devices, "awaiting": awaiting}

    def wait_for_messages(self, count, device=None, seconds=DEADLINE_S):
        def those():
            return [m for m in self.messages if device is None or m.device == device]
        with self._changed:
            assert self._changed.wait_for(lambda: len(those()) >= count, seconds), \
                f"{len(those())} of {count} messages:\n" + self.log()
            return those()

    def log(self):
        with open(self.errors.name) as lines:
            return lines.read()

    def stop(self):
        """Its own end, and nothing that a sanitizer has to say."""
        if self.process.poll() is None:
            try:
                self.process.stdin.write("quit\n")
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        status = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        self.process.stdout.close()
        log = self.log()
        self.errors.close()
        assert status == 0, f"the hub ended with {status}:\n{log}"


class StoredHubCase(unittest.TestCase):
    """A hub for each test, against a store as Picket has it, and two devices that it knows."""
    devices = ("pump-7", "pump-8")
    options = ()
    filters = ()  # what its clients subscribe to, if they do not say

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="picket-hub-test-")
        self.start()

    def start(self):
        self.hub = Hub("--store", self.folder.name, *self.options)
        for name in self.devices:
            self.hub.device(name)

    def tearDown(self):
        if self.hub.process.poll() is None:
            self.hub.stop()
        self.folder.cleanup()

    def client(self, device="pump-7", filters=None, **options):
        client = accepted_client(self.hub, device, **options)
        self.addCleanup(client.close)
        filters = self.filters if filters is None else filters
        if filters:
            client.send(subscribe_packet(1, *filters))
            self.assertEqual(client.read_packet()[0], 0x90)
        return client

    def ask(self, client, topic, payload=b""):
        """Topic and payload of the answer."""
        client.send(publish_packet(topic, payload))
        return parse_publish(client.read_packet())[:2]

    def restart_after_kill(self):
        self.hub.process.kill()
        self.hub.process.wait()
        self.start()

    def disk_held(self):
        """A lock on the store's file, as a slow disk would hold up a commit."""
        connection = sqlite3.connect(os.path.join(self.folder.name, "picket.db"), isolation_level=None)
        connection.execute("begin immediate")
        return connection


# ---- MQTT by hand: for what no decent client does ------------------------------------------------

def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(value)) + value


def length(size):
    out = b""
    while True:
        size, digit = size >> 7, size & 0x7F
        out += bytes([digit | (0x80 if size else 0)])
        if not size:
            return out


def packet(first, body):
    return bytes([first]) + length(len(body)) + body


def connect_packet(client_id, name, password, keep_alive=60, flags=0, will=None, level=4, protocol="MQTT"):
    flags |= 0x80 if name is not None else 0
    flags |= 0x40 if password is not None else 0
    flags |= 0x04 if will else 0
    body = text(protocol) + bytes([level, flags]) + struct.pack(">H", keep_alive) + text(client_id)
    for part in (*(will or ()), name, password):
        if part is not None:
            body += text(part)
    return packet(0x10, body)


def publish_packet(topic, payload=b"", packet_id=None, flags=0):
    body = text(topic) + (struct.pack(">H", packet_id) if packet_id is not None else b"") + payload
    return packet(0x30 | flags, body)


def subscribe_packet(packet_id, *filters):
    return packet(0x82, struct.pack(">H", packet_id) + b"".join(text(f) + bytes([q]) for f, q in filters))


def tls_context(version=None, ciphers=None, curve=None):
    context = ssl.create_default_context(cafile=Certificates.path("ca.pem"))
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    if curve:
        context.set_ecdh_curve(curve)
    return context


def parse_publish(packet):
    """(topic, payload, packet id) of a PUBLISH as read_packet() gives it; the id is 0 with QoS 0."""
    first, body = packet
    assert first & 0xF0 == 0x30, packet
    size = int.from_bytes(body[:2], "big")
    rest = body[2 + size:]
    packet_id = int.from_bytes(rest[:2], "big") if first & 6 else 0
    return body[2:2 + size].decode(), rest[2:] if first & 6 else rest, packet_id


class RawClient:
    """Sends what it is told to, and reads packets."""

    def __init__(self, hub, context=None, address="127.0.0.1", source=None):
        """source: an address of its own that it comes from."""
        plain = socket.create_connection((address, hub.port), timeout=DEADLINE_S,
                                         source_address=(source, 0) if source else None)
        self.socket = (context or tls_context()).wrap_socket(plain, server_hostname="localhost")
        self.received = b""

    def send(self, data):
        self.socket.sendall(data)

    def _fill(self, size):
        while len(self.received) < size:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.received += data

    def read_packet(self, seconds=DEADLINE_S):
        """(first byte, body); EOFError when the hub has closed."""
        self.socket.settimeout(seconds)
        self._fill(2)
        at, size, shift = 1, 0, 0
        while True:
            self._fill(at + 1)
            size |= (self.received[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not self.received[at - 1] & 0x80:
                break
        self._fill(at + size)
        first, body = self.received[0], self.received[at:at + size]
        self.received = self.received[at + size:]
        return first, body

    def nothing_comes(self, seconds=0.3):
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1)
        except (socket.timeout, ssl.SSLWantReadError):
            return True
        self.received += data
        return False

    def is_closed(self, seconds=DEADLINE_S):
        """True when the hub closes, whatever it sends before."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return True
        except socket.timeout:
            return False
        return True

    def connect(self, device, module=None, password=None, **options):
        client_id = device + (f"/{module}" if module else "")
        self.send(connect_packet(client_id, user_name(device, module),
                                 password or device_token(device, module=module), **options))
        return self.read_packet()

    def close(self):
        self.socket.close()


def accepted_client(hub, device, clean=True, resumed=False, **options):
    client = RawClient(hub)
    answer = client.connect(device, flags=options.pop("flags", 0) | (2 if clean else 0), **options)
    assert answer == (0x20, bytes([resumed, 0])), answer
    return client


def events(device, bag=""):
    return f"devices/{device}/messages/events/{bag}"
