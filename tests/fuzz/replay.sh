#!/bin/sh
# Runs a replay program on the seeds of its target: replay.sh PROGRAM TARGET.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$(dirname "$0")/seeds.py" "$work"
"$1" "$work/$2"/*
