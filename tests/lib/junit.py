"""Runs a file's unittest cases and writes what became of each as JUnit XML to $XML_OUTPUT_FILE, as Bazel expects."""

import os
import sys
import time
import unittest
import xml.etree.ElementTree as xml


class _Result(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cases = {}  # Test id -> its element.
        self._begin = 0.0

    def startTest(self, test):  # noqa: N802 (unittest's name)
        super().startTest(test)
        self._begin = time.monotonic()
        classname, _, name = test.id().rpartition(".")
        self.cases[test.id()] = xml.Element("testcase", classname=classname, name=name)

    def stopTest(self, test):  # noqa: N802
        self.cases[test.id()].set("time", f"{time.monotonic() - self._begin:.3f}")
        super().stopTest(test)

    def _mark(self, test, tag, text):
        # A failure of a whole class or module has an id of its own, and no start.
        case = self.cases.setdefault(test.id(), xml.Element("testcase", classname="", name=test.id()))
        xml.SubElement(case, tag, message=text.strip().splitlines()[-1] if text.strip() else tag).text = text

    def addError(self, test, err):  # noqa: N802
        super().addError(test, err)
        self._mark(test, "error", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):  # noqa: N802
        super().addFailure(test, err)
        self._mark(test, "failure", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._mark(test, "failure", f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):  # noqa: N802
        super().addSkip(test, reason)
        self._mark(test, "skipped", reason)

    def addUnexpectedSuccess(self, test):  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._mark(test, "failure", "unexpected success")


def main():
    """Runs the cases of __main__; exits with 1 if any failed or there were none."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=2).run(suite)
    output = os.environ.get("XML_OUTPUT_FILE")
    if output:
        root = xml.Element("testsuites")
        xml.SubElement(root, "testsuite", name=os.path.basename(sys.argv[0])).extend(result.cases.values())
        xml.ElementTree(root).write(output, encoding="utf-8", xml_declaration=True)
    sys.exit(0 if result.wasSuccessful() and result.cases else 1)
