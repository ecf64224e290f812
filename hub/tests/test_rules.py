"""The hub's rules packet by packet, and what it does against clients that mean harm."""
import os
import random
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import unittest

from harness import (Certificates, DEADLINE_S, HOST, Hub, RawClient, accepted_client, connect_packet, device_token, events,
                     has_ipv6, key_of, packet, publish_packet, subscribe_packet, text, tls_context, token, user_name,
                     wait_until, with_longer_lives)

CONNACK_ACCEPTED = (0x20, b"\0\0")
CONNACK_REFUSED = (0x20, b"\0\5")


class HubCase(unittest.TestCase):
    options = ()

    def setUp(self):
        self.hub = Hub(*self.options)
        self.hub.device("pump-7")
        self.hub.device("pump-8")
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.hub.stop()

    def client(self, context=None):
        client = RawClient(self.hub, context)
        self.clients.append(client)
        return client

    def accepted(self, device="pump-7", **options):
        client = accepted_client(self.hub, device, **options)
        self.clients.append(client)
        return client

    def assert_log_says(self, *parts):
        wait_until(lambda: all(part in self.hub.log() for part in parts), f"{parts} in the log:\n{self.hub.log()}")

    def assert_still_serves(self):
        client = self.accepted("pump-8")
        before = len(self.hub.messages)
        client.send(publish_packet(events("pump-8"), b"still here", 7, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\7"))
        self.hub.wait_for_messages(before + 1)
        client.close()


class Connecting(HubCase):
    def refused(self, code, counter, *log, **connect):
        before = self.hub.counter(counter)
        client = self.client()
        client.send(connect_packet(connect.pop("client_id", "pump-7"), connect.pop("name", user_name("pump-7")),
                                   connect.pop("password", device_token("pump-7")), **connect))
        self.assertEqual(client.read_packet(), (0x20, bytes([0, code])))
        self.assertTrue(client.is_closed())
        self.assertEqual(self.hub.counter(counter), before + 1)
        self.assert_log_says(*log)

    def test_a_device_with_its_token_is_accepted_with_four_bytes(self):
        client = self.client()
        client.send(connect_packet("pump-7", user_name("pump-7"), device_token("pump-7"), flags=2))
        self.assertEqual(client.read_packet(), CONNACK_ACCEPTED)
        wait_until(lambda: self.hub.statistics()["devices"] == 1, "one device connected")

    def test_any_api_version_and_the_oldest_user_names_are_accepted(self):
        for query in ("/?api-version=2018-06-30", "/?api-version=2020-09-30&model-id=dtmi%3Aa%3Bb%3B1",
                      "/api-version=2016-11-14", "/", "", "/?DeviceClientType=azsdk-c%2F1.3.2%20%28azrtos%206%29"):
            client = self.client()
            client.send(connect_packet("pump-7", user_name("pump-7", query=query), device_token("pump-7")))
            self.assertEqual(client.read_packet(), CONNACK_ACCEPTED, query)

    def test_the_host_is_matched_regardless_of_case(self):
        client = self.client()
        client.send(connect_packet("pump-7", user_name("pump-7", host=HOST.upper()),
                                   device_token("pump-7", host="Hub.Test")))
        self.assertEqual(client.read_packet(), CONNACK_ACCEPTED)

    def test_every_form_of_sr_is_accepted(self):
        expiry = int(time.time()) + 600
        for sr in (f"{HOST}%2Fdevices%2Fpump-7", f"{HOST}%2fdevices%2fpump-7", f"{HOST}/devices/pump-7",
                   f"{HOST}/devices%2Fpump-7/", f"{HOST}%2Fdevices%2Fpump-7%2Fmessages%2Fevents",
                   f"{HOST}/devices/pump-7?api-version=2018-06-30", f"{HOST}%2Fdevices%2Fpump%252D7"):
            for order in ("sr sig se", "se sig sr", "sig se sr"):
                client = self.client()
                answer = client.connect("pump-7", password=token(key_of("pump-7"), sr, expiry, order))
                self.assertEqual(answer, CONNACK_ACCEPTED, f"{sr} {order}")

    def test_both_keys_are_accepted(self):
        self.hub.device("pump-9", key_of("first"), key_of("second"))
        for name in ("first", "second"):
            client = self.client()
            self.assertEqual(client.connect("pump-9", password=device_token("pump-9", key_of(name))),
                             CONNACK_ACCEPTED)

    def test_a_module_connects_with_its_devices_key(self):
        client = self.client()
        self.assertEqual(client.connect("pump-7", module="vision"), CONNACK_ACCEPTED)
        client.send(publish_packet("devices/pump-7/modules/vision/messages/events/a=b", b"x", 3, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\3"))
        message = self.hub.wait_for_messages(1)[0]
        self.assertEqual((message.device, message.module, message.properties), ("pump-7", "vision", "a=b"))

    def test_a_wrong_key_is_refused(self):
        self.refused(5, "hub_refused_signature", "device pump-7", "matches neither",
                     password=device_token("pump-7", key_of("guess")))

    def test_an_expired_token_is_refused(self):
        self.refused(5, "hub_refused_token_expired", "device pump-7", "SAS token expired",
                     password=device_token("pump-7", seconds=-12))

    def test_an_unknown_device_is_refused(self):
        self.refused(5, "hub_refused_unknown_device", "device stranger", "no such device", client_id="stranger",
                     name=user_name("stranger"), password=device_token("stranger"))

    def test_a_disabled_device_is_refused(self):
        self.hub.tell("disable", "pump-7")
        self.refused(5, "hub_refused_disabled", "device pump-7", "disabled")

    def test_a_token_of_another_device_is_refused(self):
        self.refused(5, "hub_refused_scope", "another resource", password=device_token("pump-8"))

    def test_a_token_of_a_module_does_not_open_the_device(self):
        self.refused(5, "hub_refused_scope", "another resource", password=device_token("pump-7", module="m"))

    def test_a_token_for_another_host_is_refused(self):
        self.refused(5, "hub_refused_scope", "another resource", password=device_token("pump-7", host="evil.test"))

    def test_a_token_of_a_shared_access_policy_is_refused(self):
        self.refused(5, "hub_refused_scope", "policy", password=token(
            key_of("pump-7"), f"{HOST}%2Fdevices%2Fpump-7", int(time.time()) + 60, policy="iothubowner"))

    def test_unreadable_tokens_are_refused(self):
        good = device_token("pump-7")
        for bad in ("hunter2", "SharedAccessSignature ", good.replace("sig=", "sig=A"), good.replace("se=", "se=x"),
                    good + "&sr=x", good.split("&")[0], good + "0" * 3000):
            self.refused(5, "hub_refused_token", password=bad)

    def test_no_password_is_refused(self):
        self.refused(5, "hub_refused_no_password", "no password", password=None)

    def test_another_host_in_the_user_name_is_refused(self):
        self.refused(5, "hub_refused_host", "for host \"evil.test\"", name=user_name("pump-7", host="evil.test"))

    def test_no_user_name_is_refused(self):
        for name in (None, "", "nonsense", f"{HOST}/pump-7/module/more/?api-version=1"):
            self.refused(5, "hub_refused_user_name", name=name, password=None)

    def test_who_does_not_close_after_a_refusal_is_closed(self):
        client = self.client()
        self.assertEqual(client.connect("pump-7", password="hunter2"), CONNACK_REFUSED)
        wait_until(lambda: self.hub.statistics()["connections"] == 0, "closed by the hub")

    def test_a_user_name_of_another_device_is_refused(self):
        self.refused(5, "hub_refused_user_name", "different devices", name=user_name("pump-8"))

    def test_a_client_id_that_is_no_device_id_is_refused_with_2(self):
        for client_id in ("", "pump-7/", "/m", "x" * 129):
            self.refused(2, "hub_refused_client_id", client_id=client_id)

    def test_other_protocol_levels_are_refused_with_1(self):
        self.refused(1, "hub_refused_protocol", level=5)
        self.refused(1, "hub_refused_protocol", level=3, protocol="MQIsdp")

    def test_a_will_to_a_foreign_topic_is_refused(self):
        self.refused(5, "hub_refused_will", "its will", will=(events("pump-8"), b"gone"))

    def test_a_second_connection_drops_the_first(self):
        first = self.accepted()
        second = self.accepted()
        self.assertTrue(first.is_closed())
        second.send(b"\xc0\0")
        self.assertEqual(second.read_packet(), (0xD0, b""))
        self.assertEqual(self.hub.counter("hub_ended_taken_over"), 1)
        self.assertEqual(self.hub.statistics()["devices"], 1)

    def test_a_module_does_not_drop_its_device(self):
        device = self.accepted()
        module = self.client()
        self.assertEqual(module.connect("pump-7", module="m"), CONNACK_ACCEPTED)
        device.send(b"\xc0\0")
        self.assertEqual(device.read_packet(), (0xD0, b""))

    def test_the_connection_ends_with_its_token(self):
        def is_ended_in_time(seconds):
            client = self.client()
            end = int(time.time()) + seconds
            token_until_then = token(key_of("pump-7"), f"{HOST}%2Fdevices%2Fpump-7", end)
            if client.connect("pump-7", password=token_until_then) != CONNACK_ACCEPTED:
                return False
            self.assertTrue(client.is_closed(seconds + DEADLINE_S))
            self.assertGreaterEqual(time.time(), end - 0.1)
            return True
        with_longer_lives(is_ended_in_time)
        self.assertEqual(self.hub.counter("hub_ended_token_expired"), 1)

    def test_a_changed_registration_ends_the_connections_of_device_and_modules(self):
        device, module = self.accepted(), self.client()
        self.assertEqual(module.connect("pump-7", module="m"), CONNACK_ACCEPTED)
        other = self.accepted("pump-8")
        self.hub.tell("changed", "pump-7")
        for client in (device, module):  # nothing that concerns them
            client.send(b"\xc0\0")
            self.assertEqual(client.read_packet(), (0xD0, b""))
        self.hub.tell("disable", "pump-7")
        self.hub.tell("changed", "pump-7")
        self.assertTrue(device.is_closed() and module.is_closed())
        other.send(b"\xc0\0")
        self.assertEqual(other.read_packet(), (0xD0, b""))

    def test_a_key_taken_away_ends_the_connections_made_with_it_and_no_others(self):
        first, second = key_of("first"), key_of("second")
        self.hub.device("pump-7", first, second)
        by_first, by_second = self.client(), self.client()
        self.assertEqual(by_first.connect("pump-7", password=device_token("pump-7", first)), CONNACK_ACCEPTED)
        self.assertEqual(by_second.connect("pump-7", module="m", password=device_token("pump-7", second, module="m")),
                         CONNACK_ACCEPTED)
        self.hub.device("pump-7", second, first)
        self.hub.tell("changed", "pump-7")
        for client in (by_first, by_second):  # swapped: both are good still
            client.send(b"\xc0\0")
            self.assertEqual(client.read_packet(), (0xD0, b""))
        self.hub.device("pump-7", second, key_of("third"))
        self.hub.tell("changed", "pump-7")
        self.assertTrue(by_first.is_closed())
        by_second.send(b"\xc0\0")
        self.assertEqual(by_second.read_packet(), (0xD0, b""))
        self.assertEqual(self.hub.counter("hub_ended_device_changed"), 1)
        self.assert_log_says("device pump-7", "no longer a credential of the device")

    def test_a_removed_device_is_ended(self):
        client = self.accepted()
        self.hub.tell("remove", "pump-7")
        self.hub.tell("changed", "pump-7")
        self.assertTrue(client.is_closed())
        self.assert_log_says("device pump-7", "no longer registered")

    def test_keep_alive_ends_a_silent_connection_after_one_and_a_half(self):
        began = time.monotonic()
        client = self.accepted(keep_alive=1)
        self.assertTrue(client.is_closed())
        self.assertGreater(time.monotonic() - began, 1.2)
        self.assertEqual(self.hub.counter("hub_ended_keep_alive"), 1)
        self.assert_log_says("device pump-7", "silent for")


class Publishing(HubCase):
    def ended(self, counter, data, *log):
        client = self.accepted()
        client.send(data)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.hub.counter(counter), 1)
        self.assert_log_says("device pump-7", *log)
        self.assert_still_serves()

    def test_messages_reach_the_log_with_bag_and_payload(self):
        client = self.accepted()
        bags = ["", "a=b", "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1&%24.ct=x", "$.mid=1&v=ä/",
                "a=b/"]
        for i, bag in enumerate(bags):
            client.send(publish_packet(events("pump-7", bag), bytes([i]) * i, i + 1, flags=2))
            self.assertEqual(client.read_packet(), (0x40, struct.pack(">H", i + 1)))
        client.send(publish_packet("devices/pump-7/messages/events", b"no slash", 99, flags=2))
        self.assertEqual(client.read_packet(), (0x40, struct.pack(">H", 99)))
        messages = self.hub.wait_for_messages(len(bags) + 1)
        self.assertEqual([m.properties for m in messages], [b[:-1] if b.endswith("/") else b for b in bags] + [""])
        self.assertEqual([m.position for m in messages], list(range(1, len(bags) + 2)))
        self.assertTrue(messages[3].is_of(b"\3\3\3"))

    def test_qos_0_reaches_the_log_and_is_not_acknowledged(self):
        client = self.accepted()
        client.send(publish_packet(events("pump-7"), b"quiet"))
        self.assertTrue(self.hub.wait_for_messages(1)[0].is_of(b"quiet"))
        self.assertTrue(client.nothing_comes())

    def test_retain_becomes_a_property(self):
        client = self.accepted()
        client.send(publish_packet(events("pump-7", "a=b"), b"x", 1, flags=3))
        client.send(publish_packet(events("pump-7"), b"y", 2, flags=3))
        self.assertEqual([m.properties for m in self.hub.wait_for_messages(2)],
                         ["a=b&mqtt-retain=true", "mqtt-retain=true"])

    def test_the_largest_message_and_one_byte_more(self):
        client = self.accepted()
        payload = bytes(range(256)) * 1024
        client.send(publish_packet(events("pump-7"), payload, 1, flags=2))
        self.assertEqual(client.read_packet(), (0x40, b"\0\1"))
        self.assertTrue(self.hub.wait_for_messages(1)[0].is_of(payload))
        client.send(publish_packet(events("pump-7"), payload + b"x", 2, flags=2))
        self.assertTrue(client.is_closed())
        self.assertEqual(self.hub.counter("hub_ended_too_large"), 1)

    def test_an_oversized_packet_is_refused_by_its_length_alone(self):
        self.ended("hub_ended_too_large", b"\x32\xff\xff\xff\x7f", "PUBLISH of 268435455 bytes exceeds")

    def test_a_foreign_topic_closes_the_connection(self):
        self.ended("hub_ended_foreign_topic", publish_packet(events("pump-8"), b"x", 1, flags=2),
                   "devices/pump-8/messages/events/")
        self.assertEqual({m.device for m in self.hub.messages}, {"pump-8"})  # its own, of assert_still_serves

    def test_topics_that_only_look_like_ones_own_are_foreign(self):
        for topic in ("devices/pump-77/messages/events/", "devices/pump-7/messages/eventsx", "a/b",
                      "devices/pump-7/modules/m/messages/events/", "devices/pump-7/messages/devicebound/",
                      "$SYS/x", "$iothub/other", "/devices/pump-7/messages/events/"):
            client = self.accepted()
            client.send(publish_packet(topic, b"x", 1, flags=2))
            self.assertTrue(client.is_closed(), topic)
        self.assertEqual(self.hub.messages, [])

    def test_qos_2_closes_the_connection(self):
        self.ended("hub_ended_qos_2", publish_packet(events("pump-7"), b"x", 1, flags=4), "QoS 2")

    def test_malformed_packets_close_the_connection_and_say_which_byte(self):
        long_topic = publish_packet(events("pump-7"), b"", 1, flags=2)
        cases = {
            b"\xf0\0": "byte 0: reserved packet type",
            b"\x36\0": "flags that this packet type must not have",
            b"\x32\3\0\5a": "byte 4 (0x61): topic is cut off",
            b"\x32\x02\0\0": "topic is empty",
            b"\x32\xff\xff\xff\xff": "remaining length of more than four bytes",
            packet(0x32, text(events("pump-7")) + b"\0\0"): "packet id 0",
            packet(0x32, text(events("pump-7")) + b"\1"): "packet id is cut off",
            packet(0x30, text("devices/+/messages/events/")): "wildcard",
            packet(0x30, text(b"devices/\xff")): "UTF-8",
            packet(0x30, text(b"devices/pump-7/messages/events/a\0b")): "UTF-8",
            b"\x82\2\0\1": "no topic filter",
            packet(0x82, b"\0\1" + text("a") + b"\3"): "requested QoS",
            b"\xc0\1x": "content in a packet that has none",
            connect_packet("pump-7", user_name("pump-7"), device_token("pump-7")): "CONNECT, which",
            b"\x62\2\0\1": "PUBREL, which",
            b"\x20\2\0\0": "CONNACK, which",
            long_topic[:1] + b"\3" + long_topic[2:5]: "cut off",
        }
        for data, what in cases.items():
            # One log line of a kind a second: each case is its own hub's first.
            with self.subTest(what):
                hub, self.hub = self.hub, Hub()
                try:
                    self.hub.device("pump-7")
                    self.hub.device("pump-8")
                    self.ended("hub_ended_malformed", data, what)
                finally:
                    self.hub.stop()
                    self.hub = hub

    def test_the_will_of_a_vanished_device_reaches_the_log(self):
        client = self.accepted(will=(events("pump-7", "a=b"), b"gone"), flags=0x28)
        client.close()
        message = self.hub.wait_for_messages(1)[0]
        self.assertEqual(message.properties, "a=b&iothub-MessageType=Will&mqtt-retain=true")
        self.assertTrue(message.is_of(b"gone"))

    def test_who_disconnects_leaves_no_will(self):
        client = self.accepted(will=(events("pump-7"), b"gone"))
        client.send(b"\xe0\0")
        self.assertTrue(client.is_closed())
        self.assertEqual(self.hub.counter("hub_ended_by_device"), 1)
        self.assertEqual(self.hub.messages, [])


class Reading(HubCase):
    def test_who_does_not_read_its_answers_is_not_read_and_gets_them_all_in_the_end(self):
        client = self.accepted()
        count, sent = 40_000_000, 0  # far more than the sockets of both sides may hold
        pings = b"\xc0\0" * 50_000
        client.socket.settimeout(1)
        try:
            while sent < count:  # a write that the kernel takes in part cannot be told how far: count answers
                client.socket.sendall(pings)
                sent += len(pings) // 2
        except (socket.timeout, ssl.SSLWantWriteError):
            pass
        self.assertLess(sent, count)  # it came to a halt: bounded
        self.assert_still_serves()
        received = 0
        client.socket.settimeout(DEADLINE_S)
        while received // 2 < sent:
            data = client.socket.recv(65536)
            self.assertGreater(len(data), 0, "closed")
            self.assertEqual(data.count(b"\xd0") + data.count(b"\0"), len(data))
            received += len(data)

    def test_a_late_puback_does_no_harm(self):
        client = self.accepted()
        client.send(b"\x40\2\0\7\xc0\0")
        self.assertEqual(client.read_packet(), (0xD0, b""))


class Subscribing(HubCase):
    def granted(self, client, packet_id, topic, qos):
        client.send(subscribe_packet(packet_id, (topic, qos)))
        first, body = client.read_packet()
        self.assertEqual((first, body[:2]), (0x90, struct.pack(">H", packet_id)))
        self.assertEqual(len(body), 3)
        return body[2]

    def test_the_contracts_topics_are_granted_one_by_one(self):
        client = self.accepted()
        for i, (topic, qos, expected) in enumerate((
                ("$iothub/twin/res/#", 0, 0), ("$iothub/twin/PATCH/properties/desired/#", 0, 0),
                ("$iothub/methods/POST/#", 0, 0), ("devices/pump-7/messages/devicebound/#", 1, 1),
                ("devices/+/messages/devicebound/#", 1, 1), ("devices/pump-7/messages/devicebound/#", 2, 1))):
            self.assertEqual(self.granted(client, i + 1, topic, qos), expected, topic)

    def test_foreign_filters_are_refused_and_the_connection_stays(self):
        client = self.accepted()
        foreign = ("#", "devices/#", "devices/pump-8/messages/devicebound/#", "$SYS/#", "$iothub/#", "+/#",
                   "devices/+/messages/events/#", "devices/pump-7/modules/m/#")
        for i, topic in enumerate(foreign):
            self.assertEqual(self.granted(client, i + 1, topic, 1), 0x80, topic)
        self.assertEqual(self.hub.counter("hub_subscriptions_refused"), len(foreign))

    def test_several_filters_get_one_code_each(self):
        client = self.accepted()
        client.send(subscribe_packet(9, ("$iothub/twin/res/#", 0), ("#", 0), ("$iothub/methods/POST/#", 1)))
        self.assertEqual(client.read_packet(), (0x90, b"\0\x09\0\x80\1"))

    def test_a_module_subscribes_to_its_inputs(self):
        client = self.client()
        self.assertEqual(client.connect("pump-7", module="m"), CONNACK_ACCEPTED)
        self.assertEqual(self.granted(client, 1, "devices/pump-7/modules/m/inputs/#", 1), 1)
        self.assertEqual(self.granted(client, 2, "devices/pump-7/modules/m/#", 1), 1)
        self.assertEqual(self.granted(client, 3, "devices/pump-7/modules/other/#", 1), 0x80)

    def test_unsubscribe_is_answered(self):
        client = self.accepted()
        client.send(packet(0xA2, b"\0\5" + text("$iothub/twin/res/#") + text("nonsense")))
        self.assertEqual(client.read_packet(), (0xB0, b"\0\5"))


class Tls(HubCase):
    def test_netx_duos_usual_configuration_connects(self):
        for ciphers, expected in (("ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"),
                                  ("AES128-SHA256", "AES128-SHA256")):
            context = tls_context(ssl.TLSVersion.TLSv1_2, ciphers, "secp384r1")
            client = self.client(context)
            self.assertEqual(client.socket.cipher()[0], expected)
            self.assertEqual(client.connect("pump-7"), CONNACK_ACCEPTED)

    def test_tls_1_3_connects(self):
        client = self.client(tls_context(ssl.TLSVersion.TLSv1_3))
        self.assertEqual(client.connect("pump-7"), CONNACK_ACCEPTED)

    def test_tls_1_1_does_not(self):
        context = tls_context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(ssl.SSLError):
            self.client(context)
        wait_until(lambda: self.hub.counter("hub_handshakes_failed") == 1, "the failure counted")
        self.assert_still_serves()

    def test_a_session_is_resumed(self):
        context = tls_context(ssl.TLSVersion.TLSv1_2)
        client = self.client(context)
        self.assertEqual(client.connect("pump-7"), CONNACK_ACCEPTED)
        plain = socket.create_connection(("127.0.0.1", self.hub.port), timeout=DEADLINE_S)
        again = context.wrap_socket(plain, server_hostname="localhost", session=client.socket.session)
        self.assertTrue(again.session_reused)
        again.close()


class AmidHandshakes(HubCase):
    """Handshakes are made on threads of their own; whatever happens meanwhile is the loop's."""
    options = ("--handshakes-max", 400, "--handshakes-per-address", 400)

    def hello(self):
        """A client that has sent its first message and reads nothing."""
        sent = ssl.MemoryBIO()
        session = tls_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            session.do_handshake()
        connection = socket.create_connection(("127.0.0.1", self.hub.port), timeout=DEADLINE_S)
        connection.sendall(sent.read())
        return connection

    def test_who_vanishes_amid_a_handshake_leaves_nothing_behind(self):
        for _ in range(200):
            connection = self.hello()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        wait_until(lambda: self.hub.counter("hub_handshakes_failed") == 200, "all of them to fail")
        wait_until(lambda: self.hub.statistics()["connections"] == 0, "all of them gone")
        self.assert_still_serves()

    def test_the_hub_stops_amid_handshakes(self):
        amid = [self.hello() for _ in range(200)]
        self.hub.stop()  # which a sanitizer watches
        for connection in amid:
            connection.close()
        self.hub = Hub()

    def test_who_is_connected_is_served_amid_handshakes(self):
        client = self.accepted()
        self.clients += [self.hello() for _ in range(200)]
        for i in range(1, 51):
            client.send(publish_packet(events("pump-7"), b"x", i, flags=2))
            self.assertEqual(client.read_packet(), (0x40, struct.pack(">H", i)))


class HostileCase(HubCase):
    def plain(self):
        connection = socket.create_connection(("127.0.0.1", self.hub.port), timeout=DEADLINE_S)
        self.clients.append(connection)
        return connection


class Late(HostileCase):
    """Who takes too long until CONNECT."""
    options = ("--connect-timeout", 4, "--handshakes-max", 20)

    def test_half_open_handshakes_make_room_and_end_in_time(self):
        def is_served():  # who is honest may be too slow, too, on a busy machine
            try:
                self.assert_still_serves()
                return True
            except (OSError, EOFError):
                return False
        for _ in range(60):
            self.plain()
        wait_until(is_served, "to be served beside them")
        self.assertGreater(self.hub.counter("hub_handshakes_evicted"), 0)
        wait_until(lambda: self.hub.statistics()["connections"] == 0, "all of them closed")
        self.assertGreater(self.hub.counter("hub_handshakes_late"), 0)

    def test_tls_without_connect_ends_in_time(self):
        def is_in_time():
            try:
                return self.client()
            except (OSError, EOFError):
                return None
        client = wait_until(is_in_time, "a handshake in time")
        self.assertTrue(client.is_closed())
        self.assertGreaterEqual(self.hub.counter("hub_handshakes_late"), 1)
        self.assert_log_says("no CONNECT within 4 s")


class Hostile(HostileCase):
    def test_garbage_instead_of_tls_is_closed(self):
        connection = self.plain()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.settimeout(DEADLINE_S)
        while connection.recv(1000):
            pass
        self.assertEqual(self.hub.counter("hub_handshakes_failed"), 1)
        self.assert_still_serves()

    def test_garbage_inside_tls_is_closed(self):
        for data in (b"\0" * 100, b"\xff" * 70000, b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\x7f" + b"x" * 30000,
                     packet(0x10, text("HTTP") + b"\4\2\0\0\0\0"), packet(0x10, b"\0\4MQ")):
            client = self.client()
            try:
                client.send(data)
            except (ConnectionError, ssl.SSLError):
                pass
            self.assertTrue(client.is_closed())
        self.assert_still_serves()

    def test_connect_byte_by_byte_is_understood(self):
        client = self.client()
        data = connect_packet("pump-7", user_name("pump-7"), device_token("pump-7")) + publish_packet(
            events("pump-7"), b"slow", 1, flags=2)
        for byte in data:
            client.send(bytes([byte]))
        self.assertEqual(client.read_packet(), CONNACK_ACCEPTED)
        self.assertEqual(client.read_packet(), (0x40, b"\0\1"))
        self.assertTrue(self.hub.wait_for_messages(1)[0].is_of(b"slow"))

    def test_packets_in_one_piece_are_all_handled(self):
        client = self.client()
        count = 500
        client.send(connect_packet("pump-7", user_name("pump-7"), device_token("pump-7")) + b"".join(
            publish_packet(events("pump-7"), b"%d" % i * 50, i + 1, flags=2) for i in range(count)) + b"\xc0\0")
        self.assertEqual(client.read_packet(), CONNACK_ACCEPTED)
        answers = [client.read_packet() for _ in range(count + 1)]
        self.assertEqual([a for a in answers if a[0] == 0x40],
                         [(0x40, struct.pack(">H", i + 1)) for i in range(count)])
        self.assertIn((0xD0, b""), answers)
        messages = self.hub.wait_for_messages(count)
        self.assertTrue(all(m.is_of(b"%d" % i * 50) for i, m in enumerate(messages)))

    def test_a_flood_does_not_starve_others(self):
        flooder = self.accepted("pump-7")
        flooder.socket.settimeout(0.05)
        pings = b"\xc0\0" * 8000
        victim = self.accepted("pump-8")
        for i in range(20):
            try:
                flooder.socket.sendall(pings)  # its answers are never read
            except (socket.timeout, ConnectionError, ssl.SSLError):
                pass
            victim.send(publish_packet(events("pump-8"), b"%d" % i, i + 1, flags=2))
            self.assertEqual(victim.read_packet(), (0x40, struct.pack(">H", i + 1)))

    def test_random_damage_to_packets_hurts_nobody_else(self):
        chance = random.Random(20261121)
        good = [connect_packet("pump-7", user_name("pump-7"), device_token("pump-7"), will=(events("pump-7"), b"w")),
                publish_packet(events("pump-7", "a=b"), b"payload" * 9, 1, flags=2),
                subscribe_packet(2, ("$iothub/twin/res/#", 0), ("devices/+/messages/devicebound/#", 1)),
                packet(0xA2, b"\0\3" + text("$iothub/twin/res/#")), b"\xc0\0",
                publish_packet(events("pump-7"), b"x" * 20000, 4, flags=2)]
        victim = self.accepted("pump-8")
        for round_ in range(150):
            stream = bytearray(b"".join(good[:1] + chance.choices(good[1:], k=6)))
            first = 0 if chance.random() < 0.3 else len(good[0])
            for _ in range(chance.randint(1, 5)):
                at = chance.randrange(first, len(stream))
                if chance.random() < 0.5:
                    stream[at] = chance.randrange(256)
                else:
                    del stream[at:at + chance.randint(1, 40)]
                    if at >= len(stream):
                        break
            client = RawClient(self.hub)
            try:
                client.send(bytes(stream))
                if round_ % 5 > 0:  # else it is reset, and the hub may have read nothing
                    self.read_to_the_end(client)
            except (OSError, ssl.SSLError):
                pass
            client.close()
            if round_ % 10 == 0:
                victim.send(b"\xc0\0")
                self.assertEqual(victim.read_packet(), (0xD0, b""))
        wait_until(lambda: self.hub.statistics()["connections"] == 1, "only the well-behaved one left")
        self.assertTrue(all(m.device == "pump-7" for m in self.hub.messages))
        self.assertGreater(self.hub.counter("hub_ended_malformed"), 20)

    def read_to_the_end(self, client):
        """Sends nothing more, and waits until the hub has read all and closed."""
        client.socket.shutdown(socket.SHUT_WR)  # from here on it is the plain socket
        while client.socket.recv(65536):
            pass

    def test_a_storm_of_subscriptions_is_answered_and_bounded(self):
        client = self.accepted()
        for i in range(50):
            client.send(subscribe_packet(i + 1, *[(f"x/{i}/{j}", 0) for j in range(500)]))
            first, body = client.read_packet()
            self.assertEqual((first, body[2:]), (0x90, b"\x80" * 500))
        client.send(subscribe_packet(60, *[("x" * 30, 0) for j in range(600)]))
        self.assertTrue(client.is_closed())
        self.assertEqual(self.hub.counter("hub_ended_too_large"), 1)


class Registry(unittest.TestCase):
    def test_devices_are_found_in_the_store_as_they_come_and_go(self):
        with tempfile.TemporaryDirectory() as folder:
            hub = Hub("--store", os.path.join(folder, "data"))
            try:
                early = RawClient(hub)
                self.assertEqual(early.connect("pump-7"), CONNACK_REFUSED)
                hub.device("pump-7", secondary=key_of("second"))
                for key in (key_of("pump-7"), key_of("second")):
                    client = RawClient(hub)
                    self.assertEqual(client.connect("pump-7", password=device_token("pump-7", key)), CONNACK_ACCEPTED)
                hub.tell("remove", "pump-7")
                late = RawClient(hub)
                self.assertEqual(late.connect("pump-7"), CONNACK_REFUSED)
                self.assertEqual(hub.counter("hub_refused_unknown_device"), 2)
            finally:
                hub.stop()

    def test_a_hub_that_cannot_start_says_why(self):
        for options, what in ((("--key", "/nonexistent"), "/nonexistent: private key"),
                              (("--certificate", "/nonexistent"), "/nonexistent: server certificate"),
                              (("--address", "203.0.113.1"), "cannot listen on 203.0.113.1"),
                              (("--address", "x" * 64), "x" * 64),  # too long for anybody to be asked
                              (("--host", ""), "host_name is missing"),
                              (("--store", "/proc/nowhere"), "/proc/nowhere")):
            errors = subprocess.run(
                [os.environ["HUB_TEST_SERVER"], "--certificate", Certificates.path("server.pem"), "--key",
                 Certificates.path("server.key"), "--host", HOST, *options], capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=DEADLINE_S)
            self.assertEqual(errors.returncode, 1, options)
            self.assertIn(what, errors.stderr)


class Listening(unittest.TestCase):
    def test_without_an_address_both_families_are_served_on_one_port(self):
        hub = Hub("--address", "")
        hub.device("pump-7")
        try:
            for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
                client = RawClient(hub, address=address)
                self.assertEqual(client.connect("pump-7"), CONNACK_ACCEPTED, address)
        finally:
            hub.stop()


class Descriptors(unittest.TestCase):
    def test_clients_are_turned_away_when_descriptors_run_out_and_served_when_there_are_some(self):
        hub = Hub(descriptors=40)
        hub.device("pump-7")
        try:
            clients = []
            with self.assertRaises((ConnectionError, ssl.SSLError, EOFError)):
                for _ in range(40):
                    clients.append(RawClient(hub))
            self.assertGreater(len(clients), 10)
            self.assertGreater(hub.counter("hub_connections_refused_for_descriptors"), 0)
            self.assertEqual(clients[0].connect("pump-7"), CONNACK_ACCEPTED)
            for client in clients[1:]:
                client.close()
            wait_until(lambda: hub.statistics()["connections"] == 1, "the others gone")
            again = RawClient(hub)
            self.assertEqual(again.connect("pump-7"), CONNACK_ACCEPTED)
        finally:
            hub.stop()


class ManyFromOneAddress(HubCase):
    options = ("--handshakes-per-address", 3)

    def from_address(self, address):
        connection = socket.create_connection(("127.0.0.1", self.hub.port), timeout=DEADLINE_S,
                                              source_address=(address, 0))
        self.clients.append(connection)
        return connection

    def test_further_ones_are_refused_and_others_are_not(self):
        self.from_address("127.0.0.2")
        silent = [self.from_address("127.0.0.1") for _ in range(3)]
        refused = self.from_address("127.0.0.1")
        self.assertEqual(refused.recv(1), b"")
        self.assertEqual(self.hub.counter("hub_connections_refused_for_address"), 1)
        self.assert_log_says("client at 127.0.0.1: refused: 3 connections from there have sent no CONNECT yet")
        self.assertEqual(self.hub.statistics()["connections"], 4)
        silent[0].close()
        wait_until(lambda: self.hub.statistics()["connections"] == 3, "room again")
        self.assert_still_serves()

    def test_a_silent_one_makes_room_for_another_from_there(self):
        for _ in range(3):
            self.from_address("127.0.0.1")

        def is_served():
            try:
                self.assert_still_serves()
                return True
            except (OSError, EOFError):
                return False
        wait_until(is_served, "a silent one to make room")
        self.assertEqual(self.hub.counter("hub_handshakes_evicted"), 1)
        wait_until(lambda: self.hub.statistics()["connections"] == 2, "one of three to be gone")

    def test_who_is_authenticated_does_not_count(self):
        for module in "abcde":
            self.clients.append(accepted_client(self.hub, "pump-7", module=module))
        self.assertEqual(self.hub.statistics()["devices"], 5)


class LargePackets(HubCase):
    """Two packets of 300,000 bytes fit into the budget for what is half received."""
    options = ("--message-bytes-max", 300000, "--input-bytes-max", 700000)

    def begin(self, module):
        client = accepted_client(self.hub, "pump-7", module=module)
        self.clients.append(client)
        client.packet = publish_packet(f"devices/pump-7/modules/{module}/messages/events/", bytes(300000), 1, flags=2)
        client.send(client.packet[:50000])
        return client

    def delayed(self):
        return self.hub.counter("hub_input_delayed")

    def end(self, client):
        client.send(client.packet[50000:])
        self.assertEqual(client.read_packet(), (0x40, b"\0\1"))

    def test_a_third_waits_for_its_budget_and_loses_nothing(self):
        first, second = self.begin("a"), self.begin("b")
        third = self.begin("c")
        wait_until(lambda: self.delayed() == 1, "the third to wait")
        self.assert_log_says("has to wait: half-received packets hold 6")
        self.assert_still_serves()  # a small message needs none of it
        self.end(first)
        self.end(third)
        self.end(second)
        self.assertEqual({m.size for m in self.hub.messages if m.device == "pump-7"}, {300000})
        self.assertEqual(self.hub.counter("hub_ended_slow"), 0)

    def test_who_leaves_gives_its_budget_back(self):
        first, _, third = self.begin("a"), self.begin("b"), self.begin("c")
        wait_until(lambda: self.delayed() == 1, "the third to wait")
        first.close()
        self.end(third)

    def test_who_is_slow_makes_room_for_others(self):
        first, _, third = self.begin("a"), self.begin("b"), self.begin("c")
        wait_until(lambda: self.delayed() == 1, "the third to wait")
        self.end(third)
        self.assertTrue(first.is_closed())
        # The second's time may end a moment later, when nobody waits any more: then it may go on.
        self.assertIn(self.hub.counter("hub_ended_slow"), (1, 2))
        self.assert_log_says("was not complete after 10 s, and others wait for memory")


class Bounds(HubCase):
    options = ("--connections-max", 3)

    def test_connections_beyond_the_bound_are_closed_at_once(self):
        first, second, third = (self.client() for _ in range(3))
        with self.assertRaises((ConnectionError, ssl.SSLError, EOFError)):
            self.client()
        self.assertEqual(self.hub.counter("hub_connections_refused_at_bound"), 1)
        third.close()
        wait_until(lambda: self.hub.statistics()["connections"] == 2, "room again")
        self.assertEqual(first.connect("pump-7"), CONNACK_ACCEPTED)
        self.assert_still_serves()


if __name__ == "__main__":
    unittest.main()
