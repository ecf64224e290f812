"""The IP filter: who is let in by address, at accept and when the rules change."""
import socket
import unittest

from harness import DEADLINE_S, RawClient, StoredHubCase, has_ipv6, wait_until

ACCEPTED = (0x20, b"\0\0")


class IpFilter(StoredHubCase):
    devices = ("pump-0", "pump-1", "pump-2")

    def filter(self, *words):
        self.assertEqual(self.hub.tell("filter", *words), [])

    def accepted(self, source, device="pump-0"):
        client = RawClient(self.hub, source=source)
        self.assertEqual(client.connect(device), ACCEPTED)
        self.addCleanup(client.close)
        return client

    def refused(self, source):
        before = self.hub.counter("hub_connections_refused_by_ip_filter")
        with self.assertRaises((ConnectionError, OSError, EOFError)):
            RawClient(self.hub, source=source)
        self.assertEqual(self.hub.counter("hub_connections_refused_by_ip_filter"), before + 1)

    def test_the_first_rule_decides_at_accept(self):
        self.filter("allow", "allow=127.0.0.5/32,deny=127.0.0.0/24")
        self.accepted("127.0.0.5")
        self.refused("127.0.0.6")
        self.accepted("127.0.1.6", "pump-1")
        wait_until(lambda: "client at 127.0.0.6: refused by the IP filter: rule 2 (deny 127.0.0.0/24)" in
                   self.hub.log(), self.hub.log())

    def test_the_default_decides_last(self):
        self.filter("deny", "allow=127.0.0.5/32")
        self.accepted("127.0.0.5")
        self.refused("127.0.0.6")
        self.filter("allow")
        self.accepted("127.0.0.6", "pump-1")

    def test_who_is_denied_from_now_on_is_ended_and_others_stay(self):
        early, other = self.accepted("127.0.0.5"), self.accepted("127.0.0.6", "pump-1")
        half = socket.create_connection(("127.0.0.1", self.hub.port), source_address=("127.0.0.5", 0))
        self.addCleanup(half.close)
        wait_until(lambda: self.hub.statistics()["connections"] == 3, "the half-open one")
        self.filter("allow", "deny=127.0.0.5/32")
        self.assertTrue(early.is_closed())
        half.settimeout(DEADLINE_S)
        self.assertEqual(half.recv(1), b"")
        other.send(b"\xc0\0")
        self.assertEqual(other.read_packet(), (0xD0, b""))
        self.assertEqual(self.hub.counter("hub_ended_ip_filter"), 2)

    def test_the_filter_counts_from_the_start(self):
        self.filter("deny", "allow=127.0.0.5/32")
        self.hub.stop()
        self.start()
        self.refused("127.0.0.6")
        self.accepted("127.0.0.5")

    @unittest.skipUnless(has_ipv6(), "there is no IPv6 here")
    def test_both_families_are_filtered(self):
        self.hub.stop()
        self.options = ("--address", "::1")
        self.start()
        self.filter("allow", "deny=::1/128")
        with self.assertRaises((ConnectionError, OSError, EOFError)):
            RawClient(self.hub, address="::1")
        self.filter("deny", "allow=::/0")
        client = RawClient(self.hub, address="::1")
        self.assertEqual(client.connect("pump-0"), ACCEPTED)
        client.close()


if __name__ == "__main__":
    unittest.main()
