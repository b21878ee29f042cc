#!/bin/sh
# Runs a Python test with Debian's own interpreter: run_python_test.sh TEST.py [ARGUMENT...]
exec /usr/bin/python3 -B "$@"
