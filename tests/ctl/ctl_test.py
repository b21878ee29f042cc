"""What holds for every command: ctl_test.py AUTOPXE_SERVER AUTOPXE_AGENT AUTOPXECTL"""

import json
import stat

import programs


class Ctl(programs.Programs):
    def test_no_value_gets_through_that_could_add_a_command(self):  # faults.md, case 31.
        for args in (("settings", "set", "variables.x", "a\nsanboot"), ("settings", "set", "variables.x", "${cwduri}"),
                     ("settings", "set", "variables.x", "\x1b[2J"), ("settings", "set", "variables.x", "\u00e4"),
                     ("settings", "set", "variables.a b", "x"), ("settings", "set", "variables.hostname", "x"),
                     ("profile", "set", "p", "a\nb"), ("profile", "set", "p\n", "a"),
                     ("host", "create", "a||b", "525400123456"), ("host", "create", "${x}", "525400123456"),
                     ("assign", "525400123456", "a/b/c/d\nlocal"), ("assign", "52:54:00:12:34", "local")):
            error = self.refused(*args)
            self.assertTrue(error.isascii() and error[:-1].isprintable(), error)
        self.assertEqual(json.loads(self.ok("settings", "show", "-o", "json"))["variables"], {})

    def test_exit_codes_tell_what_went_wrong(self):
        self.refused("assign", "525400123456", "nonsense", code=1)
        self.refused("assign", "525400123456", code=2)
        self.refused("no-such-command", code=2)
        self.assertIn("127.0.0.1:1", self.refused("host", "list", server="127.0.0.1:1", code=3))

    def test_flag_variable_and_file_name_the_server_alike(self):
        address = self.server.address["grpc"]
        self.ok("--server", address, "host", "list", server="127.0.0.1:1")
        config = self.folder / "home/.config/autopxe"
        config.mkdir(parents=True)
        (config / "ctl.yaml").write_text(f"server: {address}\n")
        self.ok("host", "list", server="")
        (config / "ctl.yaml").write_text("servre: x\n")
        self.assertIn("ctl.yaml:1", self.refused("host", "list", server="", code=2))

    def test_version_tells_both(self):
        self.assertRegex(self.ok("version"), r"\Aautopxectl (\S+)\nautopxe-server \1 at 127\.0\.0\.1:\d+\n\Z")

    def test_nobody_else_can_read_what_is_kept(self):  # faults.md, case 48.
        agent = self.start_agent()
        self.ok("assign", "525400123456", "local", "--wait")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        kept = [path for path in [*self.folder.glob("autopxe.db*"), *(self.folder / "state").iterdir()] if path.is_file()]
        self.assertGreaterEqual(len(kept), 2)
        for path in kept:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)


if __name__ == "__main__":
    programs.main()
