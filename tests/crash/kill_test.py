"""The server killed under 64 concurrent assigns (faults.md 33): kill_test.py AUTOPXE_SERVER CONFIGURATION_PROTO

AUTOPXE_ROUNDS says how many times; 20 times unless set.
"""

import os
import pathlib
import random
import sys
import tempfile
import threading
import unittest

import grpc

FOLDER = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "lib")]
import junit  # noqa: E402  (found through the path above)
import program  # noqa: E402

CALLERS = 64
ROUNDS_PER_DATABASE = 20  # Each round reads all of it.


class Administrators:
    """Each assigns one host after the other until its server is gone."""

    def __init__(self, server, first):
        self.acknowledged = {}  # MAC -> the revision's number.
        self.unanswered = []  # What was asked and not answered.
        self._next = first
        self._news = threading.Condition()
        self._threads = [threading.Thread(target=self._run, args=(server,)) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _run(self, server):
        with server.connect() as channel:
            while True:
                with self._news:
                    mac = program.mac(self._next)
                    self._next += 1
                request = configuration.AssignHostsRequest(hosts=[mac], distro="local")
                request.options.request_id = f"request-{mac}"
                try:
                    response = program.call(channel, "ConfigurationService/AssignHosts", request,
                                            configuration.ApplyResponse)
                except grpc.RpcError:
                    with self._news:
                        self.unanswered.append(request)
                    return
                with self._news:
                    self.acknowledged[mac] = response.revision.id.number
                    self._news.notify_all()

    def wait_for(self, count):
        with self._news:
            if not self._news.wait_for(lambda: len(self.acknowledged) >= count, program.PATIENCE):
                raise AssertionError(f"{len(self.acknowledged)} of {count} assigns were answered")

    def join(self):
        for thread in self._threads:
            thread.join()


class KillTest(unittest.TestCase):
    def check(self, channel, acknowledged):
        """Every host that was acknowledged is there; each revision made one: no gap and no repeat."""
        hosts = program.list_hosts(channel, configuration)
        etags = {name: host.etag for name, host in hosts.items()}
        for mac, number in acknowledged.items():
            self.assertEqual(etags.get(mac), number, mac)
        self.assertEqual(sorted(etags.values()), list(range(1, len(etags) + 1)))

    def run_rounds(self, rounds, chance):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
            database = os.path.join(folder, "autopxe.db")
            acknowledged = {}
            unanswered = []
            for round_number in range(rounds):
                with program.Program(SERVER, database) as server:
                    with server.connect() as channel:
                        self.check(channel, acknowledged)
                        # What was asked again, with its request id, was made once.
                        for request in unanswered:
                            response = program.call(channel, "ConfigurationService/AssignHosts", request,
                                                    configuration.ApplyResponse)
                            acknowledged[request.hosts[0]] = response.revision.id.number
                        self.check(channel, acknowledged)
                    administrators = Administrators(server, 1 + round_number * 1_000_000)
                    administrators.wait_for(chance.randrange(1, 300))
                    server.kill()
                    administrators.join()
                    self.assertEqual(len(administrators.unanswered), CALLERS)
                    acknowledged.update(administrators.acknowledged)
                    unanswered = administrators.unanswered
            with program.Program(SERVER, database) as server, server.connect() as channel:
                self.check(channel, acknowledged)

    def test_every_acknowledged_assign_survives_a_kill(self):
        left = int(os.environ.get("AUTOPXE_ROUNDS", "20"))
        chance = random.Random(33)
        while left > 0:
            self.run_rounds(min(left, ROUNDS_PER_DATABASE), chance)
            left -= ROUNDS_PER_DATABASE


if __name__ == "__main__":
    SERVER = os.path.abspath(sys.argv[1])
    configuration, _ = program.load_messages(sys.argv[2])
    del sys.argv[1:]
    junit.main()
