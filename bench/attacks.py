"""bioft's attacks beside Foolbox's, torchattacks' and AutoAttack's own code on the same network and the same images, in
alternating pairs: prints every pair, the robust accuracy of each side and a table in Markdown. Foolbox and torchattacks are
fetched from PyPI into BUILD/peers, where tests/peers has them too. AutoAttack's own code is on no registry: AUTO_ATTACK names
a clone of github.com/fra31/auto-attack; without it torchattacks' copy of it is measured. Needs torch and torchvision:
Debian's, or those of the Python that PEER_PYTHON names."""
import argparse
import csv
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import pairs

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# figure: network, images (with --short), bioft's attack, the peers, and what the ratio of times should reach
CELLS = {
    "pgd": ("resnet18", 256, 8, "{plugin: pgd, steps: 5, epsilon: 0.03, gradient: exact, batch_size: 32}",
            ("foolbox", "torchattacks"), 1.5),
    "auto_attack": ("lenet5", 500, 20, "{plugin: auto_attack, epsilon: 0.1, gradient: exact, batch_size: 250}",
                    ("auto-attack" if os.environ.get("AUTO_ATTACK") else "torchattacks",), 3.0),
}
SHORT_QUERIES = 50
PREPARE = """bioft: 1
name: bench
seed: 2
dataset: {dataset}
model: {{backbone: {backbone}}}
stages:
  - {{name: train, head: {{classes: {classes}}}, rule: bp, loss: cross_entropy, optimizer: {{name: adam, lr: 1e-3}}, epochs: 1, batch_size: {batch}}}
attacks:
  - {{plugin: fgsm, name: images, epsilon: 0.001, gradient: exact, samples: {images}, dump: {images}}}
"""


def say(line):
    print(line, flush=True)


def safetensors(path):
    import numpy
    import torch
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    types = {"F32": "<f4", "I64": "<i8"}
    return {name: torch.from_numpy(numpy.frombuffer(raw[8 + length:][slice(*entry["data_offsets"])],
                                                    types[entry["dtype"]]).copy().reshape(entry["shape"]))
            for name, entry in header.items() if name != "__metadata__" and entry["dtype"] in types}


class Side:
    """One trained network and its images, as bioft left them."""

    def __init__(self, a, network, images, folder):
        self.a, self.folder, self.network, self.images = a, folder, network, images
        self.left = float("nan")
        self.out = folder / "out"
        if network == "lenet5":
            dataset, classes, batch = "{plugin: fashion_mnist, classes: [5, 6, 7, 8, 9]}", 5, 64
        else:
            self.make_images(images)
            dataset, classes, batch = f"{{plugin: npy, root: {folder}, transform: none}}", 10, 8
        self.text = PREPARE.format(dataset=dataset, backbone=network, classes=classes, batch=batch, images=images)
        self.run(self.text)
        self.trial = next((self.out / "trials").iterdir())
        self.turn = 0

    def make_images(self, count):
        """Random images: how long PGD takes does not depend on them."""
        import numpy
        draw = numpy.random.default_rng(1)
        for split, n in (("train", 16), ("test", count)):
            numpy.save(self.folder / f"{split}_images.npy", draw.integers(0, 256, (n, self.a.size, self.a.size, 3), numpy.uint8))
            numpy.save(self.folder / f"{split}_labels.npy", (numpy.arange(n) % 10).astype(numpy.int64))

    def run(self, text, *more):
        manifest = self.folder / "m.yaml"
        manifest.write_text(text)
        start = time.perf_counter()
        done = subprocess.run([self.a.bioft, "run", manifest, "--out", self.out, "--quiet", "--threads", str(self.a.threads),
                               *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout)
        return time.perf_counter() - start

    def bioft(self, attack):
        """Seconds that one more attack takes: a run that adds it, less a run that adds nothing."""
        self.turn += 1
        nothing = self.run(self.text, "--resume")
        name = f"turn{self.turn}"
        self.text += "  - " + attack.replace("{", "{name: %s, samples: %d, " % (name, self.images)) + "\n"
        seconds = self.run(self.text, "--force") - nothing
        with open(self.out / "results.csv", newline="") as file:
            self.left = next(float(row["value"]) for row in csv.DictReader(file) if row["attack"] == name)
        return seconds

    def torch(self):
        """The same network with pixels in, and the images with their labels."""
        import numpy
        import torch
        import torch.nn.functional as F
        import torchvision
        p = safetensors(self.trial / "checkpoint.safetensors")
        if self.network == "resnet18":
            body = torchvision.models.resnet18(num_classes=10)
            body.load_state_dict({n: p[n] for n in body.state_dict() if n in p}, strict=False)
            mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (MEAN, STD))
        else:
            shapes = {"conv1.weight": (6, 1, 5, 5), "conv2.weight": (16, 6, 5, 5), "fc1.weight": (120, 400),
                      "fc2.weight": (84, 120), "fc3.weight": (5, 84)}
            q = {n: t.reshape(shapes.get(n, (-1,))) for n, t in p.items()}
            mean, std = torch.tensor(0.286), torch.tensor(0.353)

            class LeNet(torch.nn.Module):
                def forward(self, x):
                    x = F.max_pool2d(F.relu(F.conv2d(x, q["conv1.weight"], q["conv1.bias"], padding=2)), 2)
                    x = F.max_pool2d(F.relu(F.conv2d(x, q["conv2.weight"], q["conv2.bias"])), 2).flatten(1)
                    x = F.relu(F.linear(x, q["fc1.weight"], q["fc1.bias"]))
                    x = F.relu(F.linear(x, q["fc2.weight"], q["fc2.bias"]))
                    return F.linear(x, q["fc3.weight"], q["fc3.bias"])
            body = LeNet()

        class Whole(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body, self.anchor = body, torch.nn.Parameter(torch.zeros(1))   # torchattacks asks a parameter's device

            def forward(self, x):
                return self.body((x - mean) / std)
        torch.set_num_threads(self.a.threads)
        x = torch.from_numpy(numpy.load(next(self.trial.glob("adversarial/images.exact.*.clean.npy"))))
        rows = next(self.trial.glob("predictions/train.test.images.exact.*.csv")).read_text().splitlines()
        label = rows[0].split(",").index("label")
        return Whole().eval(), x, torch.tensor([int(r.split(",")[label]) for r in rows[1:]])


def original(model, short):
    """AutoAttack's standard version in its authors' code; five classes have four targets."""
    sys.path.insert(0, os.environ["AUTO_ATTACK"])
    from autoattack import AutoAttack
    attack = AutoAttack(model, norm="Linf", eps=0.1, version="standard", seed=0, device="cpu", verbose=False)
    attack.apgd_targeted.n_target_classes = attack.fab.n_target_classes = 4
    if short:
        attack.square.n_queries = SHORT_QUERIES
    return lambda x, y: attack.run_standard_evaluation(x, y, bs=len(y))


class Peer:
    """A peer's attack, on all images in the same batches as bioft."""

    def __init__(self, name, figure, model, x, y, short):
        import foolbox
        import torchattacks
        self.model, self.x, self.y, self.batch, self.left = model, x, y, 32, float("nan")
        if name == "auto-attack":
            self.batch, self.call = 250, original(model, short)
        elif figure == "auto_attack":
            attack = torchattacks.AutoAttack(model, norm="Linf", eps=0.1, version="standard", n_classes=5, seed=0)
            if short:
                attack._autoattack.attacks[-1].n_queries = SHORT_QUERIES
            self.batch, self.call = 250, attack
        elif name == "foolbox":
            whole = foolbox.PyTorchModel(model, bounds=(0, 1))
            run = foolbox.attacks.LinfPGD(rel_stepsize=1 / 3, steps=5, random_start=False)
            self.call = lambda a, b: run(whole, a, b, epsilons=0.03)[1]
        else:
            self.call = torchattacks.PGD(model, eps=0.03, alpha=0.01, steps=5, random_start=False)

    def seconds(self):
        import torch
        start = time.perf_counter()
        made = [self.call(self.x[i:i + self.batch], self.y[i:i + self.batch]) for i in range(0, len(self.y), self.batch)]
        taken = time.perf_counter() - start
        with torch.no_grad():                      # robust as bioft has it: right with and without the attack
            right = [(self.model(x).argmax(1) == self.y) for x in (self.x, torch.cat(made))]
        self.left = float((right[0] & right[1]).float().mean())
        return taken


def packages(build):
    """Foolbox and torchattacks, where tests/peers looks for them too."""
    here = pathlib.Path(__file__).resolve().parent
    done = subprocess.run([here.parent / "tests/peers/packages.sh", build], stdout=subprocess.PIPE, text=True, check=True)
    sys.path.insert(0, done.stdout.strip())


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("build", nargs="?", default="build")
    p.add_argument("--figures", default=",".join(CELLS), help="what to measure: " + ", ".join(CELLS))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--size", type=int, default=64, help="ResNet-18's images, pixels a side")
    p.add_argument("--pairs", type=int, default=5, help="good pairs that decide")
    p.add_argument("--minutes", type=float, default=20, help="most for one ratio")
    p.add_argument("--short", action="store_true", help="does it work here? few images, one turn of each, no measurement")
    a = p.parse_args()
    python = os.environ.get("PEER_PYTHON")
    if python and os.path.realpath(python) != os.path.realpath(sys.executable) and not os.environ.get("ATTACKS_PEER"):
        os.execve(python, [python, *sys.argv], {**os.environ, "ATTACKS_PEER": "1"})
    packages(a.build)
    if a.short:
        a.size = 32
    kernels = pairs.blas_kernels()
    if kernels:
        os.environ.setdefault("OPENBLAS_CORETYPE", kernels)
    os.environ["OPENBLAS_NUM_THREADS"] = str(a.threads)
    a.bioft = os.path.join(os.path.abspath(a.build), "core/cli/bioft")
    say(pairs.machine())
    table = ["| figure | network | images | peer | seconds of the peer over bioft's, median | pairs | should reach |",
             "|---|---|---|---|---|---|---|"]
    for figure in a.figures.split(","):
        network, images, few, attack, peers, least = CELLS[figure]
        if a.short:
            images = few
            attack = attack.replace("auto_attack,", f"auto_attack, queries: {SHORT_QUERIES},")
        with tempfile.TemporaryDirectory() as folder:
            side = Side(a, network, images, pathlib.Path(folder))
            model, x, y = side.torch()
            for name in peers:
                say(f"{figure}, {network}, {images} images: {name}, bioft; seconds")
                their, probe, done = Peer(name, figure, model, x, y, a.short), pairs.Probe(), pairs.Pairs()
                if a.short:
                    say(f"  {their.seconds():10.3f} {side.bioft(attack):10.3f}  no measurement")
                else:
                    done.measure(their.seconds, lambda: side.bioft(attack), probe, a.pairs, a.minutes, say)
                say(f"  left: {name} {their.left:.3f}, bioft {side.left:.3f}")
                if abs(their.left - side.left) > 0.02:
                    sys.exit(f"{figure}: the two sides do not attack the same: robust accuracy {their.left:.3f} and {side.left:.3f}")
                middle = done.text() if done.ratios else "not measured: the machine was not steady"
                table.append(f"| {figure} | {network} | {images} | {name} | {middle} | {len(done.ratios)} | {least}x |")
    say("\n".join(["works here; no measurement"] if a.short else [""] + table))


if __name__ == "__main__":
    main()
