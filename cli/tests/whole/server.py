"""A running `picket serve` for tests, with certificates made by openssl."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time

HOST_NAME = "localhost"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def make_certificates(folder, days=60):
    """ca.crt, and hub.crt with hub.key for localhost."""
    path = lambda name: os.path.join(folder, name)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=test CA",
            "-keyout", path("ca.key"), "-out", path("ca.crt"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOST_NAME}",
            "-keyout", path("hub.key"), "-out", path("hub.csr"))
    with open(path("san.cnf"), "w", encoding="utf-8") as stream:
        stream.write(f"subjectAltName=DNS:{HOST_NAME}\n")
    openssl("x509", "-req", "-in", path("hub.csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-days", str(days), "-extfile", path("san.cnf"), "-out", path("hub.crt"))


class Server:
    """Everything in a temporary folder; the hub on a free port."""

    def __init__(self, picket, certificates):
        self.picket = picket
        self.folder = tempfile.mkdtemp(prefix="picket-")
        self.socket = os.path.join(self.folder, "data", "picket.sock")
        self.config = os.path.join(self.folder, "picket.yaml")
        self.alerts_file = os.path.join(self.folder, "alerts.jsonl")
        self.process = None
        self.configure(certificates)

    def configure(self, certificates, port=0, host_name=HOST_NAME):
        with open(self.config, "w", encoding="utf-8") as stream:
            stream.write(f"data_folder: data\n"
                         f"hub:\n  port: {port}\n  host_name: {host_name}\n"
                         f"  certificate_file: {certificates}/hub.crt\n"
                         f"  key_file: {certificates}/hub.key\n"
                         f"outputs:\n  - {{name: file, kind: file, location: alerts.jsonl}}\n")

    def start(self, deadline_s=60, under=()):
        self.process = subprocess.Popen([*under, self.picket, "serve", "--config", self.config],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(deadline_s):
                raise TimeoutError("picket serve does not say that it is ready")
        line = self.process.stdout.readline()
        if "is ready" not in line:
            raise RuntimeError(f"picket serve ended with {self.process.wait(10)}: {line}")
        self.port = self.json("status")["hub"]["port"]

    def stop(self, how=signal.SIGTERM, deadline_s=60):
        self.process.send_signal(how)
        code = self.process.wait(deadline_s)
        self.process.stdout.close()
        self.process = None
        return code

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        subprocess.run(["rm", "-rf", self.folder], check=True)

    def run(self, *arguments, **options):
        """A command against this server."""
        environment = dict(os.environ, PICKET_SOCKET=self.socket)
        return subprocess.run([self.picket, *arguments], env=environment, capture_output=True,
                              text=True, timeout=180, **options)

    def json(self, *arguments):
        done = self.run(*arguments, "--json")
        if done.returncode != 0:
            raise RuntimeError(f"picket {' '.join(arguments)}: {done.stderr}")
        return json.loads(done.stdout)

    def alerts_written(self):
        if not os.path.exists(self.alerts_file):
            return ""
        with open(self.alerts_file, encoding="utf-8") as stream:
            return stream.read()

    def wait_for(self, question, deadline_s=150):
        """The first answer that is true."""
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            answer = question()
            if answer:
                return answer
            time.sleep(0.05)
        raise TimeoutError("what was waited for did not come")
