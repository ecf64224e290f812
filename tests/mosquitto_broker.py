"""A real mosquitto that a test starts, kills and starts again on the same port, and a subscriber that keeps what it gets."""

import socket
import ssl
import subprocess
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes

from picket_harness import SOURCE, wait_until


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def free_port(address="127.0.0.1"):
    with socket.socket(family_of(address)) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Broker:
    """In a folder of its own; what it has acknowledged is there after kill() and start()."""

    def __init__(self, folder, configuration="allow_anonymous true", address="127.0.0.1"):
        self.folder = folder
        self.address = address
        self.folder.mkdir()
        self.port = free_port(address)
        self.process = None
        self.configure(configuration)

    def configure(self, configuration):
        (self.folder / "mosquitto.conf").write_text(f"""
user root
listener {self.port} {self.address}
persistence true
persistence_location {self.folder}/
autosave_interval 1
autosave_on_changes true
max_inflight_messages 0
max_queued_messages 0
{configuration}
""")

    def start(self):
        log = open(self.folder / "mosquitto.log", "ab")
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self.folder / "mosquitto.conf"],
                                        stdout=log, stderr=log)
        log.close()
        wait_until(self._listens, "mosquitto to listen")
        return self

    def _listens(self):
        assert self.process.poll() is None, (self.folder / "mosquitto.log").read_text()
        with socket.socket(family_of(self.address)) as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)


class Subscriber:
    """Keeps (topic, payload, user properties) in the order of arrival; with qos 1 in a session that outlives connections.

    With qos 0 it answers nothing, and so reads to the end what a broker that dies has written; with qos 1 paho fails in
    writing a PUBACK, and lets the rest go."""

    def __init__(self, port, topic="#", qos=1, user=None, tls=None, host="127.0.0.1"):
        self.messages = []
        self.lock = threading.Lock()
        self.is_subscribed = threading.Event()
        self.client = mqtt.Client(client_id=f"subscriber-{qos}", protocol=mqtt.MQTTv5)
        if user:
            self.client.username_pw_set(*user)
        if tls:
            self.client.tls_set(*tls, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos)
        self.client.on_subscribe = lambda *_: self.is_subscribed.set()
        self.client.on_disconnect = lambda *_: self.is_subscribed.clear()
        self.client.on_message = self._take
        self.client.reconnect_delay_set(1, 1)
        properties = mqtt.Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600 if qos > 0 else 0
        self.client.connect(host, port, keepalive=30, clean_start=qos == 0, properties=properties)
        self.client.loop_start()
        assert self.is_subscribed.wait(120)

    def _take(self, client, userdata, message):
        properties = dict(getattr(message.properties, "UserProperty", []))
        with self.lock:
            self.messages.append((message.topic, message.payload, properties))

    def all(self):
        with self.lock:
            return list(self.messages)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def make_authority(folder):
    """ca.crt, and server.crt and server.key for this machine, client.crt and client.key, all of that authority."""
    subprocess.run([SOURCE / "deploy" / "make-certificates", folder, "localhost", "127.0.0.1"], check=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "client.key", "-out", "client.csr",
            "-subj", "/CN=picket")
    openssl("x509", "-req", "-in", "client.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-out", "client.crt")
    return folder
