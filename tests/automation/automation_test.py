"""docs/automation.md, done: automation_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = pathlib.Path(os.path.realpath(__file__)).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon  # noqa: E402

PAGE = ROOT / "docs/automation.md"
SCRIPT = ROOT / "docs/automation/assign_rack.py"
INSTALL_ONCE = ROOT / "docs/automation/install_once.py"
DISTRO = "debian/bookworm/latest/nfsrw"
RACK = [f"52:54:00:00:01:{number:02x}" for number in range(1, 41)]


def blocks(page):
    """The indented blocks of a page, without their indentation."""
    return [textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n+)+", page.read_text(), re.MULTILINE)]


class TheScript(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "proto").symlink_to(ROOT / "proto")
        (cls.folder / "docs").symlink_to(ROOT / "docs")
        # As the page says, in a folder of its own.
        [stubs] = [block for block in blocks(PAGE) if "grpc_python_plugin" in block]
        subprocess.run(["bash", "-euc", stubs], cwd=cls.folder, check=True)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)
        boot = self.state / "rootfs/debian/bookworm/boot"
        boot.mkdir(parents=True)
        (boot / "vmlinuz-6.1.0-25-amd64").write_text("kernel")
        (boot / "initrd.img-6.1.0-25-amd64").write_text("initrd")
        for file in boot.iterdir():
            os.utime(file, (0, 0))  # Installed long ago, and not just being written.
        (self.state / "loaders").mkdir()
        (self.state / "files/debian-12").mkdir(parents=True)
        for name in ("linux", "initrd.gz"):
            file = self.state / "files/debian-12" / name
            file.write_text(name)
            os.utime(file, (0, 0))
        self.server = None
        self.start_server("127.0.0.1:0")
        self.address = self.server.address["grpc"]
        self.ctl("profile", "set", "nfsrw", "root=/dev/nfs ip=dhcp rw")

    def start_server(self, listen):
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.state / "autopxe.db"), protocols=["grpc"])
        self.addCleanup(self.server.stop)

    def start_agent(self, name):
        agent = Daemon(AGENT, "--id", name, "--server", self.address, "--rootfs", str(self.state / "rootfs"),
                       "--loaders", str(self.state / "loaders"), "--files", str(self.state / "files"), "--state", str(self.state / name),
                       "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"])
        self.addCleanup(agent.stop)
        while not any(known["id"] == name and known["connected"] and known["kernels"] for known in self.agents()):
            pass
        return agent

    def ctl(self, *arguments):
        return subprocess.run([CTL, "--server", self.address, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              check=True).stdout

    def agents(self):
        return json.loads(self.ctl("agent", "list", "-o", "json"))["agents"]

    def command(self, *arguments):
        return [str(self.folder / "docs/automation/assign_rack.py"), "--server", self.address, *arguments]

    def environment(self):
        return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(self.folder / "stubs"), "USER": "ada",
                "PYTHONDONTWRITEBYTECODE": "1"}

    def run_script(self, *arguments, text=None):
        return subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True, timeout=2 * PATIENCE,
                              env=self.environment(), check=False)

    def test_assigns_a_rack_as_one_revision_that_every_agent_serves(self):
        self.start_agent("rack1")
        self.start_agent("rack2")
        done = self.run_script(DISTRO, *RACK)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(done.stdout.splitlines(),
                         [f"{mac} boots {DISTRO} since revision 2, served by rack1, rack2" for mac in RACK])
        for mac in RACK:
            self.assertIn(DISTRO, self.ctl("host", "show", mac))

    def test_reads_the_rack_from_standard_input(self):
        self.start_agent("rack1")
        done = self.run_script("menu", "-", text="\n".join(RACK))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(done.stdout.splitlines()), len(RACK))

    def test_says_which_host_is_at_fault_and_what_was_meant_and_changes_nothing(self):
        self.start_agent("rack1")
        done = self.run_script("debain/bookworm/latest/nfsrw", *RACK[:2])
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        first, second = done.stderr.splitlines()
        self.assertRegex(first, rf"\A{RACK[0]}: REASON_DISTRO_NOT_OFFERED: .*Did you mean .*{DISTRO}")
        self.assertRegex(second, rf"\A{RACK[1]}: ")
        done = self.run_script(DISTRO, RACK[0], "52:54:00", RACK[1])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A52:54:00: REASON_")
        self.assertNotIn(RACK[0], self.ctl("host", "list"))

    def test_says_which_agent_does_not_serve_it_in_time(self):
        self.start_agent("rack1").stop()
        done = self.run_script("--agent", "rack1", "--agent", "rack9", "--timeout", "2", DISTRO, RACK[0])
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("agent rack1 serves revision 1, not yet 2", done.stderr)
        self.assertIn("agent rack9 was never heard of", done.stderr)

    def test_does_not_wait_for_an_agent_that_is_away_but_says_so(self):
        self.start_agent("rack1")
        self.start_agent("rack2").stop()
        while {agent["id"]: agent["connected"] for agent in self.agents()}["rack2"]:
            pass
        done = self.run_script(DISTRO, RACK[0])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"{RACK[0]} boots {DISTRO} since revision 2, served by rack1\n")
        self.assertEqual(done.stderr, "warning: agent rack2 was not waited for\n")

    def test_outlasts_a_restart_of_the_server(self):
        self.start_agent("rack1")
        self.server.stop()
        script = subprocess.Popen(self.command(DISTRO, RACK[0]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env=self.environment())
        self.assertIn("waiting for the server: ", script.stderr.readline())
        self.start_server(self.address)
        out, err = script.communicate(timeout=2 * PATIENCE)
        self.assertEqual(script.returncode, 0, err)
        self.assertIn(f"{RACK[0]} boots {DISTRO}", out)

    def test_says_that_no_server_answers(self):
        self.server.stop()
        done = self.run_script("--timeout", "1.5", DISTRO, RACK[0])
        self.assertEqual(done.returncode, 3)
        self.assertIn("the server does not answer", done.stderr)


    def install_once(self, *arguments):
        return subprocess.run([str(self.folder / "docs/automation/install_once.py"), "--server", self.address, *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, env=self.environment(), check=False)

    def test_declares_an_installer_and_has_hosts_boot_it_once_in_one_revision(self):
        self.start_agent("rack1")
        for host in RACK[:2]:
            self.ctl("assign", host, DISTRO)
        revision = json.loads(self.ctl("host", "show", RACK[1], "-o", "json"))["etag"]
        done = self.install_once("install", "--kernel", "debian-12/linux", "--initrd", "debian-12/initrd.gz",
                                 "--arguments", "auto=true hostname=${host}", *RACK[:2])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"2 hosts boot install once, since revision {int(revision) + 1}\n")
        for host in RACK[:2]:
            shown = json.loads(self.ctl("host", "show", host, "-o", "json"))
            self.assertEqual((shown["distro"], shown["next_boot"]["distro"]), (DISTRO, "install"))

    def test_declares_nothing_when_a_host_is_refused(self):
        self.start_agent("rack1")
        done = self.install_once("install", "--kernel", "debian-12/linux", RACK[0], "nobody")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn('"nobody"', done.stderr)
        self.assertNotIn("install", self.ctl("distro", "list"))


class ThePage(unittest.TestCase):
    def test_quotes_the_scripts(self):
        script = SCRIPT.read_text() + INSTALL_ONCE.read_text()
        quoted = [block for block in blocks(PAGE) if re.search(r"_pb2|agent\.", block)]
        self.assertEqual(len(quoted), 4)
        for block in quoted:
            lines = [line.strip() for line in block.strip().splitlines()]
            self.assertIn("\n".join(lines), "\n".join(line.strip() for line in script.splitlines()))


if __name__ == "__main__":
    SERVER, AGENT, CTL = map(os.path.realpath, sys.argv[1:])
    junit.main()
