"""Devices with certificates: by thumbprint, by CA, refused with a reason, in the TLS that real devices speak."""
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from authority import Authority, self_signed
from harness import (DEADLINE_S, Certificates, RawClient, StoredHubCase, connect_packet, device_token, events, key_of,
                     publish_packet, tls_context, user_name, wait_until, with_longer_lives)

ACCEPTED = (0x20, b"\0\0")
REFUSED = (0x20, b"\0\5")
PAST = ("20200101000000Z", "20200201000000Z")
FUTURE = ("20900101000000Z", "20900201000000Z")


def context_with(certificate, version=None, **options):
    context = tls_context(version, **options)
    if certificate:
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # what is weak is the hub's to refuse
        context.load_cert_chain(certificate.chain, certificate.key)
    return context


class X509Case(StoredHubCase):
    """A CA that some tests register."""
    devices = ()

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory(prefix="picket-x509-test-")
        cls.ca = Authority("plant CA")
        cls.own = self_signed(cls.made.name, "pump-7")
        cls.other = self_signed(cls.made.name, "other")

    @classmethod
    def tearDownClass(cls):
        cls.made.cleanup()

    def setUp(self):
        super().setUp()
        self.clients = []
        self.refusals = {}  # by counter: when the last one was

    def tearDown(self):
        for client in self.clients:
            client.close()
        super().tearDown()

    def register(self, authority, name="plant"):
        self.assertEqual(self.hub.tell("authority", name, authority.certificate.put_der()), [])

    def client(self, certificate, version=None, **options):
        client = RawClient(self.hub, context_with(certificate, version, **options))
        self.clients.append(client)
        return client

    def connect(self, certificate, device="pump-7", module=None, password=None, version=None):
        client = self.client(certificate, version)
        client.send(connect_packet(device + (f"/{module}" if module else ""), user_name(device, module), password))
        return client, client.read_packet()

    def accepted(self, certificate, *arguments, **options):
        client, answer = self.connect(certificate, *arguments, **options)
        self.assertEqual(answer, ACCEPTED, self.hub.log())
        return client

    def refused(self, certificate, counter, *log, **options):
        before = self.hub.counter(counter)
        if log:  # a line a second of a kind is said
            time.sleep(max(0, self.refusals.get(counter, 0) + 1.05 - time.monotonic()))
        client, answer = self.connect(certificate, **options)
        self.refusals[counter] = time.monotonic()
        self.assertEqual(answer, REFUSED)
        self.assertEqual(self.hub.counter(counter), before + 1, self.hub.log())
        if log:
            wait_until(lambda: all(part in self.hub.log() for part in ("device pump-7", *log)),
                       f"{log} in the log:\n{self.hub.log()}")
        client.close()


class Thumbprint(X509Case):
    def test_primary_and_secondary_open_in_either_hash(self):
        for primary, secondary in ((self.own.sha256(), None), (self.own.sha1().upper(), None),
                                   (self.other.sha256(), self.own.sha1()), (self.other.sha1(), self.own.sha256())):
            self.hub.tell("x509", "pump-7", primary, *((secondary,) if secondary else ()))
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                client = self.accepted(self.own, version=version)
                client.send(publish_packet(events("pump-7"), b"x", 7, flags=2))
                self.assertEqual(client.read_packet(), (0x40, b"\0\7"))

    def test_modules_connect_with_their_devices_certificate(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        self.accepted(self.own, module="vision")

    def test_another_certificate_is_refused_and_its_thumbprint_told(self):
        self.hub.tell("x509", "pump-7", self.own.sha256(), self.own.sha1())
        self.refused(self.other, "hub_refused_thumbprint", "neither", self.other.sha256().upper())

    def test_an_expired_and_an_early_one_are_refused_at_connect(self):
        for period, counter in ((PAST, "hub_refused_certificate_expired"), (FUTURE, "hub_refused_certificate_early")):
            certificate = self.ca.issue("pump-7", start=period[0], end=period[1])
            self.hub.tell("x509", "pump-7", certificate.sha256())
            self.refused(certificate, counter, "certificate")

    def test_an_expired_stranger_is_a_stranger(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        self.refused(self.ca.issue("pump-7", start=PAST[0], end=PAST[1]), "hub_refused_thumbprint")

    def test_no_certificate_is_refused_with_a_token_or_without(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        self.refused(None, "hub_refused_no_certificate", "not with a SAS token", password=device_token("pump-7"))
        self.refused(None, "hub_refused_no_password")

    def test_a_token_beside_the_certificate_is_not_looked_at(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        self.accepted(self.own, password="whatever")

    def test_a_device_with_keys_is_not_opened_by_a_certificate(self):
        self.hub.device("pump-7")
        self.refused(self.own, "hub_refused_no_password", "not with a certificate")
        self.accepted(self.own, password=device_token("pump-7"))
        self.refused(self.own, "hub_refused_signature", password=device_token("pump-7", key_of("guess")))
        self.refused(self.own, "hub_refused_token", password="nonsense")

    def test_the_connection_ends_with_its_certificate(self):
        def is_ended(seconds):
            end = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))
            certificate = self.ca.issue("pump-7", start=PAST[0], end=end)
            self.hub.tell("x509", "pump-7", certificate.sha256())
            client, answer = self.connect(certificate)
            if answer != ACCEPTED:
                return False
            self.assertTrue(client.is_closed(seconds + DEADLINE_S))
            return True
        with_longer_lives(is_ended)
        self.assertEqual(self.hub.counter("hub_ended_certificate_expired"), 1)

    def test_a_thumbprint_taken_away_ends_its_connections_and_no_others(self):
        self.hub.tell("x509", "pump-7", self.own.sha256(), self.other.sha256())
        device, module = self.accepted(self.own), self.accepted(self.other, module="m")
        self.hub.tell("x509", "pump-7", self.other.sha256(), self.own.sha256())
        self.hub.tell("changed", "pump-7")
        for client in (device, module):  # swapped: both are good still
            client.send(b"\xc0\0")
            self.assertEqual(client.read_packet(), (0xD0, b""))
        self.hub.tell("x509", "pump-7", self.other.sha256())
        self.hub.tell("changed", "pump-7")
        self.assertTrue(device.is_closed())
        module.send(b"\xc0\0")
        self.assertEqual(module.read_packet(), (0xD0, b""))
        self.assertEqual(self.hub.counter("hub_ended_device_changed"), 1)


class Ca(X509Case):
    def setUp(self):
        super().setUp()
        self.hub.tell("x509", "pump-7", "-")

    def test_a_certificate_of_a_registered_ca_with_the_id_as_name_opens(self):
        self.register(self.ca)
        for kind in ("client", "bare"):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                self.accepted(self.ca.issue("pump-7", extensions=kind), version=version)

    def test_an_unregistered_ca_is_refused(self):
        self.refused(self.ca.issue("pump-7"), "hub_refused_ca_unknown", "none of the registered CAs")
        self.register(Authority("another CA"))
        self.refused(self.ca.issue("pump-7"), "hub_refused_ca_unknown")
        self.refused(self.own, "hub_refused_ca_unknown")

    def test_a_ca_of_the_same_name_is_another_one(self):
        self.register(Authority("plant CA"))
        self.refused(self.ca.issue("pump-7"), "hub_refused_ca_unknown")

    def test_a_forged_signature_is_unfit(self):
        self.register(self.ca)
        certificate = self.ca.issue("pump-7")
        forged = certificate.der[:-1] + bytes([certificate.der[-1] ^ 1])
        with open(certificate.chain, "w") as chain:
            chain.write(ssl.DER_cert_to_PEM_cert(forged))
        self.refused(certificate, "hub_refused_certificate", "signature failure")

    def test_another_devices_certificate_is_refused(self):
        self.register(self.ca)
        self.refused(self.ca.issue("pump-8"), "hub_refused_common_name", '"pump-8"')
        self.refused(self.ca.issue("Pump-7"), "hub_refused_common_name")
        self.refused(self.ca.issue("", subject="/O=pump-7"), "hub_refused_common_name", "not one common name")
        self.refused(self.ca.issue("", subject="/CN=pump-7/CN=pump-8"), "hub_refused_common_name")

    def test_a_modules_certificate_opens_that_module_alone(self):
        self.register(self.ca)
        certificate = self.ca.issue("", subject="/CN=pump-7\\/vision")
        self.accepted(certificate, module="vision")
        self.refused(certificate, "hub_refused_common_name", module="other")
        self.refused(certificate, "hub_refused_common_name")
        self.accepted(self.ca.issue("pump-7"), module="vision")

    def test_expired_and_early_ones_are_refused_with_their_reason(self):
        self.register(self.ca)
        self.refused(self.ca.issue("pump-7", start=PAST[0], end=PAST[1]), "hub_refused_certificate_expired",
                     "its certificate: certificate has expired")
        self.refused(self.ca.issue("pump-7", start=FUTURE[0], end=FUTURE[1]), "hub_refused_certificate_early")

    def test_one_for_servers_or_of_a_weak_signature_is_unfit(self):
        self.register(self.ca)
        self.refused(self.ca.issue("pump-7", extensions="server"), "hub_refused_certificate", "purpose")
        self.refused(self.ca.issue("pump-7", digest="sha1"), "hub_refused_certificate", "too weak")

    def test_an_intermediate_leads_to_the_root_or_is_registered_itself(self):
        below = Authority("line 1", above=self.ca)
        certificate = below.issue("pump-7")
        self.register(self.ca)
        self.accepted(certificate)
        self.hub.tell("authority", "plant", "-")
        self.refused(certificate, "hub_refused_ca_unknown")
        self.register(below, "line")
        self.accepted(certificate)

    def test_an_intermediate_may_not_make_further_cas(self):
        below = Authority("line 1", above=self.ca)
        forged = Authority("line 1.1", above=below)
        self.register(self.ca)
        self.refused(forged.issue("pump-7"), "hub_refused_certificate", "path length")

    def test_a_devices_certificate_makes_no_further_ones(self):
        self.register(self.ca)
        issuer = Authority("x")
        device = self.ca.issue("pump-8", into=(issuer.folder, "ca"))
        issuer.certificate, issuer.is_root = device, False
        self.refused(issuer.issue("pump-7"), "hub_refused_certificate")

    def test_removing_a_ca_ends_those_that_came_by_it(self):
        second = Authority("second CA")
        self.register(self.ca)
        self.register(second, "second")
        self.hub.tell("x509", "pump-8", "-")
        self.hub.device("pump-9")
        first, other = self.accepted(self.ca.issue("pump-7")), self.accepted(second.issue("pump-8"), "pump-8")
        by_key = self.accepted(None, "pump-9", password=device_token("pump-9"))
        self.hub.tell("authority", "plant", "-")
        self.assertTrue(first.is_closed())
        for client in (other, by_key):
            client.send(b"\xc0\0")
            self.assertEqual(client.read_packet(), (0xD0, b""))
        self.refused(self.ca.issue("pump-7"), "hub_refused_ca_unknown")

    def test_a_disabled_or_removed_device_is_ended(self):
        self.register(self.ca)
        client = self.accepted(self.ca.issue("pump-7"))
        self.hub.tell("disable", "pump-7")
        self.hub.tell("changed", "pump-7")
        self.assertTrue(client.is_closed())
        self.refused(self.ca.issue("pump-7"), "hub_refused_disabled")


class TlsOfDevices(X509Case):
    """openssl s_client configured as NetX Duo is: TLS 1.2, one cipher suite, one group."""

    NETX_DUO = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256", "-groups", "P-384", "-sigalgs",
                "RSA+SHA256:ECDSA+SHA256:ECDSA+SHA384")

    def s_client(self, certificate, *options, device="pump-7", password=None):
        """(answer to CONNECT, what s_client said)."""
        arguments = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.hub.port}", "-CAfile",
                     Certificates.path("ca.pem"), "-quiet", "-no_ign_eof", *options]
        if certificate:
            arguments += ["-cert", certificate.own, "-key", certificate.key]
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.stdin.write(connect_packet(device, user_name(device), password))
            process.stdin.flush()
            answer = process.stdout.read(4)
        finally:
            process.kill()
            said = process.communicate()[1].decode(errors="replace")
        return answer, said

    def test_netx_duos_configuration_connects_with_and_without_a_certificate(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        self.hub.device("pump-8")
        self.assertEqual(self.s_client(self.own, *self.NETX_DUO)[0], b"\x20\2\0\0")
        answer, said = self.s_client(None, *self.NETX_DUO, device="pump-8", password=device_token("pump-8"))
        self.assertEqual(answer, b"\x20\2\0\0", said)

    def test_without_elliptic_curves_it_connects_too(self):
        self.hub.tell("x509", "pump-7", self.own.sha1())
        self.assertEqual(self.s_client(self.own, "-tls1_2", "-cipher", "AES128-SHA256")[0], b"\x20\2\0\0")

    def test_a_p_256_certificate_needs_a_client_that_offers_p_256(self):
        p256 = self_signed(self.made.name, "pump-7", "p256")
        self.hub.tell("x509", "pump-7", p256.sha256())
        answer, said = self.s_client(p256, *self.NETX_DUO)
        self.assertEqual(answer, b"")
        wait_until(lambda: "wrong curve" in self.hub.log(), self.hub.log())
        self.assertEqual(self.hub.counter("hub_handshakes_failed"), 1)
        both = [*self.NETX_DUO]
        both[both.index("P-384")] = "P-384:P-256"
        self.assertEqual(self.s_client(p256, *both)[0], b"\x20\2\0\0")
        self.assertEqual(self.s_client(p256, "-tls1_3", "-groups", "P-384")[0], b"\x20\2\0\0")

    def test_a_p_384_certificate_fits_what_netx_duo_offers(self):
        p384 = self_signed(self.made.name, "pump-7", "p384")
        self.hub.tell("x509", "pump-7", p384.sha256())
        self.assertEqual(self.s_client(p384, *self.NETX_DUO)[0], b"\x20\2\0\0")

    def test_a_certificate_without_its_key_does_not_pass_the_handshake(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        stolen = tls_context(ssl.TLSVersion.TLSv1_2)
        with self.assertRaises(ssl.SSLError):
            stolen.load_cert_chain(self.own.own, self.other.key)

    def test_a_session_with_a_certificate_is_not_resumed_and_one_without_is(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        self.hub.device("pump-8")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for certificate, device, resumed in ((self.own, "pump-7", False), (None, "pump-8", True)):
                context = context_with(certificate, version)
                first = RawClient(self.hub, context)
                password = None if certificate else device_token(device)
                first.send(connect_packet(device, user_name(device), password))
                self.assertEqual(first.read_packet(), ACCEPTED)
                session = first.socket.session
                plain = socket.create_connection(("127.0.0.1", self.hub.port), timeout=DEADLINE_S)
                again = context.wrap_socket(plain, server_hostname="localhost", session=session)
                again.sendall(connect_packet(device, user_name(device), password))
                self.assertEqual(again.recv(4), b"\x20\2\0\0", (version, certificate, self.hub.log()))
                self.assertEqual(again.session_reused, resumed, (version, device))
                first.close()
                again.close()

    def test_a_chain_beyond_the_bound_is_refused_and_others_are_served(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        large = os.path.join(self.made.name, "large.chain")
        with open(large, "w") as chain:
            chain.write(self.own.pem + self.other.pem * 30)
        context = tls_context(ssl.TLSVersion.TLSv1_2)
        context.load_cert_chain(large, self.own.key)
        with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
            client = RawClient(self.hub, context)
            client.read_packet()
        self.accepted(self.own)


class Mosquitto(X509Case):
    """A client that nobody here wrote."""

    def publish(self, certificate, device="pump-7"):
        return subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.hub.port), "--cafile", Certificates.path("ca.pem"),
             "--cert", certificate.chain, "--key", certificate.key, "-i", device, "-u", user_name(device), "-V",
             "mqttv311", "-q", "1", "-t", events(device), "-m", "by certificate"],
            capture_output=True, text=True, timeout=DEADLINE_S)

    def test_it_publishes_by_thumbprint_and_by_ca(self):
        self.hub.tell("x509", "pump-7", self.own.sha1())
        self.assertEqual(self.publish(self.own).returncode, 0)
        self.register(self.ca)
        self.hub.tell("x509", "pump-8", "-")
        self.assertEqual(self.publish(self.ca.issue("pump-8"), "pump-8").returncode, 0)
        self.assertEqual([m.device for m in self.hub.wait_for_messages(2)], ["pump-7", "pump-8"])

    def test_refusals_are_told(self):
        self.hub.tell("x509", "pump-7", self.own.sha256())
        result = self.publish(self.other)
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertIn("not authorised", result.stderr)


class Paho(X509Case):
    def test_it_publishes_with_a_certificate_in_both_versions_of_tls(self):
        import paho.mqtt.client as paho
        self.register(self.ca)
        self.hub.tell("x509", "pump-7", "-")
        certificate = self.ca.issue("pump-7")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = paho.Client(client_id="pump-7", protocol=paho.MQTTv311)
            client.username_pw_set(user_name("pump-7"))
            client.tls_set_context(context_with(certificate, version))
            client.connect("localhost", self.hub.port)
            client.loop_start()
            info = client.publish(events("pump-7"), b"x", 1)
            info.wait_for_publish(DEADLINE_S)
            self.assertTrue(info.is_published())
            client.disconnect()
            client.loop_stop()


if __name__ == "__main__":
    unittest.main()
