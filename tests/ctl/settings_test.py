"""What holds for all hosts: settings and profiles: settings_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json

import programs


class Settings(programs.Programs):
    def test_settings_come_and_go(self):
        self.ok("settings", "set", "menu-timeout", "3s")
        self.ok("settings", "set", "rootfs-path-prefix", "/pxe/rootfs")
        self.ok("settings", "set", "unknown-hosts", "wait")
        self.ok("settings", "set", "variables.nfs-server", "10.0.0.1")
        shown = self.ok("settings", "show")
        for line in (r"menu-timeout +3s", r"rootfs-path-prefix +/pxe/rootfs", r"unknown-hosts +wait",
                     r"variables\.nfs-server +10\.0\.0\.1"):
            self.assertRegex(shown, line)
        for key in ("menu-timeout", "rootfs-path-prefix", "unknown-hosts", "variables.nfs-server"):
            self.ok("settings", "unset", key)
        shown = self.ok("settings", "show")
        self.assertRegex(shown, r"menu-timeout +10s")
        self.assertRegex(shown, r"unknown-hosts +-")
        self.assertNotIn("variables", shown)

    def test_a_profile_in_use_stays(self):
        self.ok("profile", "set", "p", "quiet")
        self.assertEqual(json.loads(self.ok("profile", "show", "p", "-o", "json"))["command_line"], "quiet")
        self.ok("assign", "525400123456", "a/b/c/p", "--allow-missing")
        self.assertIn('"p"', self.refused("profile", "delete", "p"))
        self.ok("unassign", "525400123456")
        self.ok("profile", "delete", "p")


if __name__ == "__main__":
    programs.main()
