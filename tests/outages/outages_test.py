"""What agents serve and what is said of them while the server, the wire or they themselves fail:
outages_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL LIBFAST_CLOCK"""

import http.client
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon, until  # noqa: E402
from relay import Relay  # noqa: E402

BOOKWORM = "debian/bookworm/latest/nfs"
TRIXIE = "debian/trixie/latest/nfs"
HOST = "52:54:00:12:34:56"
SECOND_HOST = "52:54:00:12:34:57"
NOTICED = 30  # Seconds until a half-open connection must have been noticed.
ROUNDS = 40  # Of killing an agent.


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def saved_revision(state):
    """The number of the revision in the snapshot file (agent/sync/snapshot_encoding.h); 0 if there is none."""
    for name in ("configuration.snapshot", "configuration.snapshot.previous"):
        try:
            data = (state / name).read_bytes()
        except FileNotFoundError:
            continue
        at = 8 + 4 + 8 + 8 + 4  # Now SnapshotPart { revision { id { number } } }: fields 1 of 1 of 1.
        for tag in (0x0A, 0x0A):
            assert data[at] == tag, data[:64]
            _, at = varint(data, at + 1)
        return varint(data, at + 1)[0] if data[at] == 0x08 else 0
    return 0


class Outages(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for release, version in (("bookworm", "6.1.0-25-amd64"), ("trixie", "6.9.7-amd64")):
            boot = self.folder / "rootfs/debian" / release / "boot"
            boot.mkdir(parents=True)
            (boot / f"vmlinuz-{version}").write_text("kernel")
            (boot / f"initrd.img-{version}").write_text("initrd")
            for file in boot.iterdir():
                os.utime(file, (0, 0))  # Installed long ago, and not just being written.
        for name in ("loaders", "home"):
            (self.folder / name).mkdir()
        self.database = self.folder / "autopxe.db"
        self.server = None

    def start_server(self, listen=None, environment=None):
        """On the address of before, if there was one."""
        if listen is None:
            listen = self.server.address["grpc"] if self.server is not None else "127.0.0.1:0"
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.database), protocols=["grpc"],
                             environment=environment)
        self.addCleanup(self.server.stop)

    def start_agent(self, agent_id="lab", server=None, state="state", rootfs="rootfs", environment=None):
        agent = Daemon(AGENT, "--id", agent_id, "--server", server or self.server.address["grpc"],
                       "--rootfs", str(self.folder / rootfs), "--loaders", str(self.folder / "loaders"),
                       "--state", str(self.folder / state),
                       "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"],
                       environment=environment)
        self.addCleanup(agent.stop)
        return agent

    def ctl(self, *args):
        return subprocess.run(
            [CTL, *args], capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder / "home"), "USER": "ada",
                 "AUTOPXE_SERVER": self.server.address["grpc"]})

    def ok(self, *args):
        done = self.ctl(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def listed(self, agent_id="lab"):
        """The agent in `agent list`, or nothing."""
        agents = json.loads(self.ok("agent", "list", "-o", "json"))["agents"]
        return next((agent for agent in agents if agent["id"] == agent_id), {})

    def wait_for_state(self, state, agent_id="lab"):
        def there():
            agent = self.listed(agent_id)
            return agent if agent.get("state") == f"AGENT_STATE_{state}" else None
        return until(there, f"agent {agent_id} {state}")

    def configure(self):
        """The profile, once the agent has told what can be assigned."""
        until(lambda: self.listed().get("kernels"), "a catalog")
        self.ok("profile", "set", "nfs", "root=${rootfs-path}")

    def served(self, agent, host=HOST):
        """What the host boots there unless somebody chooses something else; "" if nothing is said of that."""
        name = "autopxe-" + host.replace(":", "")
        with urllib.request.urlopen(f"http://{agent.address['http']}/{name}", timeout=PATIENCE) as answer:
            script = answer.read().decode()
        first = re.search(r"^set _first (\S+)$", script, re.MULTILINE)
        if first:
            return first[1]
        return "local" if "Going on with the local disk" in script else ""

    def wait_until_served(self, agent, distro, host=HOST):
        until(lambda: self.served(agent, host) == distro, distro)

    def test_a_wire_that_goes_dead_is_noticed_and_the_agent_serves_on(self):  # faults.md, case 42.
        self.start_server()
        relay = Relay(self.server.address["grpc"])
        self.addCleanup(relay.close)
        agent = self.start_agent(server=relay.address)
        self.configure()
        self.ok("assign", HOST, BOOKWORM, "--wait")
        self.wait_for_state("CURRENT")

        relay.die()
        died = time.monotonic()
        self.ok("assign", HOST, TRIXIE)
        lost = agent.wait_for(r"event=disconnected .*view_age=([\d.]+)")
        self.server.wait_for(r"event=watch agent=lab")
        self.assertLess(time.monotonic() - died, NOTICED)
        self.assertLess(float(lost[1]), NOTICED)
        self.assertEqual(self.served(agent), BOOKWORM)
        away = self.wait_for_state("AWAY")
        self.assertRegex(away["reasons"][0], r"^not connected, last heard of \w+ ago; hosts boot what it knew then$")
        self.assertEqual(away["reasons"][1:], ["1 revision behind"])
        self.assertRegex(self.ok("agent", "list"), r"\nlab  away +\w*\d+s ")

        relay.revive()
        agent.wait_for(r"event=connected", count=2)
        self.wait_until_served(agent, TRIXIE)
        self.assertEqual(self.wait_for_state("CURRENT")["reasons"], [])

    def test_a_clock_that_was_set_back_keeps_no_agent_away(self):  # faults.md, case 44.
        fast = {"LD_PRELOAD": FAST_CLOCK}
        self.start_server(environment=fast)
        agent = self.start_agent(environment=fast)
        self.configure()
        self.ok("assign", HOST, BOOKWORM)
        self.wait_until_served(agent, BOOKWORM)
        self.server.kill()
        # It tries again and again.
        host, port = self.server.address["grpc"].split(":")
        with socket.create_server((host, int(port))) as other:
            other.settimeout(PATIENCE)
            for _ in range(4):
                other.accept()[0].close()
        self.start_server(environment=fast)
        agent.wait_for("event=connected", count=2)
        self.ok("assign", HOST, TRIXIE)
        self.wait_until_served(agent, TRIXIE)

    def test_a_restored_server_takes_its_agents_back_to_what_it_has(self):  # faults.md, case 41.
        self.start_server()
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, BOOKWORM, "--wait")
        self.assertEqual(self.server.stop(), 0)
        shutil.copy(self.database, self.folder / "backup.db")
        self.start_server()
        self.ok("assign", HOST, TRIXIE, "--wait")
        self.ok("assign", SECOND_HOST, TRIXIE, "--wait")
        self.wait_until_served(agent, TRIXIE)
        newer = self.wait_for_state("CURRENT")["status"]["applied"]
        stopped = self.start_agent("attic", state="attic")
        self.wait_for_state("CURRENT", "attic")
        self.assertEqual(stopped.stop(), 0)

        # The server falls back by two revisions: the newer views go.
        self.assertEqual(self.server.stop(), 0)
        for left in self.folder.glob("autopxe.db*"):
            left.unlink()
        shutil.copy(self.folder / "backup.db", self.database)
        self.start_server()
        self.wait_until_served(agent, BOOKWORM)
        current = self.wait_for_state("CURRENT")
        self.assertEqual(int(current["status"]["applied"]["number"]), int(newer["number"]) - 2)

        # It writes on up to the number that was there before: same number, other tag.
        self.ok("assign", HOST, "local", "--wait")
        self.ok("assign", SECOND_HOST, BOOKWORM, "--wait")
        current = self.wait_for_state("CURRENT")["status"]["applied"]
        self.assertEqual(current["number"], newer["number"])
        self.assertNotEqual(current["tag"], newer["tag"])
        # The one that was away meanwhile has that very number, and follows all the same.
        stopped = self.start_agent("attic", state="attic")
        self.wait_until_served(stopped, BOOKWORM, SECOND_HOST)
        self.assertEqual(self.served(stopped), "local")
        # Whichever snapshot the server had at hand; the changes since follow it.
        stopped.wait_for(r"event=snapshot revision=\d+-\w+ replaced=%s-" % newer["number"])

    def test_a_server_on_an_empty_database_takes_nothing_away(self):  # faults.md, case 41.
        self.start_server()
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, BOOKWORM, "--wait")
        self.assertEqual(self.server.stop(), 0)
        for left in self.folder.glob("autopxe.db*"):
            left.rename(self.folder / left.name.replace("autopxe", "lost"))
        self.start_server()

        agent.wait_for(r"event=server-empty .*remedy=")
        self.server.wait_for(r"event=database-empty agent=lab .*remedy=")
        foreign = self.wait_for_state("FOREIGN")
        self.assertTrue(foreign["connected"])
        self.assertRegex(foreign["reasons"][0], "it keeps revision .*restore a backup, or configure the server anew")
        until(lambda: any("the server has no configuration" in reason for reason in self.listed()["reasons"]),
              "the agent's own word")
        self.assertEqual(self.served(agent), BOOKWORM)

        # Also when it is restarted meanwhile, and the server too.
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        self.start_server()
        agent = self.start_agent()
        agent.wait_for(r"event=server-empty")
        self.wait_for_state("FOREIGN")
        self.assertEqual(self.served(agent), BOOKWORM)
        self.assertEqual(len(agent.lines(r"event=server-empty")), 1)

        # The first real revision is followed.
        self.ok("assign", HOST, "local")
        self.wait_until_served(agent, "local")
        self.assertEqual(self.wait_for_state("CURRENT")["reasons"], [])

    def test_a_backup_that_comes_back_after_an_empty_database_ends_the_alarm(self):
        self.start_server()
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, BOOKWORM, "--wait")
        self.assertEqual(self.server.stop(), 0)
        shutil.copy(self.database, self.folder / "backup.db")
        for left in self.folder.glob("autopxe.db*"):
            left.unlink()
        self.start_server()
        self.wait_for_state("FOREIGN")
        self.assertEqual(self.server.stop(), 0)
        for left in self.folder.glob("autopxe.db*"):
            left.unlink()
        shutil.copy(self.folder / "backup.db", self.database)
        self.start_server()
        current = self.wait_for_state("CURRENT")
        until(lambda: self.listed()["reasons"] == [], f"no alarm any more, as in {current}")
        self.assertEqual(self.served(agent), BOOKWORM)

    def test_two_agents_under_one_id_both_serve_and_are_seen_everywhere(self):  # faults.md, case 44.
        self.start_server()
        one = self.start_agent()
        self.configure()
        two = self.start_agent(state="other")
        self.server.wait_for(r"event=agent-id-shared agent=lab .*remedy=")
        shared = until(lambda: self.listed() if self.listed()["watches"] == 2 else None, "two watches")
        self.assertRegex(shared["reasons"][0], "^2 agents run under this id")
        self.ok("assign", HOST, BOOKWORM)
        for agent in (one, two):
            self.wait_until_served(agent, BOOKWORM)
            agent.wait_for(r"event=id-shared id=lab agents=2")
        self.assertIn("2 agents run under this id", self.ok("agent", "list"))
        self.assertEqual(two.stop(), 0)
        until(lambda: self.listed()["reasons"] == [], "one watch")

    def test_what_an_agent_offers_is_known_again_once_another_one_under_its_id_has_left(self):
        self.start_server()
        self.start_agent()
        self.configure()
        kernels = self.listed()["kernels"]
        shutil.copytree(self.folder / "rootfs/debian/trixie", self.folder / "smaller/debian/trixie")
        self.wait_for_state("CURRENT")
        other = self.start_agent(state="other", rootfs="smaller")
        other.wait_for(r"event=catalog-reported")
        until(lambda: self.listed()["watches"] == 2 and self.listed()["kernels"] < kernels, "the other's catalog")
        refused = self.ctl("assign", HOST, BOOKWORM)
        self.assertEqual(refused.returncode, 1, refused.stdout)
        # A change makes both tell how they are; what is listed stays what was reported last.
        self.ok("assign", HOST, TRIXIE, "--wait")
        self.assertLess(self.listed()["kernels"], kernels)
        self.assertEqual(other.stop(), 0)
        until(lambda: self.listed()["watches"] == 1, "one watch")
        # Another change, rather than the 30 s until it tells by itself.
        self.ok("assign", HOST, "local")
        until(lambda: self.listed()["kernels"] == kernels, "its own catalog")
        self.ok("assign", HOST, BOOKWORM)

    def test_an_agent_that_is_gone_can_be_deleted(self):
        self.start_server()
        agent = self.start_agent()
        self.configure()
        refused = self.ctl("agent", "delete", "lab")
        self.assertEqual((refused.returncode, refused.stderr),
                         (1, 'autopxectl: agent "lab": it is connected; stop it first\n'))
        self.assertEqual(agent.stop(), 0)
        self.wait_for_state("AWAY")
        self.ok("agent", "delete", "lab")
        self.assertEqual(self.listed(), {})
        self.assertNotIn("bookworm", self.ok("distro", "list"))
        # For good.
        self.assertEqual(self.server.stop(), 0)
        self.start_server()
        self.assertEqual(self.listed(), {})

    def test_what_an_agent_can_not_do_is_listed(self):
        self.start_server()
        agent = self.start_agent()
        self.configure()
        (self.folder / "rootfs").rename(self.folder / "elsewhere")
        agent.signal(signal.SIGHUP)
        until(lambda: any("catalog" in reason for reason in self.listed()["reasons"]), "a reason")
        (self.folder / "elsewhere").rename(self.folder / "rootfs")
        agent.signal(signal.SIGHUP)
        until(lambda: self.listed()["reasons"] == [], "no reason")

    def fill_log(self, agent):
        """More lines than a pipe and the agent hold (common/runtime/log_writer.h), each of a request that gets its answer."""
        connection = http.client.HTTPConnection(agent.address["http"], timeout=PATIENCE)
        self.addCleanup(connection.close)
        for _ in range(2_000):
            connection.request("GET", "/" + "x" * 500)
            with connection.getresponse() as answer:
                self.assertEqual(answer.status, 404)
                answer.read()

    def test_an_agent_whose_log_nobody_reads_serves_on(self):
        self.start_server()
        agent = self.start_agent()
        self.configure()
        self.ok("assign", HOST, BOOKWORM)
        self.wait_until_served(agent, BOOKWORM)
        agent.stop_reading()
        self.fill_log(agent)
        self.ok("assign", HOST, TRIXIE)
        self.wait_until_served(agent, TRIXIE)
        agent.read_on()
        lost = agent.wait_for(r"warning event=log-lines-lost lines=(\d+)")
        self.assertGreater(int(lost[1]), 0)
        # Nor does it wait for a reader when it is to end.
        agent.stop_reading()
        self.fill_log(agent)
        agent.signal(signal.SIGTERM)
        until(lambda: not agent.is_running(), "its end")

    def test_a_server_whose_log_nobody_reads_serves_on(self):
        self.start_server()
        self.server.stop_reading()
        # Each is a line of the log, and the pipe holds some twenty.
        for number in range(60):
            self.ok("assign", f"52:54:00:00:00:{number:02x}", "menu")
        self.server.read_on()
        self.server.wait_for("event=", count=60)

    def test_an_agent_killed_at_any_moment_serves_one_whole_configuration_again(self):  # faults.md, case 43.
        self.start_server()
        state = self.folder / "state"
        agent = self.start_agent()
        self.configure()
        made = {}  # The distro that both hosts boot, by revision; what was before boots something else.
        ending = threading.Event()

        def change():
            for distro in itertools.cycle((BOOKWORM, TRIXIE)):
                if ending.is_set():
                    return
                revision = json.loads(self.ok("assign", HOST, SECOND_HOST, distro, "-o", "json"))["revision"]["id"]
                made[int(revision["number"])] = distro

        changer = threading.Thread(target=change)
        changer.start()
        self.addCleanup(changer.join)
        self.addCleanup(ending.set)
        until(lambda: len(made) > 2 and saved_revision(state) >= min(made), "something to serve")
        chance = random.Random(43)
        newest = 0
        for round_number in range(ROUNDS):
            # The moment is drawn: while it connects, takes changes, gathers them or writes them.
            ending.wait(chance.uniform(0, 0.4))
            agent.kill()
            saved = saved_revision(state)
            self.assertGreaterEqual(saved, newest, round_number)
            alone = self.start_agent(server="127.0.0.1:1")
            number = int(alone.wait_for(r"event=view revision=(\d+)-")[1])
            self.assertGreaterEqual(number, saved, round_number)
            until(lambda: number in made, f"revision {number} was the server's")
            for host in (HOST, SECOND_HOST):
                self.assertEqual(self.served(alone, host), made[number], round_number)
            self.assertEqual(alone.lines(r"event=snapshot-unreadable"), [], "torn")
            alone.kill()
            newest = number
            agent = self.start_agent()
        self.assertGreater(newest, min(made))


if __name__ == "__main__":
    SERVER, AGENT, CTL, FAST_CLOCK = (os.path.abspath(path) for path in sys.argv[1:5])
    del sys.argv[1:]
    junit.main()
