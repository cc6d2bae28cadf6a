#!/usr/bin/env python3
"""The tables of the small classification run, in Markdown: classification.py OUT CONTROL, the folders
that manifests/paper-small/classification-resnet18.yaml and classification-head-only.yaml left. Clean
accuracy beside the control, both gradients side by side, and which of the thresholds hold that were set
beforehand from another implementation's run; exit status 1 where one does not."""
import csv
import pathlib
import sys

LEAST = {"bp": 0.75, "usf": 0.74, "frsf": 0.72, "brsf": 0.72, "fa": 0.66}
# How far the rule's gradient must leave more than the exact one: by rule, PGD at 0.01 and at 0.05.
GAPS = {"usf": (0.06, 0.05), "frsf": (0.12, 0.15), "brsf": (0.12, 0.15), "fa": (0.2, 0.5)}


def rows(folder):
    with open(pathlib.Path(folder) / "results.csv", newline="") as f:
        return [r for r in csv.DictReader(f) if r["stage"] == "fine-tune" and r["metric"] == "accuracy"]


def shown(row):
    return f"{float(row['value']):.3f} [{float(row['ci_low']):.3f}, {float(row['ci_high']):.3f}]"


def main():
    ours, control = rows(sys.argv[1]), rows(sys.argv[2])
    clean = {r["rule"]: r for r in ours if not r["attack"]}
    [alone] = [r for r in control if not r["attack"]]
    attacked = {(r["attack"], r["rule"], r["gradient"], float(r["epsilon"])): r for r in ours if r["attack"]}
    epsilons = sorted({k[3] for k in attacked})
    rules = list(clean)

    print(f"| | accuracy [95% interval], n = {next(iter(clean.values()))['n']} |\n|---|---|")
    for rule in rules:
        print(f"| {rule} | {shown(clean[rule])} |")
    print(f"| control: only the head learns (V = 0) | {shown(alone)} |")
    for attack in ("fgsm", "pgd"):
        n = next(r["n"] for k, r in attacked.items() if k[0] == attack)
        print(f"\n| {attack}, n = {n} | gradient | " + " | ".join(f"ε = {e:g}" for e in epsilons) + " |")
        print("|---|---|" + "---|" * len(epsilons))
        for rule in rules:
            for gradient in ("rule", "exact"):
                print(f"| {rule} | {gradient} | "
                      + " | ".join(shown(attacked[attack, rule, gradient, e]) for e in epsilons) + " |")

    value = lambda rule, gradient, e: float(attacked["pgd", rule, gradient, e]["value"])
    accuracy = {rule: float(r["value"]) for rule, r in clean.items()}
    checks = [(f"{r}: clean accuracy at least", accuracy[r], LEAST[r], 1) for r in rules]
    checks.append(("fa: above the control by at least", accuracy["fa"] - float(alone["value"]), 0.03, 1))
    for rule, gaps in GAPS.items():
        for e, gap in zip((0.01, 0.05), gaps):
            found = value(rule, "rule", e) - value(rule, "exact", e)
            checks.append((f"{rule}: PGD {e:g}, rule less exact at least", found, gap, 1))
    for rule in rules:
        checks.append((f"{rule}: PGD 0.05, exact at most", value(rule, "exact", 0.05), 0.08, -1))
        worse = max(value(rule, "exact", e) - value(rule, "rule", e) for e in epsilons)
        checks.append((f"{rule}: exact above rule at most", worse, 0.02, -1))
    for rule in ("usf", "frsf", "brsf"):
        found = abs(value(rule, "exact", 0.01) - value("bp", "exact", 0.01))
        checks.append((f"{rule}: PGD 0.01, exact, distance to bp at most", found, 0.12, -1))
    print("\n| threshold | | found | |\n|---|---|---|---|")
    failed = 0
    for what, found, bound, sign in checks:
        good = sign * found >= sign * bound - 1e-12
        failed += not good
        print(f"| {what} | {bound:g} | {found:.3f} | {'holds' if good else '**does not hold**'} |")
    return 1 if failed else 0


sys.exit(main())
