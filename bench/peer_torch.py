"""PyTorch at the same work as `bioft bench`, for peer.py: it does so many steps as each line of its
input asks for and answers with their seconds. Needs torch and torchvision, for the networks that torchvision lacks
timm."""
import argparse
import json
import os
import resource
import sys
import time

import torch
import torchvision

CLASSES = 10


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--backbone", required=True)
    p.add_argument("--mode", choices=("train", "forward"), required=True)
    p.add_argument("--precision", choices=("f32", "bf16"), required=True)
    p.add_argument("--batch", type=int, required=True)
    p.add_argument("--size", type=int, required=True)
    p.add_argument("--threads", type=int, required=True)
    p.add_argument("--compile", action="store_true")
    return p.parse_args()


def fastest_adam(parameters):
    """Fused where this torch has that for a CPU."""
    parameters = list(parameters)
    settings = dict(lr=1e-5, weight_decay=5e-4)
    try:
        return torch.optim.Adam(parameters, fused=True, **settings)
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, **settings)


def network_named(name):
    if hasattr(torchvision.models, name):
        return getattr(torchvision.models, name)(num_classes=CLASSES)
    import timm
    return timm.create_model(name, num_classes=CLASSES)


class Work:
    """A network in channels-last layout with one batch of random images."""

    def __init__(self, a):
        torch.manual_seed(1)
        network = network_named(a.backbone)
        self.network = network.to(memory_format=torch.channels_last)
        self.optimizer = fastest_adam(network.parameters())
        self.loss = torch.nn.CrossEntropyLoss()
        images = torch.randn(a.batch, 3, a.size, a.size)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.arange(a.batch) % CLASSES
        self.bf16 = a.precision == "bf16"
        self.network.train(a.mode == "train")
        self.run = torch.compile(self.network) if a.compile else self.network
        self.step = self.train if a.mode == "train" else self.forward

    def outputs(self):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            return self.run(self.images)

    def train(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.outputs().float(), self.labels).backward()
        self.optimizer.step()

    def forward(self):
        with torch.no_grad():
            self.outputs()


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    # What a library prints about itself is no answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(answers, "w")
    a = arguments()
    torch.set_num_threads(a.threads)
    work = Work(a)
    for _ in range(3 if a.compile else 1):          # what is compiled, packed or allocated once
        work.step()
    say(peer=f"torch {torch.__version__}" + (", torch.compile" if a.compile else ""))
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            work.step()
            seconds.append(time.perf_counter() - start)
        say(seconds=seconds,
            peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
