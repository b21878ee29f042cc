"""As much of HTTP/2 (RFC 9113) and HPACK (RFC 7541) as it takes to misbehave in it."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """A literal without indexing, without Huffman (RFC 7541, section 6.2.2); both below 127 octets."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call_headers(method):
    """What begins a gRPC call of "service/method"."""
    fields = ((":method", "POST"), (":scheme", "http"), (":path", "/" + method), (":authority", "localhost"),
              ("content-type", "application/grpc"), ("te", "trailers"))
    return b"".join(header(name, value) for name, value in fields)


def message(payload, length=None):
    """A gRPC message, which may lie about its length."""
    return b"\x00" + struct.pack(">I", len(payload) if length is None else length) + payload


class Connection:
    """A connection that has shaken hands. A context."""

    def __init__(self, address, patience, acknowledge=True):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=patience)
        self.socket.sendall(PREFACE + frame(SETTINGS))
        self._rest = b""
        # The server's limits hold once they are acknowledged.
        self.wait_for(lambda kind, flags, *_: kind == SETTINGS and not flags & ACK)
        if acknowledge:
            self.send(frame(SETTINGS, ACK))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def send(self, data):
        """False once the server has had enough."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _read(self, size):
        while len(self._rest) < size:
            read = self.socket.recv(1 << 16)
            if not read:
                raise EOFError
            self._rest += read
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def frames(self):
        """(kind, flags, stream, payload), until the server closes the connection."""
        while True:
            try:
                head = self._read(9)
                payload = self._read(int.from_bytes(head[:3], "big"))
            except (EOFError, ConnectionResetError):
                return
            yield head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, payload

    def wait_for(self, wanted):
        """The first frame for which `wanted` holds, or None once the connection is closed."""
        return next((found for found in self.frames() if wanted(*found)), None)

    def ends(self, stream):
        """Whether the server ended the stream, by trailers or a reset, rather than the connection."""
        return self.wait_for(lambda kind, flags, number, _: number == stream and (
            kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM))) is not None
