"""A full disk: acknowledgements stop, Picket says so, and it goes on by itself when there is room again.

Devices' reports and owners' acts are refused with the reason, and nothing of them happens; what only reads goes on. The data folder is a small tmpfs in a mount namespace of this test's own."""

import json
import os
import queue
import ssl
import subprocess
import sys
import time

import paho.mqtt.client as mqtt

from picket_harness import SECURITY_TOPIC, Picket, build_message, network_activity, wait_until

MARKER = bytes(range(200, 216))
SKIPPED = 77


def enter_namespace():
    """Runs this test again where it may mount; says so and skips where that is not allowed."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode != 0:
        print("skipped: no mount namespace to be had here")
        sys.exit(SKIPPED)
    os.execvp("unshare", [*unshare, sys.executable, __file__, "inside"])


def fill(path, leave_bytes):
    room = os.statvfs(path.parent)
    size = room.f_bavail * room.f_frsize - leave_bytes
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(size, 1))


class Asking:
    """A device that asks and waits for the answer; its session is to be kept."""

    def __init__(self, picket, device):
        self.device = device
        self.answers, self.granted, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.client = mqtt.Client(client_id=device.id, clean_session=False)
        self.client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.username_pw_set(device.user_name, device.token())
        self.client.on_message = self._message
        self.client.on_subscribe = lambda client, userdata, mid, qos: self.granted.put(qos)
        self.client.connect("localhost", picket.port, keepalive=600)
        self.client.loop_start()
        self.subscribe("$iothub/twin/res/#")
        self.subscribe(f"devices/{device.id}/messages/devicebound/#")

    def _message(self, client, userdata, message):
        (self.answers if message.topic.startswith("$iothub/twin/res/") else self.messages).put(message)

    def subscribe(self, topic):
        self.client.subscribe(topic, 1)
        return self.granted.get(timeout=120)

    def ask(self, topic, payload=""):
        """(status, the answer's body)"""
        self.client.publish(f"{topic}?$rid=1", payload)
        message = self.answers.get(timeout=120)
        return int(message.topic.split("/")[3]), message.payload.decode()

    def report(self, number):
        return self.ask("$iothub/twin/PATCH/properties/reported/", json.dumps({"n": number, "text": "x" * 4000}))

    def reported(self):
        status, body = self.ask("$iothub/twin/GET/")
        assert status == 200, (status, body)
        return json.loads(body)["reported"]

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


def counter(picket, name):
    return {counter["name"]: counter["value"] for counter in picket.json("status")["counters"]}[name]


ACTS = (("POST", "/v1/devices", {"id": "late"}), ("PATCH", "/v1/devices/pump-8/twin", {"desired": {"n": 2}}),
        ("POST", "/v1/devices/pump-8/messages", {"payload": "second"}),
        ("POST", "/v1/devices/pump-8/rotate", {"which": "secondary"}))


def check_refusals(picket, asking):
    """Of devices and owners; returns what is reported and stays so."""
    number = 1
    while (answer := asking.report(number))[0] == 204:  # there may be some room left in the store's log
        number += 1
    assert answer[0] == 503 and "disk full" in answer[1], answer
    for method, path, body in ACTS:
        status, answer = picket.call(method, path, body)
        assert status == 507 and "disk full" in answer["error"], (path, status, answer)
    assert asking.subscribe("$iothub/methods/POST/#") == (1,)
    assert counter(picket, "hub_subscriptions_unkept") > 0
    assert counter(picket, "hub_twin_requests_failed") > 0
    reported = asking.reported()  # reading goes on
    assert reported.get("n", 0) == number - 1, (reported, number)
    assert "late" not in [device["id"] for device in picket.json("device", "list")]
    _, twin = picket.call("GET", "/v1/devices/pump-8/twin")
    assert "n" not in twin["desired"], twin
    return number


def check_recovery(picket, asking, number):
    wait_until(lambda: asking.report(number)[0] == 204, "a report to be taken again")
    assert asking.reported()["n"] == number
    for method, path, body in ACTS:
        status, answer = picket.call(method, path, body)
        assert status in (200, 201), (path, status, answer)
    assert asking.messages.get(timeout=120).payload == b"second"
    entries = [json.loads(line) for line in picket.run("audit", "export").stdout.splitlines()]
    assert picket.run("audit", "check").returncode == 0
    outcomes = [e["status"] for e in entries if e["thing"] == "late" and e["of"] is not None]
    assert outcomes in ([201], [507, 201]), outcomes  # the refusal is there if there was room for it


def main():
    if sys.argv[1:] != ["inside"]:
        enter_namespace()
    template = build_message(network_activity(MARKER, 1700000000, [(f"192.0.2.{i}", 443, 1000, 100)
                                                                   for i in range(1, 100)]))
    with Picket() as picket:
        data = picket.folder / "data"
        data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", data], check=True)
        picket.data_folder = data
        picket.start()
        device = picket.add_device("pump")
        asking = Asking(picket, picket.add_device("pump-8"))
        acknowledged = []
        sent = {}
        client = mqtt.Client(client_id=device.id, clean_session=False)
        client.tls_set(picket.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.username_pw_set(device.user_name, device.token())
        client.max_inflight_messages_set(50)
        client.on_publish = lambda _client, _userdata, mid: acknowledged.append(sent[mid])
        client.connect("localhost", picket.port, keepalive=600)
        client.loop_start()

        def publish(count):
            for _ in range(count):
                event_id = len(sent).to_bytes(16, "big")
                info = client.publish(device.events_topic + SECURITY_TOPIC, template.replace(MARKER, event_id), qos=1)
                sent[info.mid] = event_id

        publish(20)
        wait_until(lambda: len(acknowledged) == 20, "acknowledgements while there is room")
        filler = data / "filler"
        fill(filler, 64 * 1024)
        publish(200)
        stalled = wait_until(lambda: (lambda s: s["service"].get("stalled_since") and s)(picket.json("status")),
                             "status to tell that nothing can be committed")
        assert "disk full" in stalled["service"]["problem"], stalled["service"]
        assert "disk full" in picket.logged()
        number = check_refusals(picket, asking)
        before = len(picket.json("event", "list", "--device", device.id, "--limit", 1000))
        assert before < len(sent)
        wait_until(lambda: len(acknowledged) >= before, "the acknowledgements of what is there")
        time.sleep(1)
        assert len(acknowledged) == before, "acknowledged although nothing can be written"

        filler.unlink()
        wait_until(lambda: len(acknowledged) == len(sent), "the remaining acknowledgements")
        assert not picket.json("status")["service"].get("stalled_since")
        events = picket.json("event", "list", "--device", device.id, "--limit", 1000)
        assert sorted(e["event_id"] for e in events) == sorted(i.hex() for i in sent.values())
        check_recovery(picket, asking, number)
        asking.stop()
        client.disconnect()
        client.loop_stop()
        picket.stop()
        subprocess.run(["umount", data], check=True)
        print(f"{len(sent)} events, {before} acknowledged before the disk was full, all stored once")


if __name__ == "__main__":
    main()
