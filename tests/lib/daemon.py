"""A server or an agent as a child of a test."""

import collections
import fcntl
import os
import re
import subprocess
import threading
import time

PATIENCE = 60  # Seconds; none of it is used when all is well.


class Daemon:
    """A program that says in its log where it listens."""

    def __init__(self, *command, protocols, environment=None):
        self.log = collections.deque(maxlen=10_000)  # Its last lines: some tests last for hours.
        self.address = {}
        self._waiting = set(protocols)
        self._news = threading.Condition()
        self._ended = False
        self._reading = threading.Event()
        self._reading.set()
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        with self._news:
            self._news.wait_for(lambda: not self._waiting or self._ended, PATIENCE)
        if self._waiting:
            self.stop()
            raise AssertionError("it does not say where it listens:\n" + "".join(self.log))

    def _read_log(self):
        for line in self._process.stderr:
            self._reading.wait()
            found = re.search(r"event=listening protocol=(\w+) address=(\S+)", line)
            with self._news:
                self.log.append(line)
                if found:
                    self.address.setdefault(found[1], found[2])
                    self._waiting.discard(found[1])
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def pid(self):
        return self._process.pid

    def _matches(self, pattern):
        return [found for found in (re.search(pattern, line) for line in self.log) if found]

    def lines(self, pattern):
        """The matches of the log's lines so far."""
        with self._news:
            return self._matches(pattern)

    def wait_for(self, pattern, patience=PATIENCE, count=1):
        """The last of `count` lines of the log that match; an error if they do not come."""
        with self._news:
            self._news.wait_for(lambda: len(self._matches(pattern)) >= count or self._ended, patience)
            found = self._matches(pattern)
            if len(found) < count:
                raise AssertionError(f"no line {pattern!r} within {patience} s:\n" + "".join(self.log))
            return found[count - 1]

    def stop_reading(self):
        """From now on nobody reads its log, and the pipe, which is made small, fills."""
        fcntl.fcntl(self._process.stderr, fcntl.F_SETPIPE_SZ, 4096)
        self._reading.clear()

    def read_on(self):
        self._reading.set()

    def is_running(self):
        return self._process.poll() is None

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        """SIGKILL: it gets no chance to tidy up."""
        self._process.kill()
        self._process.wait(PATIENCE)
        self._join()

    def stop(self):
        """SIGTERM, which must end well: its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._join()

    def _join(self):
        self.read_on()
        self._reader.join()
        self._process.stderr.close()


def until(condition, what, patience=PATIENCE):
    """The first true answer; `condition` is asked again and again and is to take some time itself."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {patience} s")
