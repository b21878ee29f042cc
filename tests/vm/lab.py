"""A network of its own for virtual hosts: subnets, each with a bridge, a tap per host, and a DHCP server.

Everything is built in private network, mount and process namespaces that a script enters with
enter(). They go when the script ends, whichever way it ends, and everything started in them with
them: no name has to be unique, no address free, and nothing is left to clean up.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HTTP_PORT = 8080

# What the DHCP server tells iPXE. Firmware is always told the name of a loader, by TFTP.
HTTP = "http"  # the URL of the host's script
TFTP = "tftp"  # the TFTP name of the host's script
NONE = "none"  # what it tells firmware: there is no rule for iPXE

_ENTERED = "AUTOPXE_LAB"
_BRIDGE = "br0"
_TOOLS = ("unshare", "ip", "dnsmasq")
# The way from a subnet in a namespace of its own to the lab's namespace.
_UPLINK = "uplink"


class Unavailable(Exception):
    """What this machine lacks for a lab, as a reason to skip a test."""


def _unshare():
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=TERM",
               "--mount-proc"]
    # A user namespace gives an ordinary user all that is needed here.
    return command if os.geteuid() == 0 else command + ["--map-root-user"]


def missing():
    """Why there can be no lab here, or None."""
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            return f"there is no {tool} in PATH"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun can't be opened"
    # A container can refuse namespaces to root, and one of them alone.
    trial = subprocess.run(
        _unshare() + ["sh", "-c", "ip link add br0 type bridge && ip tuntap add tap0 mode tap"],
        capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        return f"no private network namespace: {trial.stderr.strip()}"
    return None


def entered():
    return _ENTERED in os.environ


def enter():
    """Runs the script again inside the namespaces and exits as that does. Does nothing there, nor
    where there can be none: whoever makes a Lab then gets Unavailable."""
    if entered() or missing() is not None:
        return
    inside = subprocess.Popen(_unshare() + sys.orig_argv, env={**os.environ, _ENTERED: "1"})
    # unshare blocks both signals while it has a child; its death becomes the child's SIGTERM.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: inside.kill())
    status = inside.wait()
    sys.exit(status if status >= 0 else 128 + signal.SIGTERM)


def _run(*command):
    subprocess.run(command, check=True)


def _prepare(run):
    """Brings a fresh network namespace up, by a function that runs a command in it."""
    run("ip", "link", "set", "lo", "up")
    # Makes room for rules before the local table's, which comes first otherwise.
    run("ip", "rule", "add", "priority", "100", "lookup", "local")
    run("ip", "rule", "delete", "priority", "0", "lookup", "local")


class Process:
    """A process with its output in a file."""

    def __init__(self, name, command, log):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    @property
    def running(self):
        return self._process.poll() is None

    def output(self):
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def wait(self, seconds):
        """The exit status, or None if it still runs after that time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self):
        """Ends it: SIGTERM, and after 5 s SIGKILL."""
        if self.running:
            self._process.terminate()
            if self.wait(5) is None:
                self._process.kill()
                self._process.wait()


class Lab:
    """The folder, the subnets, and what runs in them. A context: its end stops every process and
    removes the folder, unless keep names a folder for the logs."""

    def __init__(self, keep=None):
        if not entered():
            raise Unavailable(missing() or "the script has not called lab.enter()")
        self._keep = keep
        self._processes = []
        self._subnets = 0
        self.folder = None

    def __enter__(self):
        # As the first process of its namespace the script would ignore a signal that has no handler.
        signal.signal(signal.SIGTERM, self._abandon)
        signal.signal(signal.SIGINT, self._abandon)
        self.folder = tempfile.mkdtemp(prefix="autopxe-lab-", dir=os.environ.get("TEST_TMPDIR"))
        os.makedirs(self.path("logs"))
        try:
            # What daemons and ip keep there is for these namespaces alone.
            _run("mount", "-t", "tmpfs", "tmpfs", "/run")
            _prepare(_run)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.stop()
        if self._keep:
            shutil.copytree(self.path("logs"), self._keep, dirs_exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _abandon(self, *_):
        # At once, whatever the threads are waiting for: every other process here ends with this one.
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(128 + signal.SIGTERM)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, name, command):
        """Starts a process that ends with the lab; its output goes to logs/<name>.log."""
        process = Process(name, command, self.path("logs", name + ".log"))
        self._processes.append(process)
        return process

    def add_subnet(self, namespace=None):
        """A new subnet: in the lab's own network namespace, or in a further one that is to be named
        so and reaches the lab's at the subnet's uplink."""
        subnet = Subnet(self, self._subnets, namespace)
        self._subnets += 1
        return subnet


class Subnet:
    """A bridge with an address for each of two agents, the hosts on it, and their DHCP server."""

    def __init__(self, lab, number, namespace):
        self.lab = lab
        self.namespace = namespace
        self._net = f"10.77.{number}"
        self.address = self.host_address(1)
        self.address_2 = self.host_address(2)
        # Where the lab's own namespace is reached from this one; what listens there is for all.
        self.uplink = None
        self._name = namespace or f"subnet-{number}"
        self._taps = itertools.count(1)  # Hosts are started by several threads.
        os.makedirs(lab.path(self._name, "hosts"))
        if namespace:
            self._add_namespace(number)
        # Without an address of its own a bridge takes its ports' lowest, another one when a port
        # comes, and hosts that have learnt the first lose it.
        self._run("ip", "link", "add", _BRIDGE, "address", f"52:54:00:00:{number:02x}:01", "type",
                  "bridge")
        for address in (self.address, self.address_2):
            self._run("ip", "address", "add", address + "/24", "dev", _BRIDGE)
        # iPXE waits about 13 s for an IPv6 router where nobody announces one.
        self._run("ip", "-6", "address", "add", f"fd77:7078:6500:{number}::1/64", "dev", _BRIDGE,
                  "nodad")
        self._run("ip", "link", "set", _BRIDGE, "up")
        self._start_dnsmasq()

    def host_address(self, number):
        """The address of a host by its number, 3 to 99."""
        return f"{self._net}.{number}"

    def start(self, name, command):
        """As Lab.start, in this subnet."""
        return self.lab.start(name, self._inside(command))

    def add_tap(self):
        """A new port of the bridge."""
        name = f"tap{next(self._taps)}"
        self._run("ip", "tuntap", "add", name, "mode", "tap")
        self._run("ip", "link", "set", name, "master", _BRIDGE, "up")
        return name

    def add_host(self, mac, address, rule, agent=None):
        """What the DHCP server answers to a MAC: its address, and what it tells iPXE about which
        agent (HTTP, TFTP or NONE)."""
        # dnsmasq reads a new file in this folder at once, and ignores one with a dot or a #.
        path = self.lab.path(self._name, "hosts", mac.replace(":", ""))
        with open(path, "w", encoding="ascii") as hosts:
            hosts.write(f"{mac},set:{rule},set:at-{agent or self.address},{address}\n")

    def drop_tcp(self, address, port):
        """Drops what a host sends to a TCP port, as a firewall between it and the agent would."""
        self._run("ip", "rule", "add", "priority", "10", "from", address, "ipproto", "tcp", "dport",
                  str(port), "blackhole")

    def _inside(self, command):
        if self.namespace is None:
            return list(command)
        return ["ip", "netns", "exec", self.namespace, *command]

    def _run(self, *command):
        _run(*self._inside(command))

    def _add_namespace(self, number):
        self.uplink = f"10.78.{number}.1"
        _run("ip", "netns", "add", self.namespace)
        _run("ip", "link", "add", f"{_UPLINK}{number}", "type", "veth", "peer", "name", _UPLINK,
             "netns", self.namespace)
        _run("ip", "address", "add", self.uplink + "/30", "dev", f"{_UPLINK}{number}")
        _run("ip", "link", "set", f"{_UPLINK}{number}", "up")
        _prepare(self._run)
        self._run("ip", "address", "add", f"10.78.{number}.2/30", "dev", _UPLINK)
        self._run("ip", "link", "set", _UPLINK, "up")

    def _start_dnsmasq(self):
        # Absolute paths: dnsmasq changes directory to /. As root: in a user namespace there is
        # nobody else to become.
        lines = [
            "port=0", "user=root", "interface=" + _BRIDGE, "log-dhcp", "log-facility=-",
            "pid-file=", "dhcp-leasefile=" + self.lab.path(self._name, "leases"),
            "dhcp-hostsdir=" + self.lab.path(self._name, "hosts"),
            # It would ping an address for 3 s before it offers it.
            "no-ping",
            f"dhcp-range={self._net}.100,{self._net}.199,1h",
            f"dhcp-range=::,constructor:{_BRIDGE},ra-only", "enable-ra",
            # iPXE's option 176 of 175: don't wait 3 s for a proxyDHCP.
            "dhcp-option=encap:175,176,1b",
            "dhcp-userclass=set:ipxe,iPXE",
            "dhcp-match=set:bios,option:client-arch,0",
            "dhcp-match=set:efi,option:client-arch,7",
            "dhcp-match=set:efi,option:client-arch,9",
        ]
        for agent in (self.address, self.address_2):
            at = f"tag:at-{agent},"
            script = "autopxe-${mac:hexraw}"
            lines += [
                f"dhcp-boot={at}tag:ipxe,tag:{HTTP},http://{agent}:{HTTP_PORT}/{script}",
                f"dhcp-boot={at}tag:ipxe,tag:{TFTP},{script},,{agent}",
            ]
            for firmware, loader in (("bios", "undionly.kpxe"), ("efi", "snponly.efi")):
                lines += [
                    f"dhcp-boot={at}tag:!ipxe,tag:{firmware},{loader},,{agent}",
                    f"dhcp-boot={at}tag:ipxe,tag:{NONE},tag:{firmware},{loader},,{agent}",
                ]
        configuration = self.lab.path(self._name, "dnsmasq.conf")
        with open(configuration, "w", encoding="ascii") as output:
            output.write("\n".join(lines) + "\n")
        self.start("dnsmasq-" + self._name,
                   ["dnsmasq", "--keep-in-foreground", "--conf-file=" + configuration])
