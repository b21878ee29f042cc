"""An agent under mixed, malformed and abandoned requests at once ends clean; under sanitizers that is what they say, too:
mixed_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL LOAD_CLIENT

Hosts fetch menus and files by TFTP and HTTP, over and over, and each must get every byte. Beside them others send what nobody
should, break off wherever one can, or fall silent, and the configuration, the catalog and the server change. It lasts as long as
a number of requests takes, on any machine. AUTOPXE_TEST_MIXED_SEED says which requests (1), AUTOPXE_TEST_ALL_ROUNDS makes them ten times as many.
"""

import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(os.path.realpath(__file__)).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon  # noqa: E402

SEED = os.environ.get("AUTOPXE_TEST_MIXED_SEED", "1")
TIMES = 10 if "AUTOPXE_TEST_ALL_ROUNDS" in os.environ else 1
ABUSERS = 3
ABUSES = 600 * TIMES  # Of each of them.
DISTRO = "debian/bookworm/latest/nfsrw"
OTHER = "debian/bookworm/6.1.0-25-amd64/nfsrw"
MENU = "autopxe-{mac}"  # The load client puts in each host's own.
BOOT = "boot/debian/bookworm/boot/"
KERNEL = BOOT + "vmlinuz-6.1.0-25-amd64"
INITRD = BOOT + "initrd.img-6.1.0-25-amd64"
SIZES = {KERNEL: (256 << 10) + 77, INITRD: (1 << 20) + 5}
SILENT = 200  # Transfers that nobody ends, at once.
# How a sanitizer begins what it has found.
FINDINGS = r"(ERROR|WARNING|SUMMARY): \w*Sanitizer|runtime error:"
GRACE = 2  # Seconds that the agent may take for what is under way when it is stopped.


class Abuser:
    """One who means harm or knows no better. Each method is one request or a few; all are drawn from one seed."""

    def __init__(self, agent, seed):
        self._random = random.Random(seed)
        self._http = self._endpoint(agent.address["http"])
        self._tftp = self._endpoint(agent.address["tftp"])
        self._silent = []  # Sockets of transfers that are left as they are.
        self.methods = (self.tftp_garbage, self.tftp_mutation, self.tftp_options, self.tftp_write, self.tftp_aborted,
                        self.tftp_broken_off, self.tftp_never_answered, self.tftp_intruder, self.http_garbage,
                        self.http_mutation, self.http_left_in_the_head, self.http_reset, self.http_unread,
                        self.http_pipelined, self.http_with_a_body)

    @staticmethod
    def _endpoint(text):
        host, port = text.rsplit(":", 1)
        return host, int(port)

    def abuse(self):
        self._random.choice(self.methods)()

    def close(self):
        for each in self._silent:
            each.close()

    def _path(self):
        return self._random.choice((KERNEL, INITRD, f"autopxe-5254000000{self._random.randrange(256):02x}", "grub/x86_64-efi/command.lst",
                                    "../../etc/passwd", "boot//debian/%2e%2e/x", BOOT, "a" * 400, ""))

    def _mutated(self, valid):
        """Some of its bytes changed, left out, or repeated."""
        mutated = bytearray(valid)
        for _ in range(self._random.randrange(1, 6)):
            at = self._random.randrange(len(mutated))
            kind = self._random.randrange(4)
            if kind == 0:
                mutated[at] = self._random.randrange(256)
            elif kind == 1:
                del mutated[at:at + self._random.randrange(1, 8)]
            elif kind == 2:
                mutated[at:at] = mutated[at:at + self._random.randrange(1, 40)]
            else:
                mutated[at:at] = self._random.randbytes(self._random.randrange(1, 8))
            if not mutated:
                mutated = bytearray(b"\0")
        return bytes(mutated)

    # By TFTP.

    def _request(self, *options, opcode=1):
        fields = [self._path(), self._random.choice(("octet", "octet", "netascii", "OcTeT", "mail", "")), *options]
        return struct.pack("!H", opcode) + b"".join(field.encode() + b"\0" for field in fields)

    def _send(self, *packets):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            for packet in packets:
                asking.sendto(packet, self._tftp)

    def _begin(self, *options):
        """A transfer of the initrd that has been answered: its socket, where it is answered from, and the first packet."""
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fields = [INITRD, "octet", *options]
        for _ in range(PATIENCE):
            asking.sendto(b"\0\1" + b"".join(field.encode() + b"\0" for field in fields), self._tftp)
            asking.settimeout(1)
            try:
                packet, peer = asking.recvfrom(65536)
            except TimeoutError:
                continue
            asking.settimeout(PATIENCE)
            return asking, peer, packet
        asking.close()
        raise AssertionError("the agent does not answer a valid request")

    def tftp_garbage(self):
        self._send(*(self._random.randbytes(self._random.randrange(0, 600)) for _ in range(5)))

    def tftp_mutation(self):
        self._send(*(self._mutated(self._request("blksize", "1432", "tsize", "0", "windowsize", "16")) for _ in range(5)))

    def tftp_options(self):
        values = ("0", "-1", "7", "8", "65464", "65465", "99999999999999999999", "abc", "", " 512", "1e3", "\xff")
        names = ("blksize", "BLKSIZE", "windowsize", "timeout", "tsize", "multicast", "", "x" * 100)
        options = [self._random.choice(names if number % 2 == 0 else values) for number in range(self._random.randrange(1, 40))]
        self._send(self._request(*options))

    def tftp_write(self):
        self._send(self._request("blksize", "512", opcode=2), b"\0\3\0\1" + bytes(512))

    def tftp_aborted(self):
        asking, peer, _ = self._begin("tsize", "0", "blksize", "1432")
        with asking:
            asking.sendto(b"\0\5\0\x08User aborted the transfer\0", peer)

    def tftp_broken_off(self):
        """Goes on for a while, with windows, then answers no more; the port closes, which ICMP tells."""
        asking, peer, packet = self._begin("blksize", "512", "windowsize", str(self._random.randrange(1, 65)))
        with asking:
            for _ in range(self._random.randrange(1, 20)):
                if packet[:2] == b"\0\5":
                    return  # Refused: too many at once.
                block = packet[2:4] if packet[:2] == b"\0\3" else b"\0\0"
                asking.sendto(b"\0\4" + block, peer)
                packet, peer = asking.recvfrom(65536)

    def tftp_never_answered(self):
        """The port stays open: nothing tells the agent but that nothing comes."""
        asking, _, _ = self._begin("blksize", "1432", "windowsize", "64")
        self._silent.append(asking)
        if len(self._silent) > SILENT // ABUSERS:
            self._silent.pop(0).close()

    def tftp_intruder(self):
        """Another port sends what only the transfer's own may, and the transfer acknowledges what was never sent."""
        asking, peer, _ = self._begin("blksize", "1432", "windowsize", "4")
        with asking, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as intruder:
            for sender in (intruder, asking):
                for packet in (b"\0\4\0\1", b"\0\4\xff\xff", b"\0\4", b"\0\6blksize\0008\0", b"\0\3\0\1x", b"\0\5", b"\0\5\0\0", b""):
                    sender.sendto(packet, peer)

    # By HTTP.

    def _exchange(self, request, reads=True):
        """Sends it and reads what comes until that ends, or for a while nothing does."""
        with socket.create_connection(self._http, PATIENCE) as connection:
            connection.settimeout(1)
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                while reads and connection.recv(1 << 16):
                    pass
            except OSError:
                pass  # It was cut off, or left waiting, as it deserves.

    def _get(self, path=None, fields=""):
        return f"GET /{self._path() if path is None else path} HTTP/1.1\r\nHost: agent\r\n{fields}\r\n".encode()

    def http_garbage(self):
        self._exchange(self._random.randbytes(self._random.randrange(1, 20_000)))

    def http_mutation(self):
        self._exchange(self._mutated(self._get(fields="Range: bytes=1-9\r\nIf-None-Match: \"x\"\r\nConnection: close\r\n")))

    def http_left_in_the_head(self):
        request = self._get(INITRD)
        self._exchange(request[:self._random.randrange(len(request))], reads=False)

    def http_reset(self):
        with socket.create_connection(self._http, PATIENCE) as connection:
            connection.sendall(self._get(INITRD))
            connection.recv(self._random.randrange(1, 100_000))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def http_unread(self):
        """Asks for much, reads nothing, and goes."""
        with socket.create_connection(self._http, PATIENCE) as connection:
            connection.sendall(self._get(INITRD) * 3)

    def http_pipelined(self):
        ranges = ("bytes=0-0", "bytes=-5", "bytes=9-1", "bytes=0-1,5-6", "bytes=99999999999-", "bytes=-0", "bytes=", "lines=1-2")
        requests = [self._get(fields=f"Range: {self._random.choice(ranges)}\r\n") for _ in range(10)]
        self._exchange(b"".join(requests) + self._get(KERNEL, "Connection: close\r\n"))

    def http_with_a_body(self):
        fields = self._random.choice(("Content-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: -1\r\n",
                                      "Transfer-Encoding: chunked\r\n", "Content-Length: 99999999999999999999\r\n"))
        self._exchange(self._get(MENU, fields) + b"5\r\nhello\r\n0\r\n\r\n")


class AnAgent(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        chance = random.Random(SEED)
        for path, size in SIZES.items():
            self.install(path, chance.randbytes(size))
        (self.folder / "loaders").mkdir()
        self.start_server("127.0.0.1:0")
        self.addCleanup(lambda: self.server.stop())
        self.address = self.server.address["grpc"]
        self.agent = Daemon(AGENT, "--id", "lab", "--server", self.address, "--rootfs", str(self.folder / "rootfs"),
                            "--loaders", str(self.folder / "loaders"), "--state", str(self.folder / "state"),
                            "--shutdown-grace", f"{GRACE}s", "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
                            protocols=["tftp", "http"])
        self.addCleanup(self.agent.kill)
        self.ctl("profile", "set", "nfsrw", "root=/dev/nfs ip=dhcp rw")
        self.ctl("settings", "set", "default-distro", DISTRO, "--allow-missing")
        self.ctl("assign", "52:54:00:00:00:01", DISTRO, "--allow-missing", "--wait")

    def file(self, path):
        return self.folder / ("rootfs/" + path.removeprefix("boot/"))

    def install(self, path, content):
        """As packages are installed: renamed into place."""
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / "fresh"
        fresh.write_bytes(content)
        os.utime(fresh, (0, 0))  # Installed long ago, and not just being written.
        fresh.rename(self.file(path))

    def start_server(self, listen):
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.folder / "autopxe.db"), protocols=["grpc"])

    def ctl(self, *arguments):
        done = subprocess.run([CTL, "--server", self.address, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def url(self, protocol, path):
        return f"{protocol}://{self.agent.address[protocol]}/{path}"

    def fetch(self, protocol, path):
        return "--fetch", self.url(protocol, path), "-" if path == MENU else str(self.file(path))

    def loads(self):
        """What hosts ask for, as words of the load client. Each has an address of its own: the abusers' has its own limit."""
        own = ("--own-addresses", "--attempts", 20, "--timeout", 0.5, "--repetitions", 60, "--http-timeout", PATIENCE)
        tftp = (*own, "--blksize", 1432, "--tsize")
        return (
            (*self.fetch("tftp", MENU), "--hosts", 300, "--at-once", 30, *tftp),
            (*self.fetch("tftp", KERNEL), "--hosts", 10, "--at-once", 5, *tftp),
            (*self.fetch("tftp", INITRD), "--hosts", 20, "--at-once", 10, "--windowsize", 16, "--loss", 0.02, "--seed", SEED, *tftp),
            (*self.fetch("tftp", INITRD), "--hosts", 20, "--at-once", 10, "--windowsize", 64, *tftp),
            (*self.fetch("http", MENU), "--hosts", 1000, "--at-once", 30, "--keep-connections", *own),
            (*self.fetch("http", MENU), "--hosts", 500, "--at-once", 30, *own),
            (*self.fetch("tftp", MENU), *self.fetch("http", KERNEL), *self.fetch("http", INITRD), "--hosts", 60, "--at-once", 20, *tftp),
        )

    def run_load(self, words, is_over, outcomes):
        """Once at least, and as long as it is not over."""
        while True:
            done = subprocess.run([LOAD_CLIENT, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=10 * PATIENCE, check=False)
            outcomes.append((words, done.returncode, done.stdout + done.stderr))
            if is_over.is_set():
                return

    def run_abuse(self, number, failures):
        abuser = Abuser(self.agent, f"{SEED}-{number}")
        try:
            for method in abuser.methods:
                method()
            for _ in range(ABUSES):
                abuser.abuse()
        except Exception as failure:  # pylint: disable=broad-except  (whatever it is, it is a finding)
            failures.append(f"{type(failure).__name__}: {failure}")
        finally:
            abuser.close()

    def disturb(self, turn):
        """What an administrator does meanwhile. No file that the hosts fetch changes."""
        kind = turn % 4
        if kind == 0:
            self.ctl("assign", "52:54:00:00:00:01", OTHER if turn % 8 else DISTRO, "--allow-missing")
        elif kind == 1:
            self.agent.signal(signal.SIGHUP)
        elif kind == 2:
            self.install(BOOT + f"vmlinuz-6.1.0-{turn}-amd64", b"another kernel")
            self.install(BOOT + f"initrd.img-6.1.0-{turn}-amd64", b"another initrd")
        else:
            self.assertEqual(self.server.stop(), 0, "".join(self.server.log)[-20_000:])
            self.start_server(self.address)

    def test_under_mixed_malformed_and_abandoned_requests_serves_others_and_ends_clean(self):
        print(f"seed {SEED}", file=sys.stderr)
        outcomes, failures = [], []
        is_over = threading.Event()
        loads = [threading.Thread(target=self.run_load, args=(words, is_over, outcomes)) for words in self.loads()]
        abusers = [threading.Thread(target=self.run_abuse, args=(number, failures)) for number in range(ABUSERS)]
        for thread in loads + abusers:
            thread.start()
        turn = 0
        while any(thread.is_alive() for thread in loads + abusers):
            self.disturb(turn)
            turn += 1
            for thread in loads + abusers:
                thread.join(1 / len(loads + abusers))
            if not any(thread.is_alive() for thread in abusers):
                is_over.set()
        self.assertEqual(failures, [])
        for words, code, output in outcomes:
            with self.subTest(load=" ".join(map(str, words))):
                self.assertEqual(code, 0, output)
                self.assertEqual(json.loads(output)["failed"], 0)
        print(f"{ABUSERS * ABUSES} abuses, {len(outcomes)} loads, {turn} disturbances", file=sys.stderr)
        self.assertTrue(self.agent.is_running(), "".join(self.agent.log))
        # Once more in the middle of it all: there are transfers that nobody ends.
        stragglers = Abuser(self.agent, SEED)
        self.addCleanup(stragglers.close)
        for _ in range(20):
            stragglers.tftp_never_answered()
        self.assertEqual(self.agent.stop(), 0, "".join(self.agent.log)[-20_000:])
        self.assertEqual([found.string for found in self.agent.lines(FINDINGS)], [])
        self.assertEqual(self.server.stop(), 0, "".join(self.server.log)[-20_000:])


if __name__ == "__main__":
    SERVER, AGENT, CTL, LOAD_CLIENT = map(os.path.realpath, sys.argv[1:])
    junit.main()
