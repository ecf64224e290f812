"""What surrounds a command: a terminal, and a server that is not picket's."""

import fcntl
import http.server
import os
import pty
import socket
import ssl
import struct
import subprocess
import tempfile
import termios
import threading


def on_terminal(columns, command, environment):
    """Runs the command on a terminal of so many columns: its exit code, and what is on the screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    screen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the last one has closed the terminal
            break
        if not piece:
            break
        screen += piece
    os.close(ours)
    return process.wait(60), screen.decode().replace("\r\n", "\n")


def http_answer(status, text):
    body = text.encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status, len(body), body)


class FakeServer:
    """Gives everyone the same bytes and hangs up."""

    def __init__(self, answer):
        self.answer = answer

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="picket-fake-")
        self.path = os.path.join(self.folder, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self.path

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                received = b""
                while b"\r\n\r\n" not in received:
                    piece = client.recv(65536)
                    if not piece:
                        break
                    received += piece
                client.sendall(self.answer)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):  # so that the answer is not lost to a reset
                    pass

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        os.unlink(self.path)
        os.rmdir(self.folder)


class WebServer:
    """http, or https with a certificate's files, on loopback: for each path (status, headers, text)."""

    def __init__(self, pages, certificate=None, key=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, text = pages[self.path]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.address = self.address.replace("http", "https", 1)

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self.address

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def trusting(ca_file):
    """A command's beginning that has it trust an authority as one of the system's; None: cannot be."""
    system = "/etc/ssl/certs/ca-certificates.crt"
    script = f'mount --bind "$0" {system} && exec "$@"'
    beginning = ["unshare", "--mount", "sh", "-c", script, ca_file]
    possible = subprocess.run([*beginning, "true"], capture_output=True).returncode == 0
    return beginning if possible else None
