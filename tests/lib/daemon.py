"""A server or an agent as a child of a test."""

import re
import subprocess
import threading

PATIENCE = 60  # Seconds; none of it is used when all is well.


class Daemon:
    """A program that says in its log where it listens."""

    def __init__(self, *command, protocols):
        self.log = []
        self.address = {}
        self._waiting = set(protocols)
        self._listening = threading.Event()
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        self._listening.wait(PATIENCE)
        if self._waiting:
            self.stop()
            raise AssertionError("it does not say where it listens:\n" + "".join(self.log))

    def _read_log(self):
        for line in self._process.stderr:
            self.log.append(line)
            found = re.search(r"event=listening protocol=(\w+) address=(\S+)", line)
            if found:
                self.address.setdefault(found[1], found[2])
                self._waiting.discard(found[1])
                if not self._waiting:
                    self._listening.set()
        self._listening.set()  # It ended.

    @property
    def pid(self):
        return self._process.pid

    def signal(self, number):
        self._process.send_signal(number)

    def stop(self):
        """Ends it with a SIGTERM, and returns its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._reader.join()
            self._process.stderr.close()
