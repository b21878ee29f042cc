"""The layering rules that Bazel's visibility cannot see, checked over the includes of every C++ file."""

import os
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(os.path.realpath(__file__)).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import junit  # noqa: E402  (found through the path above)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# Header -> the folders that may include it.
RESERVED = {
    r"sqlite3\.h": ["server/sqlite/"],
    r"sys/socket\.h|linux/tcp\.h|netinet/.*": ["agent/net/"],
    r"microhttpd\.h": ["agent/http/", "common/runtime/"],
    r"grpcpp/.*": [
        "server/services/",
        "agent/sync/",
        "ctl/client.",
        "common/status/",
        "common/runtime/",
        # The wiring.
        "server/server.",
        "server/main.",
        "agent/agent.",
        "agent/main.",
        "tests/",
        "bench/",
    ],
}

# Folders whose code does no I/O, reads no clock, logs nothing and knows no proto.
PURE = [
    "common/digest/",
    "common/model/",
    "boot/",
    "server/plan/",
    "agent/tftp/packet",
    "agent/tftp/options",
    "agent/tftp/netascii",
    "agent/tftp/transfer",
]
IMPURE = re.compile(
    r"spdlog/.*|grpc.*|google/protobuf/.*|.*\.pb\.h|sqlite3\.h|unistd\.h|sys/.*|fcntl\.h|fstream|iostream|cstdio|thread"
    r"|mutex|absl/synchronization/.*|absl/time/clock\.h|common/runtime/.*|filesystem|microhttpd\.h"
)

# Every first-party folder -> what it may include besides itself, std, absl, common/model, common/status and common/digest.
MAY_USE = {
    "common/model": [],
    "common/digest": [],
    "common/status": ["proto"],
    "common/wire": ["proto"],
    "common/runtime": [],
    "boot": [],
    "migrations": [],
    "server/sqlite": [],
    "server/plan": ["boot"],
    "server/store": ["server/sqlite", "migrations", "server/plan"],
    "server/feed": ["server/store", "common/runtime"],
    "server/services": [
        "proto",
        "common/wire",
        "common/runtime",
        "server/feed",
        "server/store",
        "server/plan",
        "boot",
    ],
    "agent/view": ["boot", "common/runtime"],
    "agent/journal": ["boot", "common/runtime"],
    "agent/catalog": ["boot", "common/runtime"],
    "agent/content": ["boot", "agent/view", "agent/catalog", "agent/journal", "common/runtime"],
    "agent/net": ["common/runtime"],
    "agent/tftp": ["agent/content", "agent/net", "common/runtime", "boot"],
    "agent/http": ["agent/content", "agent/net", "common/runtime", "boot"],
    "agent/sync": ["proto", "common/wire", "agent/view", "agent/catalog", "agent/journal", "common/runtime", "boot"],
    "ctl": ["proto", "common/wire", "common/runtime", "ctl/import"],
    "ctl/import": ["proto", "common/wire", "common/runtime", "ctl"],
}
WIRING = {"server": "server/", "agent": "agent/"}


def sources():
    for folder in ("common", "boot", "migrations", "server", "agent", "ctl", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cc", ".h"):
                yield str(path.relative_to(ROOT)), INCLUDE.findall(path.read_text())


def folder_of(path):
    """The folder of the table above that holds `path`."""
    parts = path.split("/")
    for length in (2, 1):
        folder = "/".join(parts[:length])
        if len(parts) > length and (folder in MAY_USE or folder in WIRING or folder in ("tests", "bench")):
            return folder
    return parts[0]


def test_only(path):
    """Whether a file is built for tests alone: by its name, or as a target that Bazel keeps out of programs."""
    if path.endswith("_test.cc") or path.startswith(("tests/", "bench/")):
        return True
    build = ROOT / os.path.dirname(path) / "BUILD.bazel"
    if not build.exists():
        return False
    rules = re.findall(r"^cc_library\(.*?^\)", build.read_text(), re.MULTILINE | re.DOTALL)
    return any(f'"{os.path.basename(path)}"' in rule and "testonly = " in rule for rule in rules)


def violations(path, includes):
    """What is wrong with the includes of one file."""
    test = test_only(path)
    folder = folder_of(path)
    for kind, header in includes:
        for pattern, folders in RESERVED.items():
            if re.fullmatch(pattern, header) and not test and not path.startswith(tuple(folders)):
                yield f"{path} includes {header}: only {', '.join(folders)} may"
        if path.startswith(tuple(PURE)) and not test and IMPURE.fullmatch(header):
            yield f"{path} includes {header}: its folder is pure"
        if kind == "<" or test:
            continue
        target = "proto" if header.startswith("autopxe/v1/") else folder_of(header)
        if target in ("common/model", "common/status", "common/digest") or target == folder or header.startswith("absl/"):
            continue
        if folder in WIRING:
            other = {"server": ("agent", "ctl"), "agent": ("server", "ctl")}[folder]
            if target.split("/")[0] in other:
                yield f"{path} includes {header}: {folder} never knows {' or '.join(other)}"
        elif folder in MAY_USE and "/" in header and target in (set(MAY_USE) | set(WIRING) | {"proto"}):
            if target not in MAY_USE[folder]:
                yield f"{path} includes {header}: {folder} may use {', '.join(MAY_USE[folder]) or 'nothing more'}"


class LayeringTest(unittest.TestCase):
    def test_every_include_is_allowed_by_the_table(self):
        found = [v for path, includes in sources() for v in violations(path, includes)]
        self.assertEqual(found, [])

    def test_every_folder_with_code_is_in_the_table(self):
        unknown = {
            folder_of(path)
            for path, _ in sources()
            if folder_of(path) not in MAY_USE and folder_of(path) not in (*WIRING, "tests", "bench")
        }
        self.assertEqual(unknown, set())

    def test_the_rules_catch_what_they_are_for(self):
        cases = [
            ("boot/menu.cc", ("<", "spdlog/spdlog.h")),
            ("common/model/host.h", ("<", "absl/time/clock.h")),
            ("boot/menu.cc", ('"', "absl/time/clock.h")),
            ("server/store/writer.cc", ("<", "sqlite3.h")),
            ("server/store/writer.cc", ('"', "autopxe/v1/agent.pb.h")),
            ("agent/tftp/server.cc", ("<", "sys/socket.h")),
            ("agent/tftp/packet.cc", ('"', "common/runtime/log_line.h")),
            ("agent/sync/follower.cc", ('"', "agent/content/content.h")),
            ("agent/http/server.cc", ('"', "common/wire/host_wire.h")),
            ("server/sqlite/database.h", ('"', "server/store/store.h")),
            ("ctl/host.cc", ('"', "server/plan/plan.h")),
            ("ctl/host.cc", ("<", "grpcpp/grpcpp.h")),
            ("agent/agent.cc", ('"', "server/server.h")),
            ("server/feed/feed.h", ('"', "common/wire/change_wire.h")),
        ]
        for path, include in cases:
            with self.subTest(path=path, include=include):
                self.assertTrue(list(violations(path, [include])))

    def test_no_header_is_without_a_library_of_its_own(self):
        missing = []
        for path, _ in sources():
            if not path.endswith(".h") or path.startswith(("tests/", "bench/")):
                continue
            build = ROOT / path
            build = build.parent / "BUILD.bazel"
            if not build.exists() or f'"{os.path.basename(path)}"' not in build.read_text():
                missing.append(path)
        self.assertEqual(missing, [])

    def test_one_place_opens_a_connection_that_writes(self):
        """faults.md 36. The store opens it once, and anew after a failure, when the one before is gone."""
        found = []
        for path, _ in sources():
            if path.startswith("server/") and not test_only(path):
                calls = re.findall(r"Database::Open\(\{[^}]*\}\)", (ROOT / path).read_text())
                found += [path for call in calls if "Access::kReadOnly" not in call]
        self.assertEqual(found, ["server/store/store.cc"] * 2)

    def test_one_folder_calls_sockets(self):
        """Whatever header brings the functions along."""
        call = re.compile(r"(?<![\w.>])(?:shutdown|[gs]etsockopt|recv(?:from|m?msg)|send(?:to|m?msg)|accept4?)\(")
        found = [path for path, _ in sources()
                 if path.startswith("agent/") and not path.startswith("agent/net/") and not test_only(path)
                 and call.search((ROOT / path).read_text())]
        self.assertEqual(found, [])
        self.assertTrue(call.search("  .cut = [](int fd) { shutdown(fd, SHUT_RDWR); },"))

    def test_no_wait_ends_by_the_wall_clock(self):
        """Debian's Abseil and gRPC wait until a time of day, so a clock that is set back stretches each of their time-outs. Whoever
        types a command sees it wait, and can end it."""
        wait = re.compile(r"(?:Await|LockWhen|Wait|WaitForNotification)With(?:Timeout|Deadline)\(|\b(?:set_deadline|WaitForConnected)\(")
        found = [path for path, _ in sources()
                 if not path.startswith("ctl/") and not test_only(path) and wait.search((ROOT / path).read_text())]
        self.assertEqual(found, [])
        self.assertTrue(wait.search("  context.set_deadline(std::chrono::system_clock::now());"))
        self.assertTrue(wait.search("  mutex_.AwaitWithTimeout(absl::Condition(&ending_), interval);"))

    def test_names_say_what_a_thing_is(self):
        banned = re.compile(r"(^|_)(utils?|helpers?|managers?|handlers?|data|infos?|misc|impl)(_|\.|$)")
        found = [path for path, _ in sources() if banned.search(os.path.basename(path))]
        self.assertEqual(found, [])

    def test_log_lines_name_events_and_durations_alike(self):
        found = []
        for path, _ in sources():
            if test_only(path):
                continue
            text = (ROOT / path).read_text()
            events = re.findall(r'\bLogLine(?: \w+)?\("([^"]*)"', text)
            found += [f"{path}: event={event}" for event in events if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", event)]
            found += [f"{path}: {key}" for key in re.findall(r'\.Add\("(duration)"', text)]
        self.assertEqual(found, [])


if __name__ == "__main__":
    junit.main()
