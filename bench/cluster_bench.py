"""What a cluster costs the real programs, on loopback, in a folder of its own:
cluster_bench.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL MODEL_BENCH [--hosts N]

Prints a table of what is promised (docs/scale.md) and what was measured. Nothing fails: who reads it judges, and knows
what else the machine was doing.
"""

import argparse
import csv
import http.client
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "tests" / "lib"))
from daemon import Daemon  # noqa: E402  (found through the path above)

PATIENCE = 600  # Seconds; an unoptimised build on a busy machine takes long.
GROUPS = 60
IN_A_RACK = 40
IN_A_FILE = 10_000
ASSIGNS = 20
STARTS = 9
PAUSE = 0.005  # Between two looks at a menu, so that looking takes little of a core from what is looked at.
OVERLAYFS = "debian/bookworm/latest/overlayfs"
NFSRW = "debian/bookworm/latest/nfsrw"


def mac(host):
    return f"52:54:00:{host >> 16:02x}:{host >> 8 & 255:02x}:{host & 255:02x}"


def name(host):
    return f"cn{host:06}"


def cpu(pid):
    """Seconds of CPU that a process has used, all its threads together; steps of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} cores of {model[1].strip() if model else platform.machine()}, {memory:.0f} GiB, "
            f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start")


class Menus:
    """Asks an agent for menus over one connection."""

    def __init__(self, agent):
        self._connection = http.client.HTTPConnection(*agent.address["http"].rsplit(":", 1), timeout=PATIENCE)

    def shows(self, host, text):
        self._connection.request("GET", f"/autopxe-{mac(host).replace(':', '')}")
        answer = self._connection.getresponse()
        menu = answer.read().decode()
        return answer.status == 200 and text in urllib.parse.unquote(menu)

    def wait_for(self, host, text):
        end = time.monotonic() + PATIENCE
        while not self.shows(host, text):
            if time.monotonic() > end:
                raise AssertionError(f"{text} for {name(host)}: not within {PATIENCE} s")
            time.sleep(PAUSE)


class Cluster:
    def __init__(self, folder, programs, hosts):
        self.folder = folder
        self.programs = programs
        self.hosts = hosts
        self.server = self.start_server()
        self.address = self.server.address["grpc"]
        boot = folder / "rootfs/debian/bookworm/boot"
        boot.mkdir(parents=True)
        for file in ("vmlinuz-6.1.0-25-amd64", "initrd.img-6.1.0-25-amd64"):
            (boot / file).write_text("kernel")
            os.utime(boot / file, (0, 0))  # Quiet for long: offered at once.
        (folder / "loaders").mkdir()

    def start_server(self):
        return Daemon(self.programs.server, "--listen", "127.0.0.1:0", "--database", str(self.folder / "autopxe.db"),
                      protocols=["grpc"])

    def start_agent(self, agent):
        """The agent, and when it was started."""
        begin = time.monotonic()
        daemon = Daemon(self.programs.agent, "--id", agent, "--server", self.address,
                        "--rootfs", str(self.folder / "rootfs"), "--loaders", str(self.folder / "loaders"),
                        "--state", str(self.folder / f"state-{agent}"),
                        "--tftp-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", protocols=["tftp", "http"])
        return daemon, begin

    def command(self, *words):
        return [self.programs.ctl, "--server", self.address, *words]

    def ctl(self, *words):
        environment = {"PATH": "/usr/bin:/bin", "USER": "bench", "HOME": str(self.folder)}
        subprocess.run(self.command(*words), env=environment, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def fill(self):
        self.ctl("settings", "set", "variables.nfs-server", "10.0.0.1")
        self.ctl("profile", "set", "overlayfs", "nfsroot=${nfs-server}:${rootfs-path} console=${console:-ttyS0}")
        self.ctl("profile", "set", "nfsrw", "nfsroot=${nfs-server}:${rootfs-path} rw host=${host}")
        self.ctl("settings", "set", "default-distro", OVERLAYFS, "--allow-missing")
        for group in range(GROUPS):
            self.ctl("group", "set", f"g{group:02}", "-s", f"rack=r{group:04},gpu!=none", "--priority", str(group),
                     "--set", f"console=ttyS{group}")
        for first in range(0, self.hosts, IN_A_FILE):
            file = self.folder / "hosts.csv"
            with file.open("w", newline="") as out:
                table = csv.writer(out)
                table.writerow(["name", "macs", "label.rack", "label.gpu", "var.serial-number", "var.bmc"])
                for host in range(first, min(first + IN_A_FILE, self.hosts)):
                    table.writerow([name(host), mac(host), f"r{host // IN_A_RACK:04}", "none" if host % 2 else "a100",
                                    f"CZJ{host:08}", f"10.1.{host >> 8 & 255}.{host & 255}"])
            self.ctl("host", "import", str(file))


def decisions(model_bench, rows):
    """model_bench's own table, and its decisions in the table of all."""
    out = subprocess.run([model_bench], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
    for line in out.splitlines():
        columns = line.split()
        if columns and columns[0].isdigit():
            rows.append((f"decision of one host among {int(columns[0]):,}", "50 us CPU, flat", f"{columns[1]} us CPU"))
    return out


def measure(programs, hosts):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(pathlib.Path(folder), programs, hosts)
        agents = []
        try:
            begin = time.monotonic()
            cluster.fill()
            rows.append((f"import of {hosts:,} hosts, {IN_A_FILE:,} at a time", "", f"{time.monotonic() - begin:.1f} s"))
            last = hosts - 1
            cluster.ctl("assign", name(last), NFSRW, "--allow-missing")

            server_before = cpu(cluster.server.pid)
            agent, begin = cluster.start_agent("east")
            agents.append(agent)
            menus = Menus(agent)
            menus.wait_for(last, f"{NFSRW} (assigned)")
            rows.append(("fresh agent: from its start to the right menu", "1 s",
                         f"{time.monotonic() - begin:.2f} s; CPU: agent {cpu(agent.pid):.2f} s, "
                         f"server {cpu(cluster.server.pid) - server_before:.2f} s"))

            took = []
            agent.wait_for(r"event=connected")
            server_before, agent_before = cpu(cluster.server.pid), cpu(agent.pid)
            for turn in range(ASSIGNS):
                host = turn * hosts // ASSIGNS
                begin = time.monotonic()
                asked = subprocess.Popen(cluster.command("assign", name(host), NFSRW, "--allow-missing"),
                                         stdout=subprocess.DEVNULL)
                menus.wait_for(host, f"{NFSRW} (assigned)")
                took.append(time.monotonic() - begin)
                if asked.wait(PATIENCE) != 0:
                    raise AssertionError(f"assign of {name(host)}: exit code {asked.returncode}")
            rows.append((f"assign, until an agent's menu says so (of {ASSIGNS})", "well under 1 s",
                         f"median {statistics.median(took) * 1000:.0f} ms, most {max(took) * 1000:.0f} ms"))
            rows.append(("CPU of such an assign, autopxectl and looking apart", "",
                         f"server {(cpu(cluster.server.pid) - server_before) / ASSIGNS * 1000:.0f} ms, "
                         f"agent {(cpu(agent.pid) - agent_before) / ASSIGNS * 1000:.0f} ms"))

            agents.remove(agent)
            agent.stop()
            cluster.server.stop()
            cluster.server = None
            took, used = [], []
            for _ in range(STARTS):
                agent, begin = cluster.start_agent("east")
                agents.append(agent)
                Menus(agent).wait_for(last, f"{NFSRW} (assigned)")
                took.append(time.monotonic() - begin)
                used.append(cpu(agent.pid))
                agents.remove(agent)
                agent.stop()
            rows.append((f"agent with the server down: from its start to the right menu (of {STARTS})", "0.3 s",
                         f"median {statistics.median(took):.2f} s, most {max(took):.2f} s; CPU {statistics.median(used):.2f} s"))
        finally:
            for daemon in [*agents, cluster.server]:
                if daemon is not None:
                    daemon.kill()
    return rows


def main():
    parser = argparse.ArgumentParser(description="what a cluster costs the real programs")
    for program in ("server", "agent", "ctl", "model_bench"):
        parser.add_argument(program, type=os.path.abspath)
    parser.add_argument("--hosts", type=int, default=100_000)
    options = parser.parse_args()
    print(f"{machine()}\n{' '.join(sys.argv)}\n", flush=True)
    rows = [("figure", "promised", "measured")]
    table = decisions(options.model_bench, rows)
    rows += measure(options, options.hosts)
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        print(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}")
    print(f"\n{table}")


if __name__ == "__main__":
    main()
