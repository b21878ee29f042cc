"""A server and agents in a lab, and the command line that speaks to them."""

import collections
import os
import subprocess
import time

import lab

# Paths of the three programs.
Programs = collections.namedtuple("Programs", ("server", "agent", "ctl"))


def await_true(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{seconds} s are over, and there is no {what}")
        time.sleep(0.1)


def _await_log(process, text):
    def logged():
        if not process.running:
            raise AssertionError(f"{process.name} ended:\n{process.output()}")
        return text in process.output()
    await_true(f"{text!r} in the log of {process.name}", logged)


class Server:
    """A server in the lab's own namespace."""

    def __init__(self, network, programs, name, listen):
        """listen: addresses with ports; the first is for autopxectl."""
        self.listen = listen
        self._network = network
        self._programs = programs
        self._name = name
        self._process = None

    def start(self):
        os.makedirs(self._network.path(self._name), exist_ok=True)
        self._process = self._network.start(self._name, [
            self._programs.server, *(f"--listen={address}" for address in self.listen),
            "--database", self._network.path(self._name, "autopxe.db")])
        _await_log(self._process, "event=listening protocol=grpc")

    def stop(self):
        self._process.stop()

    def ctl(self, *arguments):
        """Runs autopxectl and returns what it printed."""
        done = subprocess.run([self._programs.ctl, "--server", self.listen[0], *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"autopxectl {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def assign(self, mac, distro):
        self.ctl("assign", mac, distro, "--wait")

    def await_catalog(self, release):
        await_true("the catalog of the agent", lambda: release in self.ctl("distro", "list"))


class Agent:
    """An agent at an address of its subnet."""

    def __init__(self, subnet, programs, name, server, rootfs, address=None, files=None):
        """server: where it reaches its server. files: its folder of files."""
        self._subnet = subnet
        self._programs = programs
        self._name = name
        self._server = server
        self._rootfs = rootfs
        self._address = address or subnet.address
        self._files = files
        self._process = None

    def start(self, log=None):
        """log: what its output's file is called, one for each time that it runs."""
        self._process = self._subnet.start(log or self._name, [
            self._programs.agent, "--id", self._name, "--server", self._server,
            "--rootfs", self._rootfs, "--loaders", "/usr/lib/ipxe",
            *(["--files", self._files] if self._files else []),
            "--state", self._subnet.lab.path("state-" + self._name),
            "--tftp-listen", self._address + ":69",
            "--http-listen", f"{self._address}:{lab.HTTP_PORT}"])
        _await_log(self._process, "event=listening protocol=tftp")
        _await_log(self._process, "event=listening protocol=http")

    def stop(self):
        self._process.stop()

    def output(self):
        """What it has logged since it started."""
        return self._process.output()
