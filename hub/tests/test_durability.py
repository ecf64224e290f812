"""PUBACK means committed; a full log holds devices back and loses nothing."""
import hashlib
import random
import struct
import threading
import time
import unittest

from harness import (Hub, RawClient, accepted_client, connect_packet, device_token, events, publish_packet, user_name,
                     wait_until)


class DurabilityCase(unittest.TestCase):
    options = ()

    def setUp(self):
        self.hub = Hub(*self.options)
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.hub.stop()

    def accepted(self, device, **options):
        self.hub.device(device)
        client = accepted_client(self.hub, device, **options)
        self.clients.append(client)
        return client

    def read_pubacks(self, client, count):
        ids = []
        while len(ids) < count:
            first, body = client.read_packet()
            if first == 0x40:
                ids.append(struct.unpack(">H", body)[0])
        return ids


class Acknowledging(DurabilityCase):
    def test_no_puback_before_the_commit(self):
        client = self.accepted("pump-7")
        self.hub.tell("hold")
        client.send(publish_packet(events("pump-7"), b"x", 1, flags=2))
        self.hub.wait_for_messages(1)
        self.assertTrue(client.nothing_comes(0.5))
        self.assertEqual(self.hub.statistics()["awaiting"], 1)
        self.hub.tell("release")
        self.assertEqual(client.read_packet(), (0x40, b"\0\1"))
        wait_until(lambda: self.hub.statistics()["awaiting"] == 0, "nothing awaited")

    def test_pings_are_answered_while_pubacks_wait(self):
        client = self.accepted("pump-7")
        self.hub.tell("hold")
        client.send(publish_packet(events("pump-7"), b"x", 1, flags=2) + b"\xc0\0")
        self.assertEqual(client.read_packet(), (0xD0, b""))
        self.hub.tell("release")
        self.assertEqual(client.read_packet(), (0x40, b"\0\1"))

    def test_pubacks_keep_the_order_of_the_messages_whatever_their_ids(self):
        client = self.accepted("pump-7")
        self.hub.tell("hold")
        ids = [500, 3, 65535, 1, 2, 77]
        client.send(b"".join(publish_packet(events("pump-7"), b"x", i, flags=2) for i in ids))
        self.hub.wait_for_messages(len(ids))
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(client, len(ids)), ids)

    def test_who_went_before_the_commit_gets_nothing_and_the_next_in_its_place_neither(self):
        first = self.accepted("pump-7")
        self.hub.tell("hold")
        first.send(publish_packet(events("pump-7"), b"x", 1, flags=2))
        self.hub.wait_for_messages(1)
        first.close()
        wait_until(lambda: self.hub.statistics()["connections"] == 0, "the first gone")
        second = self.accepted("pump-7")  # in the slot of the first
        self.hub.tell("release")
        self.assertTrue(second.nothing_comes(0.5))
        second.send(publish_packet(events("pump-7"), b"x", 1, flags=0xA))
        self.assertEqual(second.read_packet(), (0x40, b"\0\1"))
        self.assertEqual(len(self.hub.wait_for_messages(2)), 2)

    def test_a_message_repeated_while_it_is_on_its_way_is_taken_once(self):
        client = self.accepted("pump-7")
        self.hub.tell("hold")
        client.send(publish_packet(events("pump-7"), b"x", 5, flags=2))
        client.send(publish_packet(events("pump-7"), b"y", 6, flags=2))
        for _ in range(3):
            client.send(publish_packet(events("pump-7"), b"x", 5, flags=0xA))
        wait_until(lambda: self.hub.counter("hub_messages_repeated") == 3, "repetitions counted")
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(client, 2), [5, 6])
        self.assertTrue(client.nothing_comes())
        self.assertEqual(len(self.hub.messages), 2)
        client.send(publish_packet(events("pump-7"), b"x", 5, flags=0xA))  # its PUBACK may have been lost
        self.assertEqual(self.read_pubacks(client, 1), [5])
        self.assertEqual(len(self.hub.wait_for_messages(3)), 3)

    def test_more_in_flight_than_a_connection_may_have_waits_and_is_taken_later(self):
        client = self.accepted("pump-7")
        self.hub.tell("hold")
        count = 3000
        client.send(b"".join(publish_packet(events("pump-7"), b"%d" % i, i + 1, flags=2) for i in range(count)))
        self.hub.wait_for_messages(1024)
        self.assertEqual(self.hub.statistics()["awaiting"], 1024)
        self.assertTrue(client.nothing_comes())
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(client, count), list(range(1, count + 1)))
        messages = self.hub.wait_for_messages(count)
        self.assertTrue(all(m.is_of(b"%d" % i) for i, m in enumerate(messages)))

    def test_thousands_of_messages_of_several_devices_wait_for_one_commit(self):
        clients = {f"pump-{i}": self.accepted(f"pump-{i}") for i in range(5)}
        self.hub.tell("hold")
        for round_ in range(4):  # so that they stand in the log by turns
            for name, client in clients.items():
                client.send(b"".join(publish_packet(events(name), b"x", round_ * 250 + i + 1, flags=2)
                                     for i in range(250)))
        self.hub.wait_for_messages(5000)
        self.assertEqual(self.hub.statistics()["awaiting"], 5000)
        self.hub.tell("release")
        for client in clients.values():
            self.assertEqual(self.read_pubacks(client, 1000), list(range(1, 1001)))

    def test_stopping_acknowledges_nothing_that_is_not_committed(self):
        client = self.accepted("pump-7", will=(events("pump-7"), b"gone"))
        self.hub.tell("hold")
        client.send(publish_packet(events("pump-7"), b"x", 1, flags=2))
        self.hub.wait_for_messages(1)
        self.hub.stop()
        with self.assertRaises(EOFError):
            client.read_packet()
        self.assertEqual(len(self.hub.messages), 1)  # and our own end is no reason for a will
        self.hub = Hub()


class BackPressure(DurabilityCase):
    options = ("--log-messages", 8)

    def fill(self):
        self.hub.tell("hold")
        filler = self.accepted("filler")
        filler.send(b"".join(publish_packet(events("filler"), b"f", i + 1, flags=2) for i in range(8)))
        self.hub.wait_for_messages(8)
        return filler

    def test_a_full_log_holds_devices_back_and_loses_nothing(self):
        filler = self.fill()
        clients = {f"pump-{i}": self.accepted(f"pump-{i}") for i in range(6)}
        count = 40
        for name, client in clients.items():
            client.send(b"".join(publish_packet(events(name), b"%d" % i * 100, i + 1, flags=2)
                                 for i in range(count)))
        wait_until(lambda: self.hub.counter("hub_messages_delayed") >= 6, "all of them waiting")
        self.assertTrue(all(client.nothing_comes(0.05) for client in clients.values()))
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(filler, 8), list(range(1, 9)))
        for name, client in clients.items():
            self.assertEqual(self.read_pubacks(client, count), list(range(1, count + 1)))
            messages = self.hub.wait_for_messages(count, name)
            self.assertEqual(len(messages), count)
            self.assertTrue(all(m.is_of(b"%d" % i * 100) for i, m in enumerate(messages)))

    def test_who_comes_first_is_served_first(self):
        self.fill()
        order = [f"pump-{i}" for i in range(5)]
        for i, name in enumerate(order):
            self.accepted(name).send(publish_packet(events(name), b"x" * (1000 if i == 0 else 1), 1, flags=2))
            wait_until(lambda: self.hub.counter("hub_messages_delayed") == i + 1, f"{name} waiting")
        self.hub.tell("release")
        self.assertEqual([m.device for m in self.hub.wait_for_messages(13)[8:]], order)

    def test_keep_alive_does_not_end_whom_we_do_not_read(self):
        self.fill()
        self.hub.device("pump-7")
        client = RawClient(self.hub)
        self.clients.append(client)
        client.send(connect_packet("pump-7", user_name("pump-7"), device_token("pump-7"), keep_alive=1) +
                    publish_packet(events("pump-7"), b"x", 1, flags=2) + b"\xc0\0" * 3)
        self.assertEqual(client.read_packet(), (0x20, b"\0\0"))
        self.assertTrue(client.nothing_comes(3))
        self.assertEqual(self.hub.counter("hub_ended_keep_alive"), 0)
        self.assertEqual(self.hub.counter("hub_messages_delayed"), 1)  # once, however often the hub has tried
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(client, 1), [1])

    def test_qos_0_is_dropped_and_counted_while_the_log_is_full(self):
        self.fill()
        client = self.accepted("pump-7")
        client.send(publish_packet(events("pump-7"), b"x") + b"\xc0\0")
        self.assertEqual(client.read_packet(), (0xD0, b""))
        self.assertEqual(self.hub.counter("hub_messages_dropped"), 1)

    def test_a_will_that_finds_the_log_full_waits_for_room(self):
        filler = self.fill()
        for name in ("pump-7", "pump-8"):
            self.accepted(name, will=(events(name, "a=b"), b"gone " + name.encode())).close()
        wait_until(lambda: self.hub.counter("hub_wills_delayed") == 2, "the wills waiting")
        stayer = self.accepted("stayer")
        stayer.send(publish_packet(events("stayer"), b"x", 1, flags=2))
        wait_until(lambda: self.hub.counter("hub_messages_delayed") == 1, "the stayer waiting")
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(filler, 8), list(range(1, 9)))
        self.assertEqual(self.read_pubacks(stayer, 1), [1])
        first, second, last = self.hub.wait_for_messages(11)[8:]
        self.assertEqual([first.device, second.device, last.device], ["pump-7", "pump-8", "stayer"])
        self.assertTrue(first.is_of(b"gone pump-7") and second.is_of(b"gone pump-8"))
        self.assertEqual(first.properties, "a=b&iothub-MessageType=Will")
        self.assertEqual(self.hub.counter("hub_wills_dropped"), 0)

    def test_wills_beyond_their_bound_are_dropped_and_counted(self):
        self.fill()
        for i in range(80):
            self.accepted(f"pump-{i}", will=(events(f"pump-{i}"), bytes(14000))).close()
        wait_until(lambda: self.hub.counter("hub_wills_dropped") > 0, "some dropped")
        wait_until(lambda: self.hub.counter("hub_wills_dropped") + self.hub.counter("hub_wills_delayed") == 80,
                   "each counted")
        delayed = self.hub.counter("hub_wills_delayed")
        self.assertGreater(delayed, 60)
        self.hub.tell("release")
        self.hub.wait_for_messages(8 + delayed)

    def test_wills_that_wait_when_the_hub_stops_do_no_harm(self):
        self.fill()
        self.accepted("pump-7", will=(events("pump-7"), b"gone")).close()
        wait_until(lambda: self.hub.counter("hub_wills_delayed") == 1, "the will waiting")
        self.hub.stop()
        self.hub = Hub()

    def test_who_leaves_while_it_waits_is_noticed_and_others_go_on(self):
        self.fill()
        leaver, stayer = self.accepted("leaver"), self.accepted("stayer")
        leaver.send(publish_packet(events("leaver"), b"x", 1, flags=2))
        wait_until(lambda: self.hub.counter("hub_messages_delayed") == 1, "the leaver waiting")
        stayer.send(publish_packet(events("stayer"), b"x", 1, flags=2))
        wait_until(lambda: self.hub.counter("hub_messages_delayed") == 2, "the stayer waiting")
        leaver.close()
        wait_until(lambda: self.hub.statistics()["devices"] == 2, "the leaver gone")
        self.hub.tell("release")
        self.assertEqual(self.read_pubacks(stayer, 1), [1])
        self.assertEqual([m.device for m in self.hub.messages if m.device == "leaver"], [])


class ResendingDevice(threading.Thread):
    """Publishes numbers in order, loses its connection at random, and sends again what was not acknowledged."""

    def __init__(self, hub, name, count, seed):
        super().__init__()
        self.hub, self.name_, self.count, self.chance = hub, name, count, random.Random(seed)
        self.acknowledged = 0  # so many numbers, from 0 on
        self.connections = 0
        self.problem = None

    def run(self):
        try:
            while self.acknowledged < self.count:
                self.connections += 1
                self.one_connection(accepted_client(self.hub, self.name_))
        except Exception as problem:
            self.problem = repr(problem)

    def one_connection(self, client):
        sent = self.acknowledged
        until = sent + self.chance.randint(1, 60)
        try:
            while self.acknowledged < min(self.count, until):
                burst = min(self.count - sent, 20 - (sent - self.acknowledged), self.chance.randint(1, 20))
                client.send(b"".join(
                    publish_packet(events(self.name_), self.payload(sent + i), sent + i + 1,
                                   flags=0xA if self.connections > 1 else 2) for i in range(burst)))
                sent += burst
                if self.chance.random() < 0.1:
                    return
                first, body = client.read_packet()
                assert (first, body) == (0x40, struct.pack(">H", self.acknowledged + 1)), (first, body)
                self.acknowledged += 1
        finally:
            client.close()

    def payload(self, number):
        return b"%s %d " % (self.name_.encode(), number) * (number % 50 + 1)


class Soak(DurabilityCase):
    options = ("--log-messages", 50)

    def test_devices_that_come_and_go_lose_nothing_that_was_acknowledged_and_keep_their_order(self):
        chance = random.Random(7)
        devices = []
        for i in range(12):
            self.hub.device(f"pump-{i}")
            devices.append(ResendingDevice(self.hub, f"pump-{i}", 300, i))
        self.hub.tell("hold")
        for device in devices:
            device.start()
        wait_until(lambda: self.hub.counter("hub_messages_delayed") > 0, "the log to be full")
        self.hub.tell("release")
        while any(device.is_alive() for device in devices):
            self.hub.tell("hold")
            time.sleep(chance.random() * 0.02)
            self.hub.tell("release")
            time.sleep(chance.random() * 0.05)
        self.assertEqual([device.problem for device in devices if device.problem], [])
        self.assertGreater(sum(device.connections for device in devices), 100)
        for device in devices:
            digests = {hashlib.sha256(device.payload(n)).hexdigest(): n for n in range(device.count)}
            numbers = [digests[m.digest] for m in self.hub.messages if m.device == device.name_]
            self.assertEqual(sorted(set(numbers)), list(range(device.count)))
            new = [n for i, n in enumerate(numbers) if n not in numbers[:i]]
            self.assertEqual(new, sorted(new), "a message came before an older one of its device")
        wait_until(lambda: self.hub.statistics()["awaiting"] == 0, "nothing awaited")


class LargeMessages(DurabilityCase):
    options = ("--log-bytes", 400000)

    def test_a_large_message_is_not_overtaken_for_ever_by_small_ones(self):
        small, large = self.accepted("small"), self.accepted("large")
        stop = time.monotonic() + 120
        large.send(publish_packet(events("large"), b"L" * 250000, 1, flags=2))
        number = 0
        large.socket.settimeout(0.001)
        acknowledged = False
        while not acknowledged and time.monotonic() < stop:
            small.send(b"".join(publish_packet(events("small"), b"s" * 1000, (number + i) % 65000 + 1, flags=2)
                                for i in range(100)))
            number += 100
            self.read_pubacks(small, 100)
            acknowledged = not large.nothing_comes(0.001)
        self.assertTrue(acknowledged)

    def test_messages_of_250_kilobytes_pass_through_a_log_of_400(self):
        clients = [self.accepted(f"pump-{i}") for i in range(4)]
        for i, client in enumerate(clients):
            client.send(b"".join(publish_packet(events(f"pump-{i}"), bytes([i, n]) * 125000, n + 1, flags=2)
                                 for n in range(3)))
        for i, client in enumerate(clients):
            self.assertEqual(self.read_pubacks(client, 3), [1, 2, 3])
            messages = self.hub.wait_for_messages(3, f"pump-{i}")
            self.assertTrue(all(m.is_of(bytes([i, n]) * 125000) for n, m in enumerate(messages)))

    def test_a_message_that_the_log_can_never_hold_ends_the_connection(self):
        hub, self.hub = self.hub, Hub("--log-bytes", 20000)
        hub.stop()
        client = self.accepted("pump-7")
        client.send(publish_packet(events("pump-7"), b"x" * 100000, 1, flags=2))
        self.assertTrue(client.is_closed())
        self.assertEqual(self.hub.counter("hub_ended_too_large"), 1)


if __name__ == "__main__":
    unittest.main()
