"""Declared distros: distro_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL DECLARED_DISTROS_MD"""

import json
import os
import pathlib
import re
import shlex
import sys
import textwrap

import programs


def commands_of(page):
    """The autopxectl commands of a page's indented blocks, each as words."""
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n+)+", page.read_text(), re.MULTILINE)]
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("autopxectl ")]


def files_of(command):
    """What a command declares a distro of that is not a URL."""
    return [word for option, word in zip(command, command[1:])
            if option in ("--kernel", "--initrd", "--chain") and "://" not in word]


class Distros(programs.Programs):
    def put_file(self, path):
        file = self.folder / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"what {path} holds")
        os.utime(file, (0, 0))

    def distros(self):
        return {distro["name"]: distro for distro in json.loads(self.ok("distro", "list", "-o", "json"))["distros"]}

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
        # With the labels by which the page speaks of them.
        (self.folder / "hosts.csv").write_text("name,macs,label.model,label.firmware\n" + "".join(
            f"cn{number:03},52:54:00:00:00:{number:02x},r740,old\n" for number in range(1, 18)))
        self.ok("host", "import", str(self.folder / "hosts.csv"))
        for command in commands:
            done = self.ctl(*command)
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)


if __name__ == "__main__":
    PAGE = pathlib.Path(os.path.abspath(sys.argv[4]))
    programs.main()
