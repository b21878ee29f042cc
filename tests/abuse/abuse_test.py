"""The server lives, stays small and serves others, whatever comes to its port (faults.md, case 47):
abuse_test.py AUTOPXE_SERVER AUTOPXECTL"""

import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import http2  # noqa: E402
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon, until  # noqa: E402

WATCH = "autopxe.v1.AgentService/WatchConfiguration"
APPLY = "autopxe.v1.ConfigurationService/Apply"
LIMIT = 64 << 20  # Of one message.
STREAMS = 1_000  # That a connection may have.
GROWTH = 128 << 20  # Octets that the server may grow by, whatever is done to it.
UNREACHABLE = 3  # autopxectl's exit code.
ANSWERED = 5  # Seconds, for others, in the thick of it; usual is some hundredths.


def watch_request(number):
    """WatchConfigurationRequest { agent_id, instance }."""
    agent, instance = f"agent-{number}".encode(), b"i1"
    return bytes([0x0A, len(agent)]) + agent + bytes([0x12, len(instance)]) + instance


class Abuse(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = Daemon(SERVER, "--listen", "127.0.0.1:0", "--database", folder.name + "/autopxe.db",
                             protocols=["grpc"])
        self.addCleanup(self.server.stop)
        self.address = self.server.address["grpc"]
        self.others_are_served()
        self.before = self.memory()

    def memory(self):
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10

    def is_idle(self):
        """Whether no thread runs or would if a processor were free."""
        for task in pathlib.Path(f"/proc/{self.server.pid}/task").iterdir():
            try:
                if (task / "stat").read_text().rsplit(")", 1)[1].split()[0] != "S":
                    return False
            except (FileNotFoundError, ProcessLookupError):
                continue  # It has ended.
        return True

    def is_sanitized(self):
        """A sanitizer keeps what was freed, to see whether it is used again."""
        return "AUTOPXE_TEST_SANITIZED" in os.environ

    def assign(self, hosts=("52:54:00:12:34:56",), distro="local"):
        return subprocess.run([CTL, "--server", self.address, "assign", *hosts, distro],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def others_are_served(self, *arguments):
        start = time.monotonic()
        done = self.assign(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        took = time.monotonic() - start
        if hasattr(self, "before"):
            self.assertLess(took, ANSWERED)

    def is_served_at_last(self):
        """Whether others are answered; they may wait behind all that has come, and be told to try again."""
        done = self.assign()
        if done.returncode != UNREACHABLE:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.returncode == 0

    def check(self):
        """What must hold during and after everything."""
        self.others_are_served()
        self.assertTrue(self.server.is_running())
        if not self.is_sanitized():
            self.assertLess(self.memory() - self.before, GROWTH)

    def settles(self):
        """For what gRPC 1.51 can't keep from taking memory while it lasts (docs/outages.md): afterwards it is given back."""
        def has_settled():
            """It has nothing to do any more, before a call and after it, and is small."""
            was_idle = self.is_idle()
            return (self.is_served_at_last() and was_idle and self.is_idle() and
                    (self.is_sanitized() or self.memory() - self.before < GROWTH))

        until(has_settled, "memory that was given back", 5 * PATIENCE)
        self.assertTrue(self.server.is_running())

    def connect(self, acknowledge=True):
        connection = http2.Connection(self.address, PATIENCE, acknowledge)
        self.addCleanup(connection.socket.close)
        return connection

    def test_a_message_over_the_limit_is_refused_before_it_has_come(self):
        connection = self.connect()
        connection.send(http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.call_headers(APPLY)) +
                        http2.frame(http2.DATA, 0, 1, http2.message(b"x" * 1000, LIMIT + 1)))
        self.assertTrue(connection.ends(1))
        self.check()

    def test_messages_that_never_come_whole_hold_no_memory_for_what_they_claim(self):
        connection = self.connect()
        for stream in range(1, 2 * STREAMS // 2, 2):
            connection.send(http2.frame(http2.HEADERS, http2.END_HEADERS, stream, http2.call_headers(APPLY)) +
                            http2.frame(http2.DATA, 0, stream, http2.message(b"x" * 10, LIMIT - 1)))
        self.check()

    def test_ten_thousand_watches_on_a_connection_are_a_thousand(self):
        connection = self.connect()
        opened = 10_000
        for number in range(opened):
            stream = 2 * number + 1
            if not connection.send(
                    http2.frame(http2.HEADERS, http2.END_HEADERS, stream, http2.call_headers(WATCH)) +
                    http2.frame(http2.DATA, http2.END_STREAM, stream, http2.message(watch_request(number)))):
                break
        self.check()
        # Each is told that it was refused, or else the connection ends.
        refused = set()
        for kind, _, stream, _ in connection.frames():
            if kind == http2.RST_STREAM:
                refused.add(stream)
                if len(refused) >= opened - STREAMS:
                    break
        self.check()

    def test_watchers_that_never_read_cost_no_more_than_one_message_each(self):  # faults.md, case 39.
        connection = self.connect()
        for number in range(STREAMS):
            stream = 2 * number + 1
            connection.send(http2.frame(http2.HEADERS, http2.END_HEADERS, stream, http2.call_headers(WATCH)) +
                            http2.frame(http2.DATA, http2.END_STREAM, stream, http2.message(watch_request(number))))
        # Some 15 KiB for each change and watch: 600 MiB, were they kept.
        hosts = [f"5254000000{number:02x}" for number in range(200)]
        for number in range(40):
            self.others_are_served(hosts, ("local", "menu")[number % 2])
        self.check()

    def test_streams_that_are_reset_as_soon_as_they_are_opened(self):
        connection = self.connect()
        headers = http2.call_headers(WATCH)
        for number in range(20_000):
            stream = 2 * number + 1
            if not connection.send(
                    http2.frame(http2.HEADERS, http2.END_HEADERS, stream, headers) +
                    http2.frame(http2.DATA, http2.END_STREAM, stream, http2.message(watch_request(number))) +
                    http2.frame(http2.RST_STREAM, 0, stream, struct.pack(">I", 8))):
                break
        self.settles()

    def test_streams_of_a_peer_that_never_acknowledges_the_limit(self):
        connection = self.connect(acknowledge=False)
        for number in range(10_000):
            stream = 2 * number + 1
            if not connection.send(
                    http2.frame(http2.HEADERS, http2.END_HEADERS, stream, http2.call_headers(WATCH)) +
                    http2.frame(http2.DATA, http2.END_STREAM, stream, http2.message(watch_request(number)))):
                break
        until(self.is_served_at_last, "an answer to others", 5 * PATIENCE)
        connection.socket.close()
        self.settles()

    def test_a_head_without_end_is_cut_off(self):
        connection = self.connect()
        connection.send(http2.frame(http2.HEADERS, 0, 1, http2.call_headers(WATCH)))
        flood = http2.frame(http2.CONTINUATION, 0, 1, b"".join(
            http2.header(f"x{number:05}", "v" * 100) for number in range(140)))
        sent = 0
        while connection.send(flood):
            sent += len(flood)
            self.assertLess(sent, 1 << 30)
        self.check()

    def test_a_field_without_end(self):
        connection = self.connect()
        # 256 MiB are announced.
        connection.send(http2.frame(http2.HEADERS, 0, 1,
                                    http2.call_headers(WATCH) + b"\x00\x01x\x7f\xff\xff\xff\x7f"))
        flood = http2.frame(http2.CONTINUATION, 0, 1, b"v" * 16_384)
        connection.socket.settimeout(1)
        for _ in range(500):
            try:
                if not connection.send(flood):
                    break
            except TimeoutError:
                break  # It is read ever more slowly.
        self.check()

    def test_a_flood_of_pings_is_sent_away(self):
        connection = self.connect()
        ping = http2.frame(http2.PING, 0, 0, b"12345678") * 100
        for _ in range(1_000):
            if not connection.send(ping):
                break
        goaway = connection.wait_for(lambda kind, *_: kind == http2.GOAWAY)
        self.assertTrue(goaway is None or b"too_many_pings" in goaway[3], goaway)
        self.check()

    def test_settings_and_windows_without_end(self):
        connection = self.connect()
        flood = (http2.frame(http2.SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535) * 50) +
                 http2.frame(http2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) +
                 http2.frame(http2.PRIORITY, 0, 3, struct.pack(">IB", 0, 1))) * 100
        connection.socket.settimeout(1)
        for _ in range(200):
            try:
                if not connection.send(flood):
                    break
            except TimeoutError:
                break  # It reads no more, since its answers are not read.
        self.check()

    def test_what_is_no_http2(self):
        chance = random.Random(47)
        host, port = self.address.rsplit(":", 1)
        beginnings = (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", http2.PREFACE,
                      http2.PREFACE + http2.frame(http2.SETTINGS), b"SSH-2.0-x\r\n")
        for number in range(300):
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                try:
                    connection.sendall(beginnings[number % len(beginnings)] +
                                       chance.randbytes(chance.randrange(1, 20_000)))
                except (BrokenPipeError, ConnectionResetError):
                    pass
        self.check()

    def test_connections_that_say_nothing(self):
        host, port = self.address.rsplit(":", 1)
        connections = []
        for _ in range(400):
            connections.append(socket.create_connection((host, int(port)), timeout=PATIENCE))
            self.addCleanup(connections[-1].close)
        self.check()

    def test_random_bytes_as_the_request_of_every_method(self):
        chance = random.Random(48)
        connection = self.connect()
        stream = -1
        for service, methods in (("ConfigurationService", ("Apply", "AssignHosts", "GetHost", "ListHosts")),
                                 ("AgentService", ("ListAgents", "DeleteAgent", "WatchConfiguration", "ReportStatus",
                                                   "ReportCatalog")),
                                 ("CatalogService", ("ListDistros",)), ("NoService", ("None",))):
            for method in methods:
                for _ in range(30):
                    stream += 2
                    connection.send(
                        http2.frame(http2.HEADERS, http2.END_HEADERS, stream,
                                    http2.call_headers(f"autopxe.v1.{service}/{method}")) +
                        http2.frame(http2.DATA, http2.END_STREAM, stream,
                                    http2.message(chance.randbytes(chance.randrange(0, 200)))))
        self.check()


if __name__ == "__main__":
    SERVER, CTL = (os.path.abspath(path) for path in sys.argv[1:3])
    del sys.argv[1:]
    junit.main()
