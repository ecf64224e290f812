"""picket-agent replay against flows that tshark and an independent parser computed.

The captures and their oracle are in ../shared, which is not part of the repository.
"""
import ipaddress
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from agent_program import (CAPTURES, EVERYTHING, MALFORMED, agent, decode, packed, read_flows,
                           read_oracle, skip)
from messages import events_of, sums_of


def captures(folder):
    found = sorted(path for path in folder.iterdir()
                   if path.suffix in (".pcap", ".pcapng", ".cap") and path.is_file())
    assert found, folder
    return found


def totals(flows):
    """Bytes by protocol, addresses and ports, whichever the direction was."""
    return {key: bytes_in + bytes_out for key, (bytes_in, bytes_out) in flows.items()}


def differences(ours, theirs):
    lines = []
    for key in sorted(set(ours) | set(theirs)):
        if ours.get(key) != theirs.get(key):
            lines.append(f"{key}: ours {ours.get(key)}, oracle {theirs.get(key)}")
    return lines


class Oracle(unittest.TestCase):
    def check(self, capture):
        done = agent("replay", capture, *EVERYTHING, "--flows", "csv")
        flows = read_flows(done.stdout)
        self.assertTrue(all(bytes_in == 0 for bytes_in, _ in flows.values()), capture)
        found = differences(totals(flows), read_oracle(capture))
        self.assertEqual(found, [], f"{capture.name}: {done.stderr}")
        return done

    def test_all_flows_of_all_captures_equal(self):
        for capture in captures(CAPTURES):
            with self.subTest(capture=capture.name):
                self.assertEqual(self.check(capture).returncode, 0)

    def test_malformed_captures_run_clean_and_their_flows_equal(self):
        for capture in captures(MALFORMED):
            with self.subTest(capture=capture.name):
                if pathlib.Path(f"{capture}.flows.csv").exists():
                    self.check(capture)
                else:
                    agent("replay", capture, *EVERYTHING, "--flows", "csv")


class Direction(unittest.TestCase):
    def split(self, capture, local):
        """The oracle's rows of this address, both directions folded, as a device would count them."""
        folded = {}
        for (protocol, source, sport, destination, dport), size in read_oracle(capture).items():
            if source == packed(local):
                key, column = (protocol, source, sport, destination, dport), 1
            elif destination == packed(local):
                key, column = (protocol, destination, dport, source, sport), 0
            else:
                continue
            sums = folded.setdefault(key, [0, 0])
            sums[column] += size
        return {key: tuple(sums) for key, sums in folded.items()}

    def busiest(self, capture):
        """The unicast address with most bytes in the capture: likely the device."""
        by_address = {}
        for (_, source, _, destination, _), size in read_oracle(capture).items():
            for end in (source, destination):
                by_address[end] = by_address.get(end, 0) + size
        unicast = [end for end in by_address if not ipaddress.ip_address(end).is_multicast]
        return str(ipaddress.ip_address(max(unicast, key=by_address.get)))

    def test_one_local_address_splits_flows_in_and_out(self):
        for name in ("iot_hue_bridge.pcap", "iot_dlink_cam.pcap", "mqtt_small.pcap", "synscan.pcap"):
            capture = CAPTURES / name
            local = self.busiest(capture)
            with self.subTest(capture=name, local=local):
                done = agent("replay", capture, "--local", local, "--flows", "csv")
                expected = self.split(capture, local)
                self.assertTrue(any(i and o for i, o in expected.values()), "a poor example")
                self.assertEqual(read_flows(done.stdout), expected)

    def test_inbound_groups_are_counted_when_asked_for(self):
        capture = CAPTURES / "icmpv6_ra.pcap"
        nowhere = ["--local", "203.0.113.1"]
        groups = {key: size for key, size in read_oracle(capture).items()
                  if ipaddress.ip_address(key[3]).is_multicast}
        self.assertTrue(groups)
        without = read_flows(agent("replay", capture, *nowhere, "--flows", "csv").stdout)
        self.assertEqual(without, {})
        flows = read_flows(agent("replay", capture, *nowhere, "--multicast", "--flows", "csv").stdout)
        self.assertEqual(flows, {(protocol, destination, dport, source, sport): (size, 0)
                                 for (protocol, source, sport, destination, dport), size
                                 in groups.items()})


class Messages(unittest.TestCase):
    def setUp(self):
        if shutil.which("flatc") is None:
            self.skipTest("flatc is not installed")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def replay(self, capture, *options):
        folder = pathlib.Path(self.folder.name) / "messages"
        shutil.rmtree(folder, ignore_errors=True)
        done = agent("replay", capture, *EVERYTHING, "--flows", "csv", "--messages", folder, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        files = sorted(folder.iterdir())
        self.assertEqual([file.name for file in files],
                         [f"message-{number + 1:06}.bin" for number in range(len(files))])
        return read_flows(done.stdout), decode(files)

    def test_messages_add_up_to_the_flows_of_the_capture(self):
        for capture in captures(CAPTURES):
            with self.subTest(capture=capture.name):
                flows, messages = self.replay(capture)
                sent, lost = sums_of(messages)
                self.assertEqual((sent, lost), (flows, [0, 0]))

    def test_what_does_not_fit_the_table_is_reported_as_lost(self):
        capture = CAPTURES / "synscan.pcap"
        flows, messages = self.replay(capture, "--ipv4-flows", "16", "--high", "600")
        sent, lost = sums_of(messages)
        self.assertGreater(lost[1], 0)
        self.assertEqual(sum(out for _, out in sent.values()) + lost[1],
                         sum(out for _, out in flows.values()))
        for key, (_, out) in sent.items():
            self.assertLessEqual(out, flows[key][1])

    def test_messages_come_in_capture_time(self):
        capture = CAPTURES / "iot_hue_bridge.pcap"
        _, messages = self.replay(capture, "--high", "10", "--low", "20", "--first-delay", "5-5")
        events = events_of(messages)
        times = [event["time"] for event in events]
        self.assertEqual(times, sorted(times))
        stamps = subprocess.run(["tshark", "-r", str(capture), "-T", "fields", "-e", "frame.time_epoch"],
                                capture_output=True, text=True, check=True).stdout.split()
        first, last = int(float(stamps[0])), int(float(stamps[-1]))
        self.assertEqual(times[0], first + 5)
        self.assertEqual(times[-1], last)
        beats = [event for event in events if event["payload_type"] == "Heartbeat"]
        self.assertGreater(len(beats), 2)
        self.assertEqual({b["time"] - a["time"] for a, b in zip(beats[:-1], beats[1:-1])}, {20})
        self.assertEqual({event["collection_interval"] for event in beats}, {20})

    def test_a_seed_makes_a_replay_repeatable(self):
        contents = []
        for _ in range(2):
            self.replay(CAPTURES / "mqtt_small.pcap", "--seed", "7")
            folder = pathlib.Path(self.folder.name) / "messages"
            contents.append([file.read_bytes() for file in sorted(folder.iterdir())])
        self.assertEqual(*contents)

    def test_a_folder_with_messages_is_not_written_to(self):
        self.replay(CAPTURES / "mqtt_small.pcap")
        folder = pathlib.Path(self.folder.name) / "messages"
        done = agent("replay", CAPTURES / "mqtt_small.pcap", *EVERYTHING, "--messages", folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there already", done.stderr)


if __name__ == "__main__":
    if not CAPTURES.is_dir():
        skip(f"no captures in {CAPTURES}")
    unittest.main()
