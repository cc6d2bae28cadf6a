#!/usr/bin/python3
"""Writes tests/unit/train/golden_optimizers.h: torch.optim's steps and schedules on fixed numbers.

/usr/bin/python3 tests/golden/optimizers.py > tests/unit/train/golden_optimizers.h
"""
import torch

W = [0.5, -1.25, 0.0, 3.0, -0.001]
G = [[0.1, -0.2, 0.3, 1e-6, 0.0], [-0.4, 0.2, 0.1, 2e-6, 0.0], [0.05, 0.5, -0.3, -1e-6, 1e-3], [1.0, -2.0, 0.0, 5e-7, 0.0]]
CASES = [
    ("BIOFT_ADAM", dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)),
    ("BIOFT_ADAM", dict(lr=1e-2, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1)),
    ("BIOFT_SGD", dict(lr=0.1, momentum=0.0, weight_decay=0.0)),
    ("BIOFT_SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.05)),
]


def row(values):
    return "{ " + ", ".join(f"{v:.9g}f" if "e" in f"{v:.9g}" or "." in f"{v:.9g}" else f"{v:.9g}.0f" for v in values) + " }"


print("/* Made by tests/golden/optimizers.py from torch.optim: not to be edited. */")
print("static const float golden_w[5] = %s;" % row(W))
print("static const float golden_g[4][5] = {\n    %s,\n};" % ",\n    ".join(row(g) for g in G))
print("static const struct {\n    uint32_t kind;\n    double lr, beta1, beta2, eps, weight_decay, momentum;\n"
      "    float after[4][5];\n} golden_optimizers[] = {")
for kind, options in CASES:
    w = torch.nn.Parameter(torch.tensor(W, dtype=torch.float32))
    make = torch.optim.Adam if kind == "BIOFT_ADAM" else torch.optim.SGD
    optimizer = make([w], **options)
    after = []
    for g in G:
        w.grad = torch.tensor(g, dtype=torch.float32)
        optimizer.step()
        after.append(row(w.tolist()))
    beta1, beta2 = options.get("betas", (0.0, 0.0))
    print("    { %s, %r, %r, %r, %r, %r, %r, {\n        %s,\n    } }," % (
        kind, options["lr"], beta1, beta2, options.get("eps", 0.0), options["weight_decay"],
        options.get("momentum", 0.0), ",\n        ".join(after)))
print("};")

STEPS_PER_EPOCH, EPOCHS = 3, 4
w = torch.nn.Parameter(torch.zeros(1))
optimizer = torch.optim.SGD([w], lr=1.0)
step = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
factors = []
for epoch in range(EPOCHS):
    factors += [optimizer.param_groups[0]["lr"]] * STEPS_PER_EPOCH
    optimizer.step()
    step.step()
print("/* StepLR(2, 0.5), 4 epochs of 3 steps. */\nstatic const double golden_step[12] = { %s };" % ", ".join(map(repr, factors)))
optimizer = torch.optim.SGD([w], lr=1.0)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS_PER_EPOCH * EPOCHS)
factors = []
for _ in range(STEPS_PER_EPOCH * EPOCHS):
    factors.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    cosine.step()
print("/* CosineAnnealingLR over the 12 steps. */\nstatic const double golden_cosine[12] = {\n    %s,\n};" % ",\n    ".join(map(repr, factors)))
