#!/usr/bin/python3
"""From a request that puts an indicator, or takes one out, to its answer: it is then on the disk, matched, and in the audit log.

Beside it, in the same folder and in turn with the requests, what the disk takes by itself: 4 KiB written over a file that is there,
and synced, as often as a request syncs. The first requests are those of a Picket that has just started with an empty store, or,
with --restart, with what a clean stop has left."""

import argparse
import http.client
import json
import os
import pathlib
import sys
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("PICKET_BUILD_DIRECTORY", str(SOURCE / "build" / "release"))
sys.path.insert(0, str(SOURCE / "tests"))

from picket_harness import ApiConnection, Picket  # noqa: E402

SYNCS_OF_A_REQUEST = 3
DISK_EVERY = 10  # requests between two looks at the disk


class Disk:
    """A file that is there, written over in place."""

    def __init__(self, folder):
        self.file = os.open(folder / "disk", os.O_RDWR | os.O_CREAT, 0o600)
        self.page = b"x" * 4096
        os.pwrite(self.file, self.page * 256, 0)
        os.fsync(self.file)
        self.took_ms = []

    def look(self):
        start = time.monotonic()
        for _ in range(SYNCS_OF_A_REQUEST):
            os.pwrite(self.file, self.page, len(self.took_ms) % 256 * 4096)
            os.fdatasync(self.file)
        self.took_ms.append(1000 * (time.monotonic() - start))


def address(number):
    return f"250.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class Owner(threading.Thread):
    """Puts indicators and takes them out, over one connection."""

    def __init__(self, picket, numbers, disk=None):
        super().__init__()
        self.connection = ApiConnection(picket.socket)
        self.numbers = numbers
        self.disk = disk
        self.took_ms = []

    def ask(self, method, number):
        start = time.monotonic()
        self.connection.request(method, "/v1/intelligence/indicators", json.dumps({"indicator": address(number)}))
        response = self.connection.getresponse()
        answer = response.read()
        self.took_ms.append(1000 * (time.monotonic() - start))
        assert response.status < 300, answer

    def run(self):
        for count, number in enumerate(self.numbers):
            self.ask("DELETE" if count % 2 else "POST", number - count % 2)
            if self.disk and count % DISK_EVERY == 0:
                self.disk.look()
        self.connection.close()


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def show(what, times):
    print(f"{what:44} {len(times):7}  p50 {percentile(times, .5):7.2f}  p99 {percentile(times, .99):7.2f}  "
          f"p99.9 {percentile(times, .999):7.2f}  longest {max(times):7.2f} ms")


def one_owner(picket, what, count, base):
    disk = Disk(picket.folder)
    owner = Owner(picket, range(base, base + count), disk)
    owner.run()
    show(what, owner.took_ms)
    show("  the disk alone, as many syncs", disk.took_ms)


def many_owners(picket, owners, count, base):
    all_of_them = [Owner(picket, range(base + i * count, base + (i + 1) * count)) for i in range(owners)]
    start = time.monotonic()
    for owner in all_of_them:
        owner.start()
    for owner in all_of_them:
        owner.join()
    took_s = time.monotonic() - start
    show(f"{owners} owners at once", [ms for owner in all_of_them for ms in owner.took_ms])
    print(f"  {owners * count / took_s:.0f} requests/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000, help="of each kind (default 5000)")
    parser.add_argument("--owners", type=int, default=8, help="that change at once at the end (default 8)")
    parser.add_argument("--restart", action="store_true", help="measure after a clean stop and start")
    parser.add_argument("--folder", help="where the store is to be (default: where temporary files are)")
    options = parser.parse_args()
    with Picket(folder=options.folder) as picket:
        picket.start()
        if options.restart:
            one_owner(picket, "before", 200, 1 << 20)
            picket.stop()
            picket.start()
        one_owner(picket, "the first requests", options.requests, 0)
        one_owner(picket, "the next", options.requests, 1 << 16)
        one_owner(picket, "the next but one", options.requests, 1 << 17)
        many_owners(picket, options.owners, options.requests // options.owners, 1 << 18)
        picket.stop()


if __name__ == "__main__":
    main()
