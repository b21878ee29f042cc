"""Requests by TFTP from addresses that nobody has, which are never acknowledged:

    flood.py --number N --port PORT --path PATH --requests COUNT

They come to near_address(N) of the namespace that it is started in, as from others on a wire, and as fast as they are answered:
what is sent faster is lost before a server sees it. Prints "sent" when all have been sent; and once nothing has come back for a while,
what came, as JSON.
"""

import argparse
import collections
import json
import os
import select
import struct
import subprocess
import sys
import time

import wire

_UDP = 17
_AHEAD = 200  # Requests that are not answered yet.
_SILENCE = 10  # Seconds: longer than between two repetitions of a first packet.
_ADDRESSES = 200


def _packet(source, source_port, destination, port, payload):
    """A UDP datagram over IPv4, without a checksum for the datagram (RFC 768)."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, _UDP, 0, source, destination)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:]
    return head + struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload


class _Answers:
    def __init__(self, tun):
        self._tun = tun
        self.by_asker = collections.Counter()  # Address and port -> packets that came back.
        self.octets = 0
        self.last = time.monotonic()  # That something came.

    def read(self):
        while select.select([self._tun], [], [], 0)[0]:
            packet = os.read(self._tun, 65536)
            if packet[0] >> 4 != 4 or packet[9] != _UDP:
                continue  # The kernel's own: it looks for IPv6 routers.
            self.last = time.monotonic()
            self.octets += len(packet) - 28
            self.by_asker[packet[16:20] + packet[22:24]] += 1


def main():
    parser = argparse.ArgumentParser()
    for number in ("--number", "--port", "--requests"):
        parser.add_argument(number, type=int, required=True)
    parser.add_argument("--path", required=True)
    options = parser.parse_args()
    tun = wire.open_tun("forged", wire.near_address(options.number), bits=24)
    # All that is sent to those addresses is to be seen, however slowly it is read here.
    subprocess.run(["ip", "link", "set", "forged", "txqueuelen", "100000"], check=True)
    near = bytes(map(int, wire.near_address(options.number).split(".")))
    request = b"\0\1" + options.path.encode() + b"\0octet\0blksize\x001432\0windowsize\x0016\0tsize\x000\0"
    answers = _Answers(tun)
    lost = 0
    for number in range(options.requests):
        source = near[:3] + bytes([4 + number % _ADDRESSES])
        os.write(tun, _packet(source, 1024 + number // _ADDRESSES, near, options.port, request))
        answers.read()
        while number - lost - len(answers.by_asker) > _AHEAD:
            if not select.select([tun], [], [], 1)[0]:
                lost = number - len(answers.by_asker)
            answers.read()
    print("sent", flush=True)
    while time.monotonic() < answers.last + _SILENCE:
        select.select([tun], [], [], 1)
        answers.read()
    print(json.dumps({"asked_octets": options.requests * len(request), "lost": lost, "askers": len(answers.by_asker),
                      "answers": sum(answers.by_asker.values()), "most": max(answers.by_asker.values(), default=0),
                      "octets": answers.octets}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
