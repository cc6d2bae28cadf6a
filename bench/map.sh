#!/bin/sh
# mAP@5000 of 2,100 queries against 148,332 codes of 32 bits with label sets of 21 classes: the
# ranking alone by each set of kernels (wider codes too), then the whole of `bioft map` from .npy
# files, and a plain numpy loop over 20 queries.
# usage: bench/map.sh [BUILD] [THREADS]     BUILD: a build folder (default: build)
# Other load makes the figures worthless.
set -eu
build=${1:-build}
threads=${2:-2}
python=/usr/bin/python3
[ -x "$python" ] || python=python3

ninja -C "$build" bench/ranking core/cli/bioft >/dev/null
"$build/bench/ranking" "$threads"
"$python" - "$build/core/cli/bioft" "$threads" <<'PYTHON'
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

bioft, threads = sys.argv[1:]
rng = np.random.default_rng(1)
query, database, bits, classes, k, few = 2100, 148332, 32, 21, 5000, 20
arrays = {}
for side, n in ("query", query), ("database", database):
    arrays[side + "-codes"] = np.where(rng.random((n, bits)) < 0.5, -1, 1).astype(np.float32)
    arrays[side + "-labels"] = (rng.random((n, classes)) < 0.1).astype(np.uint8)
with tempfile.TemporaryDirectory() as folder:
    command = [bioft, "map", "--k", str(k), "--threads", threads]
    for name, array in arrays.items():
        np.save(os.path.join(folder, name + ".npy"), array)
        command += ["--" + name, os.path.join(folder, name + ".npy")]
    for ties in "expected", "stable":
        best = 1e30
        for _ in range(5):
            start = time.monotonic()
            line = subprocess.run(command + ["--ties", ties], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
            best = min(best, time.monotonic() - start)
        print(f"bioft map, files and all: {1e3 * best:7.1f} ms  {line}", end="")
start = time.monotonic()
for code, label in list(zip(arrays["query-codes"], arrays["query-labels"]))[:few]:
    distance = bits - arrays["database-codes"] @ code
    hits = (arrays["database-labels"] @ label > 0)[np.argsort(distance, kind="stable")[:k]]
    ranks = np.flatnonzero(hits) + 1
    (np.arange(1, len(ranks) + 1) / ranks).sum() / max(len(ranks), 1)
print(f"numpy, from {few} queries:    {1e3 * (time.monotonic() - start) * query / few:7.1f} ms")
PYTHON
