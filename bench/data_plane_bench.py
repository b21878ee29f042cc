"""The agent beside the servers that people put in its place, on loopback, in a folder and a network namespace of its own:
data_plane_bench.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL LOAD_CLIENT MODEL_BENCH [--rounds N] [--only WORDS] [--scale SHARE]

Prints a table in Markdown: what the best of the peers that are installed took, what the agent took, and the ratio; then what
each peer took. Server on one core, load client on another; each round asks every server once, in turn, and the medians of the rounds
are shown. Nothing fails for being slow. docs/benchmarks.md says what each figure is.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import platform
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(os.path.realpath(__file__)).parent
sys.path[:0] = [str(BENCH.parents[0] / "tests" / "lib"), str(BENCH)]
import peers  # noqa: E402  (found through the path above)
from daemon import Daemon  # noqa: E402
from table import Table  # noqa: E402

PATIENCE = 600  # Seconds for one command or one run.
LOOK_AT_CHILDREN = 0.05  # Seconds between looks at what a server's children have used.
OURS = "autopxe-agent"
TFTP_PORT, HTTP_PORT = 6969, 8080  # The agent's.
DISTRO = "debian/bookworm/latest/nfs"
MENU = "autopxe-525400000000"
BOOT = "boot/debian/bookworm/boot"
KERNEL = BOOT + "/vmlinuz-6.1.0-25-amd64"
INITRD = BOOT + "/initrd.img-6.1.0-25-amd64"
# Of the folder of files, so that the menu has one kernel and no more.
HALF_MIB = "files/half"
LARGE = "files/large"
SIZES = {KERNEL: 1 << 20, INITRD: 64 << 20, HALF_MIB: 512 << 10}
LARGE_SIZE = 8 << 20
STORM_SIZES = {KERNEL: 1 << 20, INITRD: 4 << 20}
SLOW = ("tftpd-hpa", "atftpd")  # They start a process or a thread for each transfer.
AS_IPXE = ("--blksize", "1432", "--tsize")
_ENTERED = "AUTOPXE_BENCH"


def enter_namespaces():
    """Runs this script again in network and process namespaces of its own: there port 69 is free and nobody else talks, and
    whatever is started goes with it, whichever way it ends."""
    if _ENTERED in os.environ:
        # As the first process of its namespace it would ignore a signal that has no handler.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit(1))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # tftpd-hpa takes a machine without any other address for one without IPv4.
        subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
        return
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=TERM", "--mount-proc"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    inside = subprocess.Popen(command + sys.orig_argv, env={**os.environ, _ENTERED: "1"})
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: inside.kill())
    sys.exit(inside.wait())


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} cores of {model[1].strip() if model else platform.machine()}, {memory:.0f} GiB, "
            f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start")


def agent_server(bench):
    """The agent as a server like the peers. It writes its line for each request to a file, as they would their logs. Its ports are
    always the same ones: its menu by TFTP names them."""
    root = bench.root
    return peers.Server(
        OURS, [bench.options.agent, "--id", "bench", "--server", bench.server.address["grpc"], "--rootfs", str(root / "rootfs"),
               "--loaders", str(root / "loaders"), "--files", str(root / "files"), "--state", str(root / "state"),
               "--tftp-listen", f"127.0.0.1:{TFTP_PORT}", "--http-listen", f"127.0.0.1:{HTTP_PORT}"],
        root, bench.server_core, tftp=TFTP_PORT, http=HTTP_PORT)


class Bench:
    """The tree that everybody serves, and the server that the agent follows. A context."""

    def __init__(self, options):
        self.options = options
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.client_core = cores[0], cores[-1]
        # What else runs is not to take the server's core, as far as that is up to this program and who it starts.
        os.sched_setaffinity(0, {self.client_core})
        self.table = Table(OURS)
        self.not_running = {}  # Name of a peer -> why.
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            self.root = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="autopxe-bench-")))
            self.root.chmod(0o755)
            self.prepare()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def prepare(self):
        sizes = {**SIZES, LARGE: self.scaled(LARGE_SIZE)}
        self.write_files(sizes)
        (self.root / "loaders").mkdir()
        # What the peers serve, below the paths that the agent has it at.
        static = self.root / "static"
        # Not symbolic: some serve only what is below their root.
        for path in sizes:
            (static / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(self.file(path), static / path)
        self.server = Daemon(self.options.server, "--listen", "127.0.0.1:0", "--database", str(self.root / "autopxe.db"),
                             protocols=["grpc"])
        self._stack.callback(self.server.kill)
        self.ctl("settings", "set", "variables.nfs-server", "10.0.0.1")
        self.ctl("profile", "set", "nfs", "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rw")
        self.ctl("settings", "set", "default-distro", DISTRO, "--allow-missing")
        with self.agent() as agent:
            for protocol, menu in (("tftp", peers.ask_tftp(agent.tftp, MENU)), ("http", peers.ask_http(agent.http, MENU))):
                if not menu or DISTRO.encode() not in menu:
                    raise RuntimeError(f"the agent's menu by {protocol} does not show {DISTRO}: {menu}\n{agent.output()}")
                (self.root / f"menu.{protocol}").write_bytes(menu)
                # For hosts that ask each for its own.
                template = menu.replace(b"525400000000", b"{mac}").replace(b"52:54:00:00:00:00", b"{mac-colons}")
                (self.root / f"menu.{protocol}.template").write_bytes(template)
        self.write_menu("tftp")

    def write_files(self, sizes):
        chance = random.Random(1)
        for path, size in sizes.items():
            self.file(path).parent.mkdir(parents=True, exist_ok=True)
            self.file(path).write_bytes(chance.randbytes(size))
            os.utime(self.file(path), (0, 0))  # Quiet for long: offered at once.

    def file(self, path):
        return self.root / ("rootfs/" + path.removeprefix("boot/") if path.startswith("boot/") else path)

    def write_menu(self, protocol):
        """The peers serve as a file what the agent renders for that protocol."""
        (self.root / "static" / MENU).write_bytes((self.root / f"menu.{protocol}").read_bytes())

    @contextlib.contextmanager
    def agent(self):
        with agent_server(self) as agent:
            peers.until(lambda: DISTRO.encode() in (peers.ask_http(agent.http, MENU) or b""), agent)
            yield agent

    def ctl(self, *words):
        environment = {"PATH": "/usr/bin:/bin", "USER": "bench", "HOME": str(self.root)}
        subprocess.run([self.options.ctl, "--server", self.server.address["grpc"], *words], env=environment, check=True,
                       stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def scaled(self, count):
        return max(1, round(count * self.options.scale))

    def load_command(self, *words):
        return ["taskset", "--cpu-list", str(self.client_core), self.options.load_client, *map(str, words)]

    def load(self, server, *words):
        """What the load client counted, and with it the server's CPU seconds meanwhile, as `server_cpu`."""
        before = server.cpu()
        with subprocess.Popen(self.load_command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as client:
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    out, err = client.communicate(timeout=LOOK_AT_CHILDREN if server.forks else PATIENCE)
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() > end:
                        client.kill()
                        raise
                    server.cpu()
        if not out:
            raise RuntimeError(f"load client: {err}")
        return {**json.loads(out), "server_cpu": server.cpu() - before}

    def servers(self, stack, protocol):
        """The agent, and each peer that speaks the protocol; started, and known to answer."""
        running = [stack.enter_context(self.agent())]
        for peer in peers.PEERS:
            if protocol not in peer.protocols or peer.missing or peer.name in self.not_running:
                continue
            with contextlib.ExitStack() as starting:
                try:
                    server = starting.enter_context(peer.start(str(self.root), str(self.root / "static"), self.server_core))
                    peers.until(lambda server=server: peers.ask(server, MENU) is not None, server)
                except (OSError, RuntimeError) as error:
                    # The others are measured all the same.
                    self.not_running[peer.name] = " ".join(str(error).split()).rstrip(":")
                    self.say(f"{peer.name}: {self.not_running[peer.name]}")
                    continue
                stack.push(starting.pop_all())
                running.append(server)
        return running

    def measure(self, row, protocol, run, figures, together=False):
        """`run(server, round)` gives what the load client counted; `figures` makes each figure of that, by its label. Each
        server is asked in turn, or all at once where they do little but wait. A peer that has lost somebody is not asked again: that
        takes long, and it is not the best."""
        if not self.wanted(row):
            return
        self.write_menu("http" if protocol == "http" else "tftp")
        begun = time.monotonic()
        counts = {}

        def ask(server, turn):
            if not server.is_running():
                self.say(f"{row}: round {turn + 1}: {server.name} has died: {server.output()}")
            elif server.name == OURS or not any(counted["failed"] for counted in counts.get(server.name, ())):
                counts.setdefault(server.name, []).append(run(server, turn))
                self.say(f"{row}: round {turn + 1}: {server.name}: {counts[server.name][-1]}")

        with contextlib.ExitStack() as stack:
            servers = self.servers(stack, protocol)
            threads = stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(servers) if together else 1))
            # All at once they have many hosts each, and take what their time-outs take.
            for turn in range(min(self.options.rounds, 3) if together else self.options.rounds):
                for outcome in [threads.submit(ask, server, turn) for server in servers]:
                    outcome.result()
        for server in servers:
            if server.name in counts:
                self.table.add(row, server.name, {label: statistics.median(map(figure, counts[server.name]))
                                                  for label, figure in figures.items()})
        self.say(f"{row}: {time.monotonic() - begun:.0f} s")

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)

    def wanted(self, row):
        return self.options.only.lower() in row.lower()


LOST = {"lost": lambda counted: counted["failed"]}


def measure_tftp(bench):
    menu = str(bench.root / "menu.tftp")
    bench.measure(
        "menu by TFTP, 64 at once: server CPU for 1,000", "tftp",
        lambda server, _: bench.load(server, "--fetch", server.url("tftp", MENU), menu,
                                     "--hosts", bench.scaled(1_000 if server.name in SLOW else 10_000), "--at-once", 64, *AS_IPXE),
        {"s": lambda counted: counted["server_cpu"] / max(1, counted["done"]) * 1000, **LOST})
    bench.measure(
        "4,000 ask for it by TFTP within an instant: until all have it", "tftp",
        lambda server, _: bench.load(server, "--fetch", server.url("tftp", MENU), menu, "--hosts", 4000, "--at-once", 4000,
                                     "--own-addresses", *AS_IPXE),
        {"s": lambda counted: counted["seconds"], "sent again": lambda counted: counted["resent"] + counted["repeated"],
         **LOST})
    for window in (1, 16, 64):
        options = () if window == 1 else ("--windowsize", window)
        bench.measure(
            f"8 MiB by TFTP, 16 at once, window {window}: server CPU for 1 GB", "tftp" if window == 1 else "windows",
            lambda server, _, options=options: bench.load(
                server, "--fetch", server.url("tftp", LARGE), bench.file(LARGE), "--hosts", 16, "--at-once", 16, *AS_IPXE, *options),
            {"s": lambda counted: counted["server_cpu"] / max(1, counted["bytes"]) * 1e9, **LOST})
    hosts = bench.scaled(40)
    for window in (1, 16):
        options = () if window == 1 else ("--windowsize", window)
        bench.measure(
            f"512 KiB by TFTP at 1 % loss, window {window}: median", "tftp" if window == 1 else "windows",
            lambda server, turn, options=options: bench.load(
                server, "--fetch", server.url("tftp", HALF_MIB), bench.file(HALF_MIB), "--hosts", hosts, "--at-once", hosts,
                "--loss", 0.01, "--seed", turn + 1, *AS_IPXE, *options),
            {"s": lambda counted: counted["p50_ms"] / 1000, **LOST}, together=window == 1)


def measure_http(bench):
    menu = str(bench.root / "menu.http")
    for name, count, options in (("64 kept connections", bench.scaled(50_000), ("--keep-connections",)),
                                 ("a new connection each, 64 at once", bench.scaled(20_000), ())):
        bench.measure(
            f"menu by HTTP, {name}: server CPU for each", "http",
            lambda server, _, count=count, options=options: bench.load(
                server, "--fetch", server.url("http", MENU), menu, "--hosts", count, "--at-once", 64, *options),
            {"us": lambda counted, count=count: counted["server_cpu"] / count * 1e6, **LOST})
    files = bench.scaled(32)
    bench.measure(
        "64 MiB by HTTP: server CPU for 1 GB", "http",
        lambda server, _: bench.load(server, "--fetch", server.url("http", INITRD), bench.file(INITRD), "--hosts", files,
                                     "--at-once", 4),
        {"s": lambda counted: counted["server_cpu"] / max(1, counted["bytes"]) * 1e9, **LOST})


def measure_memory(bench):
    row = "anonymous memory with 1,000 transfers that nobody answers; and idle"
    if not bench.wanted(row):
        return
    bench.write_menu("tftp")
    with contextlib.ExitStack() as stack:
        for server in bench.servers(stack, "tftp"):
            idle = peers.anonymous_bytes(server.pid)
            words = bench.load_command("--fetch", server.url("tftp", MENU), "-", "--hosts", 1000, "--at-once", 1000,
                                       "--silent-after", 1, "--own-addresses", *AS_IPXE)
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
                counted = json.loads(client.stdout.readline())  # All are silent now.
                busy = peers.anonymous_bytes(server.pid)
                client.stdin.close()
            bench.say(f"{row}: {server.name}: {idle / 1e6} {busy / 1e6} MB {counted}")
            bench.table.add(row, server.name, {"MB": busy / 1e6, "MB idle": idle / 1e6, "lost": counted["failed"]})


def measure_storm(bench):
    """Menu by TFTP, kernel and initrd by HTTP: no peer does both."""
    row = "boot storm of 2,000 hosts: until the slowest has menu, kernel and initrd"
    if not bench.wanted(row):
        return
    bench.write_files(STORM_SIZES)
    hosts = bench.scaled(2000)
    took = []
    with bench.agent() as agent:
        for turn in range(bench.options.rounds):
            took.append(bench.load(
                agent, "--fetch", agent.url("tftp", "autopxe-{mac}"), bench.root / "menu.tftp.template",
                *(word for path in (KERNEL, INITRD) for word in ("--fetch", agent.url("http", path), bench.file(path))),
                "--hosts", hosts, "--at-once", hosts, "--own-addresses", "--attempts", 3, *AS_IPXE))
            bench.say(f"{row}: round {turn + 1}: {took[-1]}")
    bench.table.add(row, OURS, {"s": statistics.median(counted["max_ms"] for counted in took) / 1000,
                                "begun again": statistics.median(counted["restarted"] for counted in took),
                                "lost": statistics.median(counted["failed"] for counted in took)})


def measure_decision(bench):
    row = "CPU for the menu of one host among 10 / 5,000 / 100,000"
    if not bench.wanted(row):
        return
    out = subprocess.run(["taskset", "--cpu-list", str(bench.server_core), bench.options.model_bench], check=True,
                         capture_output=True, text=True, timeout=PATIENCE).stdout
    # Its third column: the decision, and the bytes of the script.
    lines = [line.split() for line in out.splitlines()]
    bench.table.add(row, OURS, {f"us among {int(columns[0]):,}": float(columns[2])
                                for columns in lines if columns and columns[0].isdigit()})


def main():
    parser = argparse.ArgumentParser(description="the agent beside the servers that people put in its place")
    for program in ("server", "agent", "ctl", "load_client", "model_bench"):
        parser.add_argument(program, type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="rows with these words in their name")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of transfers; less for a look")
    options = parser.parse_args()
    enter_namespaces()
    # One of thousands of sockets for each server and for the load client; they inherit it.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    what_it_runs_on = machine()
    begun = time.monotonic()
    with Bench(options) as bench:
        size = (bench.root / "menu.tftp").stat().st_size
        measure_memory(bench)
        measure_tftp(bench)
        measure_http(bench)
        measure_decision(bench)
        measure_storm(bench)
        scale = "" if options.scale == 1 else f" with {options.scale} of the transfers"
        print(f"    bazel run --config=opt //bench:data_plane_bench\n\n{what_it_runs_on}. The menu has {size:,} bytes; medians of "
              f"{options.rounds} rounds{scale}, in {time.monotonic() - begun:.0f} s.\n")
        bench.table.print_comparison()
        print()
        bench.table.print_all()
        for peer in peers.PEERS:
            if peer.missing:
                print(f"| all by {peer.protocols[0].upper()} | {peer.name} | not installed: tools/setup.sh bench |")
            elif peer.name in bench.not_running:
                why = bench.not_running[peer.name].replace("|", "/")
                print(f"| by {peer.protocols[0].upper()} | {peer.name} | not running: {why} |")


if __name__ == "__main__":
    main()
