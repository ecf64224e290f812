"""What is stored of one device is damaged: that device's requests fail, are counted and named; the others' do not."""
import json
import os
import sqlite3
import unittest

from harness import StoredHubCase, packet, parse_publish, publish_packet, subscribe_packet, wait_until

GET = "$iothub/twin/GET/?$rid="
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid="
RESULTS = ("$iothub/twin/res/#", 0)
BAG = "%24.to=x&p=v%201"


def messages_of(device):
    return f"devices/{device}/messages/devicebound/#", 1


class Damage(StoredHubCase):
    devices = ("pump-7", "pump-8", "pump-9")
    filters = (RESULTS,)

    @property
    def file(self):
        return os.path.join(self.folder.name, "picket.db")

    def damage(self, sql, *values):
        connection = sqlite3.connect(self.file)
        self.assertEqual(connection.execute(sql, values).rowcount, 1)
        connection.commit()
        connection.close()

    def damage_twin(self, device, column, value):
        self.damage(f"update twins set {column} = ? where device = (select number from devices where id = ?)", value, device)

    def status_of(self, client, topic, payload=b""):
        answered, body = self.ask(client, topic, payload)
        return answered.split("/")[3], body.decode()

    def make_twins(self):
        clients = {name: self.client(name) for name in ("pump-7", "pump-8", "pump-9")}
        for client in clients.values():
            self.assertEqual(self.status_of(client, REPORT + "1", b'{"a":1}')[0], "204")
        return clients

    def test_a_damaged_twin_fails_its_own_requests(self):
        client, other, _ = self.make_twins().values()
        for value in ('{"a":', "[]", "", b"\0\xff", "{}x"):
            self.damage_twin("pump-7", "reported", value)
            for topic, payload in ((GET, b""), (REPORT, b'{"b":1}')):
                status, body = self.status_of(client, topic + "1", payload)
                self.assertEqual(status, "500")
                self.assertEqual(json.loads(body)["message"], "what is kept of it is damaged or cannot be read or written")
            self.assertEqual(self.status_of(other, GET + "1")[0], "200")
        self.assertEqual(self.hub.counter("store_twins_damaged"), 10)
        self.assertEqual(self.hub.counter("hub_exchange_isolated"), 10)
        self.assertEqual(self.hub.counter("hub_twin_requests_failed"), 10)
        self.assertIn("device pump-7: its request failed by itself: device pump-7: what is stored of its twin is damaged: the "
                      "reported part", self.hub.log())

    def test_a_version_that_is_none_is_damage_too(self):
        client, *_ = self.make_twins().values()
        for value in ("none", 0, -3):
            self.damage_twin("pump-7", "desired_version", value)
            self.assertEqual(self.status_of(client, GET + "1")[0], "500")

    def test_a_damaged_desired_part_leaves_reports_alone(self):
        client, *_ = self.make_twins().values()
        self.damage_twin("pump-7", "desired", "{")
        self.assertEqual(self.status_of(client, REPORT + "3", b'{"b":1}')[0], "204")
        self.assertEqual(self.status_of(client, GET + "4")[0], "500")
        self.assertIn("damaged: the desired part", self.hub.tell("desire", "pump-7", "-", '{"x":1}')[0])

    def together(self, clients, send, before_pong=None):
        """What they send is one group: the disk is held while the first request, of pump-9, waits for it."""
        lock = sqlite3.connect(self.file, isolation_level=None)
        lock.execute("begin immediate")
        clients["pump-9"].send(publish_packet(REPORT + "1", b'{"a":2}', 1, flags=2))
        self.assertEqual(clients["pump-9"].read_packet(), (0x40, b"\0\1"))
        send()
        for name, client in clients.items():
            client.send(b"\xc0\0")
            for _ in range((before_pong or {}).get(name, 0)):
                self.assertEqual(client.read_packet()[0], 0x90)
            self.assertEqual(client.read_packet(), (0xD0, b""))  # all that it sent before is with the exchange
        lock.execute("rollback")
        lock.close()
        self.assertEqual(parse_publish(clients["pump-9"].read_packet())[0], "$iothub/twin/res/204/?$rid=1&$version=3")

    def send_in_turn(self, clients):
        for n in range(10):
            for name in ("pump-8", "pump-7"):
                topic = GET + str(n) if n % 3 == 2 else REPORT + str(n)
                clients[name].send(publish_packet(topic, b'{"n":%d}' % n))

    def check_answers(self, clients):
        """In their order; the version counts those that came before."""
        for n in range(10):
            topic, body, _ = parse_publish(clients["pump-8"].read_packet())
            if n % 3 == 2:
                self.assertEqual(topic, f"$iothub/twin/res/200/?$rid={n}")
                self.assertEqual(json.loads(body)["reported"]["n"], n - 1)
            else:
                self.assertEqual(topic, f"$iothub/twin/res/204/?$rid={n}&$version={3 + n - (n + 1) // 3}")
            self.assertEqual(parse_publish(clients["pump-7"].read_packet())[0], f"$iothub/twin/res/500/?$rid={n}")

    def test_in_a_group_the_others_requests_are_answered_as_ever_and_all_in_order(self):
        clients = self.make_twins()
        self.damage_twin("pump-7", "reported", "{")
        self.together(clients, lambda: self.send_in_turn(clients))
        self.check_answers(clients)
        self.assertEqual(self.hub.counter("hub_twin_requests_failed"), 10)

    def break_page(self, table):
        """The one long row of the table goes on on pages of its own; the first of them names another that cannot be."""
        connection = sqlite3.connect(self.file)
        connection.execute("pragma wal_checkpoint(truncate)")
        size, = connection.execute("pragma page_size").fetchone()
        page, = connection.execute("select min(pageno) from dbstat where name = ? and pagetype = 'overflow'", (table,)).fetchone()
        connection.close()
        with open(self.file, "r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\x7f\xff\xff\xff")

    def test_a_twin_on_a_page_that_cannot_be_read_fails_its_own_requests(self):
        clients = self.make_twins()
        for n in range(6):
            text = str(n) * 4000
            self.assertEqual(self.status_of(clients["pump-7"], REPORT + "1", json.dumps({f"k{n}": text}).encode())[0], "204")
        self.hub.stop()
        self.break_page("twins")
        self.start()
        clients = {name: self.client(name) for name in clients}
        self.together(clients, lambda: self.send_in_turn(clients))
        self.check_answers(clients)
        self.assertIn("device pump-7: its request failed by itself", self.hub.log())
        self.assertGreaterEqual(self.hub.counter("hub_exchange_isolated"), 10)

    def test_a_message_on_a_page_that_cannot_be_read_holds_up_its_own_device_alone(self):
        self.assertEqual(self.hub.tell("queue", "pump-7", "x" * 20000, 3600), ["queued"])
        self.assertEqual(self.hub.tell("queue", "pump-8", "short", 3600), ["queued"])
        self.hub.stop()
        self.break_page("messages")
        self.start()
        clients = {name: self.client(name) for name in ("pump-7", "pump-8", "pump-9")}
        self.assertEqual(self.status_of(clients["pump-9"], REPORT + "1", b'{"a":1}')[0], "204")
        self.together(clients, lambda: [clients[name].send(subscribe_packet(1, messages_of(name))) for name in ("pump-7", "pump-8")],
                      before_pong={"pump-7": 1, "pump-8": 1})
        self.assertEqual(parse_publish(clients["pump-8"].read_packet())[1], b"short")
        self.assertTrue(clients["pump-7"].nothing_comes())
        self.assertGreaterEqual(self.hub.counter("hub_device_messages_failed"), 1)
        self.assertIn("device pump-7: its request failed by itself", self.hub.log())
        self.assertEqual(self.status_of(clients["pump-7"], REPORT + "2", b'{"a":1}')[0], "204")

    def test_a_damaged_message_is_removed_and_the_others_come(self):
        for n in range(20):
            self.assertEqual(self.hub.tell("queue", "pump-7", f"m{n}", 3600), ["queued"])
        for number, bag in ((1, "a/#"), (2, "x" * 1025), (3, b"\xff\xfe"), (9, "a b"), (20, "+")):
            self.damage("update messages set bag = ? where id = ?", bag, number)
        client = self.client("pump-7", (messages_of("pump-7"),))
        for n in [n for n in range(20) if n + 1 not in (1, 2, 3, 9, 20)]:
            topic, payload, packet_id = parse_publish(client.read_packet())
            self.assertEqual((topic, payload.decode()), (f"devices/pump-7/messages/devicebound/{BAG}", f"m{n}"))
            client.send(packet(0x40, packet_id.to_bytes(2, "big")))
        wait_until(lambda: self.hub.tell("waiting", "pump-7")[0].split()[1:] == [], "all to be done")
        self.assertEqual(self.hub.counter("store_messages_damaged"), 5)
        self.assertRegex(self.hub.log(), "device pump-7: message [0-9]+ to it is damaged, and removed")

    def test_a_damaged_session_is_none(self):
        for kept in (0x4000, -1, "garbage", 1 << 20):
            self.client("pump-7", (RESULTS,), clean=False).close()
            self.damage("update sessions set subscriptions = ?", kept)
            client = self.client("pump-7", (RESULTS,), clean=False)  # session-present 0, and it subscribes
            self.assertEqual(self.status_of(client, GET + "1")[0], "200")
            client.close()
            self.client("pump-7", (), clean=False, resumed=True).close()
            self.client("pump-7", ()).close()
            wait_until(lambda: self.count("sessions") == 0, "the session to be forgotten")
        self.assertEqual(self.hub.counter("hub_subscriptions_unkept"), 3)  # text reads as 0, which is none
        self.assertIn("device pump-7: what it subscribes to is not kept for its next connection: what is stored of it is "
                      "damaged, or of a newer Picket", self.hub.log())

    def count(self, table):
        connection = sqlite3.connect(self.file)
        number, = connection.execute(f"select count(*) from {table}").fetchone()
        connection.close()
        return number


if __name__ == "__main__":
    unittest.main()
