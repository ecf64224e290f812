"""Cuts the power of a process: after a kill, a folder holds what was synced and by chance some of what was not.

The page cache outlives a SIGKILL, so that a kill alone says nothing of fsync. `power/unsynced.c`, preloaded, keeps beside the folder
what a power cut would leave of it; cut() makes the folder of that. The part of each file that differs is decided page by page: a disk
may have written any of it in any order."""

import os
import pathlib
import shutil

from picket_harness import BUILD, SOURCE

PAGE = 4096
PRELOADED = "tests/power/libpicket_unsynced.so"


def preloaded():
    """The library; a release build has no tests, and borrows that of the test build."""
    for build in (BUILD, SOURCE / "build" / "test"):
        if (build / PRELOADED).exists():
            return build / PRELOADED
    raise FileNotFoundError(f"{BUILD / PRELOADED}: build the tests first")


class PowerCut:
    """Of the folder of one process; chance: a random.Random."""

    def __init__(self, folder, chance, lies=False):
        self.folder = pathlib.Path(folder)
        self.shadow = self.folder.with_name(self.folder.name + ".synced")
        self.chance = chance
        self.lies = lies
        self.lost = 0  # pages and names that were not synced and are gone

    def environment(self):
        """For the process, which begins with an empty shadow: what is in the folder now is on the disk."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        self.shadow.mkdir()
        added = {"LD_PRELOAD": str(preloaded()), "PICKET_POWER_FOLDER": str(self.folder),
                 "PICKET_POWER_SHADOW": str(self.shadow),
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        return {**os.environ, **added, **({"PICKET_POWER_LIES": "1"} if self.lies else {})}

    def cut(self):
        """After the process is dead, and before it is started again."""
        share = self.chance.choice((0, 0, 0.5, 1))  # of what was not synced, how much is there
        self._cut_names(share)
        for entry in self.shadow.iterdir():
            if entry.is_file():
                self._cut_content(self.folder / entry.name, entry, share)

    def _cut_names(self, share):
        for live in self.folder.iterdir():
            if live.is_symlink() or not live.is_file() or (self.shadow / live.name).exists():
                continue
            content = self.shadow / ".inodes" / str(live.stat().st_ino)
            if content.exists() and self.chance.random() < share:
                os.link(content, self.shadow / live.name)
            else:
                live.unlink()
                self.lost += 1

    def _cut_content(self, live, synced, share):
        content = self.shadow / ".inodes" / str(live.stat().st_ino) if live.exists() else None
        if content is None or not content.exists() or not content.samefile(synced):
            shutil.copyfile(synced, live)  # another file, or none, has the name by now, and nobody synced that
            self.lost += 1
            return
        with open(live, "r+b") as now, open(synced, "rb") as then:
            sizes = [os.fstat(file.fileno()).st_size for file in (now, then)]
            size = sizes[0] if self.chance.random() < share else sizes[1]
            for at in range(0, size, PAGE):
                page, old = now.read(PAGE), then.read(PAGE)
                if page != old and self.chance.random() >= share:
                    now.seek(at)
                    now.write(old.ljust(min(PAGE, size - at), b"\0"))
                    now.seek(at + PAGE)
                    self.lost += 1
            now.truncate(size)
