#!/bin/sh
# What `bioft run` costs around the engine, on ResNet-18 with batches of 32 images of 224x224:
# seconds from the start of the program to the first step, with weights mapped from a warm page
# cache; the part of a step that is spent outside the engine; peak memory.
# usage: bench/run.sh [BUILD] [ENGINE] [THREADS] [BATCH]     BUILD: a build folder (default: build)
# Other load makes the figures worthless.
set -eu
build=${1:-build}
engine=${2:-openblas}
threads=${3:-2}
batch=${4:-32}
python=/usr/bin/python3
[ -x "$python" ] || python=python3

ninja --quiet -C "$build" core/cli/bioft tests/system/timed_engine.so \
    "plugins/engines/$engine/$engine.so"
build=$(cd "$build" && pwd)
"$python" - "$build" "$engine" "$threads" "$batch" <<'PYTHON'
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

build, engine, threads, batch = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
STARTS, STEPS = 5, 8
MANIFEST = """\
bioft: 1
name: bench
engine: {plugin: %s}
dataset: {plugin: npy, root: .}
model: {backbone: resnet18%s}
stages:
  - name: fine-tune
    rule: usf
    loss: cross_entropy
    optimizer: {name: adam, lr: 1.0e-5}
    batch_size: %d
    steps: %d
"""


def bioft(*words, **more):
    """Runs it; its peak memory in MiB."""
    with open("log", "w") as log:
        child = subprocess.Popen([f"{build}/core/cli/bioft", *words], stdout=log, stderr=log,
                                 **more)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(open("log").read())
    return usage.ru_maxrss / 1024


def run(steps, batch, weights=""):
    """When the first step begins as (seconds since the start, of processors), each step's time as
    (all, inside the engine), and memory."""
    with open("m.yaml", "w") as file:
        file.write(MANIFEST % (engine, weights, batch, steps))
    shutil.rmtree("out", ignore_errors=True)
    start = time.monotonic()
    real = f"{build}/plugins/engines/{engine}/{engine}.so"
    peak = bioft("run", "m.yaml", "--out", "out", "--threads", threads, "--plugin-path", "place",
                 env=dict(os.environ, TIMED_ENGINE_REAL=real, TIMED_ENGINE_OUT="times"))
    first, ends, inside = None, [], []
    for line in open("times"):
        words = line.split()
        if words[0] == "first":
            first = (float(words[1]) - start, float(words[2]))
        elif words[0] == "update":
            ends.append(float(words[1]))
            inside.append(float(words[2]))
    return first, [(b - a, i) for a, b, i in zip(ends, ends[1:], inside[1:])], peak


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.makedirs("place/engines")
    shutil.copy(f"{build}/tests/system/timed_engine.so", f"place/engines/{engine}.so")
    rng = np.random.default_rng(1)
    for split, n in ("train", STEPS * batch), ("test", 1):
        np.save(f"{split}_images.npy", rng.integers(0, 256, (n, 224, 224, 3), dtype=np.uint8))
        np.save(f"{split}_labels.npy", np.arange(n) % 10 if n > 1 else np.zeros(1, np.int64))
    run(1, 1)
    checkpoint = [f"out/trials/{t}/checkpoint.safetensors" for t in os.listdir("out/trials")][0]
    shutil.copy(checkpoint, "weights.safetensors")
    weights = ", weights: weights.safetensors"
    starts, cpu = zip(*(run(1, batch, weights)[0] for _ in range(STARTS)))
    print(f"start to first step: {min(starts):.3f} s at best, "
          f"median {statistics.median(starts):.3f} of {STARTS}; {min(cpu):.3f} s of processors")
    _, steps, peak = run(STEPS, batch, weights)
    steps = steps[1:]                                  # the first two also make programs
    outside = [1e3 * (whole - inside) for whole, inside in steps]
    print(f"outside the engine: {min(outside):.1f} ms a step at best, "
          f"median {statistics.median(outside):.1f}, "
          f"of {1e3 * statistics.median(w for w, _ in steps):.0f} ms: "
          f"{100 * statistics.median((w - i) / w for w, i in steps):.2f}%")
    alone = bioft("bench", "train", "--backbone", "resnet18", "--rule", "usf", "--engine", engine,
                  "--batch", str(batch), "--threads", threads, "--steps", "1")
    print(f"peak memory: {peak:.0f} MiB with data, checkpoint and evaluation, {alone:.0f} MiB for "
          "training steps alone")
PYTHON
