"""What the hub sees of devices: folded by device and interval, told to the log, and by nobody else."""
import contextlib
import socket
import ssl
import time
import unittest

from harness import (Hub, RawClient, accepted_client, connect_packet, device_token, events, key_of, publish_packet,
                     tls_context, user_name, wait_until)


class Activity(unittest.TestCase):
    def setUp(self):
        self.hub = Hub()
        self.hub.device("pump-7")
        self.hub.device("pump-8")

    def tearDown(self):
        if self.hub.process.poll() is None:
            self.hub.stop()

    def of(self, device="pump-7"):
        return [said for name, said in list(self.hub.activities) if name == device]

    def wait_for(self, device="pump-7", count=1):
        wait_until(lambda: len(self.of(device)) >= count, f"{count} of {device}: {self.hub.activities}")
        return self.of(device)

    def refuse(self, device="pump-7", **options):
        client = RawClient(self.hub)
        answer = client.connect(device, password=options.get("password") or device_token(device, key_of("guess")))
        self.assertEqual(answer, (0x20, b"\0\5"))
        client.close()

    def test_a_connection_is_told_with_how_it_came_about(self):
        context = tls_context(ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-SHA256", "secp384r1")
        began = time.time()
        client = RawClient(self.hub, context)
        client.connect("pump-7")
        said = self.wait_for()[0]
        self.assertEqual((said["about"], said["connected"], said["authentication"]), ("activity", 1, "sas"))
        self.assertEqual(said["last_accepted"], {"address": "127.0.0.1", "tls": "TLSv1.2",
                                                 "cipher": "ECDHE-RSA-AES128-SHA256"})
        self.assertNotIn("last_refused", said)
        self.assertTrue(began - 1 <= said["since_ms"] / 1000 <= time.time() + 1)
        client.close()

    def test_refusals_of_a_device_are_folded_into_one_event(self):
        for _ in range(20):
            self.refuse()
        self.refuse(password=device_token("pump-7", seconds=-5))
        self.hub.stop()  # what is not due yet is told
        told = self.of()
        self.assertLessEqual(len(told), 3)
        self.assertEqual(sum(said["counts"].get("hub_refused_signature", 0) for said in told), 20)
        self.assertEqual(sum(said["counts"].get("hub_refused_token_expired", 0) for said in told), 1)
        self.assertEqual(told[-1]["last_refused"]["address"], "127.0.0.1")

    def test_what_follows_the_first_event_waits_for_the_interval(self):
        self.refuse()
        self.wait_for()
        for _ in range(5):
            self.refuse()
        client = accepted_client(self.hub, "pump-8")
        self.wait_for("pump-8")
        client.close()
        self.assertEqual(len(self.of()), 1)
        self.hub.stop()
        self.assertEqual([said["counts"]["hub_refused_signature"] for said in self.of()], [1, 5])

    def test_nobody_but_devices_of_the_registry_is_told_of(self):
        self.refuse("nobody")
        client = RawClient(self.hub)
        client.send(connect_packet("pump-7", user_name("pump-7"), "SharedAccessSignature nonsense"))
        client.read_packet()
        client.close()
        self.refuse()
        self.wait_for()
        self.hub.stop()
        self.assertEqual({name for name, _ in self.hub.activities}, {"pump-7"})
        self.assertEqual([said["counts"] for said in self.of()], [{"hub_refused_signature": 1}])

    def test_ends_are_told_by_their_reason(self):
        client = accepted_client(self.hub, "pump-7")
        client.send(b"\xe0\0")
        self.assertTrue(client.is_closed())
        lost = accepted_client(self.hub, "pump-7")
        lost.send(publish_packet("devices/pump-8/messages/events/", b"x", 1, flags=2))
        self.assertTrue(lost.is_closed())
        self.hub.stop()
        counts = {}
        for said in self.of():
            for name, count in said["counts"].items():
                counts[name] = counts.get(name, 0) + count
        self.assertEqual(counts, {"hub_ended_by_device": 1, "hub_ended_foreign_topic": 1})

    def test_a_device_that_takes_over_from_the_same_address_has_not_moved(self):
        clients = [accepted_client(self.hub, "pump-7") for _ in range(3)]
        self.hub.stop()
        self.assertEqual(sum(said.get("moved", 0) for said in self.of()), 0)
        self.assertEqual(sum(said["counts"].get("hub_ended_taken_over", 0) for said in self.of()), 2)
        for client in clients:
            client.close()

    def refuse_until(self, condition):
        """As fast as it goes, by failed handshakes: five a second have to be many on however busy a machine."""
        end = time.monotonic() + 120
        while not condition() and time.monotonic() < end:
            with socket.create_connection(("127.0.0.1", self.hub.port)) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                with contextlib.suppress(ConnectionError):
                    while plain.recv(1000):
                        pass
            time.sleep(0.02)

    def test_a_burst_of_refusals_is_told_once_of_nobody_in_particular(self):
        self.refuse_until(lambda: self.of(""))
        said = self.of("")
        self.assertEqual([(each["about"], each["seconds"]) for each in said], [("burst", 30)])
        self.assertGreaterEqual(said[0]["refusals"], 150)

    def test_certificates_that_end_soon_are_told_at_the_start(self):
        self.hub.stop()
        self.hub = Hub("--certificate-warning", 3 * 86400)
        said, = wait_until(lambda: self.of(""), "that its certificate ends")
        self.assertEqual((said["about"], said["of"], said["expired"]), ("certificate", "hub", False))
        self.assertAlmostEqual(said["until_ms"] / 1000, time.time() + 2 * 86400, delta=3600)
        self.hub.stop()
        self.assertEqual(len(self.of("")), 1)

    def test_each_of_many_devices_is_told_of_once(self):
        names = [self.hub.device(f"sensor-{i}") for i in range(200)]
        for name in names:
            accepted_client(self.hub, name).close()
        wait_until(lambda: len({name for name, _ in list(self.hub.activities)}) >= 200, "all 200")
        self.hub.stop()
        connected = {}
        for name, said in self.hub.activities:
            connected[name] = connected.get(name, 0) + said.get("connected", 0)
        self.assertEqual(connected, {name: 1 for name in names})

    def test_a_device_cannot_forge_what_the_hub_says(self):
        client = accepted_client(self.hub, "pump-7")
        client.send(publish_packet(events("pump-7", "about=connections"), b'{"about":"connections"}', 7, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\7"))
        self.assertEqual(len(self.hub.wait_for_messages(1)), 1)
        client.close()


if __name__ == "__main__":
    unittest.main()
