"""What it is all for: hosts that boot a Debian over NFS, up to a login, from what they were assigned.

    nfs_root_test.py AUTOPXE-SERVER AUTOPXE-AGENT AUTOPXECTL NFS_ROOT_TREE.SH AUTOPXE.YAML

With AUTOPXE_VM_LOGS=FOLDER the logs of everything, the hosts' serial ports included, stay there.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import cluster  # noqa: E402  (found through the path above)
import host  # noqa: E402
import junit  # noqa: E402
import lab  # noqa: E402
import nfs_server  # noqa: E402

SERVER = "127.0.0.1:7300"
# Seconds from power on to systemd, where others use the machine too; alone 25 to 40.
PATIENCE = 300
MEMORY = 760  # MiB

hosts = {}  # By firmware.
nfs_paths = {}  # What each host mounts.
cleanup = contextlib.ExitStack()


def setUpModule():  # noqa: N802 (unittest's name)
    lacking = host.missing() or nfs_server.missing()
    if lacking:
        raise unittest.SkipTest(lacking)
    try:
        network = cleanup.enter_context(lab.Lab(keep=os.environ.get("AUTOPXE_VM_LOGS")))
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    rootfs = network.path("rootfs")
    # A release for each host: both write to their root.
    for firmware in (host.BIOS, host.UEFI):
        subprocess.run([TREE, os.path.join(rootfs, "debian", f"bookworm-{firmware}")], check=True)
    subnet = network.add_subnet()
    nfs_server.NfsServer(subnet, rootfs).start()
    server = cluster.Server(network, PROGRAMS, "server", [SERVER])
    server.start()
    cluster.Agent(subnet, PROGRAMS, "agent", SERVER, rootfs).start()
    # AutoPXE's own configuration, with its template "nfsrw"; this lab's NFS server and its export.
    server.ctl("import", "autopxe", CONFIGURATION)
    server.ctl("settings", "set", "variables.nfs-server", subnet.address)
    server.ctl("settings", "set", "rootfs-path-prefix", rootfs)
    server.ctl("settings", "set", "menu-timeout", "1s")
    server.await_catalog("bookworm-uefi")
    # Both at once: there are two processors at least.
    for number, firmware in ((10, host.BIOS), (11, host.UEFI)):
        mac = f"52:54:00:00:00:{number}"
        subnet.add_host(mac, subnet.host_address(number), lab.HTTP)
        server.assign(mac, f"debian/bookworm-{firmware}/latest/nfsrw")
        nfs_paths[firmware] = f"{subnet.address}:{rootfs}/debian/bookworm-{firmware}"
        hosts[firmware] = cleanup.enter_context(
            host.Host(subnet, firmware, firmware, mac, memory=MEMORY))


def tearDownModule():  # noqa: N802
    cleanup.close()


class AHost(unittest.TestCase):
    """The names of the tests are sentences that begin with it."""

    def test_on_bios_boots_a_debian_over_nfs_to_its_login(self):
        self.boots_to_its_login(host.BIOS)

    def test_with_uefi_boots_a_debian_over_nfs_to_its_login(self):
        self.boots_to_its_login(host.UEFI)

    def boots_to_its_login(self, firmware):
        booted = hosts[firmware]
        found = booted.expect(r"AUTOPXE-SYSTEMD state=(\S+) root=(\S+) fstype=(\S+) cmdline=(.*)\n", PATIENCE)
        state, root, fstype, cmdline = found.groups()
        self.assertEqual((state, fstype), ("running", "nfs"))
        self.assertEqual(root, nfs_paths[firmware])
        self.assertRegex(cmdline, f"root=/dev/nfs nfsroot={re.escape(nfs_paths[firmware])} ip=dhcp rw")
        booted.expect(r"\S+ login: ", PATIENCE)


if __name__ == "__main__":
    *PROGRAMS, TREE, CONFIGURATION = map(os.path.realpath, sys.argv[1:])
    PROGRAMS = cluster.Programs(*PROGRAMS)
    if lab.missing() is None and host.missing() is None and not lab.entered():
        if nfs_server.missing() is None:
            # Inside there is no network to fetch from.
            subprocess.run([TREE, "--fetch"], check=True)
        lab.enter()
    junit.main()
