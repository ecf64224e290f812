"""mosquitto to compare with: TLS with the same certificate, a static password, nothing durable."""

import pathlib
import socket
import subprocess
import time

USER = PASSWORD = "bench"


class Mosquitto:
    """Runs until stop(), with one subscriber to everything."""

    def __init__(self, folder, certificate, key, ca):
        folder = pathlib.Path(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.ca = ca
        self.load_options = ["--user", USER, "--password", PASSWORD]
        subprocess.run(["mosquitto_passwd", "-c", "-b", folder / "passwords", USER, PASSWORD], check=True,
                       stderr=subprocess.DEVNULL)
        (folder / "mosquitto.conf").write_text(f"""listener {self.port} 127.0.0.1
certfile {certificate}
keyfile {key}
password_file {folder}/passwords
allow_anonymous false
persistence false
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 0
user root
log_type error
""")
        self.process = subprocess.Popen(["mosquitto", "-c", folder / "mosquitto.conf"], stderr=subprocess.DEVNULL)
        self._wait()
        self.subscriber = subprocess.Popen(
            ["mosquitto_sub", "-h", "localhost", "-p", str(self.port), "--cafile", ca, "-u", USER, "-P", PASSWORD,
             "-q", "0", "-t", "#"], stdout=subprocess.DEVNULL)

    def _wait(self):
        deadline = time.monotonic() + 20
        while socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            if time.monotonic() > deadline:
                raise TimeoutError("mosquitto does not listen")
            time.sleep(0.02)

    def stop(self):
        for process in (self.subscriber, self.process):
            process.terminate()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
