#!/usr/bin/python3
"""Writes the first inputs of the fuzz targets: tests/fuzz/make_corpus.py FOLDER

FOLDER holds captures (pcap) of firmware that boots: from them come TFTP's packets, the paths that are asked for and
the lines of HTTP requests. What no firmware sends is written below. Files that are there stay: a finding of a fuzzer
goes beside them, so that every run of the tests tries it again.
"""

import hashlib
import pathlib
import struct
import sys

CORPUS = pathlib.Path(__file__).parent / "corpus"


def packets(capture):
    """(protocol, source, destination, payload) of each IPv4 packet of UDP or TCP."""
    magic, = struct.unpack_from("<I", capture)
    assert magic == 0xA1B2C3D4, "expected a pcap file of this byte order"
    at = 24
    while at < len(capture):
        length, = struct.unpack_from("<I", capture, at + 8)
        frame = capture[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00":
            continue
        ip = frame[14:14 + struct.unpack_from(">H", frame, 16)[0]]
        rest = ip[4 * (ip[0] & 15):]
        if len(rest) < 8 or ip[9] not in (6, 17):
            continue
        ports = struct.unpack_from(">HH", rest)
        payload = rest[8:] if ip[9] == 17 else rest[4 * (rest[12] >> 4):]
        yield "udp" if ip[9] == 17 else "tcp", (ip[12:16], ports[0]), (ip[16:20], ports[1]), payload


class Corpus:
    def __init__(self):
        self.written = 0

    def add(self, target, content):
        """Inputs are named by what is in them: the same one is written once."""
        if isinstance(content, str):
            content = content.encode("latin-1")
        path = CORPUS / target / hashlib.sha256(content).hexdigest()[:16]
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(content)
            self.written += 1

    def add_path(self, path, query=""):
        self.add("requested_path", path)
        for how in "\x00\x03\x05":
            self.add("path_resolver", how + path + ("?" + query if query and how != "\x00" else ""))
        self.add("request_target", "/" + path + ("?" + query if query else ""))

    def add_capture(self, capture):
        clients = set()
        kinds = {}
        for protocol, source, destination, payload in packets(capture):
            if protocol == "tcp":
                words = payload.split(b"\r\n")[0].split(b" ")
                if len(words) == 3 and words[0] in (b"GET", b"HEAD"):
                    self.add("request_target", words[1])
                    path, _, query = words[1].decode().lstrip("/").partition("?")
                    self.add_path(path, query)
                continue
            if destination[1] == 69:
                clients.add(source)
                self.add("tftp_packet", payload)
                self.add_path(payload[2:].split(b"\0")[0].decode())
            elif source in clients or destination in clients:
                # Of data and its acknowledgements a few say all.
                kind = payload[:2]
                kinds[kind] = kinds.get(kind, 0) + 1
                if kinds[kind] > (1 if kind == b"\0\3" else 3):
                    continue
                self.add("tftp_packet", payload)
                if kind == b"\0\3":
                    self.add("netascii", payload[4:260])
                    if payload[4:6] == b"MZ":
                        self.add("kernel_image", payload[4:])


def field(number, value):
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def snapshot_parts():
    """autopxe.v1.SnapshotPart twice, each behind its length."""
    revision = field(1, field(1, field(1, 7)))
    profile = field(1, "nfsrw") + field(2, "root=${rootfs-path} ${a:-b}") + field(3, 3)
    host = field(1, 5) + field(2, "node1") + field(3, "52:54:00:00:00:01") + field(4, "local") + field(5, 7)
    first = revision + field(2, 1) + field(4, b"") + field(5, profile)
    last = revision + field(3, 1) + field(6, host)
    return b"".join(struct.pack("<I", len(part)) + part for part in (first, last))


def with_numbers(size, *numbers):
    """`size` bytes with (offset, format, number) put into them."""
    content = bytearray(size)
    for offset, form, number in numbers:
        struct.pack_into(form, content, offset, number)
    return bytes(content)


def add_written(corpus):
    for path in ("boot.ipxe", "autoexec.ipxe", "undionly.kpxe", "notes.txt", "autopxe-52:54:00:00:00:01.poll",
                 "autopxe-525400000002", "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64",
                 "boot/debian/stable/boot/initrd.img-6.1.0-25-amd64", "boot/debian/bookworm/etc/shadow",
                 "boot/debian/bookworm/boot/vmlinuz-1", "files/memtest/mt86plus", "files/.token",
                 "next/52-54-00-00-00-01/17/begun", "next/52-54-00-00-00-01/17/files/memtest/mt86plus",
                 "next/52-54-00-00-00-01/17/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64",
                 # Faults, cases 1 and 26.
                 "../../etc/passwd", "boot/../../secret", "boot\\..\\secret", "%2e%2e/secret", "//secret",
                 "files/../loaders/notes.txt"):
        corpus.add_path(path, "platform=efi&buildarch=x86_64&stage=poll")
    for target in ("http://10.77.1.1:8080/boot.ipxe", "*", "/%00", "/%c0%ae%c0%ae/", "/%ed%a0%80", "/a%2fb?c=%20&c&=d"):
        corpus.add("request_target", target)
    for value in ("bytes=0-499", "bytes=-500", "bytes=9500-", "bytes=5-2", "bytes=0-0,-1", "bytes=2147483648-",
                  "bytes=18446744073709551616-", "lines=1-2", "bytes=-0"):
        for size in "\x03\x06":
            corpus.add("range", size + value)
        corpus.add("reply", value)
        corpus.add("reply", value + "\nE")
    for date in ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                 "Tue, 29 Feb 2000 23:59:60 GMT", "Tue, 14 Nov 2023 22:13:19 GMT"):
        corpus.add("http_date", date)
        corpus.add("reply", "bytes=0-9\n" + date + "\n\n\n" + date + "\n" + date)
    corpus.add("reply", "\n\nE\nW/E, \"x\"")
    corpus.add("reply", "\n\n*\n*")
    corpus.add("netascii", "\x03a\nb\r\nc\rd\r\n\n")
    # Faults, cases 3 to 8 and 18.
    for packet in ("\0\2new\0octet\0", "\0\1a\0mail\0", "\0\1a\0NetASCII\0TSIZE\0000\0", "\0\1a\0octet\0blksize\0",
                   "\0\1a\0octet\0blksize\00099999999999\0windowsize\0-1\0timeout\000256\0tsize\000999999\0",
                   "\0\1a\0octet\0blksize\00065464\0windowsize\00065535\0timeout\0001\0blksize\0008\0\0\0",
                   "\0\0", "\0\t", "\xff\xff", "\0\5\0\1no end"):
        corpus.add("tftp_packet", packet)
    words = ("used 17 4711 52:54:00:12:34:56 1700000000000000", "reported 17 4711", "used 0 -1")
    for line in words:
        corpus.add("journal_line", line)
        corpus.add("journal_line", line + " " + hashlib.sha256(line.encode()).hexdigest()[:16])
    # bzImage, Image of arm64 and riscv64, zImage: what agent/catalog/kernel_image looks at.
    corpus.add("kernel_image", with_numbers(0x240, (0x1F1, "<B", 39), (0x1F4, "<I", 512544), (0x202, "<4s", b"HdrS"),
                                            (0x206, "<H", 0x20F), (0x236, "<H", 1)))
    corpus.add("kernel_image", with_numbers(64, (16, "<Q", 1 << 20), (56, "<4s", b"ARM\x64")))
    corpus.add("kernel_image", with_numbers(64, (16, "<Q", 1 << 20), (48, "<8s", b"RISCV\0\0\0"), (56, "<4s", b"RSC\5")))
    corpus.add("kernel_image", with_numbers(64, (36, "<I", 0x016F2818), (44, "<I", 4096)))
    parts = snapshot_parts()
    corpus.add("snapshot", parts)
    corpus.add("snapshot", parts[:40])


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        sys.exit("make_corpus.py: expected the folder of the captures; see its beginning")
    corpus = Corpus()
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.pcap")):
        corpus.add_capture(path.read_bytes())
    add_written(corpus)
    print(f"{corpus.written} inputs written")


if __name__ == "__main__":
    main()
