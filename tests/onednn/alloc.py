#!/usr/bin/env python3
"""A run under one allocation that fails: alloc.py SHIM ENGINE COUNT. Each run ends with a status and a message, and what it
leaves is made whole by --resume. Among the allocations are those of the libraries: where C++'s `new` fails inside oneDNN, its
C interface lets the exception through, and the process ends by SIGABRT with the message of bioft's parent process. Those are
counted apart."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import bioft  # noqa: E402

MANIFEST = """\
bioft: 1
name: faults
engine: %s
threads: 2
dataset: {plugin: npy, root: data}
model: {backbone: lenet5}
stages:
  - {name: s, rule: usf, loss: cross_entropy, optimizer: {name: adam, lr: 1e-3}, steps: 2, batch_size: 8}
attacks:
  - {plugin: fgsm, epsilon: 0.1, samples: 4}
"""


def main(shim, engine, count):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bioft-alloc-"))
    bioft.make_npy(folder / "data", train=16, test=8)
    (folder / "m.yaml").write_text(MANIFEST % engine)

    def run(out, **env):
        return bioft.run("run", "m.yaml", "--out", out, "--resume", "--quiet", cwd=folder, env={"LD_PRELOAD": shim, **env}, timeout=120)

    whole = run("whole", ALLOC_COUNT=str(folder / "count"))
    assert whole.returncode == 0, whole.stderr
    calls = max(map(int, (folder / "count").read_text().split()))
    faults, statuses = 0, {}
    for at in sorted(random.Random(1).sample(range(1, calls + 1), min(count, calls))):
        r = run("out", ALLOC_FAIL_AT=str(at))
        thrown = r.returncode == -signal.SIGABRT and "std::bad_alloc" in r.stderr and "the run died of SIGABRT" in r.stderr
        good = thrown or r.returncode == 0 or (r.returncode in (1, 2) and r.stderr.strip())
        statuses[r.returncode] = statuses.get(r.returncode, 0) + 1
        if good:
            again = bioft.run("run", "m.yaml", "--out", "out", "--resume", "--quiet", cwd=folder)
            same = again.returncode == 0 and (folder / "out/results.csv").read_bytes() == (folder / "whole/results.csv").read_bytes()
        if not good or not same:
            faults += 1
            print(f"allocation {at}: status {r.returncode}: {r.stderr[-500:]}", flush=True)
        shutil.rmtree(folder / "out", ignore_errors=True)
    shutil.rmtree(folder)
    print(f"{engine}: {min(count, calls)} of {calls} allocations failed, one a run; statuses {statuses}; {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
