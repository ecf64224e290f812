"""Sums over decoded security messages."""


def address(end):
    """The bytes of an address as flatc prints it: numbers, little-endian, of four bytes each."""
    return b"".join(word.to_bytes(4, "little") for word in (end if isinstance(end, list) else [end]))


def events_of(messages):
    """All events, each once: a message that was sent again is no second one."""
    events = {}
    for message in messages:
        for event in message["events"]:
            events.setdefault(bytes(event["id"]["value"]), event)
    return list(events.values())


def sums_of(messages):
    """({(protocol, local, port, remote, port): (in, out)}, [bytes in lost, bytes out lost])."""
    flows, lost = {}, [0, 0]
    for event in events_of(messages):
        payload = event["payload"]
        lost[0] += payload.get("lost_bytes_in", 0)
        lost[1] += payload.get("lost_bytes_out", 0)
        for flow in payload.get("ipv4_activity", []) + payload.get("ipv6_activity", []):
            common, ends = flow["common"], flow["addresses"]
            key = (common.get("protocol", "TCP").lower(), address(ends["local_address"]),
                   common.get("local_port", 0), address(ends["remote_address"]),
                   common.get("remote_port", 0))
            sums = flows.setdefault(key, [0, 0])
            sums[0] += common.get("bytes_in", 0)
            sums[1] += common.get("bytes_out", 0)
    return {key: tuple(sums) for key, sums in flows.items()}, lost
