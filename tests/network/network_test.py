"""Every transfer completes with the right bytes over bad wires (faults.md, cases 14 and 24):
network_test.py AUTOPXE_AGENT LOAD_CLIENT

A real agent in one network namespace, hosts in another, and a seeded wire for each condition between them; all conditions at
once. AUTOPXE_TEST_NETWORK_SEED is the seed of the wires (1). AUTOPXE_TEST_NETWORK_LONG takes larger files, more hosts and every
mixture of conditions; tools/soak.sh does.
"""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest

TESTS = pathlib.Path(os.path.realpath(__file__)).parents[1]
sys.path[:0] = [str(TESTS / "lib"), str(TESTS / "vm"), str(TESTS / "network")]
import junit  # noqa: E402  (found through the path above)
import lab  # noqa: E402
import wire  # noqa: E402
from daemon import Daemon, until  # noqa: E402

LONG = "AUTOPXE_TEST_NETWORK_LONG" in os.environ
SEED = os.environ.get("AUTOPXE_TEST_NETWORK_SEED", "1")
HOSTS = "hosts"  # The namespace of those who ask.
PATIENCE = 3000 if LONG else 240  # Seconds for one client.
KERNEL = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"
INITRD = "boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64"
# What is asked for block by block takes a round trip for each: 128 of them, or 2,048.
KERNEL_BYTES = (1 << 20 if LONG else 64 << 10) + 77
INITRD_BYTES = (4 << 20 if LONG else 256 << 10) + 5

CLEAN = {"loss": 0.0, "duplicate": 0.0, "reorder": 0.0, "delay_ms": 0}
SHORT = {
    "nothing wrong": CLEAN,
    "1 % lost, 1 ms": {**CLEAN, "loss": 0.01, "delay_ms": 1},
    "5 % lost, 50 ms": {**CLEAN, "loss": 0.05, "delay_ms": 50},
    "5 % swapped and 5 % twice, 1 ms": {**CLEAN, "duplicate": 0.05, "reorder": 0.05, "delay_ms": 1},
    "5 % lost, 2 % swapped, 2 % twice, 1 ms": {"loss": 0.05, "duplicate": 0.02, "reorder": 0.02, "delay_ms": 1},
}


def conditions():
    if not LONG:
        return SHORT
    return {f"{loss:.0%} lost, {duplicate:.0%} twice, {reorder:.0%} swapped, {delay} ms":
            {"loss": loss, "duplicate": duplicate, "reorder": reorder, "delay_ms": delay}
            for loss, duplicate, reorder, delay in itertools.product((0, 0.01, 0.05), (0, 0.05), (0, 0.05), (1, 50))}


cleanup = contextlib.ExitStack()
network = None
agent = None
files = {}
wires = {}  # Condition -> its process.
outcomes = {}  # (condition, client) -> its future.


def setUpModule():  # noqa: N802  (unittest's name)
    global network
    try:
        network = cleanup.enter_context(lab.Lab())
        prepare()
    except lab.Unavailable as unavailable:
        raise unittest.SkipTest(str(unavailable)) from None
    except BaseException:
        cleanup.close()
        raise


def tearDownModule():  # noqa: N802
    cleanup.close()


def prepare():
    global agent
    print(f"AUTOPXE_TEST_NETWORK_SEED={SEED}", file=sys.stderr)
    subprocess.run(["ip", "netns", "add", HOSTS], check=True)
    boot = pathlib.Path(network.path("rootfs/debian/bookworm/boot"))
    boot.mkdir(parents=True)
    chance = random.Random(SEED)
    for path, size in ((KERNEL, KERNEL_BYTES), (INITRD, INITRD_BYTES)):
        file = boot / path.rpartition("/")[2]
        file.write_bytes(chance.randbytes(size))
        os.utime(file, (0, 0))  # Installed long ago, and not just being written.
        files[path] = file
    os.mkdir(network.path("loaders"))
    os.mkdir(network.path("got"))
    agent = Daemon(AGENT, "--id", "lab", "--server", "127.0.0.1:1", "--rootfs", network.path("rootfs"),
                   "--loaders", network.path("loaders"), "--state", network.path("state"), "--tftp-listen", "0.0.0.0:0",
                   "--http-listen", "0.0.0.0:0", protocols=["tftp", "http"])
    cleanup.callback(agent.stop)
    for number, (name, condition) in enumerate(conditions().items()):
        wires[name] = network.start(f"wire-{number}", [
            "/usr/bin/python3", "-B", str(TESTS / "network/wire.py"), "--number", str(number), "--far-namespace", HOSTS,
            "--seed", SEED, *(f"--{key.replace('_', '-')}={value}" for key, value in condition.items())])
    for name, process in wires.items():
        until(lambda process=process: "ready" in process.output() or not process.running, f"the wire with {name}")
    jobs = [(name, number, client) for number, name in enumerate(wires) for client in CLIENTS]
    # Mostly they wait, for packets that do not come. The long form has more wires than a machine has time for at once.
    threads = concurrent.futures.ThreadPoolExecutor(max_workers=24 if LONG else len(jobs))
    cleanup.callback(threads.shutdown)
    for name, number, client in jobs:
        outcomes[name, client] = threads.submit(CLIENTS[client], number, client)


def port(protocol):
    return agent.address[protocol].rpartition(":")[2]


def url(number, protocol, path):
    return f"{protocol}://{wire.near_address(number)}:{port(protocol)}/{path}"


def run(*command):
    """What the client said; it ran where the hosts are."""
    done = subprocess.run(["ip", "netns", "exec", HOSTS, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def load(protocol, path, *options):
    def fetch(number, _client):
        code, output = run(LOAD_CLIENT, "--fetch", url(number, protocol, path), str(files[path]), *options)
        if code != 0:
            raise AssertionError(output)
        return json.loads(output)
    return fetch


def real(program, path, command):
    """A client that people have. `command` makes its words of the wire's number and of the file to write."""
    def fetch(number, client):
        got = pathlib.Path(network.path("got", f"{number}-{client.replace(' ', '-')}"))
        _, output = run(program, *command(number, str(got)))
        if not got.exists() or got.read_bytes() != files[path].read_bytes():
            size = got.stat().st_size if got.exists() else 0
            raise AssertionError(f"{size} bytes, and not those of {path}: {output}")
        return {}
    return fetch


# Firmware's time-out for a packet is about a second, and it repeats it for half a minute.
TFTP = ("--timeout", "1", "--repetitions", "30", "--tsize", "--hosts", "8" if LONG else "4", "--at-once", "4")
CLIENTS = {
    "load client, window 1": load("tftp", KERNEL, "--blksize", "1432", *TFTP),
    "load client, no option": load("tftp", KERNEL, "--timeout", "1", "--repetitions", "30"),
    "load client, window 16": load("tftp", INITRD, "--blksize", "1432", "--windowsize", "16", *TFTP),
    "load client, window 64": load("tftp", INITRD, "--blksize", "1432", "--windowsize", "64", *TFTP),
    "load client, http": load("http", INITRD, "--hosts", "4", "--at-once", "2", "--http-timeout", "120"),
    "tftp-hpa": real("tftp", KERNEL, lambda number, got: [
        "-m", "octet", wire.near_address(number), port("tftp"), "-c", "get", KERNEL, got]),
    "atftp": real("atftp", KERNEL, lambda number, got: [
        "--option", "blksize 1428", "--option", "timeout 1", "--get", "-r", KERNEL, "-l", got, wire.near_address(number),
        port("tftp")]),
    "curl, tftp": real("curl", KERNEL, lambda number, got: [
        "-sS", "--tftp-blksize", "1428", "--output", got, url(number, "tftp", KERNEL)]),
    "curl, http": real("curl", INITRD, lambda number, got: ["-sS", "--output", got, url(number, "http", INITRD)]),
}


class Wires(unittest.TestCase):
    def test_every_transfer_completes_with_the_right_bytes(self):
        for (name, client), outcome in outcomes.items():
            with self.subTest(wire=name, client=client):
                print(f"{name}: {client}: {json.dumps(outcome.result())}", file=sys.stderr)
        # The wires did what they are there for.
        for name, process in wires.items():
            process.stop()
            with self.subTest(wire=name):
                counts = json.loads(process.output().splitlines()[-1])
                print(f"{name}: {counts}", file=sys.stderr)
                for key, count in (("loss", "lost"), ("duplicate", "duplicated"), ("reorder", "held_back")):
                    share = conditions()[name][key]
                    self.assertAlmostEqual(counts[count] / counts["packets"], share, delta=0.02)
                    self.assertEqual(counts[count] > 0, share > 0, count)
        self.assertTrue(agent.is_running())


class AFate(unittest.TestCase):
    def test_is_the_same_for_the_same_seed(self):
        one, other, third = (wire.Fate(seed, 0.05, 0.05, 0.05, 0.001) for seed in (1, 1, 2))
        fates = [one.next() for _ in range(1000)]
        self.assertEqual(fates, [other.next() for _ in range(1000)])
        self.assertNotEqual(fates, [third.next() for _ in range(1000)])


if __name__ == "__main__":
    AGENT, LOAD_CLIENT = map(os.path.realpath, sys.argv[1:])
    lab.enter()
    junit.main()
