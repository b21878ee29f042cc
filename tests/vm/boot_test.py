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
import host  # noqa: E402
import junit  # noqa: E402
import lab  # noqa: E402

SERVER = "127.0.0.1:7300"
# A server of its own for the agent at lab.ADDRESS_2, to be stopped.
SERVER_2 = "127.0.0.1:7301"

# `||` and `#` mean something to iPXE, and two blanks would become one if it split the value.
TEMPLATE = ('console=ttyS0 quiet root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} '
            'text="a || b  #c"')


def command_line(release):
    """What TEMPLATE becomes."""
    return ('console=ttyS0 quiet root=/dev/nfs nfsroot=172.25.2.11:/srv/rootfs/debian/'
            f'{release} text="a || b  #c"')


class Cluster:
    """A server, an agent, and the command line that speaks to them."""

    def __init__(self, name, network, server, address):
        self._network = network
        self._server_address = server
        self._address = address
        self._name = name
        os.makedirs(network.path(name))
        self.server = None
        self.agent = None

    def start_server(self):
        self.server = self._network.start(self._name + "-server", [
            SERVER_BINARY, "--listen", self._server_address,
            "--database", self._network.path(self._name, "autopxe.db")])
        self._await_log(self.server, "event=listening protocol=grpc")

    def start_agent(self, log):
        """log: what its output's file is called, one for each time that it runs."""
        self.agent = self._network.start(log, [
            AGENT_BINARY, "--id", self._name, "--server", self._server_address,
            "--rootfs", self._network.path("rootfs"), "--loaders", "/usr/lib/ipxe",
            "--state", self._network.path(self._name),
            "--tftp-listen", self._address + ":69",
            "--http-listen", f"{self._address}:{lab.HTTP_PORT}"])
        self._await_log(self.agent, "event=listening protocol=tftp")
        self._await_log(self.agent, "event=listening protocol=http")

    def configure(self):
        """The settings that every test here stands on."""
        self.ctl("settings", "set", "menu-timeout", "1s")
        self.ctl("settings", "set", "variables.nfs-server", "172.25.2.11")
        self.ctl("settings", "set", "rootfs-path-prefix", "/srv/rootfs")
        # A distro is a kernel with a profile: without one the server lists none.
        self.ctl("profile", "set", "serial", TEMPLATE)
        await_true("the catalog of the agent", lambda: "bookworm" in self.ctl("distro", "list"))

    def ctl(self, *arguments):
        """Runs autopxectl and returns what it printed."""
        done = subprocess.run([CTL_BINARY, "--server", self._server_address, *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"autopxectl {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def assign(self, mac, distro):
        self.ctl("assign", mac, distro, "--wait")

    @staticmethod
    def _await_log(process, text):
        def logged():
            if not process.running:
                raise AssertionError(f"{process.name} ended:\n{process.output()}")
            return text in process.output()
        await_true(f"{text!r} in the log of {process.name}", logged)


def await_true(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{seconds} s are over, and there is no {what}")
        time.sleep(0.1)


network = None
cluster = None
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
    global network, cluster
    lacking = host.missing()
    if lacking:
        raise unittest.SkipTest(lacking)
    try:
        network = cleanup.enter_context(lab.Lab(keep=os.environ.get("AUTOPXE_VM_LOGS")))
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    subprocess.run([SAMPLE_TREE, network.path("rootfs")], check=True)
    cluster = Cluster("agent", network, SERVER, lab.ADDRESS)
    cluster.start_server()
    cluster.start_agent("agent")
    cluster.configure()
    # Two at once: OVMF waits by spinning, so each host keeps a processor busy.
    pool = cleanup.enter_context(concurrent.futures.ThreadPoolExecutor(2))
    cleanup.callback(pool.shutdown, cancel_futures=True)
    for name, body in _scenarios.items():
        _outcomes[name] = pool.submit(body, unittest.TestCase())


def tearDownModule():  # noqa: N802
    cleanup.close()


def new_host(number, firmware, rule, agent=lab.ADDRESS, disk=None):
    """A host that is known to the DHCP server, and off."""
    mac = f"52:54:00:00:00:{number:02x}"
    network.add_host(mac, address_of(number), rule, agent)
    return host.Host(network, f"host-{number:02x}", firmware, mac, disk)


def address_of(number):
    return f"10.77.0.{number}"


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
            cluster.assign(booted.mac, "debian/trixie/latest/serial")
            check.assertIn(command_line("trixie"), booted.boots(90))
            check.assertIn("NBP filename is snponly.efi", booted.serial())

    @scenario
    def test_with_ipxe_in_rom_on_bios_boots_what_it_was_assigned(check):
        with new_host(11, host.BIOS, lab.HTTP) as booted:
            cluster.assign(booted.mac, "debian/bookworm/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(60))

    @scenario
    def test_on_bios_boots_without_a_dhcp_rule_for_ipxe(check):
        with new_host(12, host.BIOS, lab.NONE) as booted:
            cluster.assign(booted.mac, "debian/stable/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(60))

    @scenario
    def test_with_uefi_boots_without_a_dhcp_rule_for_ipxe(check):
        with new_host(13, host.UEFI, lab.NONE) as booted:
            cluster.assign(booted.mac, "debian/bookworm/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(90))

    @scenario
    def test_that_waits_on_bios_boots_within_10_s_of_its_assignment(check):
        boots_after_its_assignment(check, 14, host.BIOS)

    @scenario
    def test_that_waits_with_uefi_boots_within_10_s_of_its_assignment(check):
        boots_after_its_assignment(check, 15, host.UEFI)

    @scenario
    def test_whose_distro_is_missing_says_so_and_boots_what_is_assigned_next(check):
        with new_host(20, host.BIOS, lab.HTTP) as booted:
            cluster.ctl("assign", booted.mac, "debian/forky/latest/serial", "--allow-missing", "--wait")
            booted.expect(r"forky[\s\S]*Asking the agent again", 60)
            cluster.assign(booted.mac, "debian/trixie/latest/serial")
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
            cluster.assign(booted.mac, "local")
            booted.expect(boot_sector.MARKER, 60, failures=None)
            check.assertIn(script_was_fetched(booted), booted.serial())

    @scenario
    def test_on_local_goes_on_to_the_next_boot_option_with_uefi(check):
        with new_host(17, host.UEFI, lab.HTTP) as booted:
            cluster.assign(booted.mac, "local")
            # With another status OVMF shows its set-up screen instead.
            booted.expect(r"BdsDxe: failed to start \w+ \"UEFI PXEv4[^\n]*\s+"
                          r">>Start HTTP Boot over IPv4", 90, failures=None)
            # So it does after an error of iPXE's: this is not one.
            check.assertIn(script_was_fetched(booted), booted.serial())

    @scenario
    def test_boots_with_the_server_stopped_and_the_agent_restarted(check):
        away = Cluster("agent-2", network, SERVER_2, lab.ADDRESS_2)
        away.start_server()
        away.start_agent("agent-2")
        away.configure()
        booted = new_host(18, host.BIOS, lab.HTTP, agent=lab.ADDRESS_2)
        away.assign(booted.mac, "debian/trixie/latest/serial")
        away.server.stop()
        away.agent.stop()
        away.start_agent("agent-2-restarted")
        with booted:
            check.assertIn(command_line("trixie"), booted.boots(60))

    @scenario
    def test_boots_by_tftp_where_http_is_filtered(check):
        number = 19
        network.drop_tcp(address_of(number), lab.HTTP_PORT)
        with new_host(number, host.BIOS, lab.TFTP) as booted:
            cluster.assign(booted.mac, "debian/bookworm/latest/serial")
            check.assertIn(command_line("bookworm"), booted.boots(120))
            # The last kernel that it asked for is the one that runs.
            kernels = re.findall(r"(\w+)://[^ ]*/vmlinuz", booted.serial())
            check.assertEqual(kernels[-1:], ["tftp"])


def script_was_fetched(booted):
    """What iPXE prints when it has the host's script, behind the URI that DHCP gave it."""
    return f"/autopxe-{booted.mac.replace(':', '')}... ok"


def stays_in_its_menu(check, number, firmware):
    with new_host(number, firmware, lab.HTTP) as booted:
        cluster.assign(booted.mac, "menu")
        booted.expect("continue with the local boot", 90)
        # Several times the time-out after which other menus go on.
        time.sleep(4)
        check.assertNotIn("Command line:", booted.serial())
        check.assertNotIn("vmlinuz", booted.serial())


def boots_after_its_assignment(check, number, firmware):
    with new_host(number, firmware, lab.HTTP) as booted:
        cluster.assign(booted.mac, "wait")
        booted.expect("(?i)waiting", 60)
        # A few rounds, so that it isn't just the first that works.
        name = "autopxe-" + booted.mac.replace(":", "")
        booted.expect(f"({loaded(name)}[\\s\\S]*){{4}}", booted.seconds + 60)
        cluster.assign(booted.mac, "debian/bookworm/latest/serial")
        assigned = booted.seconds
        # What Linux then takes is not ours. Not the "ok" behind it: the kernel can be faster than
        # SeaBIOS is with its screen on the serial port. A reset would power the host off.
        booted.expect(r"/vmlinuz[^ ]*\.\.\.", assigned + 10)
        check.assertIn(command_line("bookworm"), booted.boots(assigned + 60))


if __name__ == "__main__":
    SERVER_BINARY, AGENT_BINARY, CTL_BINARY, SAMPLE_TREE = map(os.path.realpath, sys.argv[1:])
    if lab.missing() is None and host.missing() is None and not lab.entered():
        # Inside there is no network to fetch from.
        subprocess.run([SAMPLE_TREE, "--fetch"], check=True)
        lab.enter()
    junit.main()
