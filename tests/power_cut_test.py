"""The simulation of power cuts: what was synced stays, what was not goes; and the tests on it notice a disk that lies.

A Python process under it writes, syncs, makes, renames and removes files, and is killed."""

import pathlib
import random
import subprocess
import sys
import tempfile

from power_cut import PAGE, PowerCut

TESTS = pathlib.Path(__file__).resolve().parent
BEGIN = """
import os, signal, sys
folder = sys.argv[1]
def put(name, content, flags=0, at=None):
    descriptor = os.open(folder + "/" + name, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    os.write(descriptor, content) if at is None else os.pwrite(descriptor, content, at)
    return descriptor
def sync_folder():
    os.fsync(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
"""
END = "\nos.kill(os.getpid(), signal.SIGKILL)\n"


class Never(random.Random):
    """Nothing that was not synced is there."""

    def choice(self, options):
        return 0


class Ever(random.Random):
    """All of it is, as after a kill alone."""

    def choice(self, options):
        return 1


def left_by(program, before=(), chance=Never):
    """The folder's files after the process ran and the power went: {name: content}."""
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent) / "data"
        folder.mkdir()
        for name, content in before:
            (folder / name).write_bytes(content)
        cut = PowerCut(folder, chance(1))
        ended = subprocess.run([sys.executable, "-c", BEGIN + program + END, folder], env=cut.environment(),
                               stderr=subprocess.PIPE, check=False)
        assert ended.returncode == -9, ended.stderr.decode()
        cut.cut()
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def what_was_there_before_stays():
    assert left_by("put('a', b'new')", [("a", b"old"), ("b", b"other")]) == {"a": b"old", "b": b"other"}


def what_was_synced_is_there_and_what_came_later_is_not():
    assert left_by("d = put('a', b'1'); os.fsync(d); sync_folder(); os.write(d, b'2')") == {"a": b"1"}
    assert left_by("d = put('a', b'1'); os.fdatasync(d); sync_folder(); os.write(d, b'2')") == {"a": b"1"}


def a_sync_of_one_descriptor_is_one_of_the_file():
    assert left_by("put('a', b'1'); os.fsync(os.open(folder + '/a', os.O_RDONLY)); sync_folder()") == {"a": b"1"}


def a_page_in_the_middle_is_lost_alone():
    old, new = b"o" * PAGE, b"n" * PAGE
    program = f"d = put('a', {new!r}, at={PAGE}); os.fsync(d); os.pwrite(d, {new!r}, 0)"
    assert left_by(program, [("a", old * 3)]) == {"a": old + new + old}


def a_new_file_is_there_once_its_folder_is_synced():
    assert left_by("os.fsync(put('a', b'1'))") == {}
    assert left_by("os.fsync(put('a', b'1')); sync_folder()") == {"a": b"1"}
    assert left_by("put('a', b'1'); sync_folder()") == {"a": b""}


def names_change_with_their_folder():
    renames = "os.rename(folder + '/a', folder + '/b')"
    assert left_by(renames, [("a", b"1")]) == {"a": b"1"}
    assert left_by(renames + "; sync_folder()", [("a", b"1")]) == {"b": b"1"}
    removes = "os.unlink(folder + '/a')"
    assert left_by(removes, [("a", b"1")]) == {"a": b"1"}
    assert left_by(removes + "; sync_folder()", [("a", b"1")]) == {}
    replaces = removes + "; os.fsync(put('a', b'2'))"
    assert left_by(replaces, [("a", b"1")]) == {"a": b"1"}
    assert left_by(replaces + "; sync_folder()", [("a", b"1")]) == {"a": b"2"}


def what_was_cut_off_is_back_until_that_is_synced():
    shortens = "d = os.open(folder + '/a', os.O_RDWR); os.ftruncate(d, 1)"
    assert left_by(shortens, [("a", b"123")]) == {"a": b"123"}
    assert left_by(shortens + "; os.fsync(d)", [("a", b"123")]) == {"a": b"1"}
    assert left_by(shortens + "; os.pwrite(d, b'x', 4); os.fsync(d)", [("a", b"123")]) == {"a": b"1\0\0\0x"}


def by_chance_what_was_not_synced_is_there():
    assert left_by("put('a', b'new'); put('b', b'2')", [("a", b"old")], Ever) == {"a": b"new", "b": b"2"}


def the_tests_notice_a_disk_that_lies():
    trial = [sys.executable, TESTS / "kill_test.py", "--kills", "3", "--devices", "3", "--disk-lies", "--seed", "1"]
    ended = subprocess.run(trial, capture_output=True, text=True, check=False)
    assert ended.returncode != 0, f"nothing was missed, although nothing was ever synced:\n{ended.stdout}"


def main():
    for test in (what_was_there_before_stays, what_was_synced_is_there_and_what_came_later_is_not,
                 a_sync_of_one_descriptor_is_one_of_the_file, a_page_in_the_middle_is_lost_alone,
                 a_new_file_is_there_once_its_folder_is_synced, names_change_with_their_folder,
                 what_was_cut_off_is_back_until_that_is_synced, by_chance_what_was_not_synced_is_there,
                 the_tests_notice_a_disk_that_lies):
        test()
        print(f"ok {test.__name__}")


if __name__ == "__main__":
    main()
