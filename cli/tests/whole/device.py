"""A device for tests: a SAS token, a security message made by flatc, a publish over TLS with paho."""

import base64
import hashlib
import hmac
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.parse

import paho.mqtt.client as mqtt

SECURITY_MESSAGE = "mti=2.4-1-0-0&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"


def sas_token(host_name, device, key, lifetime_s=3600):
    resource = urllib.parse.quote(f"{host_name}/devices/{device}", safe="")
    expiry = int(time.time()) + lifetime_s
    signature = hmac.new(base64.b64decode(key), f"{resource}\n{expiry}".encode(), hashlib.sha256)
    encoded = urllib.parse.quote(base64.b64encode(signature.digest()), safe="")
    return f"SharedAccessSignature sr={resource}&sig={encoded}&se={expiry}"


def little_endian(address):
    """An IPv4 address as the schema's uint: the header's bytes, read as little-endian."""
    return int.from_bytes(bytes(int(part) for part in address.split(".")), "little")


def network_activity(event_id, remote, remote_port=443, local="10.0.0.7"):
    return {
        "id": {"value": list(event_id.to_bytes(16, "big"))},
        "time": int(time.time()),
        "collection_interval": 60,
        "payload_type": "NetworkActivity",
        "payload": {
            "ipv4_activity": [{
                "addresses": {"local_address": little_endian(local),
                              "remote_address": little_endian(remote)},
                "common": {"local_port": 49152, "remote_port": remote_port, "bytes_in": 1200,
                           "bytes_out": 300, "protocol": "TCP"},
            }],
        },
    }


def system_information(event_id, os_info):
    return {
        "id": {"value": list(event_id.to_bytes(16, "big"))},
        "time": int(time.time()),
        "collection_interval": 60,
        "payload_type": "SystemInformation",
        "payload": {"os_info": os_info, "kernel_info": "k", "hw_info": "h"},
    }


def security_message(folder, schema, *events):
    """The bytes of a message, written by flatc: an encoder that nobody here wrote."""
    source = os.path.join(folder, "message.json")
    with open(source, "w", encoding="utf-8") as stream:
        json.dump({"security_module_id": "test-agent", "security_module_version": 0x01020003,
                   "events": events}, stream)
    subprocess.run(["flatc", "-b", "-o", folder, schema, source], check=True)
    with open(os.path.join(folder, "message.bin"), "rb") as stream:
        return stream.read()


class Refused(Exception):
    """CONNECT was answered with another code than 0."""


class Device:
    """Connects at once; publish() returns when the PUBACK is there."""

    def __init__(self, connection_string, port, ca_file, key=None):
        parts = dict(part.split("=", 1) for part in connection_string.split(";"))
        host, self.id = parts["HostName"], parts["DeviceId"]
        self.answered = threading.Event()
        self.code = None
        self.client = mqtt.Client(client_id=self.id, clean_session=True)
        self.client.tls_set(ca_certs=ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.username_pw_set(f"{host}/{self.id}/?api-version=2021-04-12",
                                    sas_token(host, self.id, key or parts["SharedAccessKey"]))
        self.client.on_connect = self._on_connect
        self.client.reconnect_delay_set(3600, 3600)  # whom Picket ends stays away
        self.client.connect("localhost", port)
        self.client.loop_start()
        if not self.answered.wait(60) or self.code != 0:
            self.close()
            raise Refused(self.code)

    def _on_connect(self, client, userdata, flags, code):
        self.code = code
        if code != 0:
            client.disconnect()
        self.answered.set()

    def publish(self, payload, properties=SECURITY_MESSAGE, timeout_s=60):
        info = self.client.publish(f"devices/{self.id}/messages/events/{properties}", payload, qos=1)
        info.wait_for_publish(timeout_s)
        if not info.is_published():
            raise TimeoutError("no PUBACK")

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
