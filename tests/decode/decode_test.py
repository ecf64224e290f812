"""`picket decode`, against flatc in both directions and against the predecessor's messages.

decode_test.py DECODER MAKE_MESSAGES SCHEMA SHARED_DIRECTORY [unittest arguments]
"""

import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

import content

DECODER, MAKE_MESSAGES, SCHEMA, SHARED = sys.argv[1:5]
SEED = int(os.environ.get("PICKET_TEST_SEED") or random.SystemRandom().getrandbits(32))


def decode(*files, stdin=b""):
    return subprocess.run([DECODER, *files], input=stdin, capture_output=True, timeout=300)


def flatc(*arguments):
    subprocess.run(["flatc", *arguments], check=True, capture_output=True, timeout=300)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class DecodeTest(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def compile(self, messages, schema=SCHEMA):
        """The messages, in the form flatc has them, as binary files laid out by flatc."""
        sources = [self.path("%d.json" % i) for i in range(len(messages))]
        for source, message in zip(sources, messages):
            write(source, json.dumps(message))
        flatc("-b", "-o", self.folder, schema, *sources)
        return [source[:-len("json")] + "bin" for source in sources]

    def read_with_flatc(self, files, schema=SCHEMA):
        flatc("--json", "--strict-json", "--raw-binary", "--defaults-json", "-o", self.folder,
              schema, "--", *files)
        texts = [file[:-len("bin")] + "json" for file in files]
        return [load(text) for text in texts]

    def decode_all(self, files):
        result = decode(*files)
        self.assertEqual(result.stderr.decode(), "")
        self.assertEqual(result.returncode, 0)
        lines = result.stdout.decode().splitlines()
        self.assertEqual(len(lines), len(files))
        return [json.loads(line) for line in lines]

    def make_messages(self, count):
        seed = SEED % 1000000
        subprocess.run([MAKE_MESSAGES, self.folder, str(seed), str(count)], check=True)
        return [self.path("%d.bin" % i) for i in range(seed, seed + count)]

    def schema_with(self, *changes):
        with open(SCHEMA, encoding="utf-8") as file:
            text = file.read()
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text)
            self.assertGreater(count, 0, pattern)
        write(self.path("changed.fbs"), text)
        return self.path("changed.fbs")

    def test_what_our_encoder_writes_reads_like_what_flatc_reads(self):
        files = self.make_messages(300)
        theirs = [content.from_flatc(message) for message in self.read_with_flatc(files)]
        for file, ours, other in zip(files, self.decode_all(files), theirs):
            self.assertEqual(content.completed(ours), other, file)

    def test_what_flatc_writes_of_every_payload_is_read(self):
        messages = [content.random_message(SEED + i) for i in range(300)]
        files = self.compile([content.to_flatc(message) for message in messages])
        for i, (ours, message) in enumerate(zip(self.decode_all(files), messages)):
            self.assertEqual(content.completed(ours), content.completed(message), "seed %d" % (SEED + i))

    def test_a_reader_of_schema_2_3_reads_our_messages(self):
        """Without Picket's fields, but with everything else."""
        schemas = [self.schema_with((r"(?m)^.*// Picket.*\n", ""))]
        predecessors = os.path.join(SHARED, "wire", "security_message.fbs")
        if os.path.exists(predecessors):
            schemas.append(predecessors)
        files = self.make_messages(50)
        for schema in schemas:
            theirs = self.read_with_flatc(files, schema)
            for ours, other in zip(self.decode_all(files), theirs):
                for event in ours["events"]:
                    event["duration"] = 0
                    for name in ("lost_flows", "lost_bytes_in", "lost_bytes_out", "uptime"):
                        if name in event["payload"]:
                            event["payload"][name] = 0
                self.assertEqual(content.completed(ours), content.from_flatc(other))

    def test_messages_of_a_later_schema_are_read(self):
        schema = self.schema_with(
            (r"duration:uint \(id: 5\);", "duration:uint (id: 5); note:string (id: 6);"),
            (r"commandline:string \(id: 8\);",
             "commandline:string (id: 8); packets:ulong (id: 9); more:[NetworkActivityV4] (id: 10);"),
            (r"  events:\[Event\] \(id: 3, required\);",
             "  events:[Event] (id: 3, required); region:string (id: 4);"),
            (r"  Log\n}", "  Log,\n  Newcomer\n}"),
            (r"union Payload", "table Newcomer { words:[ulong]; }\nunion Payload"))
        message = content.to_flatc(content.random_message(SEED))
        message["region"] = "north"
        flow = content.to_flatc(dict(security_module_id="", events=[dict(
            id="00" * 16, payload_type="NetworkActivity", payload=dict(
                ipv4_activity=[content.random_flow(random.Random(SEED), 4)]))]))["events"][0]
        expected_flow = content.from_flatc(dict(events=[flow]))["events"][0]
        flow["payload"]["ipv4_activity"][0]["common"].update(packets=1 << 40, more=[])
        message["events"] = [
            dict(flow, note="known payload, more fields"),
            dict(id=dict(value=[7] * 16), time=9, payload_type="Newcomer",
                 payload=dict(words=[1, 2, 3])),
        ]
        (ours,) = self.decode_all(self.compile([message], schema))
        known, unknown = ours["events"]
        self.assertEqual(content.completed(dict(events=[known]))["events"], [expected_flow])
        self.assertEqual(unknown, dict(id="07" * 16, time=9, collection_interval=0, duration=0,
                                       payload_type=8, payload=None))

    def test_numbers_without_a_name_are_shown_as_numbers(self):
        message = dict(security_module_id="x", events=[
            dict(id=dict(value=[0] * 16), payload_type="Process",
                 payload=dict(event_type=77)),
            dict(id=dict(value=[0] * 16), payload_type="Log", payload=dict(logs=[
                dict(message="", filename="", level=-3, timestamp=(1 << 64) - 1)]))])
        (ours,) = self.decode_all(self.compile([message]))
        self.assertEqual(ours["events"][0]["payload"]["event_type"], 77)
        record = ours["events"][1]["payload"]["logs"][0]
        self.assertEqual(record["level"], -3)
        self.assertEqual(record["timestamp"], "18446744073709551615")

    def test_text_that_is_not_utf_8_is_shown_with_replacements(self):
        (file,) = self.compile([dict(security_module_id="<------------\u00fc>", events=[])])
        broken = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82",
                  b"\xf0\x9f\x98\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf5\x80",
                  b"\xe2(\xa1", b"\xf0\x9f\x98", b"\xff\xf0\x9f\x98\x80\xed\x9f\xbf\xee\x80")
        with open(file, "rb") as source:
            data = source.read()
        for sequence in broken:
            patched = data.replace(b"-" * len(sequence) + b"-", sequence + b"-", 1)
            result = decode("-", stdin=patched)
            self.assertEqual(result.returncode, 0, result.stderr)
            shown = json.loads(result.stdout)["security_module_id"]
            expected = sequence.decode("utf-8", "surrogateescape")
            expected = "".join("\ufffd" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in expected)
            self.assertTrue(shown.startswith("<" + expected + "-"), (sequence, shown))
            self.assertTrue(shown.endswith("\u00fc>"))

    def test_the_predecessors_messages_are_shown_as_they_were_made(self):
        golden = sorted(glob.glob(os.path.join(SHARED, "wire", "golden", "*.bin")))
        if not golden:
            self.skipTest("no predecessor's messages under " + SHARED)
        for file, ours in zip(golden, self.decode_all(golden)):
            made = load(file[:-len("bin")] + "json")
            self.assertEqual(ours["security_module_id"], made["security_module_id"])
            self.assertEqual(len(ours["events"]), len(made["events"]))
            for event, source in zip(ours["events"], made["events"]):
                self.assertEqual(event["payload_type"], source["payload"], file)
                self.assertEqual(flat(event), flat_golden(source), file)

    def test_a_bad_file_costs_itself_only(self):
        good, other = self.make_messages(2)
        with open(good, "rb") as source:
            data = bytearray(source.read())
        root = int.from_bytes(data[:4], "little")
        data[root:root + 4] = b"\xff\xff\xff\x7f"  # how far back its vtable is
        bad = self.path("bad.bin")
        with open(bad, "wb") as file:
            file.write(data)
        result = decode(good, bad, self.path("none"), other)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stdout.splitlines()), 2)
        self.assertEqual(result.stderr.decode().splitlines(), [
            f"{bad}: byte {root}: vtable outside the message",
            self.path("none") + ": No such file or directory"])

    def test_a_file_too_large_for_a_message_is_refused(self):
        result = decode("-", stdin=bytes(1 << 20))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.decode(),
                         "-: byte 262144: message larger than 262144 bytes\n")

    def test_an_empty_file_is_refused(self):
        result = decode("-")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.decode(), "-: byte 0: message too short\n")

    def test_standard_input_is_read(self):
        (file,) = self.make_messages(1)
        with open(file, "rb") as source:
            self.assertEqual(decode("-", stdin=source.read()).stdout, decode(file).stdout)

    def test_text_that_ends_within_a_sequence_is_shown_with_replacements(self):
        (file,) = self.compile([dict(security_module_id="ab", events=[])])
        with open(file, "rb") as source:
            data = source.read()
        result = decode("-", stdin=data.replace(b"ab\0", b"a\xe2\0"))
        self.assertEqual(json.loads(result.stdout)["security_module_id"], "a\ufffd")

    def test_options_end_at_two_dashes(self):
        (file,) = self.make_messages(1)
        self.assertEqual(decode("--json", "--", file).stdout, decode(file).stdout)
        result = decode("--", "--json")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.decode(), "--json: No such file or directory\n")

    def test_a_folder_is_no_message(self):
        result = decode(self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.decode(), self.folder + ": Is a directory\n")

    def test_calls_that_are_wrong_are_told(self):
        self.assertEqual(decode().returncode, 2)
        self.assertEqual(decode("--what").returncode, 2)
        self.assertIn(b"--what", decode("--what").stderr)
        self.assertIn(b"Usage", decode("--help").stdout)
        self.assertEqual(decode("--help").returncode, 0)

    def test_what_cannot_be_written_is_told(self):
        (file,) = self.make_messages(1)
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([DECODER, file], stdout=full, stderr=subprocess.PIPE,
                                    timeout=300)
        self.assertEqual(result.returncode, 1)
        self.assertNotEqual(result.stderr, b"")


def flat(event):
    """What the descriptions of the predecessor's messages have of an event."""
    shown = dict(time=event["time"], collection_interval=event["collection_interval"],
                 id=event["id"])
    payload = event["payload"]
    if event["payload_type"] == "NetworkActivity":
        for name in ("ipv4_activity", "ipv6_activity"):
            shown[name] = [dict(
                local=flow["addresses"]["local_address"],
                remote=flow["addresses"]["remote_address"],
                **{member: flow["common"][member] for member in (
                    "local_port", "remote_port", "bytes_in", "bytes_out", "protocol")})
                for flow in payload[name]]
    elif event["payload_type"] == "SystemInformation":
        shown.update(payload)
    return shown


def flat_golden(event):
    return {name: value for name, value in event.items() if name != "payload"}


if __name__ == "__main__":
    print("seed %d (PICKET_TEST_SEED=%d repeats this run)" % (SEED, SEED), file=sys.stderr)
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
