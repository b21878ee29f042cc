"""autopxectl with a real server and a real agent: ctl_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL CONFIG_YAML"""

import json
import os
import pathlib
import re
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import unittest
import urllib.request

ROOT = pathlib.Path(os.path.realpath(__file__)).parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon  # noqa: E402

DISTRO = "debian/bookworm/latest/overlayfs"
PAGE = ROOT / "docs/declared_distros.md"


def commands_of(page):
    """The autopxectl commands of a page's indented blocks, each as words."""
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n+)+", page.read_text(), re.MULTILINE)]
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("autopxectl ")]


def files_of(command):
    """What a command declares a distro of that is not a URL."""
    return [word for option, word in zip(command, command[1:])
            if option in ("--kernel", "--initrd", "--chain") and "://" not in word]


class Ctl(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for release, version in (("bookworm", "6.1.0-25-amd64"), ("bookworm", "6.1.0-9-amd64"), ("trixie", "6.9.7-amd64")):
            boot = self.folder / "rootfs/debian" / release / "boot"
            boot.mkdir(parents=True, exist_ok=True)
            (boot / f"vmlinuz-{version}").write_text("kernel")
            (boot / f"initrd.img-{version}").write_text("initrd")
            # Installed long ago, and not just being written.
            for file in boot.iterdir():
                os.utime(file, (0, 0))
        (self.folder / "rootfs/debian/stable").symlink_to("bookworm")
        (self.folder / "loaders").mkdir()
        (self.folder / "files").mkdir()
        (self.folder / "home").mkdir()
        self.server = None
        self.start_server()

    def start_server(self, listen="127.0.0.1:0"):
        self.server = Daemon(SERVER, "--listen", listen, "--database", str(self.folder / "autopxe.db"),
                             protocols=["grpc"])
        self.addCleanup(self.server.stop)

    def start_agent(self, name="lab", state="state"):
        agent = Daemon(AGENT, "--id", name, "--server", self.server.address["grpc"],
                       "--rootfs", str(self.folder / "rootfs"), "--loaders", str(self.folder / "loaders"),
                       "--files", str(self.folder / "files"), "--state", str(self.folder / state),
                       "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"])
        self.addCleanup(agent.stop)
        return agent

    def wait_for_catalog(self):
        """Until the agent has told the server what it offers: nothing can be assigned before."""
        while not any(agent["kernels"] for agent in json.loads(self.ok("agent", "list", "-o", "json"))["agents"]):
            pass

    def put_file(self, path):
        file = self.folder / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"what {path} holds")
        os.utime(file, (0, 0))

    def distros(self):
        return {distro["name"]: distro for distro in json.loads(self.ok("distro", "list", "-o", "json"))["distros"]}

    def ctl(self, *args, server=None, **variables):
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder / "home"), "USER": "ada",
                       "AUTOPXE_SERVER": server if server is not None else self.server.address["grpc"]}
        environment.update(variables)
        return subprocess.run([CTL, *args], capture_output=True, text=True, timeout=PATIENCE, env=environment,
                              check=False)

    def ok(self, *args, **variables):
        done = self.ctl(*args, **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, *args, code=1, **variables):
        """The one line that an error is."""
        done = self.ctl(*args, **variables)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Aautopxectl: [^\n]*\n\Z")
        return done.stderr

    def fetch(self, agent, path):
        with urllib.request.urlopen(f"http://{agent.address['http']}/{path}", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def test_a_predecessors_file_is_imported_and_served(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        out = self.ok("import", "autopxe", CONFIG)
        self.assertIn(":10: HostDefaults.bc2411b01ade: host bc:24:11:b0:1a:de boots " + DISTRO, out)
        # Waits until the agent serves it.
        self.ok("assign", "bc2411b01ade", DISTRO, "--wait")
        for name in ("autopxe-BC2411B01ADE", "autopxe-bc2411b01ade"):
            menu = self.fetch(agent, name)
            self.assertIn(DISTRO, menu)
            self.assertIn("set nfs-server:uristring 172.25.2.11", menu)
            self.assertIn("/pxe/rootfs/debian/bookworm", menu)
        # A second time it changes nothing.
        self.assertIn("it was so already", self.ok("import", "autopxe", CONFIG))

    def test_an_import_without_any_agent_warns_of_its_distros(self):
        done = self.ctl("import", "autopxe", CONFIG)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning: ", done.stderr)
        self.assertIn(DISTRO, done.stderr)

    def test_a_dry_run_changes_nothing(self):
        out = self.ok("import", "autopxe", CONFIG, "--dry-run")
        self.assertIn("nothing was changed yet; revision 0", out)
        self.assertEqual(json.loads(self.ok("host", "list", "-o", "json"))["hosts"], [])

    def test_every_spelling_of_a_mac_is_one_host(self):  # faults.md, case 32.
        for mac in ("52:54:00:12:34:56", "52-54-00-12-34-56", "525400123456", "5254.0012.3456", "52:54:0:12:34:56",
                    "52:54:00:AB:CD:EF", "5254.00ab.cdef"):
            self.ok("assign", mac, "local")
        hosts = json.loads(self.ok("host", "list", "-o", "json"))["hosts"]
        self.assertEqual([host["name"] for host in hosts], ["52:54:00:12:34:56", "52:54:00:ab:cd:ef"])

    def test_a_typo_is_refused_with_what_was_probably_meant(self):
        self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        error = self.refused("assign", "52:54:00:12:34:56", "debain/bookworm/latest/overlayfs")
        self.assertIn(f'did you mean "{DISTRO}"?', error)
        done = self.ctl("assign", "52:54:00:12:34:56", "debain/bookworm/latest/overlayfs", "--allow-missing")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: ", done.stderr)

    def test_a_name_that_nobody_has_is_refused(self):
        self.assertIn('"web1"', self.refused("assign", "web1", "local"))
        self.ok("host", "create", "web1", "52:54:00:12:34:56")
        self.assertIn("web1", self.ok("assign", "web1", "local"))
        self.assertIn("local", self.ok("host", "show", "5254.0012.3456"))
        self.ok("unassign", "web1")
        self.ok("host", "delete", "web1")
        self.assertIn('"web1"', self.refused("host", "show", "web1"))

    def import_hosts(self, rows):
        """From a CSV of names and MACs' last numbers."""
        file = self.folder / "hosts.csv"
        file.write_text("name,macs\n" + "".join(f"{name},5254000{mac:05x}\n" for name, mac in rows))
        return self.ok("host", "import", str(file))

    def test_many_hosts_are_named_and_told_as_lists(self):
        out = self.import_hosts((f"cn{i:03}", i) for i in range(1, 301))
        self.assertIn("300 hosts cn[001-300]: macs: (none) -> (various)\n", out)
        self.assertEqual(out.count("\n"), 2, out)
        self.ok("host", "label", "cn[001-010]", "gpu=a100")
        out = self.ok("assign", "-l", "gpu", "!cn[007-008]", "local")
        self.assertIn("8 hosts cn[001-006,009-010]: distro: (none) -> local\n", out)
        self.assertEqual(json.loads(self.ok("resolve", "cn[009-011]!cn010", "-o", "json"))["decisions"][1]["host"], "cn011")
        # Those that are known are told, the others named; of one alone, what was meant.
        done = self.ctl("resolve", "--fold", "cn[001-003]", "db[1-3]")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"3 +cn\[001-003\] +local +assignment")
        self.assertIn("3 of the hosts are unknown: db[1-3];", done.stderr)
        done = self.ctl("host", "list", "cn001", "cn0001", "--columns", "name")
        self.assertEqual((done.returncode, done.stdout), (1, "NAME\ncn001\n"))
        self.assertRegex(done.stderr, r'"cn0001": no such host; did you mean "cn0[0-9]1"\?')
        self.assertIn("3 hosts are unknown: db[1-3];", self.refused("assign", "db[1-3]", "local"))

    def test_hosts_swap_their_macs_in_one_import(self):
        self.import_hosts([("a", 1), ("b", 2), ("c", 3)])
        self.import_hosts([("a", 2), ("b", 3), ("c", 1)])
        hosts = json.loads(self.ok("host", "list", "a", "b", "c", "-o", "json"))["hosts"]
        self.assertEqual([host["macs"][0][-1] for host in hosts], ["2", "3", "1"])

    def test_the_history_tells_the_beginning_of_a_large_revision_and_all_of_it_when_asked(self):
        self.import_hosts((f"cn{i:03}", i) for i in range(1, 301))
        entry = json.loads(self.ok("history", "-o", "json"))["entries"][0]
        self.assertEqual((len(entry["differences"]), entry["more_differences"]), (100, "200"))
        number = entry["revision"]["id"]["number"]
        self.assertEqual(len(json.loads(self.ok("history", "--revision", number, "-o", "json"))["differences"]), 300)
        self.assertEqual(len(json.loads(self.ok("history", "--revision", number, "host", "cn007", "-o", "json"))["differences"]), 1)
        self.assertIn("revision 99", self.refused("history", "--revision", "99"))

    def test_an_assignment_that_lacks_a_variable_is_warned_of(self):
        self.ok("profile", "set", "serial", "console=${tty}", "--force")
        self.import_hosts((f"cn{i:03}", i) for i in range(1, 301))
        done = self.ctl("assign", "cn[001-300]", "debian/bookworm/latest/serial", "--allow-missing")
        self.assertEqual(done.returncode, 0)
        self.assertIn("uses ${tty}, which 300 hosts that boot with it don't get: cn[001-300]", done.stderr)

    def test_waiting_means_that_the_agent_serves_it(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path} marker-a")
        for _ in range(20):
            self.ok("assign", "525400123456", DISTRO, "--wait")
            self.assertIn(DISTRO, self.fetch(agent, "autopxe-525400123456"))
            self.ok("assign", "525400123456", "debian/trixie/latest/overlayfs", "--wait")
            self.assertIn("debian/trixie/latest/overlayfs", self.fetch(agent, "autopxe-525400123456"))
        listed = json.loads(self.ok("agent", "list", "-o", "json"))["agents"]
        self.assertEqual([(a["id"], a["connected"], a["lag"]) for a in listed], [("lab", True, "0")])

    def test_with_the_server_gone_a_restarted_agent_serves_what_it_had(self):  # faults.md, case 43.
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        self.ok("assign", "525400123456", DISTRO, "--wait")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        agent = self.start_agent()
        self.assertIn(DISTRO, self.fetch(agent, "autopxe-525400123456"))

    def test_a_server_that_was_restarted_is_followed_again(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        address = self.server.address["grpc"]
        self.assertEqual(self.server.stop(), 0)
        self.start_server(listen=address)
        while not any(agent["connected"] for agent in json.loads(self.ok("agent", "list", "-o", "json"))["agents"]):
            pass
        self.ok("assign", "525400123456", DISTRO, "--wait")
        self.assertIn(DISTRO, self.fetch(agent, "autopxe-525400123456"))

    def test_an_agent_offers_what_it_finds_on_sighup(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        boot = self.folder / "rootfs/debian/sid/boot"
        boot.mkdir(parents=True)
        (boot / "vmlinuz-6.6.63").write_text("kernel")
        (boot / "initrd.img-6.6.63").write_text("initrd")
        agent.signal(signal.SIGHUP)
        while "debian/sid/6.6.63/overlayfs" not in self.ok("distro", "list"):
            pass

    def test_no_value_gets_through_that_could_add_a_command(self):  # faults.md, case 31.
        for args in (("settings", "set", "variables.x", "a\nsanboot"), ("settings", "set", "variables.x", "${cwduri}"),
                     ("settings", "set", "variables.x", "\x1b[2J"), ("settings", "set", "variables.x", "\u00e4"),
                     ("settings", "set", "variables.a b", "x"), ("settings", "set", "variables.hostname", "x"),
                     ("profile", "set", "p", "a\nb"), ("profile", "set", "p\n", "a"),
                     ("host", "create", "a||b", "525400123456"), ("host", "create", "${x}", "525400123456"),
                     ("assign", "525400123456", "a/b/c/d\nlocal"), ("assign", "52:54:00:12:34", "local")):
            error = self.refused(*args)
            self.assertTrue(error.isascii() and error[:-1].isprintable(), error)
        self.assertEqual(json.loads(self.ok("settings", "show", "-o", "json"))["variables"], {})

    def test_settings_come_and_go(self):
        self.ok("settings", "set", "menu-timeout", "3s")
        self.ok("settings", "set", "rootfs-path-prefix", "/pxe/rootfs")
        self.ok("settings", "set", "unknown-hosts", "wait")
        self.ok("settings", "set", "variables.nfs-server", "10.0.0.1")
        shown = self.ok("settings", "show")
        for line in (r"menu-timeout +3s", r"rootfs-path-prefix +/pxe/rootfs", r"unknown-hosts +wait",
                     r"variables\.nfs-server +10\.0\.0\.1"):
            self.assertRegex(shown, line)
        for key in ("menu-timeout", "rootfs-path-prefix", "unknown-hosts", "variables.nfs-server"):
            self.ok("settings", "unset", key)
        shown = self.ok("settings", "show")
        self.assertRegex(shown, r"menu-timeout +10s")
        self.assertRegex(shown, r"unknown-hosts +-")
        self.assertNotIn("variables", shown)

    def test_what_is_set_for_an_agent_reaches_the_hosts_that_ask_it_and_outlives_the_server(self):
        self.ok("settings", "set", "variables.nfs-server", "172.25.2.11")
        self.ok("profile", "set", "nfs", "nfsroot=${nfs-server}:${rootfs-path}")
        self.ok("agent", "set", "rack2", "variables.nfs-server", "10.77.2.1")
        self.ok("agent", "set", "rack2", "rootfs-path-prefix", "/export")
        self.ok("agent", "set", "rack2", "default-distro", "wait")
        rack1 = self.start_agent("rack1", "state1")
        rack2 = self.start_agent("rack2", "state2")
        self.wait_for_catalog()
        self.ok("assign", "525400123456", "debian/trixie/latest/nfs", "--wait")

        def is_as_set():
            here, there = (self.fetch(agent, "autopxe-525400123456") for agent in (rack1, rack2))
            self.assertIn("set nfs-server:uristring 172.25.2.11", here)
            self.assertIn(str(self.folder / "rootfs/debian/trixie"), here)
            self.assertIn("set nfs-server:uristring 10.77.2.1", there)
            self.assertIn("/export/debian/trixie", there)
            # A host that nobody has named: the agent's default, and nothing to boot at the other.
            self.assertIn("Nothing%20is%20assigned", self.fetch(rack1, "autopxe-525400123457"))
            self.assertIn("waiting for something to boot", self.fetch(rack2, "autopxe-525400123457"))

        is_as_set()
        shown = self.ok("agent", "show", "rack2")
        for line in (r"default-distro +wait", r"rootfs-path-prefix +/export", r"variables\.nfs-server +10\.77\.2\.1"):
            self.assertRegex(shown, line)
        # From the agents' own copies.
        self.assertEqual([rack1.stop(), rack2.stop(), self.server.stop()], [0, 0, 0])
        rack1 = self.start_agent("rack1", "state1")
        rack2 = self.start_agent("rack2", "state2")
        is_as_set()

        self.start_server(listen=self.server.address["grpc"])
        for key in ("default-distro", "rootfs-path-prefix", "variables.nfs-server"):
            self.ok("agent", "unset", "rack2", key)
        self.assertEqual(json.loads(self.ok("agent", "show", "rack2", "-o", "json"))["etag"], "0")

    def test_a_profile_in_use_stays(self):
        self.ok("profile", "set", "p", "quiet")
        self.assertEqual(json.loads(self.ok("profile", "show", "p", "-o", "json"))["command_line"], "quiet")
        self.ok("assign", "525400123456", "a/b/c/p", "--allow-missing")
        self.assertIn('"p"', self.refused("profile", "delete", "p"))
        self.ok("unassign", "525400123456")
        self.ok("profile", "delete", "p")

    def test_a_declared_distro_comes_to_a_host_and_goes_when_nothing_uses_it(self):
        declare = ["distro", "declare", "install", "--kernel", "debian-12/linux", "--initrd", "debian-12/initrd.gz",
                   "--arguments", "auto=true hostname=${host}", "--arch", "x86_64"]
        done = self.ctl(*declare)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\Awarning: .*debian-12/linux")
        self.assertIn("debian-12/", self.refused("assign", "525400123456", "install"))
        for path in ("debian-12/linux", "debian-12/initrd.gz"):
            self.put_file(path)
        agent = self.start_agent()
        while self.distros()["install"]["agents"] != ["lab"]:
            pass
        self.assertTrue(self.distros()["install"]["declared"])
        done = self.ctl(*declare)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("it was so already", done.stdout)
        self.assertIn("install", self.ok("assign", "525400123456", "install", "--wait"))
        script = self.fetch(agent, "autopxe-525400123456")
        for path in ("files/debian-12/linux", "files/debian-12/initrd.gz"):
            self.assertIn(path, script)
            self.assertEqual(self.fetch(agent, path), f"what {path[6:]} holds")
        shown = self.ok("distro", "show", "install")
        for line in (r"kernel +debian-12/linux", r"initrd +debian-12/initrd\.gz", r"architecture +x86_64",
                     r"arguments +auto=true hostname=\$\{host\}", r"agents with its files +lab"):
            self.assertRegex(shown, line)
        self.assertRegex(self.ok("distro", "list"), r"\ninstall +declared ")
        self.assertIn("install", self.ok("explain", "525400123456"))
        self.assertIn('"install"', self.refused("distro", "delete", "install"))
        self.ok("unassign", "525400123456")
        self.ok("distro", "delete", "install", "--dry-run")
        self.ok("distro", "show", "install")
        self.ok("distro", "delete", "install")
        self.assertIn('"install"', self.refused("distro", "show", "install"))
        self.assertIn("debian-12/linux", self.ok("history", "distro", "install"))

    def test_every_command_of_the_page_on_declared_distros_is_accepted(self):
        commands = commands_of(PAGE)
        self.assertGreater(len(commands), 10)
        for command in commands:
            for path in files_of(command):
                self.put_file(path)
        self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        (self.folder / "hosts.csv").write_text("name,macs,label.model\n" + "".join(
            f"cn{number:03},52:54:00:00:00:{number:02x},r740\n" for number in range(1, 18)))
        self.ok("host", "import", str(self.folder / "hosts.csv"))
        for command in commands:
            done = self.ctl(*command)
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)

    def test_exit_codes_tell_what_went_wrong(self):
        self.refused("assign", "525400123456", "nonsense", code=1)
        self.refused("assign", "525400123456", code=2)
        self.refused("no-such-command", code=2)
        self.assertIn("127.0.0.1:1", self.refused("host", "list", server="127.0.0.1:1", code=3))

    def test_flag_variable_and_file_name_the_server_alike(self):
        address = self.server.address["grpc"]
        self.ok("--server", address, "host", "list", server="127.0.0.1:1")
        config = self.folder / "home/.config/autopxe"
        config.mkdir(parents=True)
        (config / "ctl.yaml").write_text(f"server: {address}\n")
        self.ok("host", "list", server="")
        (config / "ctl.yaml").write_text("servre: x\n")
        self.assertIn("ctl.yaml:1", self.refused("host", "list", server="", code=2))

    def test_version_tells_both(self):
        self.assertRegex(self.ok("version"), r"\Aautopxectl (\S+)\nautopxe-server \1 at 127\.0\.0\.1:\d+\n\Z")

    def test_nobody_else_can_read_what_is_kept(self):  # faults.md, case 48.
        agent = self.start_agent()
        self.ok("assign", "525400123456", "local", "--wait")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        kept = [path for path in [*self.folder.glob("autopxe.db*"), *(self.folder / "state").iterdir()] if path.is_file()]
        self.assertGreaterEqual(len(kept), 2)
        for path in kept:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)


if __name__ == "__main__":
    SERVER, AGENT, CTL, CONFIG = (os.path.abspath(path) for path in sys.argv[1:5])
    del sys.argv[1:]
    junit.main()
