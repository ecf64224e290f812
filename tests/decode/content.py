"""The content of security messages, in the two forms in which JSON has it.

`picket decode` prints addresses as text, ids as hexadecimal digits and all members; flatc has the
numbers that are stored. All messages here are dicts in the former form; to_flatc() and from_flatc()
translate.
"""

import ipaddress
import random
import struct

PROTOCOLS = ["TCP", "UDP", "ICMP"]
RESULTS = ["PASS", "FAIL", "ERROR"]
SEVERITIES = ["CRITICAL", "IMPORTANT", "WARNING", "INFORMATIONAL"]
PROCESS_EVENTS = ["FORK", "EXEC", "EXIT"]
LEVELS = ["NOTSET", "FATAL", "ERROR", "WARN", "INFO", "DEBUG"]

# Members and their defaults. None: an absent string.
COMMON = dict(local_port=0, remote_port=0, bytes_in=0, bytes_out=0, protocol="TCP", process_id=0,
              user_id=0, executable=None, commandline=None)
CHECK = dict(id=None, result="PASS", error=None, description=None, severity="CRITICAL",
             remediation=None)
RECORD = dict(message=None, level="NOTSET", timestamp=0, line=0, filename=None)
PAYLOADS = dict(
    NetworkActivity=dict(ipv4_activity=[], ipv6_activity=[], lost_flows=0, lost_bytes_in=0,
                         lost_bytes_out=0),
    SystemInformation=dict(os_info=None, kernel_info=None, hw_info=None),
    ListeningPorts=dict(ipv4_ports=[], ipv6_ports=[]),
    Heartbeat=dict(uptime=0),
    Baseline=dict(baseline_checks=[]),
    Process=dict(executable=None, process_id=0, parent_process_id=0, user_id=0, user_name=None,
                 commandline=None, event_type="FORK", hit_count=1),
    Log=dict(logs=[]),
)
EVENT = dict(id=None, time=0, collection_interval=0, duration=0, payload_type=None, payload=None)
MESSAGE = dict(security_module_id=None, security_module_version="0.0.0", timezone=0, events=[])


def complete(members, defaults):
    """The members, with the defaults of those that are missing; absent strings stay absent."""
    whole = {name: members.get(name, default) for name, default in defaults.items()}
    return {name: value for name, value in whole.items() if value is not None}


# ---- between the two forms ----

def address_to_number(text):
    packed = ipaddress.ip_address(text).packed
    words = list(struct.unpack("<%dI" % (len(packed) // 4), packed))
    return words[0] if len(words) == 1 else words


def number_to_address(number):
    words = number if isinstance(number, list) else [number]
    return str(ipaddress.ip_address(struct.pack("<%dI" % len(words), *words)))


def translate_flow(flow, address, common):
    return dict(addresses={name: address(value) for name, value in flow["addresses"].items()},
                common=common(flow["common"]))


def translate_port(port, address, common):
    return dict(local_address=address(port["local_address"]), common=common(port["common"]))


def translate_payload(name, payload, address, whole):
    """whole(members, defaults) completes members, or leaves them alone."""
    payload = dict(payload)
    for vector in ("ipv4_activity", "ipv6_activity"):
        if vector in payload:
            payload[vector] = [translate_flow(flow, address, lambda m: whole(m, COMMON))
                               for flow in payload[vector]]
    for vector in ("ipv4_ports", "ipv6_ports"):
        if vector in payload:
            payload[vector] = [translate_port(port, address, dict) for port in payload[vector]]
    if "baseline_checks" in payload:
        payload["baseline_checks"] = [whole(m, CHECK) for m in payload["baseline_checks"]]
    if "logs" in payload:
        payload["logs"] = [whole(m, RECORD) for m in payload["logs"]]
    return whole(payload, PAYLOADS[name])


def to_flatc(message):
    message = dict(message)
    if "security_module_version" in message:
        major, minor, patch = map(int, message["security_module_version"].split("."))
        message["security_module_version"] = major << 24 | minor << 16 | patch
    message["events"] = [
        dict(event, id=dict(value=list(bytes.fromhex(event["id"]))),
             payload=translate_payload(event["payload_type"], event["payload"], address_to_number,
                                       lambda members, defaults: members))
        for event in message["events"]]
    return message


def from_flatc(message):
    version = message.get("security_module_version", 0)
    message = dict(message, security_module_version="%d.%d.%d" % (
        version >> 24, version >> 16 & 0xFF, version & 0xFFFF))
    message["events"] = [
        complete(dict(event, id=bytes(event["id"]["value"]).hex(),
                      payload=translate_payload(event["payload_type"], event["payload"],
                                                number_to_address, complete)), EVENT)
        for event in message.get("events", [])]
    return complete(message, MESSAGE)


def completed(message):
    """The message with all members, as `picket decode` prints it, addresses as Python writes them."""
    return from_flatc(to_flatc(message))


# ---- at random ----

def number(generator, bits):
    return generator.choice([0, (1 << bits) - 1, generator.getrandbits(bits),
                             generator.getrandbits(bits // 2)])


def text(generator):
    letters = ["a", "B", "7", " ", '"', "\\", "\u00fc", "\u20ac", "\U0001f600", "\n", "/"]
    return "".join(generator.choices(letters, k=generator.choice([0, 1, 2, 3, 4, 5, 20])))


def address(generator, octets):
    packed = bytes(generator.choice([0, 0, 255, generator.getrandbits(8)]) for _ in range(octets))
    return str(ipaddress.ip_address(packed))


def some(generator, members, always=()):
    """Some of the members: those left out have their defaults."""
    return {name: value for name, value in members.items()
            if name in always or generator.random() < 0.7}


def many(generator, make):
    return [make() for _ in range(generator.choice([0, 1, 2, 5, 20]))]


def random_flow(generator, octets):
    return dict(
        addresses=dict(local_address=address(generator, octets),
                       remote_address=address(generator, octets)),
        common=some(generator, dict(
            local_port=number(generator, 16), remote_port=number(generator, 16),
            bytes_in=number(generator, 32), bytes_out=number(generator, 32),
            protocol=generator.choice(PROTOCOLS), process_id=number(generator, 16),
            user_id=number(generator, 16), executable=text(generator),
            commandline=text(generator))))


def random_port(generator, octets):
    return dict(local_address=address(generator, octets),
                common=dict(local_port=number(generator, 16),
                            protocol=generator.choice(PROTOCOLS)))


def random_check(generator):
    return some(generator, dict(
        id=text(generator), result=generator.choice(RESULTS), error=text(generator),
        description=text(generator), severity=generator.choice(SEVERITIES),
        remediation=text(generator)), always=["id"])


def random_record(generator):
    return some(generator, dict(
        message=text(generator), level=generator.choice(LEVELS), timestamp=number(generator, 63),
        line=number(generator, 32), filename=text(generator)), always=["message", "filename"])


def random_payload(generator, name):
    if name == "NetworkActivity":
        members = dict(ipv4_activity=many(generator, lambda: random_flow(generator, 4)),
                       ipv6_activity=many(generator, lambda: random_flow(generator, 16)),
                       lost_flows=number(generator, 32), lost_bytes_in=number(generator, 32),
                       lost_bytes_out=number(generator, 32))
    elif name == "SystemInformation":
        members = dict(os_info=text(generator), kernel_info=text(generator),
                       hw_info=text(generator))
    elif name == "ListeningPorts":
        members = dict(ipv4_ports=many(generator, lambda: random_port(generator, 4)),
                       ipv6_ports=many(generator, lambda: random_port(generator, 16)))
    elif name == "Heartbeat":
        members = dict(uptime=number(generator, 32))
    elif name == "Baseline":
        members = dict(baseline_checks=many(generator, lambda: random_check(generator)))
    elif name == "Process":
        members = dict(executable=text(generator), process_id=number(generator, 32),
                       parent_process_id=number(generator, 32), user_id=number(generator, 32),
                       user_name=text(generator), commandline=text(generator),
                       event_type=generator.choice(PROCESS_EVENTS),
                       hit_count=number(generator, 32))
    else:
        members = dict(logs=many(generator, lambda: random_record(generator)))
    return some(generator, members)


def random_event(generator):
    name = generator.choice(list(PAYLOADS))
    return some(generator, dict(
        id=generator.getrandbits(128).to_bytes(16, "big").hex(), time=number(generator, 32),
        collection_interval=number(generator, 32), duration=number(generator, 32),
        payload_type=name, payload=random_payload(generator, name)),
        always=["id", "payload_type", "payload"])


def random_message(seed):
    generator = random.Random(seed)
    version = "%d.%d.%d" % (number(generator, 8), number(generator, 8), number(generator, 16))
    return some(generator, dict(
        security_module_id=text(generator), security_module_version=version,
        timezone=generator.randint(-128, 127),
        events=many(generator, lambda: random_event(generator))),
        always=["security_module_id", "events"])
