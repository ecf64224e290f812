"""What the tests that drive picket-agent from outside share."""
import csv
import ipaddress
import json
import os
import pathlib
import subprocess
import sys
import tempfile

AGENT = os.environ["PICKET_AGENT"]
SHARED = pathlib.Path(os.environ["PICKET_SHARED_DIRECTORY"])
SCHEMA = os.environ["PICKET_SCHEMA"]
CAPTURES = SHARED / "data" / "pcaps"
MALFORMED = SHARED / "data" / "pcaps-malformed"
EVERYTHING = ["--local", "0.0.0.0/0", "--local", "::/0"]
HEADER = "protocol,local_address,local_port,remote_address,remote_port,bytes_in,bytes_out"
SKIPPED = 77


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIPPED)


def agent(*arguments, timeout=600, **options):
    """Runs picket-agent to its end; a sanitizer's report fails the test at once."""
    done = subprocess.run([AGENT, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, **options)
    if done.returncode not in (0, 1, 2) or "Sanitizer" in done.stderr or "runtime error" in done.stderr:
        sys.exit(f"picket-agent {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}")
    return done


def packed(address):
    return ipaddress.ip_address(address).packed


def read_flows(text):
    """The table of --flows csv: {(protocol, local, local port, remote, remote port): (in, out)}."""
    lines = text.splitlines()
    assert lines[0] == HEADER, lines[0]
    flows = {}
    for row in csv.reader(lines[1:]):
        assert len(row) == 7, row
        key = (row[0], packed(row[1]), int(row[2]), packed(row[3]), int(row[4]))
        assert key not in flows, f"{row} twice"
        flows[key] = (int(row[5]), int(row[6]))
    return flows


PROTOCOL_NAMES = {"1": "icmp", "58": "icmp", "6": "tcp", "17": "udp"}


def read_oracle(capture):
    """{(protocol, source, port, destination, port): bytes}."""
    sums = {}
    with open(f"{capture}.flows.csv", newline="") as file:
        for row in csv.DictReader(file):
            key = (PROTOCOL_NAMES[row["proto"]], packed(row["src"]), int(row["sport"]),
                   packed(row["dst"]), int(row["dport"]))
            sums[key] = sums.get(key, 0) + int(row["bytes"])
    return sums


def decode(files):
    """Security messages as flatc reads them by the schema."""
    messages = []
    with tempfile.TemporaryDirectory() as folder:
        for at in range(0, len(files), 200):
            batch = list(map(str, files[at:at + 200]))
            subprocess.run(["flatc", "--json", "--raw-binary", "--strict-json", "-o", folder, SCHEMA,
                            "--", *batch], check=True, capture_output=True)
        for file in files:
            messages.append(json.loads((pathlib.Path(folder) / (pathlib.Path(file).stem + ".json"))
                                       .read_text()))
    return messages
