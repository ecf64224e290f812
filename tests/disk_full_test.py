"""A full disk: acknowledgements stop, Picket says so, and it goes on by itself when there is room again.

The data folder is a small tmpfs in a mount namespace of this test's own."""

import os
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
        before = len(acknowledged)
        assert before < len(sent)
        time.sleep(1)
        assert len(acknowledged) == before, "acknowledged although nothing can be written"

        filler.unlink()
        wait_until(lambda: len(acknowledged) == len(sent), "the remaining acknowledgements")
        assert not picket.json("status")["service"].get("stalled_since")
        events = picket.json("event", "list", "--device", device.id, "--limit", 1000)
        assert sorted(e["event_id"] for e in events) == sorted(i.hex() for i in sent.values())
        client.disconnect()
        client.loop_stop()
        picket.stop()
        subprocess.run(["umount", data], check=True)
        print(f"{len(sent)} events, {before} acknowledged before the disk was full, all stored once")


if __name__ == "__main__":
    main()
