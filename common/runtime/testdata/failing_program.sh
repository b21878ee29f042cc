#!/bin/sh
# Logs two lines and fails.
echo "event=first" >&2
echo "event=last" >&2
exit 3
