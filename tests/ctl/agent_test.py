"""What agents serve of what they were told, and when: agent_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json
import signal

import programs
from programs import DISTRO


class Agents(programs.Programs):
    def test_waiting_means_that_the_agent_serves_it(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path} marker-a")
        for _ in range(20):
            self.ok("assign", "525400123456", DISTRO, "--wait")
            self.assertIn(DISTRO, self.fetch(agent, "autopxe-525400123456"))
            self.ok("assign", "525400123456", "debian/trixie/latest/overlayfs", "--wait")
            self.assertIn("debian/trixie/latest/overlayfs", self.fetch(agent, "autopxe-525400123456"))
        listed = json.loads(self.ok("agent", "list", "-o", "json"))["agents"]
        self.assertEqual([(a["id"], a["connected"], a["lag"]) for a in listed], [("lab", True, "0")])

    def test_with_the_server_gone_a_restarted_agent_serves_what_it_had(self):  # faults.md, case 43.
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        self.ok("assign", "525400123456", DISTRO, "--wait")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        agent = self.start_agent()
        self.assertIn(DISTRO, self.fetch(agent, "autopxe-525400123456"))

    def test_a_server_that_was_restarted_is_followed_again(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        address = self.server.address["grpc"]
        self.assertEqual(self.server.stop(), 0)
        self.start_server(listen=address)
        while not any(agent["connected"] for agent in json.loads(self.ok("agent", "list", "-o", "json"))["agents"]):
            pass
        self.ok("assign", "525400123456", DISTRO, "--wait")
        self.assertIn(DISTRO, self.fetch(agent, "autopxe-525400123456"))

    def test_an_agent_offers_what_it_finds_on_sighup(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        boot = self.folder / "rootfs/debian/sid/boot"
        boot.mkdir(parents=True)
        (boot / "vmlinuz-6.6.63").write_text("kernel")
        (boot / "initrd.img-6.6.63").write_text("initrd")
        agent.signal(signal.SIGHUP)
        while "debian/sid/6.6.63/overlayfs" not in self.ok("distro", "list"):
            pass

    def test_what_is_set_for_an_agent_reaches_the_hosts_that_ask_it_and_outlives_the_server(self):
        self.ok("settings", "set", "variables.nfs-server", "172.25.2.11")
        self.ok("profile", "set", "nfs", "nfsroot=${nfs-server}:${rootfs-path}")
        self.ok("agent", "set", "rack2", "variables.nfs-server", "10.77.2.1")
        self.ok("agent", "set", "rack2", "rootfs-path-prefix", "/export")
        self.ok("agent", "set", "rack2", "default-distro", "wait")
        rack1 = self.start_agent("rack1", "state1")
        rack2 = self.start_agent("rack2", "state2")
        self.wait_for_catalog()
        self.ok("assign", "525400123456", "debian/trixie/latest/nfs", "--wait")

        def is_as_set():
            here, there = (self.fetch(agent, "autopxe-525400123456") for agent in (rack1, rack2))
            self.assertIn("set nfs-server:uristring 172.25.2.11", here)
            self.assertIn(str(self.folder / "rootfs/debian/trixie"), here)
            self.assertIn("set nfs-server:uristring 10.77.2.1", there)
            self.assertIn("/export/debian/trixie", there)
            # A host that nobody has named: the agent's default, and nothing to boot at the other.
            self.assertIn("Nothing%20is%20assigned", self.fetch(rack1, "autopxe-525400123457"))
            self.assertIn("waiting for something to boot", self.fetch(rack2, "autopxe-525400123457"))

        is_as_set()
        shown = self.ok("agent", "show", "rack2")
        for line in (r"default-distro +wait", r"rootfs-path-prefix +/export", r"variables\.nfs-server +10\.77\.2\.1"):
            self.assertRegex(shown, line)
        # From the agents' own copies.
        self.assertEqual([rack1.stop(), rack2.stop(), self.server.stop()], [0, 0, 0])
        rack1 = self.start_agent("rack1", "state1")
        rack2 = self.start_agent("rack2", "state2")
        is_as_set()

        self.start_server(listen=self.server.address["grpc"])
        for key in ("default-distro", "rootfs-path-prefix", "variables.nfs-server"):
            self.ok("agent", "unset", "rack2", key)
        self.assertEqual(json.loads(self.ok("agent", "show", "rack2", "-o", "json"))["etag"], "0")


if __name__ == "__main__":
    programs.main()
