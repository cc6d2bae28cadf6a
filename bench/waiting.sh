#!/bin/sh
# How long training waits for its data: ResNet-18 on CIFAR-10 at 224x224, images decoded, resized and
# mirrored by the loader. Prints the share of the time spent waiting, from metrics.jsonl, and the rate
# beside that of `bioft bench` with the same engine, threads and batch, measured before and after.
# usage: bench/waiting.sh DATA [BUILD] [STEPS] [BATCH] [ENGINE] [THREADS]
#   DATA: CIFAR-10, binary or class folders. Aims: waiting below 3%, a rate of at least 0.93 of bench's.
# Other load makes the figures worthless.
set -eu
data=$1
build=${2:-build}
steps=${3:-300}
batch=${4:-8}
engine=${5:-onednn}
threads=${6:-2}
bioft=$build/core/cli/bioft
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/waiting.yaml" <<YAML
bioft: 1
name: waiting
dataset: {plugin: cifar10, root: /, limit: 4800, transform: {size: 224, train: none, flip: true}}
model: {backbone: resnet18}
stages:
  - {name: train, rule: bp, loss: cross_entropy, optimizer: {name: adam, lr: 1e-4}, steps: $steps, batch_size: $batch}
YAML

rate() {
    "$bioft" bench train --backbone resnet18 --batch "$batch" --size 224 --engine "$engine" --threads "$threads" \
        --steps 10 --json --quiet
}
rate >"$work/before"
# Interrupted when the stage is done: what follows is the evaluation of the whole test split.
"$bioft" run "$work/waiting.yaml" --out "$work/out" --set "dataset.root=$data" --set "engine=$engine" \
    --threads "$threads" --quiet >/dev/null 2>"$work/errors" &
run=$!
until grep -qs '"data_wait"' "$work"/out/stages/*/metrics.jsonl; do
    kill -0 $run 2>/dev/null || { cat "$work/errors" >&2; exit 1; }
    sleep 1
done
kill -TERM $run 2>/dev/null || true
wait $run || true
rate >"$work/after"
python3 - "$work" "$steps" "$batch" "$engine" "$threads" <<'PYTHON'
import glob
import json
import sys

work, steps, batch, engine, threads = sys.argv[1:]
[path] = glob.glob(work + "/out/stages/*/metrics.jsonl")
lines = [json.loads(line) for line in open(path)]
epochs = [line for line in lines if "data_wait" in line]
seen = sum((e["step"] - b["step"]) * int(batch) for b, e in zip([{"step": 0}] + epochs, epochs))
waited = sum(e["data_wait"] for e in epochs)
seconds = sum((e["step"] - b["step"]) * int(batch) / e["images_per_s"] for b, e in zip([{"step": 0}] + epochs, epochs))
bench = [json.load(open(f"{work}/{name}"))["images_per_s"] for name in ("before", "after")]
print(f"{engine}, {threads} threads, {seen // int(batch)} steps of {batch}: {seen / seconds:.2f} images/s, "
      f"waiting {waited:.2f} of {seconds:.1f} s, {100 * waited / seconds:.2f}%; "
      f"bench {bench[0]:.2f} and {bench[1]:.2f} images/s, ratio {seen / seconds / (sum(bench) / 2):.3f}")
PYTHON
