"""The contract between versions: what was ever in the protos is there unchanged.

    proto_compat_test.py             run by Bazel
    proto_compat_test.py --update    records what is new

The record is recorded.txt beside this file. --update only adds to it: a line that is gone or has changed breaks programs that were built before.
Whoever means to do that all the same edits the record by hand, where a reviewer sees it.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import unittest

HERE = pathlib.Path(os.path.realpath(__file__)).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "lib")]
import junit  # noqa: E402  (found through the path above)
import surface  # noqa: E402

PROTO = ROOT / "proto"
RECORD = HERE / "recorded.txt"
UPDATE = "/usr/bin/python3 tests/proto_compat/proto_compat_test.py --update"


def read(record):
    return record.read_text().splitlines()


def broken(recorded, current):
    """What a program that was built on `recorded` misses in `current`: sentences."""
    now = {surface.element(line): line for line in current}
    for line in recorded:
        if line not in current:
            yield f"{line}: " + ("is now " + now[surface.element(line)] if surface.element(line) in now else "is gone")


def update(record, current):
    """Adds to the record what is new. Returns what stands against it."""
    recorded = read(record) if record.exists() else []
    wrong = list(broken(recorded, current))
    if not wrong:
        record.write_text("\n".join(current) + "\n")
    return wrong


class TheProtos(unittest.TestCase):
    maxDiff = None

    def test_have_everything_that_was_recorded_unchanged(self):
        self.assertEqual(list(broken(read(RECORD), surface.of_folder(PROTO))), [])

    def test_have_nothing_that_is_not_recorded(self):
        new = sorted(set(surface.of_folder(PROTO)) - set(read(RECORD)))
        self.assertEqual(new, [], f"\nRecord it: {UPDATE}")


class TheComparison(unittest.TestCase):
    """On copies of the protos in which one thing is another."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.proto = pathlib.Path(folder.name) / "proto"
        self.record = pathlib.Path(folder.name) / "recorded.txt"
        shutil.copyfile(RECORD, self.record)

    def changed(self, file, old, new):
        """The surface after replacing one text by another."""
        shutil.rmtree(self.proto, ignore_errors=True)
        shutil.copytree(PROTO, self.proto)
        path = self.proto / "autopxe/v1" / file
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))
        return surface.of_folder(self.proto)

    def test_catches_what_breaks_a_program_built_before(self):
        cases = [
            ("a field gone", "agent.proto", "  string version = 2;", "", r"AgentStatus\.version = 2 string: is gone"),
            ("its number reserved", "agent.proto", "  string version = 2;", "  reserved 2;", r"AgentStatus\.version .*: is gone"),
            ("another number", "agent.proto", "string version = 2;", "string version = 22;", r"AgentStatus\.version = 2 string: is now .* = 22 "),
            ("another type", "agent.proto", "int64 lag = 4;", "int32 lag = 4;", r"Agent\.lag = 4 int64: is now .* int32"),
            ("another name", "agent.proto", "string version = 2;", "string release = 2;", r"AgentStatus\.version .*: is gone"),
            ("one of many", "agent.proto", "repeated string problems", "string problems", r"problems = 8 repeated string: is now .* = 8 string"),
            ("no presence", "configuration.proto", "optional string unknown_hosts", "string unknown_hosts", r"unknown_hosts .*: is now"),
            ("another map", "configuration.proto", "map<string, string> variables", "map<string, bytes> variables", r"variables .*: is now"),
            ("out of its oneof", "maintenance.proto", "    BackupEnd end = 3;\n  }", "  }\n  BackupEnd end = 3;", r"end = 3 .* in oneof part: is now"),
            ("another value", "error.proto", "REASON_ETAG_MISMATCH = 7", "REASON_ETAG_MISMATCH = 17", r"REASON_ETAG_MISMATCH = 7: is now"),
            ("a value gone", "error.proto", "  REASON_BATCH_INVALID = 9;", "", r"REASON_BATCH_INVALID = 9: is gone"),
            ("a method gone", "configuration.proto", "  rpc GetHost(GetHostRequest) returns (Host);", "", r"method .*\.GetHost .*: is gone"),
            ("another response", "configuration.proto", "rpc GetHost(GetHostRequest) returns (Host)", "rpc GetHost(GetHostRequest) returns (Profile)", r"GetHost .*: is now"),
            ("no stream", "agent.proto", "returns (stream WatchConfigurationResponse)", "returns (WatchConfigurationResponse)", r"WatchConfiguration .*: is now"),
            ("another package", "error.proto", "package autopxe.v1;", "package autopxe.v2;", r"message autopxe\.v1\.ErrorDetail: is gone"),
        ]
        for name, file, old, new, pattern in cases:
            with self.subTest(name):
                current = self.changed(file, old, new)
                self.assertRegex("\n".join(broken(read(RECORD), current)), pattern)
                # Nor can it be recorded.
                before = read(self.record)
                self.assertTrue(update(self.record, current))
                self.assertEqual(read(self.record), before)

    def test_lets_what_is_new_be_recorded(self):
        current = self.changed("agent.proto", "  string version = 2;", "  string version = 2;\n  string colour = 99;")
        self.assertEqual(list(broken(read(RECORD), current)), [])
        self.assertEqual(update(self.record, current), [])
        self.assertEqual(set(read(self.record)) - set(read(RECORD)), {"field autopxe.v1.AgentStatus.colour = 99 string"})


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        refused = update(RECORD, surface.of_folder(PROTO))
        print("\n".join(refused), file=sys.stderr)
        sys.exit(1 if refused else 0)
    junit.main()
