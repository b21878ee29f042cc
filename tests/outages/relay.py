"""A wire between an agent and its server that can go dead without anybody being told."""

import selectors
import socket
import threading


class Relay:
    """Forwards TCP connections to `target`, "host:port", on a thread of its own, until it is closed."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._waker, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._peers = {}  # Each end of what is forwarded -> its other end.
        self._lost = []  # Open, and nobody reads them.
        self._commands = []
        self._dead = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def die(self):
        """Nothing goes through any more, and no connection is closed: what is there is half open at both ends."""
        self._tell("die")

    def revive(self):
        """New connections go through; those of before stay dead, as behind a router that forgot them."""
        self._tell("revive")

    def close(self):
        self._tell("end")
        self._thread.join()
        for connection in [self._listener, self._waker, self._woken, *self._peers, *self._lost]:
            connection.close()
        self._selector.close()

    def _tell(self, command):
        self._commands.append(command)
        self._waker.send(b"!")

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    self._woken.recv(1)
                    command = self._commands.pop(0)
                    if command == "end":
                        return
                    self._dead = command == "die"
                    if self._dead:
                        for connection in self._peers:
                            self._selector.unregister(connection)
                        self._lost += self._peers
                        self._peers = {}
                        break  # What else was ready is of the dead.
                elif key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._peers:
                    self._forward(key.fileobj)

    def _accept(self):
        near, _ = self._listener.accept()
        if self._dead:
            self._lost.append(near)
            return
        try:
            far = socket.create_connection(self._target)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, connection):
        other = self._peers[connection]
        try:
            read = connection.recv(1 << 16)
            if read:
                other.sendall(read)
                return
        except OSError:
            pass
        for one in (connection, other):
            del self._peers[one]
            self._selector.unregister(one)
            one.close()
