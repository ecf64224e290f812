"""A device on Microsoft's Node client, which is installed into the build folder when it is missing there."""

import fcntl
import json
import os
import queue
import shutil
import subprocess
import threading

from picket_harness import BUILD, SOURCE

DEADLINE_S = 180
FOLDER = BUILD / "node-device"
INSTALL_ATTEMPTS = 3


def install():
    """As package-lock.json has it; anew whenever that has changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCE / "tests" / "node" / "package-lock.json").read_text()
    installed = FOLDER / "installed"
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("package.json", "package-lock.json", "device.js"):
            shutil.copy(SOURCE / "tests" / "node" / name, FOLDER)
        if installed.exists() and installed.read_text() == wanted:
            return
        for attempt in range(INSTALL_ATTEMPTS):
            result = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER,
                                    capture_output=True, text=True, timeout=600)
            if result.returncode == 0:
                break
        assert result.returncode == 0, f"npm ci in {FOLDER}:\n{result.stdout}{result.stderr}"
        installed.write_text(wanted)


class NodeDevice:
    def __init__(self, enrolled, picket, key=None, certificate=None, module=None, token_life_s=None, token_margin_s=None):
        """certificate: the files of certificate and key, of a device that was enrolled with one."""
        install()
        connection_string = enrolled.connection_string
        if key:
            connection_string = connection_string[:connection_string.index("SharedAccessKey=")] + "SharedAccessKey=" + key
        if module:
            connection_string += f";ModuleId={module}"
        token = {"TOKEN_LIFE_S": str(token_life_s), "TOKEN_MARGIN_S": str(token_margin_s)} if token_life_s else {}
        # A gateway's name is where the client connects to; with a port, since ours is not the usual one.
        self.process = subprocess.Popen(
            ["node", FOLDER / "device.js", f"{connection_string};GatewayHostName=localhost:{picket.port}", picket.ca,
             *(certificate or ())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # Picket listens on IPv4 here; older Node goes to the first address of localhost only, which may be ::1.
            env={**os.environ, **token, "NODE_NO_WARNINGS": "1", "NODE_OPTIONS": "--dns-result-order=ipv4first"})
        self._said = queue.Queue()
        self._kept = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                self._said.put(json.loads(line))
        self._said.put(None)

    def next(self, name):
        """The next thing said that has this member; what comes before is kept for others who ask."""
        for i, said in enumerate(self._kept):
            if name in said:
                return self._kept.pop(i)
        while True:
            said = self._said.get(timeout=DEADLINE_S)
            assert said is not None, f"the device ended, waiting for {name}: {self.process.stderr.read()}"
            if name in said:
                return said
            assert "failed" not in said, said
            self._kept.append(said)

    def has_said(self, name):
        """Whether next() would return at once; takes in what was said meanwhile."""
        while not self._said.empty():
            said = self._said.get()
            assert said is not None, f"the device ended: {self.process.stderr.read()}"
            assert "failed" not in said, said
            self._kept.append(said)
        return any(name in said for said in self._kept)

    def tell(self, action, **order):
        self.process.stdin.write(json.dumps({"do": action, **order}) + "\n")
        self.process.stdin.flush()

    def do(self, action, **order):
        self.tell(action, **order)
        done = self.next("done")
        assert done["done"] == action, done
        return done

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stderr.close()
