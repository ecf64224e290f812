"""What surrounds a command: a terminal, and a server that is not picket's."""

import fcntl
import os
import pty
import socket
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
