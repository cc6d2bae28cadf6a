#!/usr/bin/python3
"""Writes tests/unit/train/golden_hash_losses.h: losses for codes as torch computes them, with autograd's gradients.

/usr/bin/python3 tests/golden/hash_losses.py > tests/unit/train/golden_hash_losses.h
"""
import torch
from torch.nn.functional import logsigmoid, normalize

torch.manual_seed(20)


def number(v):
    text = f"{v if abs(v) > 1e-37 else 0.0:.9g}"
    return text + ("f" if "e" in text or "." in text else ".0f")


def array(kind, name, values):
    if kind == "float":
        values = [number(v) for v in torch.as_tensor(values).flatten().tolist()]
    lines, line = [], ""
    for v in values:
        if len(line) + len(str(v)) > 88:
            lines.append(line)
            line = ""
        line += f"{v}, "
    print(f"static const {kind} {name}[{len(values)}] = {{\n    " + "\n    ".join(x.rstrip() for x in lines + [line]) + "\n};")


def words(sets):
    return ["0x%xu" % sum(int(bit) << i for i, bit in enumerate(row)) for row in sets]


def hyp2(x, sets, proxies, zeta, beta):
    """The formula with masks over whole matrices."""
    own = sets.double()
    cosine = normalize(x) @ normalize(proxies).T
    loss = ((1 - cosine) * own).sum() / own.sum()
    loss = loss + ((cosine - zeta).clamp(min=0) * (1 - own)).sum() / (1 - own).sum()
    several = own.sum(1) > 1
    apart = (own @ own.T == 0) & several[:, None] & several[None, :]
    if apart.any():
        between = normalize(x) @ normalize(x).T
        loss = loss + beta * (between - zeta).clamp(min=0)[apart].mean()
    return loss


def case_hyp2(name, n, classes, bits, zeta, beta, several):
    sets = torch.zeros(n, classes, dtype=torch.int64)
    for i in range(n):
        sets[i, torch.randperm(classes)[:1 + (i % 3 if several else 0)]] = 1
    x = (3 * torch.randn(n, bits)).double().requires_grad_()
    proxies = torch.randn(classes, bits).double().requires_grad_()
    loss = hyp2(x, sets, proxies, zeta, beta)
    loss.backward()
    array("uint64_t", f"{name}_sets", words(sets))
    for what, values in (("out", x.detach()), ("proxies", proxies.detach()), ("d_out", x.grad), ("d_proxies", proxies.grad)):
        array("float", f"{name}_{what}", values)
    print(f"static const double {name}_value = {loss.item():.17g};")


def case_hashnet(classes, bits, train, alpha, continuation):
    """Three batches, the second with samples of the first, the third in a later epoch."""
    bank, bank_sets, seen = torch.zeros(train, bits).double(), torch.zeros(train, classes).double(), torch.zeros(train).bool()
    all_sets = torch.zeros(train, classes)
    for i in range(train):
        all_sets[i, torch.randperm(classes)[:1 + i % 2]] = 1
    samples = [[0, 3, 5, 7], [3, 1, 8, 2], [5, 8, 4, 0]]
    epochs = [0, continuation - 1, 3 * continuation]
    array("uint64_t", "hashnet_sets", words(all_sets))
    array("uint64_t", "hashnet_samples", sum(samples, []))
    array("uint64_t", "hashnet_epochs", epochs)
    outs, grads, values = [], [], []
    for which, epoch in zip(samples, epochs):
        z = torch.randn(len(which), bits).double().requires_grad_()
        u = torch.tanh((epoch // continuation + 1) ** 0.5 * z)
        bank[which], bank_sets[which], seen[which] = u.detach(), all_sets[which].double(), True
        alike = (all_sets[which].double() @ bank_sets[seen].T > 0).double()
        products = alpha * u @ bank[seen].T
        # -log sigmoid(t) for pairs that are alike, -log(1 - sigmoid(t)) for the others; weights S / S1 and S / S0
        each = -(alike * logsigmoid(products) + (1 - alike) * logsigmoid(-products))
        weight = alike * alike.numel() / alike.sum() + (1 - alike) * alike.numel() / (1 - alike).sum()
        loss = (weight * each).mean()
        loss.backward()
        outs.append(z.detach())
        grads.append(z.grad)
        values.append(loss.item())
    array("float", "hashnet_out", torch.stack(outs))
    array("float", "hashnet_d_out", torch.stack(grads))
    print("static const double hashnet_value[3] = { %s };" % ", ".join(f"{v:.17g}" for v in values))


print("/* Made by tests/golden/hash_losses.py from torch, in double: not to be edited. */")
case_hyp2("single", 6, 5, 12, 0.0, 0.5, False)
case_hyp2("several", 9, 7, 16, 0.125, 0.5, True)
case_hashnet(20, 8, 9, 0.1, 4)
