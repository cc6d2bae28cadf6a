"""The wheel's command and reader on a small run: wheel.py BIOFT, in the environment where the wheel is installed."""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas

import bioft

MANIFEST = """\
bioft: 1
name: small
engine: openblas
dataset: {plugin: npy, root: data}
model: {backbone: lenet5}
stages:
  - {name: train, rule: bp, loss: cross_entropy, optimizer: {name: adam, lr: 1e-3}, steps: 5, batch_size: 16}
attacks:
  - {plugin: fgsm, epsilon: [0, 0.1], samples: 20, dump: 4}
sweep:
  stages.train.rule: [bp, usf]
"""


def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    rng = np.random.default_rng(1)
    (folder / "data").mkdir()
    for split, n in (("train", 100), ("test", 40)):
        np.save(folder / f"data/{split}_images.npy", rng.integers(0, 255, (n, 28, 28, 1), dtype=np.uint8))
        np.save(folder / f"data/{split}_labels.npy", (np.arange(n) % 4).astype(np.int64))
    (folder / "m.yaml").write_text(MANIFEST)
    subprocess.run([sys.argv[1], "run", "m.yaml", "--out", "out", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    out = folder / "out"
    frame = bioft.results(out)
    assert isinstance(frame["rule"].dtype, pandas.CategoricalDtype) and set(frame["rule"].cat.categories) == {"bp", "usf"}
    assert all(row.value in row.interval for row in frame.itertuples())
    clean = bioft.predictions(out, "01-rule=usf")
    value = frame[(frame["trial"] == "01-rule=usf") & frame["attack"].isna()]["value"].iloc[-1]
    assert abs((clean["label"] == clean["prediction"]).mean() - value) < 1e-12, (clean, value)
    attacked = bioft.predictions(out, "01-rule=usf", attack="fgsm", gradient="exact", epsilon=0.1)
    assert len(attacked) == 20
    before, after = bioft.images(out, "01-rule=usf", attack="fgsm", gradient="exact", epsilon=0.1)
    assert before.shape == after.shape == (4, 1, 28, 28) and 0.05 < np.abs(before - after).max() <= 0.1 + 1e-6
    try:
        import torch
    except ImportError:
        print("wheel: the command and the frames work; no torch here")
        return
    state = bioft.load(out / "trials/01-rule=usf/checkpoint.safetensors")
    assert all(isinstance(v, torch.Tensor) for v in state.values()) and state["conv1.weight"].shape[1] == 1
    print("wheel: the command, the frames and the state dict work")


main()
