"""A device that publishes telemetry and remembers what was acknowledged."""

import ssl
import threading

import paho.mqtt.client as mqtt

from picket_harness import wait_until


class RouteDevice:
    def __init__(self, device, picket, module=None):
        self.device = device
        self.name = device.id + (f"/{module}" if module else "")
        self.topic = (f"devices/{device.id}/modules/{module}/messages/events/" if module
                      else device.events_topic)
        self.client = mqtt.Client(client_id=self.name, clean_session=False)
        self.client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.username_pw_set(f"{device.host}/{self.name}/?api-version=2021-04-12", device.token())
        self.client.max_inflight_messages_set(20)
        self.client.reconnect_delay_set(1, 1)
        self.published = []  # (packet id, payload)
        self.confirmed = []  # packet ids; not one is used twice in a test
        self.client.on_publish = lambda client, userdata, mid: self.confirmed.append(mid)
        self.connected = threading.Event()
        self.client.on_connect = lambda client, userdata, flags, code: self.connected.set()
        self.client.connect("localhost", picket.port, keepalive=30)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        # What is published while CONNACK comes paho may send twice.
        assert self.connected.wait(120), f"{self.name} is not connected"

    def _run(self):
        """paho's loop, which some of the errors of TLS escape when the server vanishes in a write."""
        while not self.stopped.is_set():
            try:
                self.client.loop_forever(retry_first_connection=True)
            except OSError:
                self._reconnect()

    def _reconnect(self):
        while not self.stopped.wait(0.2):
            try:
                self.client.reconnect()
                return
            except OSError:
                pass

    def send(self, payload, properties=""):
        self.published.append((self.client.publish(self.topic + properties, payload, qos=1).mid, payload))

    def acknowledged(self):
        confirmed = set(self.confirmed)
        return [payload for mid, payload in self.published if mid in confirmed]

    def settle(self):
        wait_until(lambda: len(self.acknowledged()) == len(self.published), f"{self.name}'s acknowledgements")

    def close(self):
        self.stopped.set()
        try:
            self.client.disconnect()
        except OSError:  # half a packet was on its way when the service was killed: paho does not go on with it
            pass
        self.thread.join(5)
