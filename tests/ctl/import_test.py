"""A predecessor's configuration: import_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL CONFIG_YAML"""

import json
import os
import sys

import programs
from programs import DISTRO


class Import(programs.Programs):
    def test_a_predecessors_file_is_imported_and_served(self):
        agent = self.start_agent()
        self.wait_for_catalog()
        out = self.ok("import", "autopxe", CONFIG)
        self.assertIn(":10: HostDefaults.bc2411b01ade: host bc:24:11:b0:1a:de boots " + DISTRO, out)
        # Waits until the agent serves it.
        self.ok("assign", "bc2411b01ade", DISTRO, "--wait")
        for name in ("autopxe-BC2411B01ADE", "autopxe-bc2411b01ade"):
            menu = self.fetch(agent, name)
            self.assertIn(DISTRO, menu)
            self.assertIn("set nfs-server:uristring 172.25.2.11", menu)
            self.assertIn("/pxe/rootfs/debian/bookworm", menu)
        # A second time it changes nothing.
        self.assertIn("it was so already", self.ok("import", "autopxe", CONFIG))

    def test_an_import_without_any_agent_warns_of_its_distros(self):
        done = self.ctl("import", "autopxe", CONFIG)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning: ", done.stderr)
        self.assertIn(DISTRO, done.stderr)

    def test_a_dry_run_changes_nothing(self):
        out = self.ok("import", "autopxe", CONFIG, "--dry-run")
        self.assertIn("nothing was changed yet; revision 0", out)
        self.assertEqual(json.loads(self.ok("host", "list", "-o", "json"))["hosts"], [])


if __name__ == "__main__":
    CONFIG = os.path.abspath(sys.argv[4])
    programs.main()
