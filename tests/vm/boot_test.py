"""Real firmware boots from a real server and a real agent.

    boot_test.py AUTOPXE-SERVER AUTOPXE-AGENT AUTOPXECTL SAMPLE_TREE.SH

With AUTOPXE_VM_LOGS=FOLDER the logs of everything, the hosts' serial ports included, stay there.
"""

import concurrent.futures
import contextlib
import functools
import os
import pathlib
import re
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
# A server of its own for the agent at the second address, to be stopped.
SERVER_2 = "127.0.0.1:7301"

# `||` and `#` mean something to iPXE, and two blanks would become one if it split the value.
TEMPLATE = ('console=ttyS0 quiet root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} '
            'text="a || b  #c"')


def command_line(release):
    """What TEMPLATE becomes."""
    return ('console=ttyS0 quiet root=/dev/nfs nfsroot=172.25.2.11:/srv/rootfs/debian/'
            f'{release} text="a || b  #c"')


def configure(server):
    """The settings that every test here stands on."""
    server.ctl("settings", "set", "menu-timeout", "1s")
    server.ctl("settings", "set", "variables.nfs-server", "172.25.2.11")
    server.ctl("settings", "set", "rootfs-path-prefix", "/srv/rootfs")
    # A distro is a kernel with a profile: without one the server lists none.
    server.ctl("profile", "set", "serial", TEMPLATE)
    server.await_catalog("bookworm")


network = None
subnet = None
server = None
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


def setUpModule():  # noqa: N802 (unittest's name)
    global network, subnet, server
    lacking = host.missing()
    if lacking:
        raise unittest.SkipTest(lacking)
    try:
        network = cleanup.enter_context(lab.Lab(keep=os.environ.get("AUTOPXE_VM_LOGS")))
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    subprocess.run([SAMPLE_TREE, network.path("rootfs")], check=True)
    subnet = network.add_subnet()
    server = cluster.Server(network, PROGRAMS, "server", [SERVER])
    server.start()
    cluster.Agent(subnet, PROGRAMS, "agent", SERVER, network.path("rootfs")).start()
    configure(server)
    # Two at once: OVMF waits by spinning, so each host keeps a processor busy.
    pool = cleanup.enter_context(concurrent.futures.ThreadPoolExecutor(2))
    cleanup.callback(pool.shutdown, cancel_futures=True)
    for name, body in _scenarios.items():
        _outcomes[name] = pool.submit(body, unittest.TestCase())


def tearDownModule():  # noqa: N802
    cleanup.close()


def new_host(number, firmware, rule, agent=None, disk=None):
    """A host that is known to the DHCP server, and off."""
    mac = f"52:54:00:00:00:{number:02x}"
    subnet.add_host(mac, subnet.host_address(number), rule, agent)
    return host.Host(subnet, f"host-{number:02x}", firmware, mac, disk)


def loaded(uri):
    """Matches iPXE's line that it has loaded what matches uri. The screen of a BIOS breaks lines
    after 80 columns, and a slow load shows its progress."""
    return uri + r"[^ ]*\.\.\.[\s\d%]* ok"


class AHost(unittest.TestCase):
    """The names of the tests are sentences that begin with it."""

    maxDiff = None

    @scenario
    def test_with_ovmf_boots_through_snponly_what_it_was_assigned(check):
        with new_host(10, host.UEFI, lab.HTTP) as booted:
            server.assign(booted.mac, "debian/trixie/latest/serial")
            check.assertIn(command_line("trixie"), booted.boots(90))
            check.assertIn("NBP filename is snponly.efi", booted.serial())

    @scenario
    def test_with_ipxe_in_rom_on_bios_boots_what_it_was_assigned(check):
        with new_host(11, host.BIOS, lab.HTTP) as booted:
            server.assign(booted.mac, "debian/bookworm/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(60))

    @scenario
    def test_on_bios_boots_without_a_dhcp_rule_for_ipxe(check):
        with new_host(12, host.BIOS, lab.NONE) as booted:
            server.assign(booted.mac, "debian/stable/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(60))

    @scenario
    def test_with_uefi_boots_without_a_dhcp_rule_for_ipxe(check):
        with new_host(13, host.UEFI, lab.NONE) as booted:
            server.assign(booted.mac, "debian/bookworm/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(90))

    @scenario
    def test_that_waits_on_bios_boots_within_10_s_of_its_assignment(check):
        boots_after_its_assignment(check, 14, host.BIOS)

    @scenario
    def test_that_waits_with_uefi_boots_within_10_s_of_its_assignment(check):
        boots_after_its_assignment(check, 15, host.UEFI)

    @scenario
    def test_boots_its_next_boot_once_and_then_its_standing_distro_on_bios(check):
        boots_once(check, 23, host.BIOS)

    @scenario
    def test_boots_its_next_boot_once_and_then_its_standing_distro_with_uefi(check):
        boots_once(check, 24, host.UEFI)

    @scenario
    def test_whose_distro_is_missing_says_so_and_boots_what_is_assigned_next(check):
        with new_host(20, host.BIOS, lab.HTTP) as booted:
            server.ctl("assign", booted.mac, "debian/forky/latest/serial", "--allow-missing", "--wait")
            booted.expect(r"forky[\s\S]*Asking the agent again", 60)
            server.assign(booted.mac, "debian/trixie/latest/serial")
            check.assertIn(command_line("trixie"), booted.boots(booted.seconds + 60))

    @scenario
    def test_on_menu_shows_it_and_stays_on_bios(check):
        stays_in_its_menu(check, 21, host.BIOS)

    @scenario
    def test_on_menu_shows_it_and_stays_with_uefi(check):
        stays_in_its_menu(check, 22, host.UEFI)

    @scenario
    def test_on_local_goes_on_to_its_disk_on_bios(check):
        disk = network.path("disk")
        boot_sector.write_disk(disk)
        with new_host(16, host.BIOS, lab.HTTP, disk="file=" + disk) as booted:
            server.assign(booted.mac, "local")
            booted.expect(boot_sector.MARKER, 60, failures=None)
            check.assertIn(script_was_fetched(booted), booted.serial())

    @scenario
    def test_on_local_goes_on_to_the_next_boot_option_with_uefi(check):
        with new_host(17, host.UEFI, lab.HTTP) as booted:
            server.assign(booted.mac, "local")
            # With another status OVMF shows its set-up screen instead.
            booted.expect(r"BdsDxe: failed to start \w+ \"UEFI PXEv4[^\n]*\s+"
                          r">>Start HTTP Boot over IPv4", 90, failures=None)
            # So it does after an error of iPXE's: this is not one.
            check.assertIn(script_was_fetched(booted), booted.serial())

    @scenario
    def test_boots_with_the_server_stopped_and_the_agent_restarted(check):
        away = cluster.Server(network, PROGRAMS, "server-2", [SERVER_2])
        away.start()
        agent = cluster.Agent(subnet, PROGRAMS, "agent-2", SERVER_2, network.path("rootfs"),
                              subnet.address_2)
        agent.start()
        configure(away)
        booted = new_host(18, host.BIOS, lab.HTTP, agent=subnet.address_2)
        away.assign(booted.mac, "debian/trixie/latest/serial")
        away.stop()
        agent.stop()
        agent.start("agent-2-restarted")
        with booted:
            check.assertIn(command_line("trixie"), booted.boots(60))

    @scenario
    def test_boots_by_tftp_where_http_is_filtered(check):
        number = 19
        subnet.drop_tcp(subnet.host_address(number), lab.HTTP_PORT)
        with new_host(number, host.BIOS, lab.TFTP) as booted:
            server.assign(booted.mac, "debian/bookworm/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(120))
            # The last kernel that it asked for is the one that runs.
            kernels = re.findall(r"(\w+)://[^ ]*/vmlinuz", booted.serial())
            check.assertEqual(kernels[-1:], ["tftp"])


def script_was_fetched(booted):
    """What iPXE prints when it has the host's script, behind the URI that DHCP gave it."""
    return f"/autopxe-{booted.mac.replace(':', '')}... ok"


def stays_in_its_menu(check, number, firmware):
    with new_host(number, firmware, lab.HTTP) as booted:
        server.assign(booted.mac, "menu")
        booted.expect("continue with the local boot", 90)
        # Several times the time-out after which other menus go on.
        time.sleep(4)
        check.assertNotIn("Command line:", booted.serial())
        check.assertNotIn("vmlinuz", booted.serial())


def boots_once(check, number, firmware):
    with new_host(number, firmware, lab.HTTP) as booted:
        server.assign(booted.mac, "debian/bookworm/latest/serial")
        server.ctl("assign", booted.mac, "debian/trixie/latest/serial", "--next", "--wait")
        check.assertIn(command_line("trixie"), booted.boots(90))
        check.assertIn(f"/next/{booted.mac.replace(':', '-')}/", booted.serial())
    # The same machine once more.
    with host.Host(subnet, f"host-{number:02x}-again", firmware, booted.mac) as again:
        check.assertIn(command_line("bookworm"), again.boots(90))


def boots_after_its_assignment(check, number, firmware):
    with new_host(number, firmware, lab.HTTP) as booted:
        server.assign(booted.mac, "wait")
        booted.expect("(?i)waiting", 60)
        # A few rounds, so that it isn't just the first that works.
        name = "autopxe-" + booted.mac.replace(":", "")
        booted.expect(f"({loaded(name)}[\\s\\S]*){{4}}", booted.seconds + 60)
        server.assign(booted.mac, "debian/bookworm/latest/serial")
        assigned = booted.seconds
        # What Linux then takes is not ours. Not the "ok" behind it: the kernel can be faster than
        # SeaBIOS is with its screen on the serial port. A reset would power the host off.
        booted.expect(r"/vmlinuz[^ ]*\.\.\.", assigned + 10)
        check.assertIn(command_line("bookworm"), booted.boots(assigned + 60))


if __name__ == "__main__":
    *PROGRAMS, SAMPLE_TREE = map(os.path.realpath, sys.argv[1:])
    PROGRAMS = cluster.Programs(*PROGRAMS)
    if lab.missing() is None and host.missing() is None and not lab.entered():
        # Inside there is no network to fetch from.
        subprocess.run([SAMPLE_TREE, "--fetch"], check=True)
        lab.enter()
    junit.main()
