"""A host in QEMU: its firmware does the asking, its serial port says what came of it."""

import os
import re
import shutil
import time

BIOS = "bios"  # SeaBIOS with iPXE in the network card's ROM
UEFI = "uefi"  # OVMF with its own PXE, which has to load an iPXE first

OVMF = "/usr/share/ovmf/OVMF.fd"

# What /init of tools/sample_tree.sh prints, and after it the kernel's command line.
MARKER = "AUTOPXE-BOOTED "

# After these nothing good comes any more.
_FAILURES = re.compile(
    r"No bootable device|Nothing to boot|No more network devices|PXE-E\d+|BdsDxe: failed|"
    r"Shell>|Kernel panic")
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>]|\([AB0])")


class BootFailed(AssertionError):
    """The host did not get where it should; the message holds the end of its serial log."""


def missing():
    """Why no host can be started here, or None."""
    if shutil.which("qemu-system-x86_64") is None:
        return "there is no qemu-system-x86_64 in PATH"
    if not os.path.exists(OVMF):
        return f"there is no {OVMF}"
    return None


class Host:
    """One host in a subnet. A context: its end pulls the plug."""

    def __init__(self, subnet, name, firmware, mac, disk=None, uuid=None, memory=256):
        """memory: MiB."""
        self.subnet = subnet
        self.name = name
        self.firmware = firmware
        self.mac = mac
        self.disk = disk
        self.uuid = uuid or "aaaaaaaa-0000-4000-8000-" + mac.replace(":", "")
        self.memory = memory
        self._serial = subnet.lab.path("logs", name + ".serial")
        self._qemu = None
        self._started = None

    def __enter__(self):
        # /dev/kvm can exist and open where guests die in it: always emulate.
        command = ["qemu-system-x86_64", "-accel", "tcg", "-m", str(self.memory), "-nodefaults",
                   "-display", "none", "-monitor", "none", "-no-reboot", "-uuid", self.uuid,
                   "-serial", "file:" + self._serial,
                   "-netdev", f"tap,id=net,ifname={self.subnet.add_tap()},script=no,downscript=no"]
        card = f"virtio-net-pci,netdev=net,mac={self.mac},bootindex=1"
        if self.firmware == UEFI:
            # Without its ROM: the card's iPXE would take the place of the firmware's own PXE.
            command += ["-machine", "q35", "-bios", OVMF, "-device", card + ",romfile=",
                        # Nobody serves it here, and OVMF tries for a minute.
                        "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]
        else:
            # graphics=off puts the BIOS screen, iPXE's too, on the serial port.
            command += ["-machine", "q35,graphics=off", "-device", card]
        if self.disk:
            command += ["-drive", f"if=none,id=disk,format=raw,{self.disk}",
                        "-device", "virtio-blk-pci,drive=disk,bootindex=2"]
        self._started = time.monotonic()
        self._qemu = self.subnet.start(self.name, command)
        return self

    def __exit__(self, *_):
        self._qemu.stop()

    @property
    def seconds(self):
        """Since power on."""
        return time.monotonic() - self._started

    def serial(self):
        """What the serial port printed, without escape sequences. What iPXE erases, such as the
        progress of a load, is still there."""
        try:
            with open(self._serial, "rb") as log:
                text = log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return _ANSI.sub("", text).replace("\r", "").replace("\b", "")

    def expect(self, pattern, seconds, failures=_FAILURES):
        """Waits until the serial port has printed a match, and returns it.

        Raises BootFailed when it prints that booting failed, when the host is off, and when the
        time since power on is over.
        """
        pattern = re.compile(pattern)
        while True:
            off = self._qemu.wait(0.1) is not None
            text = self.serial()
            found = pattern.search(text)
            if found:
                return found
            failed = failures and failures.search(text)
            if failed:
                reason = f"it printed {failed.group()!r}"
            elif off:
                reason = "it went off"
            elif self.seconds > seconds:
                reason = f"{seconds} s are over"
            else:
                continue
            raise BootFailed(
                f"{self.name} waited for {pattern.pattern!r} in vain: {reason}. "
                f"The end of its serial log:\n{text[-3000:]}\n{self._qemu.output()}")

    def boots(self, seconds):
        """Waits until the sample tree's kernel runs, and returns its command line."""
        return self.expect(MARKER + r"(.*)\n", seconds).group(1)
