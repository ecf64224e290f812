"""What a device may cost the others, and an address: rates, connections, and who is held off for a time."""
import socket
import ssl
import time
import unittest

import harness
from harness import (Hub, RawClient, accepted_client, connect_packet, device_token, events, key_of, publish_packet, user_name,
                     wait_until)

UNAVAILABLE = (0x20, b"\0\3")
REFUSED = (0x20, b"\0\5")
ACCEPTED = (0x20, b"\0\0")


class LimitCase(unittest.TestCase):
    options = ()

    def setUp(self):
        self.hub = Hub(*self.options)
        self.addCleanup(self.hub.stop)
        self.hub.device("pump-7")
        self.hub.device("pump-8")

    def try_connect(self, device="pump-7", address=None, **options):
        """The CONNACK; the connection is closed again."""
        client = RawClient(self.hub, source=address)
        try:
            return client.connect(device, flags=2, **options)
        finally:
            client.close()

    def shown(self, device="pump-7"):
        connections, held_back, held_off_ms = map(int, self.hub.tell("show", device)[0].split()[1:])
        return {"connections": connections, "held_back": held_back, "held_off_ms": held_off_ms}


class Rate(LimitCase):
    options = ("--device-packets-per-s", 20, "--device-bytes-per-s", 1000000)

    def test_who_sends_faster_than_allowed_is_read_more_slowly_and_loses_nothing(self):
        fast, honest = accepted_client(self.hub, "pump-7"), accepted_client(self.hub, "pump-8")
        count = 300  # 200 at once, then 20 a second
        began = time.monotonic()
        fast.send(b"".join(publish_packet(events("pump-7"), b"m%d" % i, i + 1, flags=2) for i in range(count)))
        wait_until(lambda: self.shown()["held_back"] > 0, "the fast one is held back")
        for i in range(50):
            honest.send(publish_packet(events("pump-8"), b"h", i + 1, flags=2))
            self.assertEqual(honest.read_packet()[0], 0x40)
        acknowledged = [int.from_bytes(fast.read_packet()[1], "big") for _ in range(count)]
        self.assertEqual(acknowledged, list(range(1, count + 1)))
        self.assertGreater(time.monotonic() - began, 4.5)
        messages = self.hub.wait_for_messages(count, "pump-7")
        self.assertEqual(len(messages), count)
        self.assertTrue(all(m.is_of(b"m%d" % i) for i, m in enumerate(messages)))
        self.assertEqual(self.shown("pump-8")["held_back"], 0)
        self.assertGreater(self.hub.counter("hub_devices_held_back"), 0)
        wait_until(lambda: "device pump-7: sends faster than allowed (20 packets" in self.hub.log(), "the log to say so")

    def test_what_it_sent_before_it_left_is_still_read(self):
        fast = accepted_client(self.hub, "pump-7")
        fast.send(b"".join(publish_packet(events("pump-7"), b"m%d" % i) for i in range(230)) + b"\xe0\0")
        fast.close()
        self.assertEqual(len(self.hub.wait_for_messages(230, "pump-7")), 230)
        wait_until(lambda: self.hub.counter("hub_ended_by_device") == 1, "its DISCONNECT was read, too")

    def test_silence_does_not_end_who_is_held_back(self):
        fast = RawClient(self.hub)
        fast.send(connect_packet("pump-7", user_name("pump-7"), device_token("pump-7"), keep_alive=1, flags=2) +
                  b"".join(publish_packet(events("pump-7"), b"", i + 1, flags=2) for i in range(270)))
        self.assertEqual(fast.read_packet(), ACCEPTED)
        for _ in range(270):  # more than three seconds' worth, in which nothing else comes
            self.assertEqual(fast.read_packet()[0], 0x40)

    def test_a_new_connection_and_a_module_have_no_new_rate(self):
        fast = accepted_client(self.hub, "pump-7")
        began = time.monotonic()
        fast.send(b"".join(publish_packet(events("pump-7"), b"", i + 1, flags=2) for i in range(220)))
        wait_until(lambda: self.shown()["held_back"] > 0, "held back")
        again, module = accepted_client(self.hub, "pump-7"), RawClient(self.hub)
        self.assertEqual(module.connect("pump-7", "vision", flags=2), ACCEPTED)
        before = self.shown()["held_back"]
        again.send(b"\xc0\0" * 150)  # with a new rate 200 would do
        if time.monotonic() - began < 7:  # on a machine so busy that it takes longer it may send as many again
            wait_until(lambda: self.shown()["held_back"] > before, "held back again")

    def test_it_is_told_with_what_the_hub_sees(self):
        fast = accepted_client(self.hub, "pump-7")
        fast.send(b"\xc0\0" * 240)
        wait_until(lambda: any(what.get("held_back", 0) > 0 for device, what in self.hub.activities
                               if device == "pump-7"), "an event that says so")


class Bytes(LimitCase):
    options = ("--device-packets-per-s", 100000, "--device-bytes-per-s", 65536)

    def test_bytes_count_as_packets_do_and_a_large_one_goes_whole(self):
        client = accepted_client(self.hub, "pump-7")
        for i in range(3):  # 600,000 bytes: more than can come at once, and no two are alike
            client.send(publish_packet(events("pump-7"), bytes([i]) * 250000, i + 1, flags=2))
        client.send(b"\xc0\0")
        self.assertEqual([client.read_packet()[0] for _ in range(4)], [0x40] * 3 + [0xD0])
        self.assertGreater(self.shown()["held_back"], 0)


class Flapping(LimitCase):
    options = ("--device-connects-per-minute", 2)

    def connect_too_often(self, connect):
        """Until it is held off: ten at once, and those that come again on a busy machine meanwhile."""
        accepted = 0
        while (answer := connect()) == ACCEPTED:
            accepted += 1
            self.assertLess(accepted, 60)
        self.assertEqual(answer, UNAVAILABLE)
        self.assertGreaterEqual(accepted, 10)

    def test_who_connects_too_often_is_told_to_come_later(self):
        self.connect_too_often(self.try_connect)
        self.assertEqual(self.try_connect(), UNAVAILABLE)
        self.assertEqual(self.hub.counter("hub_refused_held_off"), 2)
        self.assertIn("held off for another 10 s: it connects too often", self.hub.log())
        self.assertLessEqual(self.shown()["held_off_ms"], 10000)
        self.assertEqual(self.try_connect("pump-8"), ACCEPTED)  # nobody else is meant
        wait_until(lambda: any(what.get("counts", {}).get("hub_refused_held_off", 0) > 0
                               for device, what in self.hub.activities if device == "pump-7"),
                   "an event that says so", 65)

    def test_the_connection_it_has_stays_and_after_the_time_it_may_come_again(self):
        mine = None

        def take_over():
            nonlocal mine
            client = RawClient(self.hub)
            answer = client.connect("pump-7", flags=2)
            other, mine = (mine, client) if answer == ACCEPTED else (client, mine)
            if other is not None:
                other.close()
            return answer
        self.connect_too_often(take_over)
        mine.send(b"\xc0\0")
        self.assertEqual(mine.read_packet(), (0xD0, b""))
        wait_until(lambda: self.shown()["held_off_ms"] == 0, "the ten seconds are over")
        self.assertEqual(self.try_connect(), ACCEPTED)

    def test_nobody_without_the_credential_gets_a_device_held_off(self):
        for _ in range(40):
            self.assertEqual(self.try_connect(password=harness.device_token("pump-7", key_of("wrong"))), REFUSED)
        self.assertEqual(self.shown()["held_off_ms"], 0)
        self.assertEqual(self.try_connect(), ACCEPTED)

    def test_modules_are_held_off_each_by_itself(self):
        self.connect_too_often(lambda: self.try_connect(module="vision"))
        self.assertEqual(self.try_connect(module="sound"), ACCEPTED)
        self.assertEqual(self.try_connect(), ACCEPTED)


class Modules(LimitCase):
    options = ("--device-connections-max", 3)

    def test_a_device_has_so_many_connections_with_its_modules(self):
        clients = [accepted_client(self.hub, "pump-7")]
        for module in "ab":
            clients.append(RawClient(self.hub))
            self.assertEqual(clients[-1].connect("pump-7", module, flags=2), ACCEPTED)
        self.assertEqual(self.try_connect(module="c"), UNAVAILABLE)
        self.assertEqual(self.hub.counter("hub_refused_too_many_of_device"), 1)
        self.assertEqual(self.shown()["connections"], 3)
        self.assertEqual(self.try_connect(module="b"), ACCEPTED)  # one that it has may come again
        self.assertEqual(self.try_connect("pump-8", module="c"), ACCEPTED)


class AddressRate(LimitCase):
    options = ("--address-connections-per-s", 1, "--address-refusals-per-minute", 0)

    def test_an_address_has_so_many_connections_a_second_and_others_are_not_meant(self):
        sockets = [socket.create_connection(("127.0.0.1", self.hub.port)) for _ in range(30)]
        wait_until(lambda: self.hub.counter("hub_connections_refused_too_fast") > 0, "some are turned away")
        self.assertEqual(self.try_connect(address="127.0.0.2"), ACCEPTED)
        self.assertIn("client at 127.0.0.1: refused: more than 1 connections a second", self.hub.log())
        for plain in sockets:
            plain.close()

        def gets_in():
            try:
                return self.try_connect() == ACCEPTED
            except (ConnectionError, ssl.SSLError, EOFError):
                return False
        wait_until(gets_in, "after a while it goes on")


class AddressRefusals(LimitCase):
    options = ("--address-refusals-per-minute", 2)

    def test_an_address_that_guesses_is_held_off_and_others_are_not(self):
        mine = accepted_client(self.hub, "pump-7")
        wrong = harness.device_token("pump-7", key_of("wrong"))
        for _ in range(11):
            self.assertEqual(self.try_connect(password=wrong), REFUSED)
        wait_until(lambda: self.hub.counter("hub_addresses_held_off") == 1, "the address is held off")
        with self.assertRaises((ConnectionError, ssl.SSLError, EOFError)):
            self.try_connect()
        self.assertGreater(self.hub.counter("hub_connections_refused_held_off"), 0)
        self.assertIn("address 127.0.0.1: held off for 10 s", self.hub.log())
        self.assertEqual(self.try_connect("pump-8", address="127.0.0.2"), ACCEPTED)
        mine.send(b"\xc0\0")  # who is in stays
        self.assertEqual(mine.read_packet(), (0xD0, b""))

    def test_failed_handshakes_count_as_well(self):
        for _ in range(11):
            with socket.create_connection(("127.0.0.1", self.hub.port)) as plain:
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                plain.settimeout(harness.DEADLINE_S)
                try:
                    while plain.recv(100):
                        pass
                except ConnectionError:
                    pass
        wait_until(lambda: self.hub.counter("hub_addresses_held_off") == 1, "the address is held off")


class WithoutLimits(LimitCase):
    def test_without_limits_nobody_is_held_back_or_off(self):
        client = accepted_client(self.hub, "pump-7")
        client.send(b"\xc0\0" * 5000)
        for _ in range(5000):
            client.read_packet()
        for _ in range(40):
            self.assertEqual(self.try_connect("pump-8"), ACCEPTED)
        self.assertEqual(self.shown()["held_back"], 0)


if __name__ == "__main__":
    unittest.main()
