"""Assignments that end: by the host's next boot, or by themselves; with the server away, agents killed, and two agents cut off:
next_boot_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon, until  # noqa: E402

ONCE = "debian/bookworm/latest/nfs"
STANDING = "debian/trixie/latest/nfs"
FOR_A_TIME = "debian/sid/latest/nfs"
KERNEL = b"a kernel of bookworm" * 100_000  # More than goes out before its receiver has been looked at.
KERNEL_PATH = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"
HOST = "52:54:00:12:34:56"
KILLED = 12  # Rounds of killing an agent.


class NextBoot(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for release, version in (("bookworm", "6.1.0-25-amd64"), ("trixie", "6.9.7-amd64"), ("sid", "6.10.3-amd64")):
            boot = self.folder / "rootfs/debian" / release / "boot"
            boot.mkdir(parents=True)
            (boot / f"vmlinuz-{version}").write_bytes(KERNEL if release == "bookworm" else b"kernel")
            (boot / f"initrd.img-{version}").write_text("initrd")
            for file in boot.iterdir():
                os.utime(file, (0, 0))  # Installed long ago, and not just being written.
        for name in ("loaders", "home"):
            (self.folder / name).mkdir()
        self.server = None
        self.start_server()

    def start_server(self):
        """On the address of before, if there was one."""
        listen = self.server.address["grpc"] if self.server is not None else "127.0.0.1:0"
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.folder / "autopxe.db"),
                             protocols=["grpc"])
        self.addCleanup(self.server.stop)

    def stop_server(self):
        self.assertEqual(self.server.stop(), 0)

    def start_agent(self, agent="east"):
        daemon = Daemon(AGENT, "--id", agent, "--server", self.server.address["grpc"],
                        "--rootfs", str(self.folder / "rootfs"), "--loaders", str(self.folder / "loaders"),
                        "--state", str(self.folder / agent),
                        "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"])
        self.addCleanup(daemon.stop)
        return daemon

    def ok(self, *args):
        done = subprocess.run(
            [CTL, *args], capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder / "home"), "USER": "ada",
                 "AUTOPXE_SERVER": self.server.address["grpc"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def json(self, *args):
        return json.loads(self.ok(*args, "-o", "json"))

    def configure(self, *hosts):
        """Each boots STANDING, once the agents have told what can be assigned."""
        until(lambda: any(agent.get("kernels") for agent in self.json("agent", "list")["agents"]), "a catalog")
        self.ok("profile", "set", "nfs", "root=${rootfs-path}")
        self.ok("assign", *(hosts or (HOST,)), STANDING, "--wait")

    def get(self, agent, path, **headers):
        request = urllib.request.Request(f"http://{agent.address['http']}/{path}", **headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read()

    def menu(self, agent, host=HOST):
        return self.get(agent, "autopxe-" + host.replace(":", ""))[1].decode()

    def served(self, agent, host=HOST):
        """What the host boots there unless somebody chooses something else."""
        menu = self.menu(agent, host)
        first = re.search(r"^set _first (\S+)$", menu, re.MULTILINE)[1]
        # The menu's first entry, which goes on to the distro's own.
        return re.search(r"^goto (debian/\S+)$", menu, re.MULTILINE)[1] if first == "next" else first

    def is_next(self, agent, host=HOST):
        return "set _once next/" in self.menu(agent, host)

    def once(self, agent, host=HOST):
        """Where the host's menu has it fetch the kernel of its next boot."""
        return re.search(r"^set _once (next/\S+)$", self.menu(agent, host), re.MULTILINE)[1] + KERNEL_PATH

    def boot_once(self, agent, host=HOST):
        self.assertEqual(self.get(agent, self.once(agent, host)), (200, KERNEL))

    def next_boot(self, host=HOST):
        """The server's; nothing if there is none."""
        found = [one for one in self.json("host", "list")["hosts"] if host in one["macs"]]
        return found[0].get("next_boot")

    def users(self, host=HOST):
        """Who changed the host, the last one first."""
        return [entry["revision"]["user"].partition("@")[0] for entry in self.json("history", "host", host)["entries"]]

    def test_it_is_used_up_when_its_kernel_begins_to_go_out_and_by_nothing_else(self):
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        path = self.once(agent)
        for _ in range(3):
            self.assertEqual(self.served(agent), ONCE)
        status, body = self.get(agent, path, method="HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(self.get(agent, path, headers={"Range": "bytes=1-"}), (206, KERNEL[1:]))
        self.assertEqual(self.get(agent, path, headers={"Range": "bytes=-7"}), (206, KERNEL[-7:]))
        # Its kernel as whoever chooses the entry by hand gets it, its initrd, and another one's next boot.
        for other in (KERNEL_PATH, KERNEL_PATH.replace("vmlinuz", "initrd.img"), path.replace("12-34-56", "12-34-57"),
                      re.sub(r"/(\d+)/boot", lambda found: f"/{int(found[1]) + 1}/boot", path)):
            self.assertEqual(self.get(agent, other)[0], 200, other)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get(agent, path.replace("vmlinuz", "System.map"))
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()
        self.assertEqual(self.served(agent), ONCE)
        self.assertEqual(self.next_boot()["distro"], ONCE)

        self.assertEqual(self.get(agent, path), (200, KERNEL))
        self.assertEqual(self.served(agent), STANDING)
        self.assertFalse(self.is_next(agent))
        until(lambda: self.next_boot() is None, "the server knows")
        self.assertEqual(self.users()[:2], ["agent east", "ada"])
        # A script that tries again gets the kernel, and nothing more is used.
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.assertEqual(self.get(agent, path), (200, KERNEL))
        self.assertEqual(self.served(agent), ONCE)

    def test_tftp_uses_it_up_with_the_first_block(self):
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        path = self.once(agent)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            address, _, port = agent.address["tftp"].rpartition(":")
            client.sendto(struct.pack("!H", 1) + path.encode() + b"\0octet\0", (address, int(port)))
            block, peer = client.recvfrom(1024)
            self.assertEqual(block, struct.pack("!HH", 3, 1) + KERNEL[:512])
            # The host is switched off; an ERROR spares the agent the waiting.
            client.sendto(struct.pack("!HH", 5, 0) + b"\0", peer)
        self.assertEqual(self.served(agent), STANDING)
        until(lambda: self.next_boot() is None, "the server knows")

    def test_what_goes_to_the_local_disk_once_says_so(self):
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, "local", "--next", "--wait")
        told = re.search(r"^set _once (next/\S+)$", self.menu(agent), re.MULTILINE)[1] + "begun"
        self.assertEqual(self.get(agent, told)[0], 200)
        self.assertEqual(self.served(agent), STANDING)

    def test_an_agent_without_its_server_keeps_the_promise_and_reports_later(self):
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.stop_server()
        self.assertEqual(self.served(agent), ONCE)
        self.boot_once(agent)
        self.assertEqual(self.served(agent), STANDING)
        # Nobody but its journal knows of it.
        self.assertEqual(agent.stop(), 0)
        agent = self.start_agent()
        self.assertEqual(self.served(agent), STANDING)

        self.start_server()
        agent.wait_for(r"event=next-boots-reported count=1")
        until(lambda: self.next_boot() is None, "the server knows")
        self.assertEqual(self.users()[:2], ["agent east", "ada"])
        until(lambda: self.json("agent", "list")["agents"][0]["state"] == "AGENT_STATE_CURRENT", "current")
        self.assertEqual(self.served(agent), STANDING)
        # Told once: not by the next start, and a later next boot is another one.
        self.assertEqual(agent.stop(), 0)
        agent = self.start_agent()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.assertEqual(self.served(agent), ONCE)
        self.assertEqual(self.users()[:3], ["ada", "agent east", "ada"])
        self.assertEqual(agent.lines(r"event=next-boots-reported"), [])

    def test_a_next_boot_that_was_replaced_meanwhile_stays(self):
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.stop_server()
        self.boot_once(agent)
        self.assertEqual(agent.stop(), 0)
        self.start_server()
        self.ok("assign", HOST, FOR_A_TIME, "--next")
        agent = self.start_agent()
        agent.wait_for(r"event=next-boots-reported count=1")
        until(lambda: self.served(agent) == FOR_A_TIME, "the other next boot")
        self.assertEqual(self.next_boot()["distro"], FOR_A_TIME)

    def test_a_host_that_uses_it_at_two_agents_that_are_both_cut_off_is_reported(self):
        east, west = self.start_agent("east"), self.start_agent("west")
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.stop_server()
        for agent in (east, west):
            self.boot_once(agent)
            self.assertEqual(self.served(agent), STANDING)
        self.start_server()
        for agent in (east, west):
            agent.wait_for(r"event=next-boots-reported count=1")
        told = self.server.wait_for(rf"event=next-boot-used-twice host={HOST} distro={ONCE} agents=(\S+)")
        self.assertEqual(sorted(told[1].split(",")), ["east", "west"])
        explained = self.ok("explain", HOST, "--agent", "east")
        self.assertRegex(explained, rf"used one next boot of {ONCE} 2 times.*agent \"east\".*agent \"west\"|"
                                    rf"used one next boot of {ONCE} 2 times.*agent \"west\".*agent \"east\"")
        until(lambda: self.next_boot() is None, "the server knows")
        # One of them changed the configuration.
        self.assertEqual(sum(user.startswith("agent ") for user in self.users()), 1)
        for agent in (east, west):
            self.assertEqual(self.served(agent), STANDING)

    def test_the_second_use_is_reported_however_late_it_is_and_once_only(self):
        east, west = self.start_agent("east"), self.start_agent("west")
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.stop_server()
        for agent in (east, west):
            self.boot_once(agent)
        west.kill()
        self.start_server()
        east.wait_for(r"event=next-boots-reported")
        until(lambda: self.next_boot() is None, "the server knows")
        self.assertEqual(self.server.lines(r"next-boot-used-twice"), [])
        # The server remembers who used it, also when it is killed.
        self.server.kill()
        self.start_server()
        west = self.start_agent("west")
        west.wait_for(r"event=next-boots-reported")
        self.server.wait_for(rf"event=next-boot-used-twice host={HOST} distro={ONCE} agents=east,west")
        self.stop_server()
        self.start_server()
        for agent in ("east", "west"):
            until(lambda: next(one for one in self.json("agent", "list")["agents"] if one["id"] == agent)["state"] ==
                  "AGENT_STATE_CURRENT", agent)
        self.assertEqual(self.server.lines(r"next-boot-used-twice"), [])

    def test_one_agent_that_tells_the_other_by_the_server_is_no_double_use(self):
        east, west = self.start_agent("east"), self.start_agent("west")
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        self.boot_once(east)
        until(lambda: self.served(west) == STANDING, "the other agent knows")
        self.assertEqual(self.server.lines(r"next-boot-used-twice"), [])

    def test_an_agent_that_is_killed_right_after_the_fetch_has_not_forgotten(self):
        hosts = [f"52:54:00:00:00:{number:02x}" for number in range(KILLED)]
        agent = self.start_agent()
        self.configure(*hosts)
        self.ok("assign", *hosts, ONCE, "--next", "--wait")
        # What it serves is in its file: it has to start without the server.
        self.assertEqual(agent.stop(), 0)
        self.stop_server()
        agent = self.start_agent()
        for used, host in enumerate(hosts):
            path = self.once(agent, host)
            address, _, port = agent.address["http"].rpartition(":")
            with socket.create_connection((address, int(port)), PATIENCE) as client:
                client.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                self.assertEqual(client.recv(1), b"H")
                agent.kill()
            agent = self.start_agent()
            for number, other in enumerate(hosts):
                self.assertEqual(self.served(agent, other), STANDING if number <= used else ONCE, (used, other))
        self.start_server()
        until(lambda: not any(one.get("next_boot") for one in self.json("host", "list")["hosts"]), "the server knows")
        # All that one process had heard of is one revision at the most for each report, and by the agent.
        for host in hosts:
            self.assertEqual(self.users(host)[:2], ["agent east", "ada"])
        agent.kill()
        agent = self.start_agent()
        for host in hosts:
            self.assertEqual(self.served(agent, host), STANDING)

    def test_an_assignment_for_a_time_ends_by_itself_with_the_server_away(self):
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, ONCE, "--next", "--wait")
        # A machine that is too slow for the short time gets the long one.
        for seconds in (5, 60):
            ends = time.monotonic() + seconds
            self.ok("assign", HOST, FOR_A_TIME, "--until", f"{seconds}s", "--wait")
            self.assertEqual(self.served(agent), ONCE)
            self.stop_server()
            self.boot_once(agent)
            served = self.served(agent)
            self.assertEqual(agent.stop(), 0)
            agent = self.start_agent()
            again = self.served(agent)
            if time.monotonic() < ends:
                self.assertEqual((served, again), (FOR_A_TIME, FOR_A_TIME))
                break
            self.start_server()
            agent.wait_for(r"event=next-boots-reported")
            self.ok("assign", HOST, ONCE, "--next", "--wait")
        else:
            self.fail("too slow for any time")
        until(lambda: self.served(agent) == STANDING, "the end of the time")
        self.assertGreaterEqual(time.monotonic(), ends)
        # Also for one that is restarted behind the end, and for the server when it is back.
        agent.kill()
        agent = self.start_agent()
        self.assertEqual(self.served(agent), STANDING)
        self.start_server()
        until(lambda: self.next_boot() is None, "the server knows")
        self.assertEqual(self.json("explain", HOST, "--agent", "east")["decision"]["distro"], STANDING)


if __name__ == "__main__":
    SERVER, AGENT, CTL = (os.path.abspath(path) for path in sys.argv[1:4])
    del sys.argv[1:]
    junit.main()
