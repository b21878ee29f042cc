"""The servers that the agent is measured beside: how each is started on loopback, in a folder of its own, without root.

A peer that is not installed is no error: `missing` says which package has it. Packages: tools/setup.sh bench.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

PATIENCE = 30  # Seconds until a server answers.
_UNPACKED = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "autopxe/bench"
# atftpd can't be installed beside tftpd-hpa: tools/setup.sh unpacks it.
_PATH = f"/usr/sbin:/usr/bin:/sbin:/bin:{_UNPACKED}/atftpd/usr/sbin"


def free_port(kind):
    """A port that nobody had a moment ago: these servers can't be told to take any, and say which."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes(pid):
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        try:
            for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended, or does between the two.
    return found


def anonymous_bytes(pid):
    total = 0
    for process in processes(pid):
        try:
            found = re.search(r"^RssAnon:\s+(\d+) kB", pathlib.Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(found[1]) * 1024 if found else 0
    return total


class Server:
    """A server as a child that is pinned to one core. A context: its end stops it, by its own process id. One that `forks` has
    processes that end while it runs."""

    def __init__(self, name, command, folder, core, tftp=None, http=None, forks=False):
        self.name = name
        self.forks = forks
        self.tftp = tftp  # Ports.
        self.http = http
        self._log = pathlib.Path(folder) / f"{name}.log"
        self._command = command
        self._core = core
        self._used = {}  # Process id and start -> ticks of CPU, as last seen.

    def __enter__(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, {self._core}))
        return self

    def __exit__(self, *_):
        # Some fork for each transfer: those go first, then who would start more of them.
        for process in reversed(processes(self._process.pid)):
            try:
                os.kill(process, 15)
            except ProcessLookupError:
                pass
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self):
        return self._process.pid

    def cpu(self):
        """Seconds of CPU of all its processes so far, in steps of 10 ms. tftpd-hpa waits for no child, and so the kernel adds what
        those took to nothing: of processes that have ended it is what they had when this was last asked for."""
        for process in processes(self.pid):
            try:
                fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            self._used[process, fields[19]] = int(fields[11]) + int(fields[12])  # By its start; utime and stime.
        return sum(self._used.values()) / os.sysconf("SC_CLK_TCK")

    def is_running(self):
        return self._process.poll() is None

    def output(self):
        return self._log.read_text(errors="replace")[-2000:]

    def url(self, protocol, path):
        port = self.tftp if protocol == "tftp" else self.http
        return f"{protocol}://127.0.0.1:{port}/{path}"


def until(condition, server):
    end = time.monotonic() + PATIENCE
    while not condition():
        if not server.is_running() or time.monotonic() > end:
            raise RuntimeError(f"{server.name} does not answer: {server.output()}")
        time.sleep(0.05)


def ask(server, path):
    """The bytes of a file by the protocol that the server speaks; None if it does not give them, or not yet."""
    return ask_http(server.http, path) if server.http else ask_tftp(server.tftp, path)


def ask_http(port, path):
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
    except OSError:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if b" 200 " in head.split(b"\r\n")[0] else None


def ask_tftp(port, path):
    """With the options that iPXE asks for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        try:
            asking.sendto(b"\0\1" + path.encode() + b"\0octet\0blksize\x001432\0tsize\x000\0", ("127.0.0.1", port))
            body, block = b"", 1
            while True:
                packet, peer = asking.recvfrom(65536)
                if packet[:2] == b"\0\6":
                    asking.sendto(b"\0\4\0\0", peer)
                elif packet[:2] == b"\0\3":
                    asking.sendto(b"\0\4" + packet[2:4], peer)
                    if int.from_bytes(packet[2:4], "big") == block:
                        body += packet[4:]
                        block += 1
                        if len(packet) < 1436:
                            return body
                else:
                    return None
        except OSError:
            return None


class Peer:
    """A program that may be installed. `start(folder, root, core)` gives a Server that serves the files below `root`; `protocols`
    has "windows" in it if it sends by TFTP in windows (RFC 7440)."""

    def __init__(self, name, program, package, protocols, start):
        self.name = name
        self.package = package
        self.protocols = protocols
        self._program = program
        self._start = start

    @property
    def missing(self):
        """The package to install, or None."""
        return None if shutil.which(self._program, path=_PATH) else self.package

    def start(self, folder, root, core):
        return self._start(shutil.which(self._program, path=_PATH), folder, root, core)


def _dnsmasq(program, folder, root, core):
    # It knows no other port than 69: the benchmark runs in a network namespace of its own.
    return Server("dnsmasq", [program, "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--enable-tftp",
                              f"--tftp-root={root}", "--tftp-max=5000", "--quiet-tftp", "--log-facility=/dev/null", "--pid-file=",
                              "--user=root", "--group=", "--listen-address=127.0.0.1", "--bind-interfaces"], folder, core, tftp=69)


def _tftpd_hpa(program, folder, root, core):
    port = free_port(socket.SOCK_DGRAM)
    return Server("tftpd-hpa", [program, "--foreground", "--address", f"127.0.0.1:{port}", "--user", "root", "--secure", root],
                  folder, core, tftp=port, forks=True)


def _atftpd(program, folder, root, core):
    port = free_port(socket.SOCK_DGRAM)
    return Server("atftpd", [program, "--daemon", "--no-fork", "--bind-address", "127.0.0.1", "--port", str(port),
                             "--user", "root", "--group", "root", "--maxthread", "5000", "--logfile", "/dev/null", root],
                  folder, core, tftp=port)


def _nginx(program, folder, root, core):
    port = free_port(socket.SOCK_STREAM)
    prefix = pathlib.Path(folder) / "nginx"
    prefix.mkdir(exist_ok=True)
    (prefix / "nginx.conf").write_text(f"""
daemon off;
user root;
worker_processes 1;
pid {prefix}/pid;
error_log {prefix}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  open_file_cache max=100;
  {"".join(f"{kind}_temp_path {prefix}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
  server {{ listen 127.0.0.1:{port} backlog=8192; root {root}; }}
}}
""")
    return Server("nginx", [program, "-p", str(prefix), "-c", str(prefix / "nginx.conf"), "-e", str(prefix / "error.log")],
                  folder, core, http=port)


def _lighttpd(program, folder, root, core):
    port = free_port(socket.SOCK_STREAM)
    configuration = pathlib.Path(folder) / "lighttpd.conf"
    configuration.write_text(f"""
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 1000000
server.max-fds = 16384
server.max-connections = 8192
""")
    return Server("lighttpd", [program, "-D", "-f", str(configuration)], folder, core, http=port)


PEERS = (
    Peer("dnsmasq", "dnsmasq", "dnsmasq-base", ("tftp",), _dnsmasq),
    Peer("tftpd-hpa", "in.tftpd", "tftpd-hpa", ("tftp",), _tftpd_hpa),
    Peer("atftpd", "atftpd", "atftpd", ("tftp", "windows"), _atftpd),
    Peer("nginx", "nginx", "nginx-light", ("http",), _nginx),
    Peer("lighttpd", "lighttpd", "lighttpd", ("http",), _lighttpd),
)
