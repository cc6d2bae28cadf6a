#!/usr/bin/env python3
"""What manifests/paper takes: paper.py [GFLOP/s [those of a GPU]]; paper.py --check: is it what docs/reproduce.md says? Reckoned from the
manifests, the networks' work in docs/backbones.md and the published sizes of the datasets; `bioft check` says it for the
machine and data at hand."""
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
# train, test and database of each protocol. ImageNet-100: the mean over classes, since which hundred is the manifest's choice.
SPLITS = {
    ("cifar10", None): (50000, 10000, 0), ("cifar10", "retrieval"): (5000, 1000, 53000),
    ("imagenet", None): (1281167, 50000, 0), ("imagenet100", None): (128117, 5000, 0),
    ("imagenet100", "retrieval"): (13000, 2500, 115117), ("nus_wide", None): (10500, 2100, 181134),
    ("coco", "retrieval"): (10000, 5000, 102218),
}
GPU = 10000.0                           # GFLOP/s of training: an estimate, no measurement
PARAMETERS = {"alexnet": 57e6, "vgg16": 134.3e6, "resnet18": 11.2e6}    # with a small head


def networks():
    """{name: multiplications and additions of one image forward}"""
    rows = re.findall(r"^\| (\w+) \| \d+ \| [\d,]+ \| ([\d.]+) \|", (ROOT / "docs/backbones.md").read_text(), re.M)
    return {name: 2e9 * float(gmac) for name, gmac in rows}


def cost(manifest, forward):
    """(trials, images trained on, adversarial images, operations, bytes of checkpoints)"""
    sweep = manifest.get("sweep", {})
    datasets = sweep.get("dataset", [manifest["dataset"]])
    models = sweep.get("model", [{"backbone": b} for b in sweep.get("model.backbone", [manifest["model"].get("backbone")])])
    rules = next(v for k, v in sweep.items() if k.endswith(".rule"))
    steps = next((v for k, v in sweep.items() if k.endswith(".steps")), [None])
    trials = trained = attacked = work = size = 0
    for data in datasets:
        train, test, database = SPLITS[data["plugin"], data.get("protocol")]
        for model in models:
            name = model["backbone"]
            first = manifest["stages"][0]
            shared = len(manifest["stages"]) > 1           # the first stage is the same for all rules and steps
            epochs = train * first["epochs"] * (1 if shared else len(rules))
            more = sum(s or 0 for s in steps) * len(rules) * first["batch_size"]
            trained += epochs + more
            work += 3 * forward[name] * (epochs + more)
            here = len(rules) * len(steps)
            trials += here
            size += 12 * PARAMETERS[name] * (1 + here if shared else here)
            work += forward[name] * (test + database) * here * len(manifest["stages"])
            for attack in manifest.get("attacks", []):
                n = min(attack.get("samples", test), test) * len(attack["epsilon"]) * here
                gradients = 1 if attack["plugin"] == "noise" else 2
                passes = 2 * attack.get("steps", 0 if gradients == 1 else 1) * attack.get("restarts", 1) + 1
                attacked += n * gradients
                work += forward[name] * n * gradients * passes
    return trials, trained, attacked, work, size


def table(rate, gpu):
    forward = networks()
    yield (f"| manifest | trials | images trained on | adversarial images | PFLOP | hours at {rate:g} GFLOP/s "
           f"| on a GPU of {gpu / 1000:g} TFLOP/s (estimated) | checkpoints |")
    yield "|---|---|---|---|---|---|---|---|"
    for path in sorted((ROOT / "manifests/paper").glob("*.yaml")):
        whole = yaml.safe_load(path.read_text())
        ours = [d for d in whole["sweep"].get("dataset", []) if d["plugin"] == "cifar10"]
        for what, manifest in [("", whole), (", CIFAR-10 alone", dict(whole, sweep=dict(whole["sweep"], dataset=ours)))]:
            if what and not ours:
                continue
            trials, trained, attacked, work, size = cost(manifest, forward)
            yield (f"| `{path.stem}`{what} | {trials} | {trained / 1e6:,.1f} million | {attacked / 1e6:,.2f} million | "
                   f"{work / 1e15:,.0f} | {work / rate / 3.6e12:,.0f} | {work / gpu / 3.6e12:,.0f} | {size / 2**30:.0f} GiB |")


def main():
    if sys.argv[1:] == ["--check"]:
        said = (ROOT / "docs/reproduce.md").read_text().splitlines()
        missing = [line for line in table(200.0, GPU) if line not in said]
        print("\n".join(f"docs/reproduce.md lacks: {line}" for line in missing) or "reproduce.md: fine")
        sys.exit(bool(missing))
    rates = [float(word) for word in sys.argv[1:]] + [200.0, GPU][len(sys.argv) - 1:]
    print("\n".join(table(*rates)))


if __name__ == "__main__":
    main()
