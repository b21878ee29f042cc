"""Hosts, alone and by the hundred, and what is assigned to them: host_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json

import programs
from programs import DISTRO


class Hosts(programs.Programs):
    def import_hosts(self, rows):
        """From a CSV of names and MACs' last numbers."""
        file = self.folder / "hosts.csv"
        file.write_text("name,macs\n" + "".join(f"{name},5254000{mac:05x}\n" for name, mac in rows))
        return self.ok("host", "import", str(file))

    def test_every_spelling_of_a_mac_is_one_host(self):  # faults.md, case 32.
        for mac in ("52:54:00:12:34:56", "52-54-00-12-34-56", "525400123456", "5254.0012.3456", "52:54:0:12:34:56",
                    "52:54:00:AB:CD:EF", "5254.00ab.cdef"):
            self.ok("assign", mac, "local")
        hosts = json.loads(self.ok("host", "list", "-o", "json"))["hosts"]
        self.assertEqual([host["name"] for host in hosts], ["52:54:00:12:34:56", "52:54:00:ab:cd:ef"])

    def test_a_typo_is_refused_with_what_was_probably_meant(self):
        self.start_agent()
        self.wait_for_catalog()
        self.ok("profile", "set", "overlayfs", "root=${rootfs-path}")
        error = self.refused("assign", "52:54:00:12:34:56", "debain/bookworm/latest/overlayfs")
        self.assertIn(f'did you mean "{DISTRO}"?', error)
        done = self.ctl("assign", "52:54:00:12:34:56", "debain/bookworm/latest/overlayfs", "--allow-missing")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: ", done.stderr)

    def test_a_name_that_nobody_has_is_refused(self):
        self.assertIn('"web1"', self.refused("assign", "web1", "local"))
        self.ok("host", "create", "web1", "52:54:00:12:34:56")
        self.assertIn("web1", self.ok("assign", "web1", "local"))
        self.assertIn("local", self.ok("host", "show", "5254.0012.3456"))
        self.ok("unassign", "web1")
        self.ok("host", "delete", "web1")
        self.assertIn('"web1"', self.refused("host", "show", "web1"))

    def test_many_hosts_are_named_and_told_as_lists(self):
        out = self.import_hosts((f"cn{i:03}", i) for i in range(1, 301))
        self.assertIn("300 hosts cn[001-300]: macs: (none) -> (various)\n", out)
        self.assertEqual(out.count("\n"), 2, out)
        self.ok("host", "label", "cn[001-010]", "gpu=a100")
        out = self.ok("assign", "-l", "gpu", "!cn[007-008]", "local")
        self.assertIn("8 hosts cn[001-006,009-010]: distro: (none) -> local\n", out)
        self.assertEqual(json.loads(self.ok("resolve", "cn[009-011]!cn010", "-o", "json"))["decisions"][1]["host"], "cn011")
        # Those that are known are told, the others named; of one alone, what was meant.
        done = self.ctl("resolve", "--fold", "cn[001-003]", "db[1-3]")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"3 +cn\[001-003\] +local +assignment")
        self.assertIn("3 of the hosts are unknown: db[1-3];", done.stderr)
        done = self.ctl("host", "list", "cn001", "cn0001", "--columns", "name")
        self.assertEqual((done.returncode, done.stdout), (1, "NAME\ncn001\n"))
        self.assertRegex(done.stderr, r'"cn0001": no such host; did you mean "cn0[0-9]1"\?')
        self.assertIn("3 hosts are unknown: db[1-3];", self.refused("assign", "db[1-3]", "local"))

    def test_hosts_swap_their_macs_in_one_import(self):
        self.import_hosts([("a", 1), ("b", 2), ("c", 3)])
        self.import_hosts([("a", 2), ("b", 3), ("c", 1)])
        hosts = json.loads(self.ok("host", "list", "a", "b", "c", "-o", "json"))["hosts"]
        self.assertEqual([host["macs"][0][-1] for host in hosts], ["2", "3", "1"])

    def test_the_history_tells_the_beginning_of_a_large_revision_and_all_of_it_when_asked(self):
        self.import_hosts((f"cn{i:03}", i) for i in range(1, 301))
        entry = json.loads(self.ok("history", "-o", "json"))["entries"][0]
        self.assertEqual((len(entry["differences"]), entry["more_differences"]), (100, "200"))
        number = entry["revision"]["id"]["number"]
        self.assertEqual(len(json.loads(self.ok("history", "--revision", number, "-o", "json"))["differences"]), 300)
        self.assertEqual(len(json.loads(self.ok("history", "--revision", number, "host", "cn007", "-o", "json"))["differences"]), 1)
        self.assertIn("revision 99", self.refused("history", "--revision", "99"))

    def test_an_assignment_that_lacks_a_variable_is_warned_of(self):
        self.ok("profile", "set", "serial", "console=${tty}", "--force")
        self.import_hosts((f"cn{i:03}", i) for i in range(1, 301))
        done = self.ctl("assign", "cn[001-300]", "debian/bookworm/latest/serial", "--allow-missing")
        self.assertEqual(done.returncode, 0)
        self.assertIn("uses ${tty}, which 300 hosts that boot with it don't get: cn[001-300]", done.stderr)


if __name__ == "__main__":
    programs.main()
