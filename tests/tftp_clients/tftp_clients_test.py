"""Clients that people really have, each against autopxe-agent: tftp_clients_test.py AUTOPXE_AGENT"""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
import junit  # noqa: E402  (found through the path above)

KERNEL = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"
INITRD = "boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64"
MENU = "autopxe-525400123456"

# More than 65,535 blocks of 512 bytes, and not a whole number of them: the block number wraps.
INITRD_BYTES = 512 * 65600 + 77

PATIENCE = 120  # Seconds; none of it is used when all is well.


class Agent:
    """An agent whose server is away, over a small tree. A context: its end is a SIGTERM, which must end well."""

    def __init__(self, binary, folder):
        self._binary = binary
        self._folder = pathlib.Path(folder)
        self.port = None
        self.files = {}  # Path as it is asked for -> bytes.
        self.secret = self._folder / "rootfs/debian/bookworm/etc/shadow"

    def _write(self, path, content, asked=None):
        path = self._folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (0, 0))  # Installed long ago, and not just being written.
        if asked is not None:
            self.files[asked] = content

    def __enter__(self):
        source = random.Random(1)
        release = "rootfs/debian/bookworm/"
        self._write(release + KERNEL.removeprefix("boot/debian/bookworm/"), source.randbytes(3_000_001), KERNEL)
        self._write(release + INITRD.removeprefix("boot/debian/bookworm/"), source.randbytes(INITRD_BYTES), INITRD)
        # A whole number of blocks of 512 bytes, with both bytes that netascii changes.
        self._write("loaders/ipxe.efi", b"\r\n\r\r\n\nMZ" * 64 * 100, "ipxe.efi")
        self._write(self.secret.relative_to(self._folder), b"root:secret\n")
        (self._folder / "state").mkdir()
        self._process = subprocess.Popen(
            [self._binary, "--id", "a1", "--server", "127.0.0.1:1",
             "--rootfs", str(self._folder / "rootfs"), "--loaders", str(self._folder / "loaders"),
             "--state", str(self._folder / "state"),
             "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.log = []
        listening = threading.Event()
        self._reader = threading.Thread(target=self._read_log, args=(listening,))
        self._reader.start()
        listening.wait(PATIENCE)
        if self.port is None:
            self.__exit__(None, None, None)
            raise AssertionError("the agent does not say where it listens:\n" + "".join(self.log))
        return self

    def _read_log(self, listening):
        for line in self._process.stdout:
            self.log.append(line)
            found = re.search(r"event=listening protocol=tftp address=127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                listening.set()
        listening.set()  # It ended.

    def __exit__(self, kind, value, traceback):
        self._process.terminate()
        try:
            self.exit_status = self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._reader.join()
            self._process.stdout.close()


class Clients(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._folder.cleanup)
        cls.agent = Agent(AGENT, cls._folder.name)
        cls.agent.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.agent.__exit__(None, None, None)
        if cls.agent.exit_status != 0:
            raise AssertionError(f"the agent ended with {cls.agent.exit_status}:\n" + "".join(cls.agent.log[-20:]))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.got = pathlib.Path(folder.name) / "got"

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f"there is no {program} in PATH")

    def run_client(self, command):
        """What the client printed, and whether it thinks that it succeeded."""
        self.got.unlink(missing_ok=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
        return done.stdout.decode(errors="replace"), done.returncode == 0

    def expect_file(self, command, path):
        output, _ = self.run_client(command)
        self.assertTrue(self.got.exists(), output)
        # Not assertEqual: nobody wants to read the difference.
        self.assertTrue(self.got.read_bytes() == self.agent.files[path],
                        f"{command}: {self.got.stat().st_size} bytes, and not those of {path}\n{output}")

    def expect_script(self, command):
        output, _ = self.run_client(command)
        self.assertTrue(self.got.exists(), output)
        self.assertEqual(self.got.read_bytes()[:7], b"#!ipxe\n")

    def expect_refusal(self, command, says):
        output, _ = self.run_client(command)
        self.assertRegex(output, says)
        self.assertFalse(self.got.exists() and self.got.read_bytes(), "something came all the same")

    def expect_no_write(self, command, says):
        source = self.got.parent / "source"
        source.write_bytes(b"written\n" * 1000)
        output, _ = self.run_client(command(str(source)))
        self.assertRegex(output, says)

    def test_curl(self):
        self.need("curl")

        def get(path, *options):
            return ["curl", "-sS", "--path-as-is", "--output", str(self.got), *options,
                    f"tftp://127.0.0.1:{self.agent.port}/{path}"]

        self.expect_file(get(KERNEL), KERNEL)
        self.expect_file(get(KERNEL, "--tftp-blksize", "1468"), KERNEL)
        self.expect_file(get(KERNEL, "--tftp-blksize", "65464"), KERNEL)
        self.expect_file(get(KERNEL, "--tftp-no-options"), KERNEL)
        self.expect_file(get(INITRD), INITRD)
        self.expect_file(get("ipxe.efi"), "ipxe.efi")
        self.expect_script(get(MENU))
        # By number: 68 is "not found", 69 "access violation". Its text is about something else when the first packet is an ERROR.
        self.expect_refusal(get("missing"), r"\(68\)")
        self.expect_refusal(get("boot/debian/bookworm/etc/shadow"), r"\(68\)")
        self.expect_refusal(get("boot/debian/bookworm/boot/../etc/shadow"), r"\(6[89]\)")
        self.expect_no_write(
            lambda source: ["curl", "-sS", "--upload-file", source, f"tftp://127.0.0.1:{self.agent.port}/new"],
            r"\(69\)")

    def test_tftp_hpa(self):
        self.need("tftp")

        def get(path, mode="octet"):
            return ["tftp", "-m", mode, "127.0.0.1", str(self.agent.port), "-c", "get", path, str(self.got)]

        self.expect_file(get(KERNEL), KERNEL)
        self.expect_file(get(INITRD), INITRD)
        self.expect_file(get("ipxe.efi"), "ipxe.efi")
        # Its own choice when it is not told: the line ends are changed on the way and back.
        self.expect_file(get("ipxe.efi", "netascii"), "ipxe.efi")
        self.expect_script(get(MENU, "netascii"))
        self.expect_refusal(get("missing"), "Error code 1")
        self.expect_refusal(get("../../etc/passwd"), "Error code [12]")
        self.expect_no_write(
            lambda source: ["tftp", "-m", "octet", "127.0.0.1", str(self.agent.port), "-c", "put", source, "new"],
            "Error code 2")

    def test_atftp(self):
        self.need("atftp")

        def get(path, *options):
            command = ["atftp"]
            for option in options:
                command += ["--option", option]
            return command + ["--get", "-r", path, "-l", str(self.got), "127.0.0.1", str(self.agent.port)]

        self.expect_file(get(KERNEL), KERNEL)
        self.expect_file(get(KERNEL, "blksize 1468", "tsize 0", "timeout 1"), KERNEL)
        self.expect_file(get(KERNEL, "blksize 1468", "windowsize 8"), KERNEL)
        self.expect_file(get(KERNEL, "blksize 8192", "windowsize 64"), KERNEL)
        self.expect_file(get(INITRD), INITRD)
        self.expect_file(get(INITRD, "windowsize 64"), INITRD)
        self.expect_file(get("ipxe.efi", "mode netascii"), "ipxe.efi")
        self.expect_script(get(MENU))
        self.expect_refusal(get("missing"), "(?i)no such file|not found|code 1|error")
        self.expect_no_write(
            lambda source: ["atftp", "--put", "-l", source, "-r", "new", "127.0.0.1", str(self.agent.port)],
            "(?i)takes no files|access|error")

    def test_busybox(self):
        self.need("busybox")
        if "tftp" not in subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
            self.skipTest("this busybox has no tftp")

        def get(path, *options):
            return ["busybox", "tftp", "-g", *options, "-r", path, "-l", str(self.got), "127.0.0.1",
                    str(self.agent.port)]

        self.expect_file(get(KERNEL), KERNEL)
        self.expect_file(get(KERNEL, "-b", "1468"), KERNEL)
        self.expect_file(get(INITRD), INITRD)
        self.expect_file(get("ipxe.efi"), "ipxe.efi")
        self.expect_script(get(MENU))
        self.expect_refusal(get("missing"), "(?i)server error: \\(1\\)")
        self.expect_refusal(get("boot/../../etc/passwd"), "(?i)server error: \\([12]\\)")
        self.expect_no_write(
            lambda source: ["busybox", "tftp", "-p", "-l", source, "-r", "new", "127.0.0.1", str(self.agent.port)],
            "(?i)server error: \\(2\\)")


if __name__ == "__main__":
    AGENT = sys.argv.pop(1)
    junit.main()
