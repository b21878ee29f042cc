#!/usr/bin/python3
"""Counts test cases: tools/test_report.py FOLDER

FOLDER holds what tools/test.sh gathered: `checks` (a line "passed" or "failed" for each step that is a
case itself) and `*.events.json` (Bazel's build events of each test run). Names what failed, was skipped or passed only at a second try,
then prints "N passed, N failed[, N skipped]". Exits with 1 if anything failed.
"""

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.flaky = []

    def add_cases(self, label, xml_path):
        """Adds the cases of one JUnit file; returns how many failed."""
        failed = 0
        for case in xml.etree.ElementTree.parse(xml_path).iter("testcase"):
            name = f"{label} {case.get('classname', '')}.{case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed.append(name)
                failed += 1
            elif skipped is not None or case.get("status") == "notrun":
                reason = "" if skipped is None else skipped.get("message") or skipped.text or ""
                self.skipped.append(f"{name}: {reason.strip()}")
            else:
                self.passed += 1
        return failed

    def add_run(self, events_path):
        """Adds one run of `bazel test`."""
        outputs, summaries, finished = {}, {}, False
        for line in events_path.read_text().splitlines():
            event = json.loads(line)
            identity = event.get("id", {})
            if "testResult" in event:
                for output in event["testResult"].get("testActionOutput", []):
                    if output["name"] == "test.xml":
                        path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
                        result = identity["testResult"]
                        # Of a test that was tried again, the last attempt counts.
                        outputs.setdefault(result["label"], {})[result.get("run"), result.get("shard")] = path
            elif "testSummary" in event:
                summaries[identity["testSummary"]["label"]] = event["testSummary"]["overallStatus"]
            elif "targetCompleted" in identity and "aborted" not in event:
                if not event.get("completed", {}).get("success", False):
                    summaries.setdefault(identity["targetCompleted"]["label"], "FAILED_TO_BUILD")
            elif "finished" in event:
                finished = True
        if not finished or not summaries:
            self.failed.append(f"{events_path.stem}: the run did not finish")
        for label, status in sorted(summaries.items()):
            failed = 0
            if status == "FLAKY":
                self.flaky.append(label)
            for path in outputs.get(label, {}).values():
                try:
                    failed += self.add_cases(label, path)
                except (OSError, xml.etree.ElementTree.ParseError) as error:
                    self.failed.append(f"{label}: no readable result: {error}")
                    failed += 1
            # A program may fail beside its cases: by a leak that is found at its end, a crash, a time-out.
            if status not in ("PASSED", "FLAKY") and failed == 0:
                self.failed.append(f"{label}: {status}")


def main(folder):
    report = Report()
    checks = folder / "checks"
    for number, line in enumerate(checks.read_text().split() if checks.exists() else [], 1):
        if line == "passed":
            report.passed += 1
        else:
            report.failed.append(f"step {number} above")
    for events in sorted(folder.glob("*.events.json")):
        report.add_run(events)
    for name in report.failed:
        print(f"failed: {name}")
    for name in report.skipped:
        print(f"skipped: {name}")
    for name in report.flaky:
        print(f"flaky: {name} failed first and passed when it ran again")
    tail = f", {len(report.skipped)} skipped" if report.skipped else ""
    print(f"{report.passed} passed, {len(report.failed)} failed{tail}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
