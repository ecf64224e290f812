"""What a malicious client tries, and what an honest one beside it has of it.

Each attack goes on until the honest device has had so many of its messages acknowledged meanwhile: it is never starved. What
becomes of the attacker is counted, and the hub's memory stays within its bounds.
"""
import contextlib
import os
import resource
import select
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import harness
from harness import (Certificates, Hub, RawClient, accepted_client, connect_packet, device_token, events, packet,
                     publish_packet, subscribe_packet, text, tls_context, user_name, wait_until)

# Of freed memory the address sanitizer keeps a quarter of a gigabyte, which is not the hub's.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"

# A shell may allow fewer open files than the attacks take; what is allowed to us, we allow ourselves.
FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))

PROGRESS = 20  # messages of the honest device that are acknowledged during an attack
PROGRESS_WITHIN_S = 600  # on however busy a machine
MEGABYTE = 1 << 20
TWIN_GET = "$iothub/twin/GET/?$rid=1"
TWIN_REPORT = "$iothub/twin/PATCH/properties/reported/?$rid=1"


class Honest:
    """Publishes with QoS 1, one message after the other, each when the one before is acknowledged."""

    def __init__(self, hub):
        hub.device("honest")
        self.client = accepted_client(hub, "honest")
        self.acknowledged = 0
        self.problem = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._stopping.is_set():
                packet_id = self.acknowledged % 65535 + 1
                self.client.send(publish_packet(events("honest"), b"h", packet_id, flags=2))
                first, body = self.client.read_packet(PROGRESS_WITHIN_S)
                assert first == 0x40 and struct.unpack(">H", body)[0] == packet_id, (first, body)
                self.acknowledged += 1
        except Exception as problem:  # told where it is waited for
            self.problem = problem

    def wait_for_progress(self, count=PROGRESS):
        before = self.acknowledged
        wait_until(lambda: self.problem or self.acknowledged >= before + count,
                   f"{count} messages of the honest device are acknowledged", PROGRESS_WITHIN_S)
        assert self.problem is None, self.problem

    def stop(self):
        self._stopping.set()
        self._thread.join(PROGRESS_WITHIN_S)
        self.client.close()


class AttackCase(unittest.TestCase):
    options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="picket-hub-test-")
        self.addCleanup(folder.cleanup)
        self.hub = Hub("--store", folder.name, *self.options)
        self.addCleanup(self.hub.stop)
        self.hub.device("mallory")
        self.honest = Honest(self.hub)
        self.addCleanup(self.honest.stop)
        self.sockets = []
        self.addCleanup(self.close_all)

    def close_all(self):
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.close()

    def resident_bytes(self):
        with open(f"/proc/{self.hub.process.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

    @contextlib.contextmanager
    def attack(self, counter=None, at_least=1, growth_bytes=24 * MEGABYTE):
        """The honest one goes on during it and after it; memory grows by so much at most."""
        counted = self.hub.counter(counter) if counter else 0
        resident = self.resident_bytes()
        yield
        self.honest.wait_for_progress()
        if counter:
            wait_until(lambda: self.hub.counter(counter) >= counted + at_least, f"{counter} tells of it", PROGRESS_WITHIN_S)
        self.assertLess(self.resident_bytes() - resident, growth_bytes)

    def repeat_during_progress(self, step):
        """Again and again until the honest one has got on; returns how often."""
        target, times = self.honest.acknowledged + PROGRESS, 0
        until = time.monotonic() + PROGRESS_WITHIN_S
        while self.honest.acknowledged < target:
            self.assertIsNone(self.honest.problem)
            self.assertLess(time.monotonic(), until, "the honest device got nowhere")
            step()
            times += 1
        return times

    def plain(self, address="127.0.0.1"):
        one = socket.create_connection(("127.0.0.1", self.hub.port), timeout=harness.DEADLINE_S,
                                       source_address=(address, 0))
        self.sockets.append(one)
        return one

    def mallory(self, **options):
        client = accepted_client(self.hub, "mallory", **options)
        self.sockets.append(client.socket)
        return client

    def flood(self, data, client=None):
        """Sends it again and again beside the honest one, and reads what comes."""
        pump = Pump(client or self.mallory())
        self.repeat_during_progress(lambda: pump.send(data))


class Pump:
    """Sends and takes what comes at the same time, in one thread, so that neither side blocks the other."""

    def __init__(self, client):
        self._socket = client.socket
        self._socket.setblocking(False)

    def _take(self):
        with contextlib.suppress(ssl.SSLWantReadError):
            while self._socket.recv(65536):
                pass

    def send(self, data):
        end = time.monotonic() + PROGRESS_WITHIN_S
        while data:
            assert time.monotonic() < end, "the hub takes nothing"
            self._take()
            try:
                data = data[self._socket.send(data[:16384]):]
            except ssl.SSLWantWriteError:
                select.select([self._socket], [self._socket], [], 0.05)


def client_hello():
    """The first message of a handshake, as a client of today sends it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


class BeforeConnect(AttackCase):
    options = ("--connect-timeout", 4, "--handshakes-max", 400, "--handshakes-per-address", 100)

    def newcomer_gets_in(self):
        self.hub.device("newcomer")

        def try_once():
            try:
                with_tls = RawClient(self.hub)
                answer = with_tls.connect("newcomer", flags=2)
                with_tls.close()
                return answer == (0x20, b"\0\0")
            except (OSError, EOFError):
                return False
        wait_until(try_once, "a newcomer gets in beside the attack", PROGRESS_WITHIN_S)

    def half_open(self, first_bytes):
        for i in range(min(1500, FILES - 200)):
            with contextlib.suppress(OSError):
                self.plain(f"127.0.{i % 15 + 1}.1").sendall(first_bytes)
        self.newcomer_gets_in()

    def test_half_open_connections(self):
        with self.attack("hub_handshakes_late", growth_bytes=64 * MEGABYTE):
            self.half_open(b"")
        self.assertGreater(self.hub.counter("hub_handshakes_evicted") +
                           self.hub.counter("hub_connections_refused_for_address"), 0)

    def test_half_open_handshakes(self):
        with self.attack("hub_handshakes_late", growth_bytes=64 * MEGABYTE):
            self.half_open(client_hello())

    def test_a_handshake_byte_by_byte(self):
        hello = client_hello()
        with self.attack("hub_handshakes_late", 50):
            slow = [self.plain() for _ in range(50)]
            at = iter(hello)

            def next_byte():
                byte = next(at, None)
                for one in slow if byte is not None else ():
                    with contextlib.suppress(OSError):  # it may have been closed already
                        one.sendall(bytes([byte]))
            self.repeat_during_progress(next_byte)

    def test_connect_byte_by_byte(self):
        whole = connect_packet("mallory", user_name("mallory"), device_token("mallory"))
        with self.attack("hub_handshakes_late", 10):
            slow = [RawClient(self.hub) for _ in range(10)]
            self.sockets += [one.socket for one in slow]
            at = iter(whole[:-1])

            def next_byte():
                byte = next(at, None)
                for one in slow if byte is not None else ():
                    with contextlib.suppress(OSError):
                        one.send(bytes([byte]))
            self.repeat_during_progress(next_byte)

    def test_leaving_in_every_state(self):
        hello = client_hello()
        connect = connect_packet("mallory", user_name("mallory"), device_token("mallory"), flags=2)

        def leave_early():
            for size in (0, 1, 5, 6, len(hello) - 1, len(hello)):
                with socket.create_connection(("127.0.0.1", self.hub.port)) as one:
                    one.sendall(hello[:size])
            for data in (b"", connect[:1], connect[:30], connect, connect + b"\xc0", connect + b"\xc0\0",
                         connect + publish_packet(events("mallory"), b"x" * 50000, 1, flags=2)[:40000]):
                client = RawClient(self.hub)
                client.send(data)
                client.close()
        with self.attack("hub_handshakes_failed"):
            leave_early()
            self.repeat_during_progress(leave_early)

    def test_lengths_that_cannot_be(self):
        def claims(first, length_bytes):
            client = RawClient(self.hub)
            client.send(bytes([first]) + length_bytes)
            self.assertTrue(client.is_closed())
            client.close()
        with self.attack("hub_ended_too_large", 1):
            claims(0x10, b"\xff\xff\xff\x7f")
        with self.attack("hub_ended_malformed", 3):
            claims(0x10, b"\xff\xff\xff\xff\x7f")
            claims(0x10, b"\x80\x80\x80\x80\x01")
            claims(0x30, b"\xff\xff\xff\x7f")

    def test_a_chain_of_certificates_beyond_the_bound(self):
        folder = Certificates.folder()
        chain = os.path.join(folder, "long-chain.pem")
        with open(chain, "w", encoding="ascii") as out:
            for name in ("server.pem", *["ca.pem"] * 30):
                with open(Certificates.path(name), encoding="ascii") as one:
                    out.write(one.read())

        def show_chain():
            context = tls_context(ssl.TLSVersion.TLSv1_2)
            context.load_cert_chain(chain, Certificates.path("server.key"))
            with self.assertRaises((OSError, EOFError)):
                client = RawClient(self.hub, context)
                client.send(b"\xc0\0")
                client.read_packet()
        with self.attack("hub_handshakes_failed"):
            show_chain()


class Tls(AttackCase):
    def test_key_updates_before_connect(self):
        with self.attack("hub_ended_tls"):
            done = subprocess.run([os.environ["HUB_TLS_FLOOD"], str(self.hub.port), "key-updates", "10000000"],
                                  capture_output=True, text=True, timeout=PROGRESS_WITHIN_S, check=True)
            self.assertLess(int(done.stdout), 1000000)  # it was closed, and long before

    def test_renegotiation(self):
        with self.attack():
            flood = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.hub.port}", "-tls1_2"],
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.addCleanup(flood.stderr.close)
            with contextlib.suppress(BrokenPipeError):
                for _ in range(50):
                    flood.stdin.write(b"R\n")
                    flood.stdin.flush()
            self.assertIn(b"no renegotiation", flood.stderr.read())
            flood.stdin.close()
            flood.wait(harness.DEADLINE_S)

    def test_records_of_one_byte(self):
        client = self.mallory()
        data = iter(publish_packet(events("mallory"), b"x" * 100, 1, flags=2) * 10000)
        with self.attack():
            self.repeat_during_progress(lambda: [client.send(bytes([next(data)])) for _ in range(50)])


class Floods(AttackCase):
    def test_pings(self):
        with self.attack():
            self.flood(b"\xc0\0" * 8000)

    def test_empty_messages_with_qos_0(self):
        with self.attack(growth_bytes=96 * MEGABYTE):  # the log's bound is in it
            self.flood(publish_packet(events("mallory")) * 1000)

    def test_empty_messages_with_qos_1_and_one_packet_id(self):
        with self.attack(growth_bytes=96 * MEGABYTE):
            self.flood(publish_packet(events("mallory"), b"", 7, flags=2) * 1000)

    def test_acknowledgements_of_what_was_never_sent(self):
        with self.attack():
            self.flood(b"".join(b"\x40\2" + struct.pack(">H", i + 1) for i in range(8000)))

    def test_subscriptions_of_as_many_filters_as_fit(self):
        with self.attack("hub_subscriptions_refused", 3000):
            self.flood(subscribe_packet(1, *[("#", 1)] * 3200))

    def test_unsubscriptions_of_as_many_filters_as_fit(self):
        with self.attack():
            self.flood(packet(0xA2, struct.pack(">H", 1) + text("#") * 5000))

    def test_subscriptions_to_and_fro_that_cost_the_disk(self):
        to_and_fro = b"".join(subscribe_packet(1, ("$iothub/methods/POST/#", 0)) +
                              packet(0xA2, struct.pack(">H", 2) + text("$iothub/methods/POST/#"))
                              for _ in range(100))
        with self.attack("hub_subscriptions_unkept"):
            self.flood(to_and_fro, self.mallory(clean=False))

    def test_twin_reports_without_waiting_for_the_answer(self):
        client = self.mallory()
        client.send(subscribe_packet(1, ("$iothub/twin/res/#", 0)))
        with self.attack("hub_twin_requests_throttled"):
            self.flood(publish_packet(TWIN_REPORT, b'{"n":1}') * 100, client)

    def test_wills(self):
        def leave_will():
            client = RawClient(self.hub)
            client.connect("mallory", flags=2, will=(events("mallory"), b"w" * 15000))
            client.close()
        with self.attack("hub_ended_lost", 10):
            for _ in range(20):
                leave_will()
            self.repeat_during_progress(leave_will)


class NotReading(AttackCase):
    options = ("--output-bytes-max", 4 * MEGABYTE)

    def test_twins_that_are_asked_for_and_never_read(self):
        large = "{" + ",".join(f'"m{i}":"{"x" * 4000}"' for i in range(7)) + "}"
        self.hub.tell("desire", "mallory", "-", large)
        asks = publish_packet(TWIN_GET) * 50
        with self.attack(growth_bytes=32 * MEGABYTE):
            clients = [self.mallory()]
            for module in range(10):
                client = RawClient(self.hub)
                client.connect("mallory", f"m{module}", flags=2)
                clients.append(client)
            for client in clients:
                self.sockets.append(client.socket)
                client.send(subscribe_packet(1, ("$iothub/twin/res/#", 0)))
                client.socket.settimeout(0.05)

            def ask_all():
                for client in clients:
                    with contextlib.suppress(socket.timeout, ssl.SSLWantWriteError):
                        client.send(asks)
            self.repeat_during_progress(ask_all)

    def test_acknowledgements_that_are_never_read(self):
        with self.attack(growth_bytes=96 * MEGABYTE):
            client = self.mallory()
            client.socket.settimeout(0.05)

            def send_more():
                with contextlib.suppress(socket.timeout, ssl.SSLWantWriteError):
                    client.send(publish_packet(events("mallory"), b"", 7, flags=2) * 200)
            self.repeat_during_progress(send_more)


class WithRates(AttackCase):
    """As `picket serve` has it by default: the same floods, held back."""
    options = ("--device-packets-per-s", 1000, "--device-bytes-per-s", 4 * MEGABYTE)

    def test_a_flood_is_held_back(self):
        with self.attack("hub_devices_held_back"):
            client = self.mallory()
            client.socket.settimeout(0.05)

            def send_more():
                with contextlib.suppress(socket.timeout, ssl.SSLWantWriteError):
                    client.send(publish_packet(events("mallory"), b"x" * 100) * 1000)
            for _ in range(20):
                send_more()
            self.repeat_during_progress(send_more)


if __name__ == "__main__":
    unittest.main()
