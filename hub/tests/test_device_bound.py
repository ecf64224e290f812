"""Messages to devices, packet by packet, against a store as Picket has it."""
import unittest

from harness import StoredHubCase, accepted_client, packet, parse_publish, subscribe_packet, wait_until

OWN = "devices/pump-7/messages/devicebound/#"
ANY = "devices/+/messages/devicebound/#"  # NetX Duo's
TOPIC = "devices/pump-7/messages/devicebound/%24.to=x&p=v%201"


def puback(packet_id):
    return packet(0x40, packet_id.to_bytes(2, "big"))


class DeviceBound(StoredHubCase):
    def client(self, topic=OWN, qos=1, device="pump-7", **options):
        client = accepted_client(self.hub, device, **options)
        self.addCleanup(client.close)
        if topic:
            client.send(subscribe_packet(1, (topic, qos)))
            self.assertEqual(client.read_packet(), (0x90, bytes([0, 1, min(qos, 1)])))
        return client

    def queue(self, text, device="pump-7", seconds=3600):
        self.assertEqual(self.hub.tell("queue", device, text, seconds), ["queued"])

    def waiting(self, device="pump-7"):
        return self.hub.tell("waiting", device)[0].split()[1:]

    def read(self, client):
        topic, payload, packet_id = parse_publish(client.read_packet())
        self.assertEqual(topic, TOPIC)
        return payload.decode(), packet_id

    def complete(self, client, packet_id):
        client.send(puback(packet_id))

    def wait_for_waiting(self, expected, device="pump-7"):
        wait_until(lambda: self.waiting(device) == expected, f"{expected} to wait")

    def test_a_message_reaches_a_connected_device_and_its_puback_completes_it(self):
        for topic in (OWN, ANY):
            client = self.client(topic)
            self.queue("hello")
            text, packet_id = self.read(client)
            self.assertEqual(text, "hello")
            self.assertEqual(self.waiting(), ["hello:1"])
            self.complete(client, packet_id)
            self.wait_for_waiting([])
        self.assertEqual(self.hub.counter("hub_device_messages_completed"), 2)

    def test_what_waits_comes_at_the_subscription_in_order(self):
        for n in range(50):
            self.queue(f"m{n}")
        client = self.client()
        for n in range(50):
            text, packet_id = self.read(client)
            self.assertEqual(text, f"m{n}")
            self.complete(client, packet_id)
        self.wait_for_waiting([])

    def test_no_more_than_16_are_on_their_way(self):
        for n in range(20):
            self.queue(f"m{n}")
        client = self.client()
        ids = [self.read(client)[1] for _ in range(16)]
        self.assertTrue(client.nothing_comes())
        for packet_id in ids[:8]:
            self.complete(client, packet_id)
        self.assertEqual([self.read(client)[0] for _ in range(4)], ["m16", "m17", "m18", "m19"])
        self.wait_for_waiting([f"m{n}:1" for n in range(8, 20)])

    def test_what_was_not_acknowledged_comes_again_on_the_next_connection_in_order(self):
        for n in range(4):
            self.queue(f"m{n}")
        client = self.client()
        ids = [self.read(client)[1] for _ in range(4)]
        self.complete(client, ids[1])
        self.wait_for_waiting(["m0:1", "m2:1", "m3:1"])
        client.close()
        again = self.client()
        for expected in ("m0", "m2", "m3"):
            text, packet_id = self.read(again)
            self.assertEqual(text, expected)
            self.complete(again, packet_id)
        self.wait_for_waiting([])

    def test_messages_and_completions_survive_kill_9(self):
        for n in range(3):
            self.queue(f"m{n}")
        client = self.client()
        self.complete(client, self.read(client)[1])
        self.wait_for_waiting(["m1:1", "m2:1"])
        self.restart_after_kill()
        again = self.client()
        self.assertEqual([self.read(again)[0] for _ in range(2)], ["m1", "m2"])

    def test_after_ten_deliveries_a_message_is_given_up(self):
        self.queue("poison")
        for _ in range(10):
            client = self.client()
            self.assertEqual(self.read(client)[0], "poison")
            client.close()
        self.assertEqual(self.waiting(), ["poison:10"])
        self.queue("good")
        self.assertEqual(self.read(self.client())[0], "good")
        self.assertEqual(self.hub.counter("store_messages_undeliverable"), 1)

    def test_an_expired_message_is_not_sent(self):
        self.queue("old", seconds=0)
        self.queue("new")
        self.assertEqual(self.read(self.client())[0], "new")

    def test_with_qos_0_a_message_is_done_when_it_is_sent(self):
        client = self.client(qos=0)
        self.queue("hello")
        self.assertEqual(self.read(client), ("hello", 0))
        self.wait_for_waiting([])

    def test_others_modules_and_those_not_subscribed_get_nothing(self):
        clients = [self.client(topic=None), self.client(ANY, device="pump-8"),
                   self.client(ANY, module="vision")]
        self.queue("mine")
        for client in clients:
            self.assertTrue(client.nothing_comes())
        self.assertEqual(self.waiting(), ["mine:0"])

    def test_what_was_being_taken_when_it_unsubscribed_does_not_come_before_it_subscribes_again(self):
        self.queue("hello")
        lock = self.disk_held()
        client = self.client()
        topic = OWN.encode()
        client.send(packet(0xA2, b"\0\2" + len(topic).to_bytes(2, "big") + topic))
        self.assertEqual(client.read_packet(), (0xB0, b"\0\2"))
        lock.execute("rollback")
        lock.close()
        self.wait_for_waiting(["hello:1"])  # it was taken
        self.assertTrue(client.nothing_comes())
        client.send(subscribe_packet(3, (OWN, 1)))
        self.assertEqual(client.read_packet()[0], 0x90)
        self.assertEqual(self.read(client)[0], "hello")

    def test_after_unsubscribing_nothing_comes_and_afterwards_it_goes_on(self):
        client = self.client()
        topic = OWN.encode()
        client.send(packet(0xA2, b"\0\2" + len(topic).to_bytes(2, "big") + topic))
        self.assertEqual(client.read_packet(), (0xB0, b"\0\2"))
        self.queue("later")
        self.assertTrue(client.nothing_comes())
        client.send(subscribe_packet(3, (OWN, 1)))
        self.assertEqual(client.read_packet()[0], 0x90)
        self.assertEqual(self.read(client)[0], "later")

    def test_a_puback_for_nothing_does_no_harm(self):
        client = self.client()
        client.send(puback(77))
        self.queue("hello")
        text, packet_id = self.read(client)
        self.complete(client, packet_id)
        self.complete(client, packet_id)
        self.wait_for_waiting([])

    def test_large_messages_come_whole(self):
        texts = [letter * 65536 for letter in "abcdefgh"]
        for text in texts:
            self.queue(text)
        client = self.client()
        for text in texts:
            got, packet_id = self.read(client)
            self.assertEqual(got, text)
            self.complete(client, packet_id)
        self.wait_for_waiting([])

    def test_when_the_disk_is_held_up_messages_come_later(self):
        self.queue("hello")
        lock = self.disk_held()
        client = self.client()
        wait_until(lambda: self.hub.counter("hub_device_messages_failed") >= 1, "the first attempt")
        lock.execute("rollback")
        lock.close()
        self.assertEqual(self.read(client)[0], "hello")


if __name__ == "__main__":
    unittest.main()
