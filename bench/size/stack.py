"""The deepest stack of a firmware over its call tree, by what -fcallgraph-info=su,da says of each object.

Calls through pointers are listed here, by what stands at the place of the call: what a pointer can lead to is known to
people, not to the compiler. A call that is not listed is an error, as are recursion and frames of no constant size. What a
tail call leaves behind counts as if it stayed. Functions of the stack, of libc and of the application are not counted."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOREIGN = "foreign"  # the stack's, libc's or the application's

# Text at the place of the call, and the functions that may be behind it; static ones with their file.
POINTERS = [
    (r"callbacks->lock\(", ["picket_device_lock"]),
    (r"callbacks->unlock\(", ["picket_device_unlock"]),
    (r"callbacks(\.|->)uptime_s\(", ["picket_device_uptime_s"]),
    (r"callbacks(\.|->)unix_time_s\(", ["picket_device_unix_time_s"]),
    (r"callbacks(\.|->)random\(", ["picket_seed_random"]),
    (r"callbacks(\.|->)connected\(", ["azure.c:connected", "transport.c:connected"]),
    (r"callbacks(\.|->)send\(", ["azure.c:send", "transport.c:send"]),
    (r"callbacks->delivered\(", ["azure.c:delivered", "transport.c:delivered"]),
    (r"callbacks(\.|->)listening_ports\(", ["picket_ports_list"]),
    (r"callbacks(\.|->)wake\(", []),  # the port sets none
    (r"transport->(connected|send|delivered)\(", [FOREIGN]),
    (r"what\(client, message\)", ["azure.c:hand_over", "azure.c:outcome"]),
    (r"collectors\[collector\]\(", ["picket_*_collect"]),
    (r"flows->next\(", ["picket_frozen_flows_next"]),
    (r"->sink\(", ["azure.c:append"]),
    (r"unix_time_get\(", [FOREIGN]),
    (r"chosen\(", [FOREIGN]),
    (r"stack\(ip, packet\)", [FOREIGN]),
    (r"(->filter|\bunder)\(", [FOREIGN]),
]

# Where threads come in. What the port does with a packet is three functions that the stack calls.
ENTRIES = {
    "packet hook": ["picket_agent_count_packet", "watch.c:filter_outbound", "watch.c:receive_packet"],
    "poll": ["picket_netxduo_poll", "azure.c:process"],
    "start": ["picket_netxduo_start", "nx_azure_iot_security_module_enable"],
}


class Fault(Exception):
    pass


class Tree:
    """Functions by name: public ones by their own, static ones as file.c:name."""

    def __init__(self, folder, objects):
        self.frame_bytes, self.calls, self.foreign = {}, {}, set()
        for path in objects:
            self._read(f"{folder}/{path[:-2]}.ci")

    @staticmethod
    def _name(title):
        return os.path.basename(title) if ":" in title else title

    def _read(self, path):
        with open(path, encoding="utf-8") as info:
            text = info.read()
        for title, label in re.findall(r'^node: { title: "([^"]*)" label: "([^"]*)"', text, re.M):
            frame = re.search(r"\\n(\d+) bytes \((\w[\w,]*)\)\\n(\d+) dynamic objects", label)
            name = self._name(title)
            if frame is None:
                continue
            if frame.group(2) != "static" or frame.group(3) != "0":
                raise Fault(f"{name}: a frame of no constant size ({frame.group(2)}, {frame.group(3)} dynamic objects)")
            self.frame_bytes[name] = int(frame.group(1))
            self.calls.setdefault(name, set())
        for caller, callee, place in re.findall(r'^edge: { sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?',
                                                text, re.M):
            found = self.calls.setdefault(self._name(caller), set())
            found.update(self._behind(place) if callee == "__indirect_call" else [self._name(callee)])

    @staticmethod
    def _behind(place):
        path, line = place.split(":")[:2]
        with open(path, encoding="utf-8") as source:
            text = "".join(source.readlines()[int(line) - 1:int(line) + 1])
        for pattern, names in POINTERS:
            if re.search(pattern, text):
                return names
        raise Fault(f"{os.path.relpath(path, ROOT)}:{line}: a call through a pointer that bench/size/stack.py does not list:\n{text}")

    def _resolve(self, name):
        """The functions of that name in this build; compilers append .isra.0 and the like."""
        pattern = re.compile(re.escape(name).replace(r"\*", r"\w+") + r"(\.\w+\.\d+)*$")
        return [known for known in self.frame_bytes if pattern.match(known)]

    @staticmethod
    def _elsewhere(name):
        """Not compiled here; a static function that is not there belongs to a transport that is left out."""
        return [] if ":" in name else [name]

    def deepest(self, name, above=()):
        """Bytes, and the chain of functions with their frames."""
        if name in above:
            raise Fault(f"recursion: {' > '.join([*above, name])}")
        if name not in self.frame_bytes:
            self.foreign.add(name)
            return 0, []
        depth, chain = 0, []
        for callee in sorted(self.calls[name]):
            for known in self._resolve(callee) or self._elsewhere(callee):
                below = self.deepest(known, (*above, name))
                if below[0] > depth or not chain:
                    depth, chain = below
        return self.frame_bytes[name] + depth, [(name, self.frame_bytes[name]), *chain]

    def deepest_of(self, entry):
        """Of an entry's functions; those that are not in this build (another transport's) do not count."""
        names = [known for name in ENTRIES[entry] for known in self._resolve(name)]
        if not names:
            raise Fault(f"{entry}: none of {', '.join(ENTRIES[entry])} is there")
        return max((self.deepest(name) for name in names), key=lambda found: found[0])

    def held(self, entry):
        """Bytes that lie under what the entry hands on to the stack or to the application."""
        return max(self._held(known, 0) for name in ENTRIES[entry] for known in self._resolve(name))

    def _held(self, name, above_bytes):
        bytes_here = above_bytes + self.frame_bytes[name]
        found = bytes_here if FOREIGN in self.calls[name] else 0
        return max([found, *(self._held(known, bytes_here) for callee in self.calls[name] for known in self._resolve(callee))])

    def check_all(self):
        """Walks every function there is: recursion anywhere is found."""
        for name in self.frame_bytes:
            self.deepest(name)
