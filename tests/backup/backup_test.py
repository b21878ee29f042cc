"""A backup under load, and a restore as docs/operations.md says: backup_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon  # noqa: E402

BEFORE, AFTER = "525400000001", "525400000002"  # A host assigned before the backup, and one after it.


class BackupTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("rootfs", "loaders"):
            (self.folder / name).mkdir()
        (self.folder / "server").mkdir(mode=0o700)
        self.database = self.folder / "server/autopxe.db"
        self.backup = self.folder / "backup.db"
        self.server = None
        self.start_server()

    def start_server(self, listen="127.0.0.1:0"):
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.database), protocols=["grpc"])
        self.addCleanup(self.server.stop)

    def start_agent(self):
        agent = Daemon(AGENT, "--id", "lab", "--server", self.server.address["grpc"], "--rootfs",
                       str(self.folder / "rootfs"), "--loaders", str(self.folder / "loaders"), "--state",
                       str(self.folder / "state"), "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
                       protocols=["tftp", "http"])
        self.addCleanup(agent.stop)
        return agent

    def ctl(self, *args):
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "USER": "ada",
                       "AUTOPXE_SERVER": self.server.address["grpc"]}
        return subprocess.run([CTL, *args], capture_output=True, text=True, timeout=PATIENCE, env=environment,
                              check=False)

    def ok(self, *args):
        done = self.ctl(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def distros(self):
        hosts = json.loads(self.ok("host", "list", "-o", "json"))["hosts"]
        return {host["name"].replace(":", ""): host["distro"] for host in hosts}

    def menu(self, agent, host):
        with urllib.request.urlopen(f"http://{agent.address['http']}/autopxe-{host}", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def wait_for_agent(self):
        """Until the agent serves what the server has."""
        while True:
            agents = json.loads(self.ok("agent", "list", "-o", "json"))["agents"]
            if [(agent["connected"], agent["lag"]) for agent in agents] == [(True, "0")]:
                return

    def restore(self):
        """Word for word what docs/operations.md says."""
        self.assertEqual(self.server.stop(), 0)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.database}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.backup, self.database)
        self.database.chmod(0o600)
        self.start_server(listen=self.server.address["grpc"])

    def test_a_restored_server_is_followed_by_its_agents(self):  # faults.md, cases 38 and 41.
        agent = self.start_agent()
        self.ok("assign", BEFORE, "wait", "--wait")
        # Others go on while it is made.
        stopped = threading.Event()

        def assign():
            number = 0
            while not stopped.is_set():
                number += 1
                self.ok("assign", f"5254010000{number % 100:02d}", "local")

        administrators = [threading.Thread(target=assign) for _ in range(3)]
        for administrator in administrators:
            administrator.start()
        made = json.loads(self.ok("backup", str(self.backup), "-o", "json"))
        stopped.set()
        for administrator in administrators:
            administrator.join()
        self.assertEqual(stat.S_IMODE(self.backup.stat().st_mode), 0o600)
        self.assertEqual(self.backup.stat().st_size, int(made["size"]))
        self.assertEqual(sorted(os.listdir(self.folder)), ["backup.db", "loaders", "rootfs", "server", "state"])
        self.assertEqual([name for name in os.listdir(self.folder / "server") if "backup" in name], [])

        # More changes, the last of which the agent serves.
        self.ok("assign", BEFORE, "local")
        self.ok("assign", AFTER, "wait", "--wait")
        self.wait_for_agent()
        stale = {host: self.menu(agent, host) for host in (BEFORE, AFTER)}
        self.assertIn("wait", stale[AFTER])

        self.restore()
        restored = self.distros()
        self.assertEqual(restored[BEFORE], "wait")
        self.assertNotIn(AFTER, restored)
        self.wait_for_agent()
        # No newer entry survives: neither what was changed nor what was added.
        self.assertNotEqual(self.menu(agent, BEFORE), stale[BEFORE])
        self.assertNotEqual(self.menu(agent, AFTER), stale[AFTER])
        # The numbers go on from the backup's, and mean something else now.
        changed = json.loads(self.ok("assign", AFTER, "local", "--wait", "-o", "json"))
        self.assertEqual(int(changed["revision"]["id"]["number"]), int(made["revision"]["number"]) + 1)
        self.wait_for_agent()
        self.assertNotEqual(self.menu(agent, AFTER), stale[AFTER])

    def test_an_agent_that_was_away_meanwhile_takes_the_restored_configuration(self):  # faults.md, case 41.
        agent = self.start_agent()
        self.ok("assign", BEFORE, "wait", "--wait")
        self.ok("backup", str(self.backup))
        # As many revisions on both sides: only their tags differ.
        self.ok("assign", AFTER, "wait", "--wait")
        stale = self.menu(agent, AFTER)
        self.assertEqual(agent.stop(), 0)
        self.restore()
        self.ok("assign", AFTER, "local")
        agent = self.start_agent()
        self.wait_for_agent()
        self.assertNotEqual(self.menu(agent, AFTER), stale)

    def test_a_file_that_is_there_is_replaced_only_by_force(self):
        self.ok("assign", BEFORE, "wait")
        self.assertRegex(self.ok("backup", str(self.backup)), r"\Arevision 1, \d+ bytes in /\S+/backup\.db\n\Z")
        before = self.backup.read_bytes()
        self.ok("assign", BEFORE, "local")
        refused = self.ctl("backup", str(self.backup))
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"\Aautopxectl: [^\n]*backup\.db[^\n]*--force\n\Z")
        self.assertEqual(self.backup.read_bytes(), before)
        self.assertIn("revision 2,", self.ok("backup", str(self.backup), "--force"))
        self.assertNotEqual(self.backup.read_bytes(), before)
        self.assertEqual(stat.S_IMODE(self.backup.stat().st_mode), 0o600)

    def test_without_a_server_there_is_no_file(self):
        self.server.stop()
        done = self.ctl("backup", str(self.backup))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertNotIn("backup.db", "".join(os.listdir(self.folder)))

    def test_what_a_server_that_was_killed_left_of_a_backup_is_removed(self):
        address = self.server.address["grpc"]
        self.server.signal(signal.SIGKILL)
        self.server.stop()
        left = pathlib.Path(f"{self.database}.backup")
        left.write_bytes(b"torn")
        self.start_server(listen=address)
        self.assertFalse(left.exists())


if __name__ == "__main__":
    SERVER, AGENT, CTL = (os.path.abspath(path) for path in sys.argv[1:4])
    del sys.argv[1:]
    junit.main()
