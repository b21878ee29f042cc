"""The server on a disk that fills up, goes read-only or is locked (faults.md 35), and on one that another server
has: disk_test.py AUTOPXE_SERVER AUTOPXECTL CONFIGURATION_PROTO

The disk is a small tmpfs in a mount namespace of the test's own.
"""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

import grpc

FOLDER = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "lib")]
import junit  # noqa: E402  (found through the path above)
import program  # noqa: E402

_ENTERED = "AUTOPXE_DISK_TEST"
REFUSED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


def enter():
    """Runs this script again in a mount namespace of its own, if there can be one."""
    if _ENTERED in os.environ:
        return
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode:
        return
    os.execvpe(unshare[0], [*unshare, *sys.orig_argv], {**os.environ, _ENTERED: "1"})


class DiskTest(unittest.TestCase):
    def setUp(self):
        if _ENTERED not in os.environ:
            self.skipTest("no private mount namespace here")
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.disk = folder.name + "/disk"
        os.mkdir(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.database = self.disk + "/autopxe.db"

    def start(self):
        server = program.Program(SERVER, self.database)
        self.addCleanup(server.kill)
        channel = server.connect()
        self.addCleanup(channel.close)
        return server, channel

    def fill(self):
        with open(self.disk + "/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        self.assertEqual(shutil.disk_usage(self.disk).free, 0)

    def assign(self, channel, number):
        request = configuration.AssignHostsRequest(hosts=[program.mac(number)], distro="local")
        response = program.call(channel, "ConfigurationService/AssignHosts", request, configuration.ApplyResponse)
        return response.revision.id.number

    def assign_until_refused(self, channel, first):
        """What the log has room for left over is used up; the number of the host that was refused, and why."""
        for number in range(first, first + 10_000):
            try:
                self.assign(channel, number)
            except grpc.RpcError as error:
                return number, error
        raise AssertionError("the disk is never full")

    def watch(self, channel):
        """The responses of a watch that lasts until the channel is closed."""
        request = agent.WatchConfigurationRequest(agent_id="disk", instance="1")
        return channel.unary_stream("/autopxe.v1.AgentService/WatchConfiguration",
                                    request_serializer=agent.WatchConfigurationRequest.SerializeToString,
                                    response_deserializer=agent.WatchConfigurationResponse.FromString)(request)

    def names(self, channel):
        return set(program.list_hosts(channel, configuration))

    def test_a_full_disk_refuses_writes_and_nothing_else(self):
        server, channel = self.start()
        for number in range(5):
            self.assign(channel, number)
        watch = self.watch(channel)
        next(watch)
        self.fill()
        refused, error = self.assign_until_refused(channel, 5)
        self.assertIn(error.code(), REFUSED)
        self.assertRegex(error.details(), "full")
        acknowledged = {program.mac(number) for number in range(refused)}
        # Many at once: the server tries anew with each, and finds room left for some by moving its log.
        outcomes = []

        def assign_one(number):
            try:
                outcomes.append((number, self.assign(channel, number)))
            except grpc.RpcError as failure:
                outcomes.append((number, failure.code()))

        callers = [threading.Thread(target=assign_one, args=(100_000 + number,)) for number in range(64)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.assertEqual(len(outcomes), 64)
        revisions = {number: outcome for number, outcome in outcomes if isinstance(outcome, int)}
        self.assertEqual({outcome for number, outcome in outcomes if number not in revisions} - set(REFUSED), set())
        acknowledged |= {program.mac(number) for number in revisions}
        last = len(acknowledged)
        self.assertEqual(sorted(revisions.values()), list(range(refused + 1, last + 1)))
        # Reads go on, of those who are there and of those who come.
        self.assertEqual(self.names(channel), acknowledged)
        fresh = self.watch(channel)
        self.assertTrue(next(fresh).HasField("snapshot"))
        fresh.cancel()
        os.unlink(self.disk + "/filler")
        # The next revision follows the last that was acknowledged, and reaches the watch.
        self.assertEqual(self.assign(channel, refused), last + 1)
        while True:
            response = next(watch)
            if response.HasField("change") and response.change.revision.id.number == last + 1:
                break
        self.assertTrue(server.lines("event=database-failed"))
        self.assertTrue(server.lines("event=database-recovered"))
        acknowledged.add(program.mac(refused))
        self.assertEqual(self.names(channel), acknowledged)
        server.kill()
        server, channel = self.start()
        self.assertEqual(self.names(channel), acknowledged)

    def test_what_was_acknowledged_on_a_disk_that_is_full_survives_a_kill(self):
        server, channel = self.start()
        self.fill()
        refused, _ = self.assign_until_refused(channel, 0)
        server.kill()
        os.unlink(self.disk + "/filler")
        server, channel = self.start()
        self.assertEqual(self.names(channel), {program.mac(number) for number in range(refused)})

    def test_a_backup_that_has_no_room_is_refused_and_leaves_nothing(self):
        server, channel = self.start()
        self.assign(channel, 1)
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([CTL, "--server", server.address["grpc"], "backup", folder + "/copy.db"],
                                  capture_output=True, text=True, timeout=program.PATIENCE, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, r"\Aautopxectl: [^\n]*make room there\n\Z")
            self.assertEqual(os.listdir(folder), [])
        self.assertNotIn("autopxe.db.backup", os.listdir(self.disk))
        self.assertEqual(self.assign(channel, 2), 2)

    def test_a_disk_that_is_read_only_is_refused_at_the_start_and_not_touched(self):
        server, channel = self.start()
        self.assign(channel, 1)
        server.kill()
        subprocess.run(["mount", "-o", "remount,ro", self.disk], check=True)
        refused = self.refuse_to_start()
        self.assertIn("Read-only file system", refused)
        subprocess.run(["mount", "-o", "remount,rw", self.disk], check=True)
        server, channel = self.start()
        self.assertEqual(self.names(channel), {program.mac(1)})

    def test_a_disk_that_turns_read_only_refuses_writes_and_nothing_else(self):
        """As ext4 does by itself after an error (errors=remount-ro). By hand it can't be done under a server: the
        kernel finds it busy while a file is open for writing."""
        image = os.path.dirname(self.disk) + "/image"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", image], capture_output=True, check=False)
        mounted = subprocess.run(["mount", "-o", "loop", image, self.disk], capture_output=True, check=False)
        if made.returncode or mounted.returncode:
            self.skipTest("no loop devices here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        server, channel = self.start()
        self.assign(channel, 1)
        self.assertNotEqual(
            subprocess.run(["mount", "-o", "remount,ro", self.disk], capture_output=True, check=False).returncode, 0)
        self.assertEqual(self.assign(channel, 2), 2)
        watch = self.watch(channel)
        next(watch)
        subprocess.run(["mount", "-o", "remount,abort", self.disk], check=True)
        for _ in range(3):
            with self.assertRaises(grpc.RpcError) as raised:
                self.assign(channel, 3)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertRegex(raised.exception.details(), "read-only: see dmesg for the reason, repair it")
        acknowledged = {program.mac(1), program.mac(2)}
        self.assertEqual(self.names(channel), acknowledged)
        fresh = self.watch(channel)
        self.assertTrue(next(fresh).HasField("snapshot"))
        fresh.cancel()
        self.assertTrue(server.lines("event=database-failed"))
        self.assertEqual(server.stop(), 0)
        subprocess.run(["umount", self.disk], check=True)
        self.assertIn(subprocess.run(["fsck.ext4", "-p", "-f", image], capture_output=True, check=False).returncode,
                      (0, 1))
        subprocess.run(["mount", "-o", "loop", image, self.disk], check=True)
        server, channel = self.start()
        self.assertEqual(self.names(channel), acknowledged)
        self.assertEqual(self.assign(channel, 3), 3)

    def refuse_to_start(self):
        done = subprocess.run([SERVER, "--listen", "127.0.0.1:0", "--log-level", "error", "--database", self.database],
                              capture_output=True, text=True, timeout=program.PATIENCE, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"\Aautopxe-server: [^\n]*autopxe\.db[^\n]*\n\Z")
        return done.stderr

    def test_a_second_server_is_refused_with_the_reason(self):
        _, channel = self.start()
        self.assertRegex(self.refuse_to_start(), r"held by process \d+; stop that first")
        self.assertEqual(self.assign(channel, 1), 1)

    def test_a_database_that_another_process_locks_refuses_writes_until_it_is_free(self):
        _, channel = self.start()
        self.assign(channel, 1)
        other = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        with self.assertRaises(grpc.RpcError) as raised:
            self.assign(channel, 2)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("locked", raised.exception.details())
        self.assertEqual(self.names(channel), {program.mac(1)})
        other.execute("ROLLBACK")
        self.assertEqual(self.assign(channel, 2), 2)

    def test_a_damaged_database_is_refused_and_not_touched(self):
        server, channel = self.start()
        for number in range(20):
            self.assign(channel, number)
        self.assertEqual(server.stop(), 0)
        with open(self.database, "r+b") as database:
            database.truncate(os.path.getsize(self.database) - 5000)
        before = pathlib.Path(self.database).read_bytes()
        self.assertIn("restore a backup", self.refuse_to_start())
        self.assertEqual(pathlib.Path(self.database).read_bytes(), before)


if __name__ == "__main__":
    enter()
    SERVER, CTL = (os.path.abspath(path) for path in sys.argv[1:3])
    configuration, agent = program.load_messages(sys.argv[3])
    del sys.argv[1:]
    junit.main()
