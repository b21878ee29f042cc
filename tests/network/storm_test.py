"""An agent that thousands ask at once, that are forged, vanish, lose packets or see it killed (faults.md, cases 20 to 25):
storm_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL LOAD_CLIENT

AUTOPXE_TEST_STORM_ROUNDS is how often thousands of transfers are left to vanish (1); tools/soak.sh takes more.
"""

import json
import os
import pathlib
import random
import re
import socket
import statistics
import subprocess
import sys
import time
import unittest

TESTS = pathlib.Path(os.path.realpath(__file__)).parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "vm"), str(TESTS / "network")]
import junit  # noqa: E402  (found through the path above)
import lab  # noqa: E402
from daemon import PATIENCE, Daemon, until  # noqa: E402

ROUNDS = int(os.environ.get("AUTOPXE_TEST_STORM_ROUNDS", "1"))
KERNEL = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"
KERNEL_BYTES = (1 << 20) + 77
INITRD_BYTES = (2 << 20) + 5
DISTRO = "debian/bookworm/latest/nfsrw"
# Without a server the agent says so to each host by a short script. With one, it is rendered for each.
MENU = "autopxe-{mac}"
FORGED = 100_000
GROWTH = 64 << 20  # Octets that thousands of transfers may take while they last.
KEPT = 16 << 20  # And afterwards: an allocator's arenas settle late.
GIVEN_UP = 150  # Seconds within which a transfer that has stalled is gone, with time to spare.
AS_IPXE = ("--blksize", "1432", "--tsize")

network = None


def setUpModule():  # noqa: N802  (unittest's name)
    global network
    try:
        network = lab.Lab().__enter__()
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    boot = pathlib.Path(network.path("rootfs/debian/bookworm/boot"))
    boot.mkdir(parents=True)
    for name, size in (("vmlinuz-6.1.0-25-amd64", KERNEL_BYTES), ("initrd.img-6.1.0-25-amd64", INITRD_BYTES)):
        (boot / name).write_bytes(random.Random(1).randbytes(size))
        os.utime(boot / name, (0, 0))  # Installed long ago, and not just being written.
    os.mkdir(network.path("loaders"))


def tearDownModule():  # noqa: N802
    network.__exit__(None, None, None)


def memory(pid):
    """Octets that are the process's alone; files that it has open or mapped are not."""
    return int(re.search(r"RssAnon:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) << 10


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def tftp_read(port, path):
    """The bytes of a file, as whoever knows no options gets them."""
    body, block = b"", 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE)
        asking.sendto(b"\0\1" + path.encode() + b"\0octet\0", ("127.0.0.1", port))
        while True:
            packet, peer = asking.recvfrom(65536)
            if packet[:2] != b"\0\3":
                raise AssertionError(f"{path}: {packet}")
            asking.sendto(b"\0\4" + packet[2:4], peer)
            if int.from_bytes(packet[2:4], "big") != block:
                continue
            body += packet[4:]
            block += 1
            if len(packet) < 516:
                return body


def settles(condition, seconds=GIVEN_UP):
    """Whether it becomes true within that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


class Storm(unittest.TestCase):
    def setUp(self):
        self.tftp = self.http = 0
        self.start_agent()
        self.addCleanup(lambda: self.agent.kill())
        self.load("--fetch", self.url("tftp", MENU), "-", "--hosts", 100, "--at-once", 10)
        self.load(*self.fetch_kernel("http"))

    def start_agent(self, server="127.0.0.1:1", state="state"):
        """At the ports of the last one, if there was one."""
        self.agent = Daemon(AGENT, "--id", "lab", "--server", server, "--rootfs", network.path("rootfs"),
                            "--loaders", network.path("loaders"), "--state", network.path(state),
                            "--tftp-listen", f"0.0.0.0:{self.tftp}", "--http-listen", f"0.0.0.0:{self.http}",
                            protocols=["tftp", "http"])
        self.tftp, self.http = (int(self.agent.address[protocol].rpartition(":")[2]) for protocol in ("tftp", "http"))

    def follow_a_server(self):
        """The agent is started anew and has a default for all: hosts get rendered menus."""
        server = Daemon(SERVER, "--listen", "127.0.0.1:0", "--database", network.path("autopxe.db"), protocols=["grpc"])
        self.addCleanup(server.kill)
        for words in (("profile", "set", "nfsrw", "root=/dev/nfs ip=dhcp rw"),
                      ("settings", "set", "default-distro", DISTRO, "--allow-missing")):
            subprocess.run([CTL, "--server", server.address["grpc"], *words], check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
        self.agent.kill()
        self.start_agent(server.address["grpc"], "state-with-a-configuration")

    def menu_template(self):
        """A file with the menu that every host gets by TFTP, once it has the default; what is each host's own is left open."""
        def rendered():
            menu = tftp_read(self.tftp, MENU.format(mac="525400000000"))
            return menu if DISTRO.encode() in menu else None

        menu = until(rendered, "a menu with the default")
        path = pathlib.Path(network.path("menu.template"))
        path.write_bytes(menu.replace(b"525400000000", b"{mac}").replace(b"52:54:00:00:00:00", b"{mac-colons}"))
        return path

    def url(self, protocol, path):
        return f"{protocol}://127.0.0.1:{self.tftp if protocol == 'tftp' else self.http}/{path}"

    def fetch(self, path, protocol):
        return "--fetch", self.url(protocol, path), network.path("rootfs", path.removeprefix("boot/"))

    def fetch_kernel(self, protocol="tftp"):
        return self.fetch(KERNEL, protocol)

    def start_load(self, *words):
        process = subprocess.Popen([LOAD_CLIENT, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def result(self, process):
        """What it counted; every host must have got everything."""
        out, err = process.communicate(timeout=10 * PATIENCE)
        self.assertEqual(process.returncode, 0, out + err)
        counted = json.loads(out)
        print(f"{self._testMethodName}: {counted}", file=sys.stderr)
        return counted

    def load(self, *words):
        return self.result(self.start_load(*words))

    def test_thousands_of_transfers_that_vanish_give_memory_and_descriptors_back(self):
        pid = self.agent.pid
        for _ in range(ROUNDS):
            held, small = descriptors(pid), memory(pid)
            # Half have never answered, half in the middle of the file.
            clients = [self.start_load(*self.fetch_kernel(), "--hosts", 2000, "--at-once", 2000, "--silent-after", packets,
                                       "--own-addresses", "--windowsize", 16, *AS_IPXE) for packets in (1, 20)]
            for client in clients:
                counted = json.loads(client.stdout.readline())
                self.assertEqual((counted["silent"], counted["failed"]), (2000, 0), counted)
            busy = memory(pid)
            print(f"{descriptors(pid) - held} descriptors and {(busy - small) >> 10} KiB more for 4,000 transfers", file=sys.stderr)
            self.assertLess(busy - small, GROWTH)
            # Their sockets stay open: nothing tells the agent but that nothing comes.
            self.assertTrue(settles(lambda: descriptors(pid) <= held and memory(pid) < small + KEPT),
                            f"{descriptors(pid)} descriptors instead of {held}, {memory(pid)} octets instead of {small}")
            self.load(*self.fetch_kernel(), "--hosts", 4, "--at-once", 4, *AS_IPXE)
            for client in clients:
                client.communicate()

    def test_four_thousand_who_ask_within_an_instant_are_all_heard(self):  # Case 23.
        # With so long a time-out only what was lost is asked for again.
        counted = self.load("--fetch", self.url("tftp", MENU), "-", "--hosts", 4000, "--at-once", 4000, "--own-addresses",
                            "--timeout", 20, *AS_IPXE)
        self.assertEqual((counted["done"], counted["resent"]), (4000, 0))

    def test_a_boot_storm_of_two_thousand_hosts_loses_none(self):
        initrd = KERNEL.replace("vmlinuz", "initrd.img")
        self.follow_a_server()
        counted = self.load("--fetch", self.url("tftp", MENU), self.menu_template(), *self.fetch(KERNEL, "http"),
                            *self.fetch(initrd, "http"), "--hosts", 2000, "--at-once", 2000, "--own-addresses",
                            "--http-timeout", 10 * PATIENCE, *AS_IPXE)
        self.assertEqual((counted["done"], counted["restarted"]), (2000, 0))
        print(f"the slowest of 2,000 hosts took {counted['max_ms'] / 1000:.1f} s", file=sys.stderr)

    def test_a_lossy_client_among_many_holds_up_nobody(self):  # Case 24.
        def others():
            return self.load("--fetch", self.url("tftp", MENU), "-", "--hosts", 2550, "--at-once", 255, "--own-addresses",
                             "--timeout", 20, *AS_IPXE)["p99_ms"]

        # What else the machine does is not the lossy client's doing: one time in ten it does little enough.
        alone, beside = [], []
        for turn in range(10):
            alone.append(others())
            lossy = self.start_load(*self.fetch_kernel(), "--hosts", 1000, "--loss", 0.2, "--seed", turn, "--windowsize", 64,
                                    "--repetitions", 100, *AS_IPXE)
            beside.append(others())
            self.assertIsNone(lossy.poll(), "it was done before the others")
            lossy.kill()
            if min(beside) < 2 * min(alone) + 100:
                return
        self.fail(f"ms of the 99th percentile: {alone} alone, {beside} beside it")

    def test_nobody_of_a_hundred_fails_at_one_percent_of_loss(self):  # Case 24.
        for window in ((), ("--windowsize", 16)):
            counted = self.load(*self.fetch_kernel(), "--hosts", 100, "--at-once", 100, "--loss", 0.01, "--repetitions", 30,
                                *AS_IPXE, *window)
            self.assertGreater(counted["dropped"], 0)

    def test_who_meets_an_agent_that_is_killed_completes_with_the_next_one(self):  # Case 25.
        storm = self.start_load(
            "--fetch", self.url("tftp", MENU), "-", *self.fetch_kernel(), *self.fetch_kernel("http"), "--hosts", 1000,
            "--at-once", 250, "--own-addresses", "--timeout", 0.5, "--repetitions", 4, "--http-timeout", 5, "--attempts", 60, *AS_IPXE)
        self.agent.wait_for(r"protocol=http.* result=", count=100)
        self.assertIsNone(storm.poll(), "it was done before the agent was killed")
        self.agent.kill()
        self.start_agent()
        counted = self.result(storm)
        self.assertEqual(counted["done"], 1000)
        self.assertGreater(counted["restarted"], 0)

    def test_a_hundred_thousand_forged_requests_keep_no_client_out_and_take_no_memory(self):  # Cases 20 and 22.
        pid = self.agent.pid
        held, small = descriptors(pid), memory(pid)
        flood = network.start("flood", ["/usr/bin/python3", "-B", str(TESTS / "network/flood.py"), "--number", "99", "--port",
                                        str(self.tftp), "--path", KERNEL, "--requests", str(FORGED)])
        most, took = small, []
        while "sent" not in flood.output():
            self.assertTrue(flood.running, flood.output())
            # A host that asks meanwhile.
            took.append(self.load("--fetch", self.url("tftp", MENU), "-", *self.fetch_kernel(), "--windowsize", 16, *AS_IPXE)["max_ms"])
            most = max(most, memory(pid))
        self.assertTrue(settles(lambda: not flood.running), flood.output())
        counted = json.loads(flood.output().splitlines()[-1])
        print(f"{counted}; at most {(most - small) >> 10} KiB more; honest hosts took {took} ms", file=sys.stderr)
        self.assertTrue(settles(lambda: descriptors(pid) <= held and memory(pid) < small + KEPT),
                        f"{descriptors(pid)} descriptors instead of {held}, {memory(pid)} octets instead of {small}")
        self.assertGreater(counted["askers"], FORGED // 2)
        # The median: what else the machine does may hold up some.
        self.assertLess(statistics.median(took), 1000)
        self.assertLess(most - small, GROWTH)
        self.assertLessEqual(counted["most"], 3)
        self.assertLessEqual(counted["octets"], 3 * counted["asked_octets"])


if __name__ == "__main__":
    SERVER, AGENT, CTL, LOAD_CLIENT = map(os.path.realpath, sys.argv[1:5])
    lab.enter()
    junit.main()
