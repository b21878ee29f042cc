"""A bad wire: an IP link between two network namespaces that loses, repeats, delays and swaps packets, always the
same ones for one seed.

    wire.py --number N --far-namespace NAME [--loss P] [--duplicate P] [--reorder P] [--delay-ms D] [--seed S]

Its near end, in the namespace that it is started in, has the address near_address(N), its far end far_address(N). Prints
"ready" when both are up, and at SIGTERM what it did to how many packets, as JSON.
"""

import argparse
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_PACKET = 65536
_AT_ONCE = 64
_HELD_BACK = (0.002, 0.020)  # Seconds that a packet is late by which others overtake.


def near_address(number):
    return f"10.79.{number}.1"


def far_address(number):
    return f"10.79.{number}.2"


class Fate:
    """What becomes of each packet of one direction: of the n-th one always the same, whatever the others do."""

    def __init__(self, seed, loss=0.0, duplicate=0.0, reorder=0.0, delay=0.0):
        self._random = random.Random(seed)
        self._loss, self._duplicate, self._reorder, self._delay = loss, duplicate, reorder, delay
        self.counts = {"packets": 0, "lost": 0, "duplicated": 0, "held_back": 0}

    def next(self):
        """The delays, in seconds, after which the next packet arrives: none if it is lost, two if it is repeated."""
        lost, duplicated, held_back, late = (self._random.random() for _ in range(4))
        self.counts["packets"] += 1
        if lost < self._loss:
            self.counts["lost"] += 1
            return []
        delays = [self._delay]
        if held_back < self._reorder:
            self.counts["held_back"] += 1
            delays[0] += _HELD_BACK[0] + late * (_HELD_BACK[1] - _HELD_BACK[0])
        if duplicated < self._duplicate:
            self.counts["duplicated"] += 1
            delays.append(self._delay + late * _HELD_BACK[0])
        return delays


def open_tun(name, address, bits=30):
    """An end of a wire in the current namespace: what is sent to others of the address's network is read from it."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    subprocess.run(["ip", "address", "add", f"{address}/{bits}", "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return tun


def _enter_namespace(name):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{name}", "rb") as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"can't enter the network namespace {name}")


class _Ended(Exception):
    pass


def _forward(ends, fates):
    """Carries packets between the two until a signal ends it."""
    due = []  # (when, a number that keeps the order, where to, the packet)
    number = 0
    others = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        timeout = max(0.0, due[0][0] - time.monotonic()) if due else None
        for end in select.select(ends, [], [], timeout)[0]:
            for _ in range(_AT_ONCE):
                try:
                    packet = os.read(end, _PACKET)
                except BlockingIOError:
                    break
                now = time.monotonic()
                for delay in fates[end].next():
                    number += 1
                    heapq.heappush(due, (now + delay, number, others[end], packet))
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, end, packet = heapq.heappop(due)
            try:
                os.write(end, packet)
            except OSError:
                pass  # Its queue is full: one more that is lost.


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--far-namespace", required=True)
    for share in ("--loss", "--duplicate", "--reorder"):
        parser.add_argument(share, type=float, default=0.0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()

    def end(*_):
        raise _Ended

    signal.signal(signal.SIGTERM, end)
    near = open_tun(f"wire{options.number}", near_address(options.number))
    _enter_namespace(options.far_namespace)
    far = open_tun(f"wire{options.number}", far_address(options.number))
    fates = {descriptor: Fate(f"{options.seed}-{options.number}-{direction}", options.loss, options.duplicate, options.reorder,
                              options.delay_ms / 1000)
             for descriptor, direction in ((near, "out"), (far, "in"))}
    print("ready", flush=True)
    try:
        _forward([near, far], fates)
    except _Ended:
        total = {key: sum(fate.counts[key] for fate in fates.values()) for key in fates[near].counts}
        print(json.dumps(total), flush=True)


if __name__ == "__main__":
    sys.exit(main())
