"""Subscriptions that are kept from one connection to the next."""
import unittest

from harness import StoredHubCase, accepted_client, packet, parse_publish, publish_packet, subscribe_packet, text, wait_until

RESULTS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
MESSAGES = "devices/pump-7/messages/devicebound/#"


class Sessions(StoredHubCase):
    devices = ("pump-7",)

    def client(self, resumed=False, **options):
        client = accepted_client(self.hub, "pump-7", resumed=resumed, **options)
        self.addCleanup(client.close)
        return client

    def subscribed(self, *filters, **options):
        client = self.client(**options)
        client.send(subscribe_packet(1, *filters))
        first, body = client.read_packet()
        self.assertEqual((first, body), (0x90, b"\0\1" + bytes(qos for _, qos in filters)))
        return client

    def test_with_clean_session_0_a_device_need_not_subscribe_again(self):
        self.subscribed((RESULTS, 0), (DESIRED, 0), (MESSAGES, 1), clean=False).close()
        client = self.client(clean=False, resumed=True)
        client.send(publish_packet("$iothub/twin/GET/?$rid=1"))
        self.assertEqual(parse_publish(client.read_packet())[0], "$iothub/twin/res/200/?$rid=1")
        self.hub.tell("desire", "pump-7", "-", '{"a":1}')
        self.assertEqual(parse_publish(client.read_packet())[1], b'{"a":1,"$version":2}')
        self.hub.tell("queue", "pump-7", "hello", 60)
        _, payload, packet_id = parse_publish(client.read_packet())
        self.assertEqual((payload, packet_id > 0), (b"hello", True))  # with QoS 1, as it had asked

    def test_what_a_suback_said_is_kept_over_kill_9(self):
        self.subscribed((MESSAGES, 0), clean=False)
        self.restart_after_kill()
        self.hub.tell("queue", "pump-7", "hello", 60)
        client = self.client(clean=False, resumed=True)
        self.assertEqual(parse_publish(client.read_packet())[1:], (b"hello", 0))

    def test_modules_have_sessions_of_their_own(self):
        self.subscribed((RESULTS, 0), clean=False, module="vision")
        self.client(clean=False)
        self.client(clean=False, module="vision", resumed=True)

    def test_with_clean_session_1_what_was_kept_is_forgotten(self):
        self.subscribed((RESULTS, 0), clean=False).close()
        client = self.client()
        client.send(publish_packet("$iothub/twin/GET/?$rid=1"))
        wait_until(lambda: self.hub.counter("hub_twin_answers_unheard") == 1, "the answer")
        self.client(clean=False)

    def test_with_clean_session_1_nothing_is_kept(self):
        self.subscribed((RESULTS, 0)).close()
        self.client(clean=False)

    def test_what_was_unsubscribed_is_not_kept(self):
        client = self.subscribed((RESULTS, 0), (MESSAGES, 1), clean=False)
        for filters, resumed in ((RESULTS, True), (MESSAGES, False)):
            client.send(packet(0xA2, b"\0\2" + text(filters)))
            self.assertEqual(client.read_packet(), (0xB0, b"\0\2"))
            client = self.client(clean=False, resumed=resumed)

    def test_a_suback_waits_for_the_disk_and_one_that_changes_nothing_does_not(self):
        client = self.subscribed((RESULTS, 0), clean=False)
        lock = self.disk_held()
        client.send(subscribe_packet(2, (RESULTS, 0)))
        self.assertEqual(client.read_packet(), (0x90, b"\0\2\0"))
        client.send(subscribe_packet(3, (MESSAGES, 1)))
        self.assertTrue(client.nothing_comes())
        lock.execute("rollback")
        lock.close()
        self.assertEqual(client.read_packet(), (0x90, b"\0\3\1"))

    def test_what_could_not_be_kept_counts_for_this_connection(self):
        client = self.client(clean=False)
        lock = self.disk_held()
        client.send(subscribe_packet(1, (DESIRED, 0)))
        self.assertEqual(client.read_packet(), (0x90, b"\0\1\0"))  # SQLite gives up after 5 s
        lock.execute("rollback")
        lock.close()
        self.assertEqual(self.hub.counter("hub_subscriptions_unkept"), 1)
        self.hub.tell("desire", "pump-7", "-", '{"a":1}')
        self.assertEqual(parse_publish(client.read_packet())[1], b'{"a":1,"$version":2}')
        self.client(clean=False)


if __name__ == "__main__":
    unittest.main()
