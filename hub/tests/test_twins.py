"""Twins: what devices ask and are told, packet by packet, against a store as Picket has it."""
import json
import unittest

from harness import Hub, StoredHubCase, accepted_client, parse_publish, publish_packet, subscribe_packet, wait_until

GET = "$iothub/twin/GET/?$rid="
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid="
RESULTS = ("$iothub/twin/res/#", 0)
DESIRED = ("$iothub/twin/PATCH/properties/desired/#", 0)


class TwinCase(StoredHubCase):
    filters = (RESULTS, DESIRED)

    def get(self, client, rid="g"):
        topic, payload = self.ask(client, GET + rid)
        self.assertEqual(topic, f"$iothub/twin/res/200/?$rid={rid}")
        return json.loads(payload)

    def report(self, client, patch, rid="3"):
        return self.ask(client, REPORT + rid, patch if isinstance(patch, bytes) else json.dumps(patch).encode())

    def desire(self, device, patch, module="-"):
        answer, = self.hub.tell("desire", device, module, json.dumps(patch, separators=(",", ":")))
        self.assertTrue(answer.startswith("desired "), answer)
        return int(answer.split()[1])


class Requests(TwinCase):
    def test_a_twin_nobody_touched_is_empty_with_version_1(self):
        self.assertEqual(self.get(self.client()),
                         {"desired": {"$version": 1}, "reported": {"$version": 1}})

    def test_the_request_id_is_echoed_verbatim(self):
        client = self.client()
        for rid in ("0", "2147483646", "6c1d2a7e-0a2b-4f4e-9a3f-7d5a3a1f2b1c", "a%20b%2f", "x=y;z", "r" * 128):
            topic, _ = self.ask(client, GET + rid, b" ")
            self.assertEqual(topic, f"$iothub/twin/res/200/?$rid={rid}")

    def test_a_report_is_merged_and_answered_with_exactly_204_and_nothing(self):
        client = self.client()
        self.assertEqual(self.report(client, {"a": 1, "c": {"x": True, "__t": "c"}}, "1"),
                         ("$iothub/twin/res/204/?$rid=1&$version=2", b""))
        self.assertEqual(self.report(client, {"a": None, "c": {"y": "z"}}, "3"),
                         ("$iothub/twin/res/204/?$rid=3&$version=3", b""))
        self.assertEqual(self.get(client)["reported"],
                         {"c": {"x": True, "__t": "c", "y": "z"}, "$version": 3})

    def test_what_was_answered_with_204_is_there_after_kill_9(self):
        client = self.client()
        self.report(client, {"n": 7})
        self.restart_after_kill()
        self.assertEqual(self.get(self.client())["reported"], {"n": 7, "$version": 2})

    def test_a_wrong_report_is_answered_with_400_and_why(self):
        client = self.client()
        for patch, told in ((b"", "not JSON"), (b"[]", "not a JSON object"), (b'{"a"', "not JSON"),
                            (b'{"$version":1}', "reported.$version"), (b'{"a":"' + b"x" * 5000 + b'"}', "4096"),
                            (b'{"a":"' + b"x" * 70000 + b'"}', "65536"), (b'{"a":"\xff"}', "not JSON"),
                            (b'{"' * 3000, "not JSON")):
            topic, payload = self.report(client, patch, "9")
            self.assertEqual(topic, "$iothub/twin/res/400/?$rid=9")
            answer = json.loads(payload)
            self.assertEqual(answer["errorCode"], 400001)
            self.assertIn(told, answer["message"])
        self.assertEqual(self.get(client)["reported"], {"$version": 1})
        self.assertEqual(self.hub.counter("hub_twin_requests_refused"), 8)

    def test_a_topic_without_a_request_id_is_counted_and_costs_nothing(self):
        client = self.client()
        for topic in ("$iothub/twin/GET/", "$iothub/twin/GET/?$rid=", GET[:-6] + "rid=1", GET + "r" * 129,
                      "$iothub/methods/res/?$rid=1", "$iothub/methods/res/abc/?$rid=1"):
            client.send(publish_packet(topic, b"", 5, flags=2))
            self.assertEqual(client.read_packet(), (0x40, b"\0\5"))
        self.assertEqual(self.hub.counter("hub_requests_malformed"), 6)
        self.get(client)

    def test_who_is_not_subscribed_gets_no_answer_but_the_report_counts(self):
        client = self.client(filters=())
        client.send(publish_packet(REPORT + "1", b'{"a":1}', 7, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\7"))
        wait_until(lambda: self.hub.counter("hub_twin_answers_unheard") == 1, "the answer")
        client.send(subscribe_packet(1, RESULTS))
        client.read_packet()
        self.assertEqual(self.get(client)["reported"]["a"], 1)

    def test_a_module_has_a_twin_of_its_own(self):
        device, module = self.client(), self.client(module="vision")
        self.report(module, {"m": 1})
        self.report(device, {"d": 1})
        self.assertEqual(self.get(module)["reported"], {"m": 1, "$version": 2})
        self.assertEqual(self.get(device)["reported"], {"d": 1, "$version": 2})

    def test_beyond_ten_requests_that_wait_a_device_gets_429(self):
        client = self.client()
        lock = self.disk_held()
        for n in range(11):
            client.send(publish_packet(REPORT + str(n), b'{"n":%d}' % n))
        topic, payload = parse_publish(client.read_packet())[:2]
        self.assertEqual(topic, "$iothub/twin/res/429/?$rid=10")
        self.assertIn("try again", json.loads(payload)["message"])
        lock.execute("rollback")
        answers = [parse_publish(client.read_packet())[0] for _ in range(10)]
        self.assertEqual(answers, [f"$iothub/twin/res/204/?$rid={n}&$version={n + 2}" for n in range(10)])
        self.assertEqual(self.hub.counter("hub_twin_requests_throttled"), 1)
        lock.close()

    def test_the_loop_serves_others_while_the_disk_is_held(self):
        client, other = self.client(), self.client("pump-8")
        lock = self.disk_held()
        client.send(publish_packet(REPORT + "1", b"{}"))
        for _ in range(5):
            other.send(b"\xc0\0")
            self.assertEqual(other.read_packet(), (0xD0, b""))
        lock.execute("rollback")
        lock.close()
        self.assertEqual(parse_publish(client.read_packet())[0], "$iothub/twin/res/204/?$rid=1&$version=2")

    def test_when_the_disk_stays_away_a_device_is_told_to_come_later(self):
        client = self.client()
        lock = self.disk_held()
        topic, payload = self.report(client, {"a": 1}, "5")  # SQLite gives up after 5 s
        self.assertEqual(topic, "$iothub/twin/res/429/?$rid=5")
        self.assertEqual(json.loads(payload), {"errorCode": 429001, "message": "what is kept is in use; try again later"})
        lock.execute("rollback")
        lock.close()
        self.assertEqual(self.get(client)["reported"], {"$version": 1})

    def test_many_devices_report_at_once(self):
        clients = []
        for n in range(20):
            self.hub.device(f"s-{n}")
            clients.append(self.client(f"s-{n}"))
        for round_number in range(5):
            for client in clients:
                for n in range(10):
                    client.send(publish_packet(REPORT + str(n), json.dumps({f"k{n}": round_number}).encode()))
            for client in clients:
                topics = [parse_publish(client.read_packet())[0] for _ in range(10)]
                self.assertEqual(topics, [f"$iothub/twin/res/204/?$rid={n}&$version={round_number * 10 + n + 2}"
                                          for n in range(10)])
        for client in clients:
            self.assertEqual(self.get(client)["reported"], {**{f"k{n}": 4 for n in range(10)}, "$version": 51})

    def test_requests_of_who_has_gone_are_done_and_answered_to_nobody(self):
        client = self.client()
        lock = self.disk_held()
        client.send(publish_packet(REPORT + "1", b'{"a":1}', 7, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\7"))
        client.close()
        wait_until(lambda: self.hub.statistics()["devices"] == 0, "it left")
        lock.execute("rollback")
        lock.close()
        again = self.client()
        wait_until(lambda: self.get(again)["reported"].get("a") == 1, "its report")


class Changes(TwinCase):
    def test_a_desired_change_reaches_the_connected_device(self):
        client = self.client()
        version = self.desire("pump-7", {"interval": 30, "gone": None})
        topic, payload, _ = parse_publish(client.read_packet())
        self.assertEqual(topic, f"$iothub/twin/PATCH/properties/desired/?$version={version}")
        self.assertEqual(json.loads(payload), {"interval": 30, "gone": None, "$version": version})
        self.assertEqual(self.get(client)["desired"], {"interval": 30, "$version": version})

    def test_changes_come_in_order(self):
        client = self.client()
        for n in range(50):
            self.desire("pump-7", {"n": n})
        for n in range(50):
            topic, payload, _ = parse_publish(client.read_packet())
            self.assertEqual(json.loads(payload), {"n": n, "$version": n + 2})

    def test_others_modules_and_those_not_subscribed_are_not_told(self):
        unsubscribed, other, module = (self.client(filters=(RESULTS,)), self.client("pump-8"),
                                       self.client(module="vision"))
        self.desire("pump-7", {"a": 1})
        for client in (unsubscribed, other, module):
            self.assertTrue(client.nothing_comes())
        self.desire("pump-7", {"m": 1}, "vision")
        self.assertEqual(json.loads(parse_publish(module.read_packet())[1]), {"m": 1, "$version": 2})

    def test_who_was_away_finds_the_change_when_it_asks(self):
        self.desire("pump-7", {"a": {"b": 1}})
        self.assertEqual(self.get(self.client())["desired"], {"a": {"b": 1}, "$version": 2})

    def test_an_empty_change_tells_the_version(self):
        client = self.client()
        self.desire("pump-7", {})
        self.assertEqual(parse_publish(client.read_packet())[1], b'{"$version":2}')


class Memory(TwinCase):
    """What a device does not read is bounded for all of them together."""

    options = ("--output-bytes-max", 1)

    def test_while_one_does_not_read_others_are_told_to_come_later_and_are_served_when_it_has_gone(self):
        lazy, other = self.client(), self.client("pump-8")
        for n in range(8):
            self.report(lazy, {f"p{n}": "x" * 4000})
        for _ in range(1000):
            lazy.send(b"".join(publish_packet(GET + str(n)) for n in range(10)))
            topic, payload = self.ask(other, GET + "2")
            if topic == "$iothub/twin/res/429/?$rid=2":
                break
        self.assertIn("try again", json.loads(payload)["message"])
        lazy.close()
        wait_until(lambda: self.ask(other, GET + "3")[0].startswith("$iothub/twin/res/200/"), "it to be served")


class WithoutKeeper(unittest.TestCase):
    def test_requests_are_answered_with_503(self):
        hub = Hub()
        try:
            hub.device("pump-7")
            client = accepted_client(hub, "pump-7")
            client.send(subscribe_packet(1, RESULTS))
            client.read_packet()
            client.send(publish_packet(GET + "1"))
            self.assertEqual(parse_publish(client.read_packet())[0], "$iothub/twin/res/503/?$rid=1")
            client.close()
        finally:
            hub.stop()


if __name__ == "__main__":
    unittest.main()
