"""Two subnets, an agent in each, and one server: what hosts boot differs by subnet.

    subnets_test.py AUTOPXE-SERVER AUTOPXE-AGENT AUTOPXECTL SAMPLE_TREE.SH

With AUTOPXE_VM_LOGS=FOLDER the logs of everything, the hosts' serial ports included, stay there.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import cluster  # noqa: E402  (found through the path above)
import host  # noqa: E402
import junit  # noqa: E402
import lab  # noqa: E402

PORT = 7300
PATIENCE = 120  # Seconds from power on; alone about 20.
TEMPLATE = "console=ttyS0 quiet by={} root=/dev/nfs nfsroot=${{nfs-server}}:${{rootfs-path}}"

# What each subnet has of its own; rack2 takes the server's prefix.
RELEASES = {"rack1": "bookworm", "rack2": "trixie"}
NFS_SERVERS = {"rack1": "172.25.1.11", "rack2": "172.25.2.11"}
PREFIXES = {"rack1": "/srv/rack1", "rack2": "/srv/rootfs"}

hosts = {}  # By what they are here for.
cleanup = contextlib.ExitStack()


def command_line(rack, profile):
    """What a host of that rack is to boot with."""
    return (f"console=ttyS0 quiet by={profile} root=/dev/nfs "
            f"nfsroot={NFS_SERVERS[rack]}:{PREFIXES[rack]}/debian/{RELEASES[rack]}")


def setUpModule():  # noqa: N802 (unittest's name)
    lacking = host.missing()
    if lacking:
        raise unittest.SkipTest(lacking)
    try:
        network = cleanup.enter_context(lab.Lab(keep=os.environ.get("AUTOPXE_VM_LOGS")))
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    subnets = {rack: network.add_subnet(rack) for rack in RELEASES}
    server = cluster.Server(network, PROGRAMS, "server", [
        f"127.0.0.1:{PORT}", *(f"{subnet.uplink}:{PORT}" for subnet in subnets.values())])
    server.start()
    # First: a profile that uses what nobody sets is refused.
    server.ctl("settings", "set", "variables.nfs-server", "192.0.2.1")
    for rack, subnet in subnets.items():
        add_agent(network, server, rack, subnet)
    configure(server)
    # Three at once: they wait for firmware's time-outs more than for the processor.
    for name, rack, number, firmware in (("unassigned in rack1", "rack1", 10, host.BIOS),
                                         ("unassigned in rack2", "rack2", 11, host.UEFI),
                                         ("assigned in rack2", "rack2", 12, host.BIOS)):
        mac = f"52:54:00:00:00:{number}"
        subnets[rack].add_host(mac, subnets[rack].host_address(number), lab.HTTP)
        if name.startswith("assigned"):
            server.assign(mac, f"debian/{RELEASES[rack]}/latest/assigned")
        hosts[name] = cleanup.enter_context(
            host.Host(subnets[rack], name.replace(" ", "-"), firmware, mac))


def add_agent(network, server, rack, subnet):
    """An agent whose tree has one release, which no other one has."""
    rootfs = network.path("rootfs-" + rack)
    subprocess.run([SAMPLE_TREE, rootfs], check=True)
    os.unlink(os.path.join(rootfs, "debian/stable"))
    for release in os.listdir(os.path.join(rootfs, "debian")):
        if release != RELEASES[rack]:
            shutil.rmtree(os.path.join(rootfs, "debian", release))
    cluster.Agent(subnet, PROGRAMS, rack, f"{subnet.uplink}:{PORT}", rootfs).start()
    # A distro is a kernel with a profile: without one the server lists none.
    server.ctl("profile", "set", "default", TEMPLATE.format("default"))
    server.await_catalog(RELEASES[rack])


def configure(server):
    """What all subnets share, and what each has of its own."""
    server.ctl("profile", "set", "assigned", TEMPLATE.format("assigned"))
    server.ctl("settings", "set", "menu-timeout", "1s")
    server.ctl("settings", "set", "default-distro", "menu")
    server.ctl("settings", "set", "rootfs-path-prefix", PREFIXES["rack2"])
    server.ctl("agent", "set", "rack1", "rootfs-path-prefix", PREFIXES["rack1"])
    for rack, release in RELEASES.items():
        server.ctl("agent", "set", rack, "default-distro", f"debian/{release}/latest/default")
        server.ctl("agent", "set", rack, "variables.nfs-server", NFS_SERVERS[rack])


def tearDownModule():  # noqa: N802
    cleanup.close()


class AHost(unittest.TestCase):
    """The names of the tests are sentences that begin with it."""

    maxDiff = None

    def test_that_is_unassigned_boots_the_default_distro_of_its_agent_on_bios(self):
        self.boots("unassigned in rack1", command_line("rack1", "default"))

    def test_that_is_unassigned_boots_the_default_distro_of_its_agent_with_uefi(self):
        self.boots("unassigned in rack2", command_line("rack2", "default"))

    def test_that_is_assigned_at_the_server_boots_it_with_what_its_agent_has(self):
        self.boots("assigned in rack2", command_line("rack2", "assigned"))

    def boots(self, name, expected):
        self.assertIn(expected, hosts[name].boots(PATIENCE))


if __name__ == "__main__":
    *PROGRAMS, SAMPLE_TREE = map(os.path.realpath, sys.argv[1:])
    PROGRAMS = cluster.Programs(*PROGRAMS)
    if lab.missing() is None and host.missing() is None and not lab.entered():
        # Inside there is no network to fetch from.
        subprocess.run([SAMPLE_TREE, "--fetch"], check=True)
        lab.enter()
    junit.main()
