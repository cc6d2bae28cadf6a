#!/bin/sh
# The benchmark of rules (docs/benchmark.md): runs its manifests, or continues where an earlier call was interrupted, checks
# what they left and prints the tables.
# usage: bench/rules.sh [BUILD] [NAME...]     BUILD: a build folder (default: build); NAME: lenet5, resnet18 (default: both)
# Needs data/cifar10 for resnet18. JOBS trials at once (default: 2, with one thread each); results are in runs/benchmark-NAME.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- lenet5 resnet18
jobs=${JOBS:-2}
bioft=$build/core/cli/bioft

for name; do
    out=runs/benchmark-$name
    resume=
    [ ! -e "$out" ] || resume=--resume
    "$bioft" run "$here/../manifests/benchmark/$name.yaml" --out "$out" --jobs "$jobs" --threads 1 $resume
    "$bioft" verify "$out"
    python3 "$here/rules.py" "$out"
done
