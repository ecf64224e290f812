"""kill -9 at random moments while owners administer: what was answered is in the audit log, and what was done is begun there.

Threads add, rotate and remove devices through the API's socket. In the end every answered act has both of its entries, every
device that is there has at least the first, and the seals, computed here from their description, hold from the first entry to the
last. A fleet publishes meanwhile. With --power-cut, what was not synced is lost at each kill."""

import hashlib
import json
import threading
import time

from kill_trial import Trial
from picket_harness import wait_until

OWNERS = 4


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
        status, _ = self.picket.call(method, path, body)
        if status != 0:
            self.answered.append((act, device, status))
        else:
            time.sleep(0.02)  # killed; nothing is known of this one

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
    trial = Trial(__doc__.splitlines()[0])
    with trial.picket() as picket:
        picket.start()
        fleet = trial.fleet(picket)
        owners = [Owner(picket, number) for number in range(OWNERS)]
        for _ in range(trial.options.kills):
            before = sum(len(owner.answered) for owner in owners)
            wait_until(lambda: sum(len(owner.answered) for owner in owners) > before + 5, "acts that are answered")
            trial.kill(picket, fleet)
            picket.start()
        for owner in owners:
            owner.stopping = True
        for owner in owners:
            owner.join(60)
        fleet.finish()
        told = trial.told(picket, fleet)

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
        removed = {entry["thing"] for entry in begun.values() if entry["act"] == "device.remove"}
        kept = {device for act, device, status in answered if act == "device.add" and status == 201} - removed
        assert kept <= present, f"added, answered, and gone: {sorted(kept - present)[:5]}"
        starts = trial.options.kills + 1  # each is an entry without an outcome
        unfinished = len(begun) - len([e for e in entries if e["of"] is not None]) - starts
        picket.stop()
        print(f"{trial.options.kills} kills, {len(answered)} acts answered, all in the audit log; {unfinished} cut short, "
              f"each begun there; {len(entries)} seals hold; {told}")


if __name__ == "__main__":
    main()
