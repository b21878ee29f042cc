"""Real firmware boots declared distros, and leaves for the local disk as a host's variable says.

    declared_test.py AUTOPXE-SERVER AUTOPXE-AGENT AUTOPXECTL SAMPLE_TREE.SH

With AUTOPXE_VM_LOGS=FOLDER the logs of everything, the hosts' serial ports included, stay there.
"""

import concurrent.futures
import contextlib
import functools
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
import boot_sector  # noqa: E402  (found through the path above)
import cluster  # noqa: E402
import host  # noqa: E402
import junit  # noqa: E402
import lab  # noqa: E402

SERVER = "127.0.0.1:7300"

# What the installer's second initrd prints. Its /init takes the place of the first one's, and is
# run by the first one's busybox: it is not printed unless both are there, in this order.
INSTALLER = "INSTALLER-BOOTED "

# `||` and `#` mean something to iPXE.
INSTALLER_ARGUMENTS = 'console=ttyS0 quiet mirror=${mirror} for=${host} text="a || b #c"'

_SECOND_INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
exec >/dev/ttyS0 2>&1
echo
echo "INSTALLER-BOOTED $(/bin/busybox cat /proc/cmdline)"
# The serial port sends from a buffer, and power is not waiting for it.
/bin/busybox sleep 1
/bin/busybox poweroff -f
"""

# Its files lie beside it: iPXE takes relative names from where it has the script from.
_CHAINED_SCRIPT = """\
#!ipxe
kernel linux initrd=initrd.img console=ttyS0 quiet chained-from-the-folder-of-files
initrd initrd.img
boot
"""

network = None
subnet = None
server = None
agent = None
cleanup = contextlib.ExitStack()
_scenarios = {}  # Name -> the body of the test.
_outcomes = {}  # Name -> its future.


def scenario(body):
    """A test whose body runs beside the others': mostly it waits for firmware."""
    name = body.__name__
    _scenarios[name] = body

    @functools.wraps(body)
    def test(_self):
        _outcomes[name].result()
    return test


def write_initrd(path, init):
    """Writes an initrd of one file, /init."""
    folder = network.path("initrd")
    os.makedirs(folder)
    with open(os.path.join(folder, "init"), "w", encoding="ascii") as output:
        output.write(init)
    os.chmod(os.path.join(folder, "init"), 0o755)
    archive = subprocess.run(
        ["cpio", "--quiet", "--create", "--format=newc", "--owner=+0:+0"], cwd=folder,
        input=b"init\n", stdout=subprocess.PIPE, check=True).stdout
    with open(path, "wb") as output:
        output.write(gzip.compress(archive))


def write_files(folder, rootfs):
    """The folder of files: an installer, a script with what it boots, and a program."""
    boot = pathlib.Path(rootfs) / "debian" / "trixie" / "boot"
    kernel, = boot.glob("vmlinuz-*")
    initrd, = boot.glob("initrd.img-*")
    for name in ("installer", "chained", "firmware"):
        os.makedirs(os.path.join(folder, name))
    for name in ("installer", "chained"):
        shutil.copy(kernel, os.path.join(folder, name, "linux"))
        shutil.copy(initrd, os.path.join(folder, name, "initrd.img"))
    write_initrd(os.path.join(folder, "installer", "extra.gz"), _SECOND_INIT)
    with open(os.path.join(folder, "chained", "boot.ipxe"), "w", encoding="ascii") as output:
        output.write(_CHAINED_SCRIPT)
    shutil.copy("/usr/lib/ipxe/snponly.efi", os.path.join(folder, "firmware", "update.efi"))
    # Put there before: the agent, when it starts, does not wait whether somebody writes them.
    for path in pathlib.Path(folder).glob("*/*"):
        os.utime(path, (time.time() - 3600,) * 2)


def configure():
    server.ctl("settings", "set", "menu-timeout", "1s")
    server.ctl("settings", "set", "variables.mirror", "mirror.example")
    # A distro is a kernel with a profile: without one the server lists none.
    server.ctl("profile", "set", "serial", "console=ttyS0 quiet standing")
    server.await_catalog("bookworm")
    server.ctl("distro", "declare", "installer", "--kernel", "installer/linux",
               "--initrd", "installer/initrd.img", "--initrd", "installer/extra.gz",
               "--arguments", INSTALLER_ARGUMENTS)
    # The same from URLs, of which the agent's own files are the only ones here.
    files = f"http://{subnet.address}:{lab.HTTP_PORT}/files/installer/"
    server.ctl("distro", "declare", "by-url", "--kernel", files + "linux",
               "--initrd", files + "initrd.img", "--initrd", files + "extra.gz",
               "--arguments", INSTALLER_ARGUMENTS)
    server.ctl("distro", "declare", "chained", "--chain", "chained/boot.ipxe")
    server.ctl("distro", "declare", "update", "--chain", "firmware/update.efi")


def setUpModule():  # noqa: N802 (unittest's name)
    global network, subnet, server, agent
    lacking = host.missing()
    if lacking:
        raise unittest.SkipTest(lacking)
    try:
        network = cleanup.enter_context(lab.Lab(keep=os.environ.get("AUTOPXE_VM_LOGS")))
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    subprocess.run([SAMPLE_TREE, network.path("rootfs")], check=True)
    write_files(network.path("files"), network.path("rootfs"))
    subnet = network.add_subnet()
    server = cluster.Server(network, PROGRAMS, "server", [SERVER])
    server.start()
    agent = cluster.Agent(subnet, PROGRAMS, "agent", SERVER, network.path("rootfs"),
                          files=network.path("files"))
    agent.start()
    configure()
    # Two at once: OVMF waits by spinning, so each host keeps a processor busy.
    pool = cleanup.enter_context(concurrent.futures.ThreadPoolExecutor(2))
    cleanup.callback(pool.shutdown, cancel_futures=True)
    for name, body in _scenarios.items():
        _outcomes[name] = pool.submit(body, unittest.TestCase())


def tearDownModule():  # noqa: N802
    cleanup.close()


def new_host(number, firmware, disk=None, rule=lab.HTTP):
    """A host that is known to the DHCP server, and off."""
    mac = f"52:54:00:00:00:{number:02x}"
    subnet.add_host(mac, subnet.host_address(number), rule)
    return host.Host(subnet, f"host-{number:02x}", firmware, mac, disk)


def next_path(mac):
    """Where a host's next boot fetches what it begins with."""
    return f"/next/{mac.replace(':', '-')}/"


class AHost(unittest.TestCase):
    """The names of the tests are sentences that begin with it."""

    maxDiff = None

    @scenario
    def test_boots_an_installer_once_and_then_its_standing_distro_on_bios(check):
        installs_once(check, 10, host.BIOS, "installer", "files/installer/linux")

    @scenario
    def test_boots_an_installer_once_and_then_its_standing_distro_with_uefi(check):
        installs_once(check, 11, host.UEFI, "installer", "files/installer/linux")

    @scenario
    def test_boots_an_installer_from_urls_once_and_tells_the_agent_on_bios(check):
        installs_once(check, 17, host.BIOS, "by-url", "begun")

    @scenario
    def test_boots_an_installer_from_urls_once_and_tells_the_agent_with_uefi(check):
        installs_once(check, 18, host.UEFI, "by-url", "begun")

    @scenario
    def test_boots_an_installer_by_tftp_where_http_is_filtered(check):
        number = 19
        subnet.drop_tcp(subnet.host_address(number), lab.HTTP_PORT)
        with new_host(number, host.BIOS, rule=lab.TFTP) as booted:
            server.assign(booted.mac, "installer")
            booted.expect(INSTALLER, 150)
            # The last kernel that it asked for is the one that runs.
            kernels = re.findall(r"(\w+)://[^ ]*/installer/linux", booted.serial())
            check.assertEqual(kernels[-1:], ["tftp"])

    @scenario
    def test_goes_on_with_a_script_of_the_folder_of_files_on_bios(check):
        chains_a_script(check, 12, host.BIOS)

    @scenario
    def test_goes_on_with_a_script_of_the_folder_of_files_with_uefi(check):
        chains_a_script(check, 13, host.UEFI)

    @scenario
    def test_runs_a_program_of_the_folder_of_files_once_with_uefi(check):
        with new_host(14, host.UEFI) as booted:
            server.assign(booted.mac, "debian/bookworm/latest/serial")
            server.ctl("assign", booted.mac, "update", "--next", "--wait")
            # The program is an iPXE, which asks once more what this host boots. (A kernel that is
            # started by an iPXE within an iPXE says nothing more here, so this ends before.)
            booted.expect("Command line: console=ttyS0 quiet standing", 150)
            check.assertRegex(booted.serial(),
                              re.escape(next_path(booted.mac)) + r"\d+/files/firmware/update.efi")
            # Were it not run, the standing distro would boot too: from the menu that comes then, or
            # by the firmware's second try.
            check.assertNotIn("Loading update failed", booted.serial())
            check.assertEqual(booted.serial().count(">>Start PXE over IPv4"), 1)

    @scenario
    def test_on_local_starts_its_disk_by_sanboot_on_bios(check):
        disk = network.path("disk")
        boot_sector.write_disk(disk)
        with new_host(15, host.BIOS, disk="file=" + disk) as booted:
            leaves_by_sanboot(booted.mac)
            booted.expect(boot_sector.MARKER, 60, failures=None)
            # By `exit` the BIOS would have said that it boots from its hard disk.
            check.assertIn("Booting from SAN device 0x80", booted.serial())
            check.assertNotIn("Booting from Hard Disk", booted.serial())

    @scenario
    def test_whose_disk_does_not_start_by_sanboot_leaves_as_by_exit_on_bios(check):
        with new_host(16, host.BIOS) as booted:
            leaves_by_sanboot(booted.mac)
            booted.expect("No bootable device|No more network devices", 60, failures=None)
            check.assertIn("0x80", booted.serial())


def leaves_by_sanboot(mac):
    server.ctl("host", "create", mac)
    server.ctl("host", "set", mac, "local-boot=sanboot")
    server.assign(mac, "local")


def installs_once(check, number, firmware, distro, used_by):
    """used_by: the path, below its next boot's, that it fetches there and uses that up by."""
    with new_host(number, firmware) as booted:
        server.assign(booted.mac, "debian/bookworm/latest/serial")
        server.ctl("assign", booted.mac, distro, "--next", "--wait")
        arguments = booted.expect(INSTALLER + r"(.*)\n", 90).group(1)
        check.assertIn(f'console=ttyS0 quiet mirror=mirror.example for={booted.mac} '
                       'text="a || b #c"', arguments)
        # By the agent's log: the kernel can be faster than a BIOS's screen on the serial port.
        fetched = re.findall(re.escape(next_path(booted.mac)[1:]) + r"\d+/(\S+)", agent.output())
        check.assertEqual(set(fetched), {used_by})
    # The same machine once more.
    with host.Host(subnet, f"host-{number:02x}-again", firmware, booted.mac) as again:
        check.assertIn("standing", again.boots(90))
        check.assertNotIn(next_path(booted.mac), again.serial())


def chains_a_script(check, number, firmware):
    with new_host(number, firmware) as booted:
        server.assign(booted.mac, "chained")
        check.assertIn("chained-from-the-folder-of-files", booted.boots(90))


if __name__ == "__main__":
    *PROGRAMS, SAMPLE_TREE = map(os.path.realpath, sys.argv[1:])
    PROGRAMS = cluster.Programs(*PROGRAMS)
    if lab.missing() is None and host.missing() is None and not lab.entered():
        # Inside there is no network to fetch from.
        subprocess.run([SAMPLE_TREE, "--fetch"], check=True)
        lab.enter()
    junit.main()
