#!/usr/bin/env python3
"""The table of docs/benchmark.md from the output of `bioft run manifests/benchmark/...`: rules.py OUT. One row for each rule;
figures are means over the seeds that are there, in brackets the smallest and the largest."""
import argparse
import collections
import csv
import json
import pathlib
import re
import statistics


def figure(values, digits=3):
    values = [v for v in values if v is not None]
    if not values:
        return ""
    middle = f"{statistics.mean(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def rule_of(trial):
    """The trial's folder without its number and seed: "fa,scale=constant,constant=0"."""
    parts = [p for p in re.sub(r"^\d+-", "", trial).split(",") if not p.startswith("seed=")]
    return ",".join(p[5:] if p.startswith("rule=") else p for p in parts) or trial


def training(folder):
    """Images per second of the last stage's epochs, and the mean over its logged steps and layers of the angle between the
    rule's errors and backpropagation's, in degrees."""
    path = folder / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []
    stage = lines[-1]["stage"] if lines else None
    lines = [line for line in lines if line["stage"] == stage]
    speed = [line["images_per_s"] for line in lines if "images_per_s" in line]
    angles = [a for line in lines for a in line.get("alignment", {}).values() if a is not None]
    return (statistics.mean(speed) if speed else None, statistics.mean(angles) if angles else None)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out", type=pathlib.Path)
    a = p.parse_args()
    with open(a.out / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    last = {row["trial"]: row["stage"] for row in rows}
    rows = [row for row in rows if row["stage"] == last[row["trial"]] and row["metric"] == "accuracy"]
    trials = collections.defaultdict(list)
    for trial in dict.fromkeys(row["trial"] for row in rows):
        trials[rule_of(trial)].append(trial)
    norms = [n for n in dict.fromkeys(row["norm"] for row in rows) if n]
    grid = sorted({(norms.index(r["norm"]), float(r["epsilon"]), r["epsilon"]) for r in rows
                   if r["attack"] == "worst" and float(r["epsilon"]) > 0 and (r["norm"] != "linf" or float(r["epsilon"]) < 1)})
    loud = max((r["epsilon"] for r in rows if r["attack"] == "noise"), key=float, default=None)
    train = {trial: training(a.out / "trials" / trial) for names in trials.values() for trial in names}
    seed = {row["trial"]: row["seed"] for row in rows}
    base = {seed[trial]: train[trial][0] for trial in trials.get("bp", [])}

    def values(names, **want):
        found = []
        for trial in names:
            fit = [float(r["value"]) for r in rows if r["trial"] == trial and all(r[k] == v for k, v in want.items())]
            found.append(fit[0] if fit else None)
        return found

    head = ["rule", "seeds", "clean accuracy", "errors' angle to bp's", "time of a step over bp's"]
    head += [f"noise {loud}"] if loud else []
    for n, _, epsilon in grid:
        head += [f"{norms[n]} {epsilon}, rule's own", "exact", "verdict"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for rule, names in trials.items():
        cost = [base[seed[t]] / train[t][0] for t in names if train[t][0] and base.get(seed[t])]
        cells = [rule, str(len(names)), figure(values(names, attack="")), figure([train[t][1] for t in names], 1), figure(cost, 2)]
        cells += [figure(values(names, attack="noise", epsilon=loud))] if loud else []
        for n, _, epsilon in grid:
            at = {"attack": "worst", "norm": norms[n], "epsilon": epsilon}
            own, exact, both = (values(names, gradient=g, **at) for g in ("rule", "exact", ""))
            words = [r["verdict"] for r in rows if r["trial"] in names and r["verdict"] and
                     all(r[k] == v for k, v in at.items())]
            cells += [figure(own), figure(exact if any(v is not None for v in exact) else both), ", ".join(dict.fromkeys(words))]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
