"""Ten thousand hosts in sixty groups: imported, grouped, assigned, explained and listed, while two agents follow:
cluster_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon, until  # noqa: E402

HOSTS = 10_000
GROUPS = 60
IN_A_RACK = 200
OVERLAYFS = "debian/bookworm/latest/overlayfs"
NFSRW = "debian/bookworm/latest/nfsrw"
TRIXIE = "debian/trixie/latest/nfsrw"


def mac(host):
    return f"52:54:00:{host >> 16:02x}:{host >> 8 & 255:02x}:{host & 255:02x}"


def name(host):
    return f"cn{host:05}"


class Cluster(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.server = Daemon(SERVER, "--listen", "127.0.0.1:0", "--database", str(cls.folder / "autopxe.db"),
                            protocols=["grpc"])
        cls.addClassCleanup(cls.server.stop)
        cls.agents = {agent: cls.start_agent(agent, releases) for agent, releases in
                      (("east", ("bookworm", "trixie")), ("west", ("bookworm",)))}
        until(lambda: all(agent["kernels"] for agent in cls.json("agent", "list")["agents"]), "catalogs")
        cls.ok("settings", "set", "variables.nfs-server", "10.0.0.1")
        cls.ok("profile", "set", "overlayfs", "nfsroot=${nfs-server}:${rootfs-path} rootovl console=${console:-ttyS0}")
        cls.ok("profile", "set", "nfsrw", "nfsroot=${nfs-server}:${rootfs-path} rw host=${host}")
        cls.ok("settings", "set", "default-distro", OVERLAYFS)
        cls.import_hosts()
        for group in range(GROUPS - 1):
            rack = group % (HOSTS // IN_A_RACK)
            cls.ok("group", "set", f"g{group:02}", "-s", f"rack=r{rack:02},gpu!=none", "--priority", str(group),
                   "--set", f"console=ttyS{group}")
        cls.ok("group", "set", "trixie", "-s", "rack in (r40,r41)", "--distro", TRIXIE)

    @classmethod
    def start_agent(cls, agent, releases):
        for release in releases:
            boot = cls.folder / agent / "rootfs/debian" / release / "boot"
            boot.mkdir(parents=True)
            for file in ("vmlinuz-6.1.0-25-amd64", "initrd.img-6.1.0-25-amd64"):
                (boot / file).write_text("kernel")
                os.utime(boot / file, (0, 0))
        (cls.folder / agent / "loaders").mkdir()
        daemon = Daemon(AGENT, "--id", agent, "--server", cls.server.address["grpc"],
                        "--rootfs", str(cls.folder / agent / "rootfs"),
                        "--loaders", str(cls.folder / agent / "loaders"), "--state", str(cls.folder / agent / "state"),
                        "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"])
        cls.addClassCleanup(daemon.stop)
        return daemon

    @classmethod
    def import_hosts(cls):
        file = cls.folder / "hosts.csv"
        with file.open("w", newline="") as out:
            table = csv.writer(out)
            table.writerow(["name", "macs", "label.rack", "label.gpu"])
            for host in range(HOSTS):
                table.writerow([name(host), mac(host), f"r{host // IN_A_RACK:02}", "none" if host % 2 else "a100"])
        cls.ok("host", "import", str(file))

    @classmethod
    def ctl(cls, *args, stdin=None):
        environment = {"PATH": "/usr/bin:/bin", "USER": "kim", "HOME": str(cls.folder)}
        return subprocess.run([CTL, "--server", cls.server.address["grpc"], *args], input=stdin, env=environment,
                              capture_output=True, text=True, timeout=2 * PATIENCE, check=False)

    @classmethod
    def ok(cls, *args, stdin=None):
        done = cls.ctl(*args, stdin=stdin)
        if done.returncode != 0:
            raise AssertionError(f"{args[:4]}: {done.returncode}: {done.stderr}")
        return done.stdout

    @classmethod
    def json(cls, *args):
        return json.loads(cls.ok(*args, "-o", "json"))

    def menu(self, agent, host):
        url = f"http://{self.agents[agent].address['http']}/autopxe-{mac(host).replace(':', '')}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def shows(self, agent, host, text):
        return text in urllib.parse.unquote(self.menu(agent, host))

    def shows_everywhere(self, host, text):
        for agent in self.agents:
            until(lambda: self.shows(agent, host, text), f"{text} at {agent} for {name(host)}")

    def test_a_range_is_one_call_and_one_revision_which_both_agents_serve(self):
        before = int(self.json("history", "-n", "1")["entries"][0]["revision"]["id"]["number"])
        out = self.ok("assign", "cn[01000-01999]!cn01500", NFSRW, "--wait")
        self.assertIn("999 hosts cn[01000-01499,01501-01999]", out)
        after = int(self.json("history", "-n", "1")["entries"][0]["revision"]["id"]["number"])
        self.assertEqual(after, before + 1)
        for host in (1000, 1499, 1999):
            self.shows_everywhere(host, f"{NFSRW} (assigned)")
        self.shows_everywhere(1500, f"{OVERLAYFS} (default)")

    def test_all_hosts_in_one_call(self):
        self.assertIn(f"{HOSTS} hosts", self.ok("host", "note", f"cn[00000-{HOSTS - 1:05}]", "counted"))

    def test_a_selector_names_a_rack_and_its_groups_count(self):
        self.ok("assign", "-l", "rack=r03,gpu=a100", "local", "--wait")
        listed = self.json("host", "list", "-l", "rack=r03")["hosts"]
        self.assertEqual(len(listed), IN_A_RACK)
        self.assertEqual(sum(host.get("distro", "") == "local" for host in listed), IN_A_RACK // 2)
        resolved = self.json("resolve", "-l", "rack=r40", "--agent", "east")["decisions"]
        self.assertEqual({(one["distro"], one["group"]) for one in resolved}, {(TRIXIE, "trixie")})
        # Two groups match the hosts of rack 5 with a GPU: that of the higher priority wins.
        self.assertIn("set console:uristring ttyS55", self.menu("east", 5 * IN_A_RACK))
        self.assertNotIn("set console:uristring ttyS", self.menu("east", 5 * IN_A_RACK + 1))

    def test_explain_tells_what_is_not_there_and_render_gives_the_agents_bytes(self):
        host = 41 * IN_A_RACK
        told = self.json("explain", name(host), "--agent", "west")
        self.assertEqual(told["verdict"], "VERDICT_BAD")
        self.assertIn("trixie", told["decision"]["missing"])
        self.assertIn("group", self.ok("explain", name(host), "--agent", "east"))
        chosen = random.Random(20261129)
        for agent in self.agents:
            for one in [host] + chosen.sample(range(HOSTS), 20):
                self.assertEqual(self.ok("render", name(one), "--agent", agent), self.menu(agent, one), name(one))

    def test_a_next_boot_is_for_once(self):
        host = 9_000
        self.ok("assign", name(host), NFSRW, "--next", "--wait")
        menu = self.menu("west", host)
        self.assertTrue(self.shows("west", host, f"{NFSRW} (this boot only)"))
        once = next(line.split()[2] for line in menu.splitlines() if line.startswith("set _once next/"))
        kernel = f"http://{self.agents['west'].address['http']}/{once}boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"
        with urllib.request.urlopen(kernel, timeout=PATIENCE) as answer:
            self.assertEqual(answer.read(), b"kernel")
        # The agent that served it knows at once, the server and the other one soon.
        self.assertTrue(self.shows("west", host, f"{OVERLAYFS} (default)"))
        self.shows_everywhere(host, f"{OVERLAYFS} (default)")
        used = self.json("history", "host", name(host), "-n", "1")["entries"][0]
        self.assertEqual(used["revision"]["user"], "agent west")

    def test_a_locked_host_stays_and_history_tells_who_did_what(self):
        self.ok("host", "lock", "cn09500")
        refused = self.ctl("assign", "cn[09499-09501]", "local")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("cn09500", refused.stderr)
        self.ok("assign", "cn[09499-09501]", "local", "--force")
        told = self.ok("history", "host", "cn09500")
        self.assertIn("kim", told)
        self.assertIn("local", told)


if __name__ == "__main__":
    SERVER, AGENT, CTL = (os.path.abspath(path) for path in sys.argv[1:4])
    del sys.argv[1:]
    junit.main()
