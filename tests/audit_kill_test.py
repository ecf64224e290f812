"""kill -9 at random moments while owners administer: what was answered is in the audit log, and what was done is begun there.

Threads add, rotate and remove devices through the API's socket. In the end every answered act has both of its entries, every
device that is there has at least the first, and the seals, computed here from their description, hold from the first entry to the
last."""

import argparse
import hashlib
import http.client
import json
import random
import socket
import threading
import time

from picket_harness import Picket, wait_until


class ApiConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("picket", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Owner(threading.Thread):
    """Administers devices of its own, one act after the other, and notes what was answered."""

    def __init__(self, picket, number):
        super().__init__(daemon=True)
        self.picket = picket
        self.number = number
        self.answered = []  # (act, device, status)
        self.stopping = False
        self.start()

    def ask(self, act, device, method, path, body=None):
        connection = ApiConnection(self.picket.socket)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            answer.read()
            self.answered.append((act, device, answer.status))
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)  # killed; nothing is known of this one
        finally:
            connection.close()

    def run(self):
        count = 0
        while not self.stopping:
            count += 1
            device = f"owner-{self.number}-{count}"
            self.ask("device.add", device, "POST", "/v1/devices", {"id": device})
            self.ask("device.rotate", device, "POST", f"/v1/devices/{device}/rotate", {"which": "secondary"})
            if count % 3 == 0:
                self.ask("device.remove", device, "DELETE", f"/v1/devices/{device}")


def seal_of(entry):
    texts = [entry["previous"], entry["id"], entry["time_ms"], entry["uid"], entry["pid"], entry["of"] or 0,
             entry["status"] or 0, entry["act"], entry["thing"], entry["detail"]]
    texts = [str(text).encode() for text in texts]
    return hashlib.sha256(b"".join(b"%d:%s," % (len(text), text) for text in texts)).hexdigest()


def check_seals(entries):
    previous, number = "0" * 64, 0
    for entry in entries:
        assert entry["id"] == number + 1, f"entry {entry['id']} follows {number}"
        assert entry["previous"] == previous, f"entry {entry['id']} does not follow"
        assert entry["seal"] == seal_of(entry), f"entry {entry['id']}: its seal is another"
        previous, number = entry["seal"], entry["id"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--owners", type=int, default=4)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    print(f"seed {options.seed}")
    moments = random.Random(options.seed)

    with Picket() as picket:
        picket.start()
        owners = [Owner(picket, number) for number in range(options.owners)]
        for _ in range(options.kills):
            before = sum(len(owner.answered) for owner in owners)
            wait_until(lambda: sum(len(owner.answered) for owner in owners) > before + 5, "acts that are answered")
            time.sleep(moments.uniform(0, 0.2))
            picket.kill()
            picket.start()
        for owner in owners:
            owner.stopping = True
        for owner in owners:
            owner.join(60)

        entries = [json.loads(line) for line in picket.run("audit", "export").stdout.splitlines()]
        check_seals(entries)
        assert picket.run("audit", "check").returncode == 0
        begun = {entry["id"]: entry for entry in entries if entry["of"] is None}
        outcomes = {}
        for entry in entries:
            if entry["of"] is not None:
                first = begun[entry["of"]]
                assert (first["act"], first["thing"]) == (entry["act"], entry["thing"])
                outcomes[entry["act"], entry["thing"]] = entry["status"]
        answered = [act for owner in owners for act in owner.answered]
        for act, device, status in answered:
            assert outcomes.get((act, device)) == status, f"{act} {device}: answered {status}, not in the audit log"
        added = {entry["thing"] for entry in begun.values() if entry["act"] == "device.add"}
        present = {device["id"] for device in picket.json("device", "list")}
        assert present <= added, f"without a trace: {sorted(present - added)[:5]}"
        unfinished = len(begun) - len([e for e in entries if e["of"] is not None]) - options.kills - 1
        picket.stop()
        print(f"{options.kills} kills, {len(answered)} acts answered, all in the audit log; {unfinished} cut short, "
              f"each begun there; {len(entries)} seals hold")


if __name__ == "__main__":
    main()
