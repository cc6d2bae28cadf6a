"""bioft beside PyTorch, and beside itself, in alternating pairs: prints every pair and a table in
Markdown. bench/peer.sh builds and starts it; docs/performance.md describes the protocol."""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import pairs

DEBIAN_PYTHON = "/usr/bin/python3"
NETWORKS = ("alexnet", "resnet18", "vgg16")
HALF_SECONDS = 2.0                  # a half repeats its step for about so long


def cell(title, networks, low, high=None, **what):
    """A line of the table: what each network should reach; `below`: at most so much."""
    return dict(title=title, least=dict(zip(networks, low)), aim=dict(zip(networks, high or [])),
                below=what.pop("below", False), **what)


CELLS = {
    "train": cell("training, f32", NETWORKS + ("efficientnet_lite0",), (1.2, 1.4, 1.3, 1.2),
                  (1.4, 1.5, 1.5), mode="train", precision="f32"),
    "train-bf16": cell("training, bf16 over autocast", NETWORKS, (1.3, 1.6, 1.4), (1.5, 2.0, 1.8),
                       mode="train", precision="bf16"),
    "forward": cell("forward, f32", NETWORKS, (1.2, 1.5, 1.5), mode="forward", precision="f32"),
    "usf": cell("training with `usf`: time over `bp`", NETWORKS, (1.06, 1.05, 1.03), below=True),
    "frsf": cell("training with `frsf`: time over `bp`", NETWORKS, (1.06, 1.05, 1.03), below=True),
    "brsf": cell("training with `brsf`: time over `bp`", NETWORKS, (1.06, 1.05, 1.03), below=True),
    # At most 1.05 times the time of the same step in Python: only where it is asked for, and a libtorch of PEER_PYTHON is there.
    "torch": cell("training, f32: engine `torch` over the same torch in Python", NETWORKS, (0.952, 0.952, 0.952),
                  mode="train", precision="f32", engine="torch"),
    "fgsm": cell("FGSM, seven epsilons, both gradients: time over 15 forward passes", NETWORKS,
                 (1.15, 1.15, 1.15), below=True),
}


def say(line):
    print(line, flush=True)


def options():
    p = argparse.ArgumentParser(prog="bench/peer.sh [BUILD]", description=__doc__)
    p.add_argument("--build", default="build", help=argparse.SUPPRESS)
    p.add_argument("--networks", default=",".join(NETWORKS))
    p.add_argument("--cells", default=",".join(c for c in CELLS if c != "torch"), help="what to measure: " + ", ".join(CELLS))
    p.add_argument("--engine", help="bioft's engine (default: the highest score)")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--pairs", type=int, default=5,
                   help="good pairs that decide (default and least: 5)")
    p.add_argument("--minutes", type=float, default=20, help="most for one figure (default: 20)")
    p.add_argument("--peer-python", action="append", metavar="PROGRAM",
                   help="a Python with torch and torchvision; may be given again (default: "
                        "/usr/bin/python3 and $PEER_PYTHON)")
    p.add_argument("--compile", action="store_true",
                   help="torch.compile too, where the torch has it")
    p.add_argument("--short", action="store_true",
                   help="batches of 8 and 4 minutes a figure: to see that it works, no measurement")
    a = p.parse_args()
    if a.short:
        a.batch, a.minutes = 8, 4
    a.networks, a.cells = a.networks.split(","), a.cells.split(",")
    for name in a.cells:
        if name not in CELLS:
            p.error(f"no figure named '{name}': there are {', '.join(CELLS)}")
    a.pairs = max(a.pairs, 5)
    a.peer_python = a.peer_python or [
        x for x in (DEBIAN_PYTHON, os.environ.get("PEER_PYTHON")) if x and os.path.exists(x)]
    a.bioft = os.path.join(a.build, "core/cli/bioft")
    return a


def prepare_environment(a):
    kernels = pairs.blas_kernels()
    if kernels:
        os.environ.setdefault("OPENBLAS_CORETYPE", kernels)
    os.environ["OPENBLAS_NUM_THREADS"] = str(a.threads)
    os.environ.setdefault("BIOFT_PLUGIN_PATH", os.path.join(a.build, "plugins"))


def command(words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip()
                           else f"{words[0]} ended with status {done.returncode}")
    return json.loads(done.stdout.splitlines()[0])


def library_of(python):
    """The folder of a Python's torch, which the engine `torch` is to open."""
    done = subprocess.run([python, "-c", "import torch; print(torch.__path__[0])"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{python} has no torch")
    return done.stdout.strip()


class Bioft:
    """Images per second of `bioft bench`. How many steps a turn takes, the first call finds out."""

    def __init__(self, a, network, mode, precision="f32", rule=None, engine=None):
        self.words = [a.bioft, "bench", mode, "--backbone", network, "--batch", str(a.batch),
                      "--size", str(a.size), "--threads", str(a.threads), "--precision", precision,
                      "--json"]
        engine = engine or a.engine
        self.words += ["--engine", engine] if engine else []
        self.words += ["--rule", rule] if rule else []
        self.steps, self.batch, self.answer = None, a.batch, None

    def __call__(self):
        if not self.steps:
            self.answer = command(self.words + ["--steps", "1"])
            self.steps = repeats(self.batch / self.answer["images_per_s"])
            if self.steps == 1:
                return self.answer["images_per_s"]
        self.answer = command(self.words + ["--steps", str(self.steps)])
        return self.answer["images_per_s"]


class Attack:
    """Images per second of the attack, or of as many plain forward passes as it may cost."""

    def __init__(self, a, network, what, folder):
        self.words = [os.path.join(a.build, "bench/attack"), what, network, str(a.threads), folder,
                      str(a.size)] + ([a.engine] if a.engine else [])
        self.answer = None

    def __call__(self):
        self.answer = command(self.words)
        return self.answer["images_per_s"]


class Torch:
    """Images per second of a torch that stays ready between its turns."""

    def __init__(self, a, network, mode, precision, python, compiled):
        words = [python, os.path.join(os.path.dirname(__file__), "peer_torch.py"), "--backbone",
                 network, "--mode", mode, "--precision", precision, "--batch", str(a.batch),
                 "--size", str(a.size), "--threads", str(a.threads)]
        self.process = subprocess.Popen(words + (["--compile"] if compiled else []), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if compiled else None)
        self.batch, self.steps, self.answer = a.batch, 1, None
        try:
            self.name = self.read()["peer"]
            self.rate = self()
            self.steps = repeats(self.batch / self.rate)
            self.rate = self() if self.steps > 1 else self.rate
        except RuntimeError:
            self.close()
            raise

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the peer ended")
        return json.loads(line)

    def __call__(self):
        print(self.steps, file=self.process.stdin, flush=True)
        self.answer = self.read()
        return self.batch / min(self.answer["seconds"])

    def close(self):
        self.process.communicate()


def repeats(seconds):
    return min(20, max(1, math.ceil(HALF_SECONDS / seconds)))


def fastest_torch(a, network, mode, precision):
    """All that there are, three times in turn; the one with the best turn is the peer."""
    peers = []
    for python in a.peer_python:
        for compiled in (False, True) if a.compile and python != DEBIAN_PYTHON else (False,):
            try:
                peers.append(Torch(a, network, mode, precision, python, compiled))
            except RuntimeError as error:
                say(f"  {python}{', torch.compile' if compiled else ''}: {error}")
    if not peers:
        raise RuntimeError("no torch works: name a Python that has torch and torchvision")
    for _ in range(2 if len(peers) > 1 else 0):
        for peer in peers:
            peer.rate = max(peer.rate, peer())
    best = max(peers, key=lambda peer: peer.rate)
    for peer in peers:
        say(f"  {peer.name}: {peer.rate:.2f} images/s")
        if peer is not best:
            peer.close()
    return best


def make_images(a, folder):
    """A data set for the attack: four batches of random images."""
    import numpy
    rng = numpy.random.default_rng(1)
    for split in ("train", "test"):
        numpy.save(os.path.join(folder, f"{split}_images.npy"),
                   rng.random((4 * a.batch, 3, a.size, a.size), numpy.float32))
        numpy.save(os.path.join(folder, f"{split}_labels.npy"), numpy.arange(4 * a.batch) % 10)


def halves(a, name, network, folder):
    """What is compared, first over second, and the names of both."""
    what = CELLS[name]
    if name == "fgsm":
        return (Attack(a, network, "forward", folder), Attack(a, network, "attack", folder),
                "15 forward passes", "the attack")
    if "mode" not in what:
        return (Bioft(a, network, "train", rule="bp"), Bioft(a, network, "train", rule=name),
                "bp", name)
    if "engine" in what:
        python = a.peer_python[-1]
        os.environ["BIOFT_TORCH_LIBRARY"] = library_of(python)
        return (Bioft(a, network, what["mode"], what["precision"], engine=what["engine"]),
                Torch(a, network, what["mode"], what["precision"], python, False), "engine torch", f"torch of {python}")
    peer = fastest_torch(a, network, what["mode"], what["precision"])
    return Bioft(a, network, what["mode"], what["precision"]), peer, "bioft", peer.name


def judge(what, network, value):
    least, aim, below = what["least"].get(network), what["aim"].get(network), what["below"]
    if least is None:
        return ""
    if value > least if below else value < least:
        return f"; {'above' if below else 'below'} {least}"
    return f"; aim {aim} {'reached' if value >= aim else 'not reached'}" if aim else ""


def figure(a, name, network, probe, folder):
    """Measures one cell of the table and says all about it; returns its text there, and that of
    the memory's table."""
    what = CELLS[name]
    say(f"\n{network}, {what['title']}, batch {a.batch} of 3x{a.size}x{a.size}")
    try:
        first, second, first_name, second_name = halves(a, name, network, folder)
    except RuntimeError as error:
        say(f"  {error}")
        return "not measured", ""
    found = pairs.Pairs()
    try:
        say(f"  images/s: {first_name}, {second_name}")
        enough = found.measure(first, second, probe, a.pairs, a.minutes, say)
    except RuntimeError as error:
        say(f"  {error}")
        return "not measured", ""
    finally:
        if isinstance(second, Torch):
            second.close()
    for half, half_name in (first, first_name), (second, second_name):
        more = [f"{key} {half.answer[key]}" for key in ("identity", "kernels", "peak_rss_mib")
                if half.answer.get(key)]
        say(f"  {half_name}: {', '.join(more)}")
    if not enough:
        say(f"  {len(found.ratios)} good pairs of {a.pairs} in {found.seconds / 60:.0f} minutes: "
            "this run decides nothing")
        return "undecided", ""
    say(f"  median {found.text()} of {len(found.ratios)} pairs, {found.dropped} dropped"
        f"{judge(what, network, found.median)}")
    peaks = [half.answer.get("peak_rss_mib", 0) for half in (first, second)]
    return found.text(), f"{peaks[0]:.0f} / {peaks[1]:.0f}" if "mode" in what else ""


def print_table(a, table):
    say("\nMedian of the ratios (their range), "
        f"batch {a.batch}, {a.size}x{a.size}, {a.threads} threads, {pairs.machine()}"
        f"{'; SHORT RUN, NO MEASUREMENT' if a.short else ''}:\n")
    say("| | " + " | ".join(a.networks) + " |")
    say("|---" * (len(a.networks) + 1) + "|")
    for name in a.cells:
        say(f"| {CELLS[name]['title']} | "
            + " | ".join(table.get((name, n), ("", ""))[0] for n in a.networks) + " |")
    for name in a.cells:
        if "mode" in CELLS[name]:
            say(f"| {CELLS[name]['title']}, peak memory in MiB, bioft / PyTorch | "
                + " | ".join(table.get((name, n), ("", ""))[1] for n in a.networks) + " |")


def main():
    a = options()
    prepare_environment(a)
    probe = pairs.Probe()
    say(pairs.machine())
    say(time.strftime("%Y-%m-%d %H:%M:%S"))
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        make_images(a, folder)
        try:
            for network in a.networks:
                for name in a.cells:
                    table[name, network] = figure(a, name, network, probe, folder)
        except KeyboardInterrupt:
            say("\nstopped")
    print_table(a, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
