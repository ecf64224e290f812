"""The command line of picket-agent: exit codes, what errors name, and files that are not captures."""
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

from agent_program import AGENT, EVERYTHING, agent, packed, read_flows

KEY = "cGlja2V0LXRlc3Qta2V5LTAxMjM0NTY3ODlhYmNkZWY="


def udp_packet(source, destination, sport, dport, payload_bytes, declared=None):
    total = declared if declared is not None else 28 + payload_bytes
    return (struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 17, 0, packed(source),
                        packed(destination)) +
            struct.pack(">HHHH", sport, dport, 8 + payload_bytes, 0) + bytes(payload_bytes))


def pcap(packets, order="<", nanoseconds=False, link=101):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for time, packet in packets:
        parts.append(struct.pack(order + "IIII", time, 0, len(packet), len(packet)) + packet)
    return b"".join(parts)


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def expect(self, code, words, *arguments, **options):
        done = agent(*arguments, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stderr}")
        self.assertIn(words, done.stderr, arguments)
        self.assertEqual(done.stdout, "")

    def test_a_wrong_command_line_exits_2_and_names_what_was_expected(self):
        for arguments, words in (
                ((), "expected run or replay"),
                (("watch",), "watch: expected run or replay"),
                (("replay", "--local", "::1"), "FILE is missing"),
                (("replay", "a", "b", "--local", "::1"), "one capture FILE"),
                (("replay", "a"), "--local is missing"),
                (("replay", "a", "--local", "10.0.0.0/40"), "--local 10.0.0.0/40: not an address"),
                (("replay", "a", "--local", "::1", "--flows", "xml"), "--flows xml: expected csv"),
                (("replay", "a", "--local", "::1", "--high", "0"), "--high 0: expected a number from 1"),
                (("replay", "a", "--local", "::1", "--high", "5s"), "--high 5s: expected a number"),
                (("replay", "a", "--local", "::1", "--first-delay", "9-3"), "--first-delay 9-3: expected"),
                (("replay", "a", "--local", "::1", "--seed", "-1"), "--seed -1: expected a number"),
                (("replay", "a", "--bogus"), "--bogus"),
                (("run", "--port", "70000"), "--port 70000: expected a number from 1 to 65535"),
                (("run", "extra"), "extra: expected options only"),
                (("run", "--connection-string", "a", "--connection-string-file", "b"), "one of them"),
                (("run",), "no connection string"),
                (("run", "--connection-string", "HostName=h"), "DeviceId is missing")):
            with self.subTest(arguments=arguments):
                environment = {k: v for k, v in os.environ.items() if k != "PICKET_CONNECTION_STRING"}
                self.expect(2, words, *arguments, env=environment)

    def test_help_and_version_go_to_standard_output(self):
        for arguments, words in ((("--help",), "Usage:"), (("run", "--help"), "CAP_NET_RAW"),
                                 (("replay", "--help"), "--flows csv"),
                                 (("--version",), "picket-agent ")):
            done = agent(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(words, done.stdout)

    def test_what_cannot_be_read_exits_1_and_says_why(self):
        self.expect(1, "cannot be opened", "replay", self.folder / "absent", *EVERYTHING)
        self.expect(1, "not a regular file", "replay", self.folder, *EVERYTHING)
        self.expect(1, "not a capture", "replay", self.file("empty", b""), *EVERYTHING)
        self.expect(1, "gunzip it first", "replay", self.file("gz", b"\x1f\x8b\x08\0"), *EVERYTHING)
        self.expect(1, "not a capture", "replay", self.file("text", b"no capture at all" * 9), *EVERYTHING)
        self.expect(1, "cannot be opened", "run", "--connection-string-file", self.folder / "absent")

    def test_a_message_folder_that_cannot_be_made_exits_1(self):
        capture = self.file("one.pcap", pcap([(1, udp_packet("10.0.0.1", "10.0.0.2", 1, 2, 10))]))
        self.expect(1, "the folder cannot be made", "replay", capture, *EVERYTHING, "--messages",
                    self.folder / "no" / "such")

    def test_both_byte_orders_and_resolutions_are_read(self):
        packet = udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32)
        expected = {("udp", packed("10.0.0.1"), 1000, packed("8.8.8.8"), 53): (0, 40)}
        for order in "<>":
            for nanoseconds in (False, True):
                capture = self.file("order.pcap", pcap([(5, packet)], order, nanoseconds))
                done = agent("replay", capture, "--local", "10.0.0.1", "--flows", "csv")
                self.assertEqual((done.returncode, read_flows(done.stdout)), (0, expected))

    def test_a_cut_file_is_used_as_far_as_it_goes(self):
        packet = udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32)
        capture = self.file("cut.pcap", pcap([(5, packet), (6, packet)])[:-7])
        done = agent("replay", capture, *EVERYTHING, "--flows", "csv", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("after packet 1", done.stderr)
        self.assertIn('"complete":false', done.stderr)
        self.assertEqual(len(read_flows(done.stdout)), 1)

    def test_statistics_name_why_packets_were_not_counted(self):
        packets = [udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32),
                   udp_packet("10.0.0.7", "8.8.8.8", 1000, 53, 32),
                   udp_packet("10.0.0.7", "224.0.0.251", 5353, 5353, 32),
                   udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32)[:24],
                   udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32, declared=19),
                   udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32).replace(b"\x40\x11", b"\x40\x2f", 1),
                   b"\x00"]
        capture = self.file("odd.pcap", pcap([(5, packet) for packet in packets]))
        done = agent("replay", capture, "--local", "10.0.0.1", "--json")
        for reason in ("counted", "not_local", "group", "truncated", "other_protocol"):
            self.assertIn(f'"{reason}":1', done.stderr)
        self.assertIn('"malformed":2', done.stderr)
        done = agent("replay", capture, "--local", "10.0.0.1")
        self.assertIn("1 not counted: inbound multicast or broadcast", done.stderr)

    def test_a_counter_at_its_end_is_told(self):
        packet = udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 0, declared=65535)
        capture = self.file("large.pcap", pcap([(5, packet)] * 66000))
        done = agent("replay", capture, *EVERYTHING, "--flows", "csv")
        self.assertEqual(list(read_flows(done.stdout).values()), [(0, 4294967295)])
        self.assertIn("1 flows reached the end of a counter", done.stderr)

    def test_the_table_grows_to_what_the_capture_takes(self):
        flows = 70000
        packets = [(5, udp_packet("10.0.0.1", "8.8.8.8", 1 + number % 60000, 53 + number // 60000, 32))
                   for number in range(flows)]
        done = agent("replay", self.file("many.pcap", pcap(packets)), *EVERYTHING, "--flows", "csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        table = read_flows(done.stdout)
        self.assertEqual((len(table), set(table.values())), (flows, {(0, 40)}))
        self.assertIn(f"{flows} packets, {flows} counted in {flows} flows", done.stderr)

    def test_stamps_that_jump_do_not_make_endless_messages(self):
        packet = udp_packet("10.0.0.1", "8.8.8.8", 1000, 53, 32)
        capture = self.file("jump.pcap", pcap([(0, packet), (4294967295, packet), (5, packet)]))
        done = agent("replay", capture, *EVERYTHING, "--messages", self.folder / "messages", timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(len(list((self.folder / "messages").iterdir())), 200)

    def test_output_that_cannot_be_written_exits_1(self):
        capture = self.file("one.pcap", pcap([(1, udp_packet("10.0.0.1", "10.0.0.2", 1, 2, 10))]))
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([AGENT, "replay", str(capture), *EVERYTHING, "--flows", "csv"],
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be written", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to give up root's rights")
    def test_capturing_without_the_right_says_what_it_takes(self):
        def give_up():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        program = self.file("agent", pathlib.Path(AGENT).read_bytes())
        program.chmod(0o755)
        self.folder.chmod(0o755)
        done = subprocess.run([str(program), "run", "--interface", "lo", "--connection-string",
                               f"HostName=127.0.0.1;DeviceId=d;SharedAccessKey={KEY}"],
                              capture_output=True, text=True, timeout=300, preexec_fn=give_up, cwd="/")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("CAP_NET_RAW", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to capture")
    def test_an_interface_that_is_not_there_is_named(self):
        self.expect(1, "interface nosuch0", "run", "--interface", "nosuch0", "--connection-string",
                    f"HostName=127.0.0.1;DeviceId=d;SharedAccessKey={KEY}")


if __name__ == "__main__":
    unittest.main()
