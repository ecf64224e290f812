"""A hub of MQTT 3.1.1 over TLS that keeps what it is told and does as the test wants.

It speaks just what an IoT Hub device needs: CONNECT, PUBLISH with QoS 1, PINGREQ, DISCONNECT; and it
refuses subscriptions.
"""
import socket
import ssl
import struct
import threading


class Hub:
    def __init__(self, certificate, key, port=0):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.changed = threading.Condition()
        self.connects = []        # dicts: client_id, user, password, keep_alive, clean, protocol, level
        self.publishes = []       # dicts: topic, qos, retain, duplicate, payload, acknowledged
        self.disconnects = 0      # polite ones
        self.refusal = 0          # the code of CONNACK
        self.acknowledge = True   # answer with PUBACK
        self.drop_after = None    # end the connection after so many more publishes, unacknowledged
        self._connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def wait(self, condition, timeout=180):
        with self.changed:
            assert self.changed.wait_for(condition, timeout), "the hub did not see it in time"

    def stop(self):
        self._listener.close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self._connections.append(connection)
                self._read(connection, connection.makefile("rb"))
        except (OSError, EOFError, ssl.SSLError):
            pass

    def _read(self, connection, stream):
        while True:
            first = stream.read(1)
            if not first:
                return
            length, shift = 0, 0
            while True:
                digit = stream.read(1)[0]
                length |= (digit & 127) << shift
                shift += 7
                if digit < 128:
                    break
            body = stream.read(length)
            if not self._handle(connection, first[0] >> 4, first[0] & 15, body):
                return

    def _handle(self, connection, kind, flags, body):
        if kind == 1:
            return self._connect(connection, body)
        if kind == 3:
            return self._publish(connection, flags, body)
        if kind == 8:  # of what devices subscribe to it has nothing
            filters, at = 0, 2
            while at < len(body):
                at += 3 + struct.unpack_from(">H", body, at)[0]
                filters += 1
            connection.sendall(bytes([0x90, 2 + filters]) + body[:2] + b"\x80" * filters)
            return True
        if kind == 12:
            connection.sendall(b"\xd0\x00")
            return True
        if kind == 14:
            with self.changed:
                self.disconnects += 1
                self.changed.notify_all()
        return False

    def _connect(self, connection, body):
        at = 0

        def text():
            nonlocal at
            size = struct.unpack_from(">H", body, at)[0]
            at += 2 + size
            return body[at - size:at].decode()

        protocol = text()
        level, flags, keep_alive = struct.unpack_from(">BBH", body, at)
        at += 4
        fields = [text() for _ in range(1 + bool(flags & 0x80) + bool(flags & 0x40))]
        with self.changed:
            self.connects.append({"client_id": fields[0], "user": fields[1], "password": fields[2],
                                  "keep_alive": keep_alive, "clean": bool(flags & 2),
                                  "protocol": protocol, "level": level})
            self.changed.notify_all()
        connection.sendall(bytes([0x20, 2, 0, self.refusal]))
        return self.refusal == 0

    def _publish(self, connection, flags, body):
        size = struct.unpack_from(">H", body)[0]
        topic, at, qos = body[2:2 + size].decode(), 2 + size, flags >> 1 & 3
        identifier = body[at:at + 2] if qos else b""
        with self.changed:
            dropped = self.drop_after == 0
            if self.drop_after:
                self.drop_after -= 1
            acknowledged = self.acknowledge and not dropped
            self.publishes.append({"topic": topic, "qos": qos, "retain": bool(flags & 1),
                                   "duplicate": bool(flags & 8), "acknowledged": acknowledged,
                                   "payload": body[at + len(identifier):]})
            self.changed.notify_all()
            if dropped:
                self.drop_after = None
                return False
        if acknowledged and qos:
            connection.sendall(b"\x40\x02" + identifier)
        return True
