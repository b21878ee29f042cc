"""Tests that boot virtual hosts from the real programs."""

_LAB = [
    "cluster.py",
    "host.py",
    "lab.py",
    "//tests/lib:junit",
]

_PROGRAMS = [
    "//server:autopxe-server",
    "//agent:autopxe-agent",
    "//ctl:autopxectl",
]

def vm_test(name, srcs, inputs):
    """A test with firmware: minutes, and both processors, of its own.

    QEMU, namespaces and the folder with the firmware are out of a sandbox's reach.

    Args:
      name: of the test; its script is name.py.
      srcs: Python files: that script, and what it imports besides the lab.
      inputs: what the script gets as arguments behind the three programs.
    """
    native.sh_test(
        name = name,
        size = "large",
        timeout = "long",
        srcs = ["//tests/lib:run_python_test.sh"],
        args = ["$(location %s.py)" % name] + ["$(location %s)" % file for file in _PROGRAMS + inputs],
        data = _LAB + _PROGRAMS + srcs + inputs,
        tags = [
            "exclusive",
            "external",
            "firmware",
            "local",
            "no-sandbox",
        ],
    )
