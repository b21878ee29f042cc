"""An agent under load and faults stays the size that it is: load_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL

AUTOPXE_TEST_LOAD_SECONDS is how long it lasts (20); tools/soak.sh lets it run for an hour. AUTOPXE_TEST_LOAD_REQUESTS is how many requests a second are
asked for (200).
"""

import http.client
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
import time
import unittest

ROOT = pathlib.Path(os.path.realpath(__file__)).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon  # noqa: E402

SECONDS = float(os.environ.get("AUTOPXE_TEST_LOAD_SECONDS", "20"))
REQUESTS = float(os.environ.get("AUTOPXE_TEST_LOAD_REQUESTS", "200"))
THREADS = 4
# What memory may grow by after the first third: an allocator's arenas settle late, a leak does not settle.
SLACK_KIB = 16 * 1024
KERNEL = bytes(range(256)) * 4096  # 1 MiB
INITRD = KERNEL[::-1] * 2
DISTRO = "debian/bookworm/latest/nfsrw"
FILES = {"boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64": KERNEL, "boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64": INITRD}
MACS = [f"5254000000{number:02x}" for number in range(100)]


class Client:
    """Asks as firmware does, now and then as broken firmware does. Each method is one request."""

    def __init__(self, agent, seed):
        self._random = random.Random(seed)
        self._http = self._endpoint(agent.address["http"])
        self._tftp = self._endpoint(agent.address["tftp"])
        self._requests = [self.menu, self.menu, self.file, self.part, self.missing, self.reset, self.silent, self.tftp_menu,
                          self.tftp_file, self.tftp_probe, self.tftp_left, self.tftp_garbage]

    @staticmethod
    def _endpoint(text):
        host, port = text.rsplit(":", 1)
        return host, int(port)

    def request(self):
        self._random.choice(self._requests)()

    def _get(self, path, headers=None):
        connection = http.client.HTTPConnection(*self._http, timeout=PATIENCE)
        try:
            connection.request("GET", "/" + path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _some_file(self):
        return self._random.choice(sorted(FILES.items()))

    def menu(self):
        status, script = self._get("autopxe-" + self._random.choice(MACS))
        assert status == 200 and DISTRO.encode() in script, (status, script)

    def file(self):
        path, content = self._some_file()
        assert self._get(path) == (200, content), path

    def part(self):
        path, content = self._some_file()
        first = self._random.randrange(len(content))
        assert self._get(path, {"Range": f"bytes={first}-"}) == (206, content[first:]), (path, first)

    def missing(self):
        assert self._get("boot/debian/sarge/boot/vmlinuz")[0] == 404

    def _connect(self):
        connection = socket.create_connection(self._http, PATIENCE)
        path, _ = self._some_file()
        connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: agent\r\n\r\n".encode())
        return connection

    def reset(self):
        """Reads a little of a file and resets the connection."""
        with self._connect() as connection:
            connection.recv(1000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def silent(self):
        """Sends half a request and leaves."""
        with socket.create_connection(self._http, PATIENCE) as connection:
            connection.sendall(b"GET /autopxe-52540000")

    def _ask(self, name, *options):
        connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connection.settimeout(PATIENCE)
        fields = [name, "octet", *options]
        connection.sendto(b"\0\1" + b"".join(field.encode() + b"\0" for field in fields), self._tftp)
        return connection

    def _read(self, name):
        content = b""
        with self._ask(name) as connection:
            while True:
                packet, peer = connection.recvfrom(65536)
                opcode, block = struct.unpack("!HH", packet[:4])
                assert opcode == 3, packet
                if block == (len(content) // 512 + 1) % 65536:
                    content += packet[4:]
                connection.sendto(b"\0\4" + packet[2:4], peer)
                if len(packet) < 516:
                    return content

    def tftp_menu(self):
        assert DISTRO.encode() in self._read("autopxe-" + self._random.choice(MACS))

    def tftp_file(self):
        # With large blocks, and a window: 1 MiB is few packets then.
        content = b""
        with self._ask("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "blksize", "16384", "windowsize", "4") as connection:
            expected = 1
            peer = None
            while True:
                try:
                    packet, peer = connection.recvfrom(65536)
                except socket.timeout:
                    raise AssertionError(f"nothing after {len(content)} bytes") from None
                opcode, block = struct.unpack("!HH", packet[:4])
                if opcode == 6:
                    connection.sendto(b"\0\4\0\0", peer)
                    continue
                assert opcode == 3, packet[:64]
                if block == expected:
                    content += packet[4:]
                    expected += 1
                last = len(packet) < 16388 and block == expected - 1
                if last or block % 4 == 0:
                    connection.sendto(struct.pack("!HH", 4, expected - 1), peer)
                if last:
                    assert content == KERNEL
                    return

    def tftp_probe(self):
        """Asks for a size and gives up, as OVMF does."""
        with self._ask("autopxe-" + self._random.choice(MACS), "tsize", "0") as connection:
            _, peer = connection.recvfrom(65536)
            connection.sendto(b"\0\5\0\x08User aborted the transfer\0", peer)

    def tftp_left(self):
        """Never acknowledges: the agent tries again, and gives up."""
        with self._ask("autopxe-" + self._random.choice(MACS)) as connection:
            connection.recvfrom(65536)

    def tftp_garbage(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.sendto(self._random.randbytes(self._random.randrange(1, 200)), self._tftp)


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class AnAgent(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        boot = self.folder / "rootfs/debian/bookworm/boot"
        boot.mkdir(parents=True)
        (boot / "vmlinuz-6.1.0-25-amd64").write_bytes(KERNEL)
        (boot / "initrd.img-6.1.0-25-amd64").write_bytes(INITRD)
        for file in boot.iterdir():
            os.utime(file, (0, 0))  # Installed long ago, and not just being written.
        (self.folder / "loaders").mkdir()
        self.server = None
        self.start_server("127.0.0.1:0")
        self.address = self.server.address["grpc"]
        self.agent = Daemon(AGENT, "--id", "lab", "--server", self.address, "--rootfs", str(self.folder / "rootfs"),
                            "--loaders", str(self.folder / "loaders"), "--state", str(self.folder / "state"),
                            "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"])
        self.addCleanup(self.agent.stop)
        self.ctl("profile", "set", "nfsrw", "root=/dev/nfs ip=dhcp rw")
        self.ctl("assign", *MACS, DISTRO, "--allow-missing", "--wait")

    def start_server(self, listen):
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.folder / "autopxe.db"), protocols=["grpc"])

    def ctl(self, *arguments):
        done = subprocess.run([CTL, "--server", self.address, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def ask_until(self, end, seed, failures, served):
        client = Client(self.agent, seed)
        pause = THREADS / REQUESTS
        due = time.monotonic()
        while time.monotonic() < end and not failures:
            try:
                client.request()
                served.append(1)
            except Exception as failure:  # pylint: disable=broad-except  (whatever it is, it is a finding)
                failures.append(f"{type(failure).__name__}: {failure}")
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))

    def disturb(self, turn):
        """The server goes and comes, the catalog is read anew, hosts are assigned anew."""
        if turn % 3 == 0:
            self.server.stop()
            self.start_server(self.address)
        elif turn % 3 == 1:
            self.agent.signal(signal.SIGHUP)
        else:
            self.ctl("assign", *MACS, DISTRO if turn % 2 else "debian/bookworm/6.1.0-25-amd64/nfsrw", "--allow-missing")
            self.ctl("assign", *MACS, DISTRO, "--allow-missing")

    def test_under_load_and_faults_keeps_its_memory_and_descriptors(self):  # faults.md, case 54.
        self.addCleanup(lambda: self.server.stop())
        pid = self.agent.pid
        before = descriptors(pid)
        failures, served = [], []
        begin = time.monotonic()
        end = begin + SECONDS
        seed = os.environ.get("AUTOPXE_TEST_LOAD_SEED", "1")
        threads = [threading.Thread(target=self.ask_until, args=(end, f"{seed}-{number}", failures, served))
                   for number in range(THREADS)]
        for thread in threads:
            thread.start()
        memory = []
        turn = 0
        while time.monotonic() < end and not failures:
            time.sleep(min(1.0, SECONDS / 20))
            memory.append(resident_kib(pid))
            if time.monotonic() > begin + (turn + 1) * max(2.0, SECONDS / 60):
                self.disturb(turn)
                turn += 1
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        print(f"{len(served)} requests in {SECONDS:.0f} s; resident {memory[0]}, {memory[len(memory) // 2]}, {memory[-1]} KiB",
              file=sys.stderr)
        settled = max(memory[:len(memory) // 3 + 1])
        self.assertLess(max(memory[-len(memory) // 3:]), settled + SLACK_KIB, memory)
        # Transfers that nobody acknowledged are given up within half a minute.
        patience = time.monotonic() + PATIENCE
        while descriptors(pid) > before and time.monotonic() < patience:
            time.sleep(0.1)
        self.assertLessEqual(descriptors(pid), before)


if __name__ == "__main__":
    SERVER, AGENT, CTL = map(os.path.realpath, sys.argv[1:])
    junit.main()
