"""autopxectl with a real server and a real agent, over the loopback."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)
from daemon import PATIENCE, Daemon  # noqa: E402

DISTRO = "debian/bookworm/latest/overlayfs"


class Programs(unittest.TestCase):
    """A server that runs, what agents are to serve, and what autopxectl says."""

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


def main():
    """Runs the cases of __main__, a file that is called with AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL."""
    global SERVER, AGENT, CTL
    SERVER, AGENT, CTL = (os.path.abspath(path) for path in sys.argv[1:4])
    del sys.argv[1:]
    junit.main()
