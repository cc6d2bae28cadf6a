#!/usr/bin/python3
"""Writes tests/unit/attack/golden_code_attacks.h: attacks on the codes of a linear network, by torch's autograd and
optimisers over whole matrices, without grouping equal codes.

/usr/bin/python3 tests/golden/code_attacks.py > tests/unit/attack/golden_code_attacks.h
"""
import torch

torch.manual_seed(9)
N, PIXELS, BITS, CLASSES, TRAIN, STEPS = 6, 27, 10, 5, 40, 5
A = [.1, .1, .1, .1, .1, .2, .3, .5, .7, 1.0]


def number(v):
    text = f"{v if abs(v) > 1e-37 else 0.0:.9g}"
    return text + ("f" if "e" in text or "." in text else ".0f")


def array(kind, name, values):
    lines, line = [], ""
    for v in values:
        if len(line) + len(str(v)) > 88:
            lines.append(line)
            line = ""
        line += f"{v}, "
    print(f"static const {kind} {name}[{len(values)}] = {{\n    " + "\n    ".join(x.rstrip() for x in lines + [line]) + "\n};")


def floats(name, t):
    array("float", name, [number(v) for v in t.flatten().tolist()])


def words(name, bits):
    array("uint64_t", name, ["0x%xu" % sum(int(b > 0) << i for i, b in enumerate(row)) for row in bits.tolist()])


def alpha(t):
    return A[int(t // (STEPS / 10))]


def relax(z, a, cosine):
    if cosine:
        z = BITS ** 0.5 * z / z.norm(dim=1, keepdim=True)
    return torch.tanh(a * z)


def clip(x, clean, epsilon):
    return torch.minimum(torch.maximum(x, clean - epsilon), clean + epsilon).clamp(0, 1)


def hag(x, epsilon, batch=128, updates=STEPS, cosine=False):
    h = relax(network(x), 1, cosine).detach()
    adv = x.clone().requires_grad_()
    optimizer = torch.optim.SGD([adv], lr=100, momentum=0.9)
    for t in range(updates):
        q = relax(network(adv), alpha(t), cosine)
        mask = ((torch.sign(1.5 - (q - torch.sign(h)).abs()) + 1) / 2).detach()
        first = ((mask * q * h).sum(1) / (mask.sum(1) + 1e-8) + 1) ** 2
        second = ((mask * q).mean(1)) ** 2
        loss = first.sum() / batch + second.sum() / batch
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        adv.data = clip(adv.data, x, epsilon)
    return adv.detach()


def sdha(x, epsilon, batch=128, updates=STEPS, cosine=False):
    own = torch.where(network(x) < 0, -1.0, 1.0).double()
    adv = x.clone().requires_grad_()
    optimizer = torch.optim.Adam([adv], lr=0.01, betas=(0.9, 0.999))
    alike = SETS.double() @ TRAIN_SETS.double().T > 0
    for t in range(updates):
        q = relax(network(adv), alpha(t), cosine)
        total = 0
        for i in range(len(x)):
            r = CODES[alike[i]] if alike[i].any() else own[i:i + 1]
            s = torch.sigmoid(5 * q[i] * r)
            dis = 0.5 * ((q[i] - r).abs() * s).sum(1) + (1 - s).sum(1)
            distance = 0.5 * (BITS - r @ torch.where(q[i] < 0, -1.0, 1.0).double()).detach()
            total = total - (dis * (distance + 1e-8) ** -0.5).mean()
        loss = ((adv - x) ** 2).mean(1).sum() / batch + 25 / BITS * total / batch
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        adv.data = clip(adv.data, x, epsilon)
    return adv.detach()


def mainstay(sets):
    both = sets.double() @ TRAIN_SETS.double().T
    positive = both / (sets.double().norm(dim=1)[:, None] * TRAIN_SETS.double().norm(dim=1)[None] + 1e-8)
    negative = 1 - torch.sign(positive)
    near = positive @ CODES / positive.sum(1, keepdim=True).clamp(min=1e-30)
    far = negative @ CODES / negative.sum(1, keepdim=True).clamp(min=1e-30)
    return torch.where(near - far < 0, -1.0, 1.0).double()


def saat(x, epsilon, target=None, cosine=False):
    b = mainstay(SETS) if target is None else mainstay(torch.nn.functional.one_hot(target, CLASSES))
    step = max(1 / 255, 2.5 * epsilon / STEPS)
    adv = x.clone()
    for t in range(STEPS):
        adv.requires_grad_()
        s = relax(network(adv), alpha(t), cosine) * b
        if target is None:
            w = (s > -0.5).double().detach()
            loss = (w * (s + 2) * s).sum() / w.sum()
        else:
            w = (s < 0.5).double().detach()
            loss = (w * (s - 2) * s).sum() / w.sum()
        (g,) = torch.autograd.grad(loss, adv)
        adv = clip(adv.detach() - step * torch.sign(g), x, epsilon)
    return adv


WEIGHT = (torch.randn(BITS, PIXELS) * 0.7).double()
BIAS = (torch.randn(BITS) * 0.3).double()
X = torch.rand(N, PIXELS)
X[X < 0.1] = 0.0
X[X > 0.9] = 1.0
X = X.double()
SETS = torch.zeros(N, CLASSES)
TRAIN_SETS = torch.zeros(TRAIN, CLASSES)
for i in range(N):
    SETS[i, [i % 4, (i * 3 + 1) % 4]] = 1
SETS[4] = 0
SETS[4, 4] = 1                                     # a class that no training image has
for i in range(TRAIN):
    TRAIN_SETS[i, [i % 4] + ([(i // 4) % 4] if i % 3 == 0 else [])] = 1
CODES = torch.where(torch.randn(TRAIN, BITS) < 0, -1.0, 1.0).double()
CODES[20:] = CODES[:20]                            # equal codes, some with equal sets
TRAIN_SETS[24:32] = TRAIN_SETS[4:12]
TARGET = torch.tensor([(i + 2) % 4 for i in range(N)])


def network(x):
    return x @ WEIGHT.T + BIAS


print("/* Made by tests/golden/code_attacks.py from torch, in double: not to be edited. */")
print(f"enum {{ IMAGES = {N}, PIXELS = {PIXELS}, BITS = {BITS}, CLASSES = {CLASSES}, TRAINED = {TRAIN}, STEPS = {STEPS} }};")
for name, values in (("weight", WEIGHT), ("bias", BIAS), ("clean", X)):
    floats(f"golden_{name}", values)
for name, values in (("sets", SETS), ("train_sets", TRAIN_SETS), ("codes", CODES)):
    words(f"golden_{name}", values)
array("int32_t", "golden_target", TARGET.tolist())
floats("golden_hag", hag(X, 0.3))
floats("golden_hag_ball", hag(X, 0.05))
floats("golden_hag_batch", hag(X, 0.3, batch=N))
floats("golden_hag_compat", hag(X, 0.3, updates=STEPS - 1))
floats("golden_hag_cosine", hag(X, 0.3, cosine=True))
floats("golden_sdha", sdha(X, 0.1))
floats("golden_sdha_ball", sdha(X, 0.02))
floats("golden_sdha_compat", sdha(X, 0.1, updates=STEPS - 1))
floats("golden_sdha_cosine", sdha(X, 0.1, batch=N, cosine=True))
floats("golden_saat", saat(X, 0.03))
floats("golden_saat_targeted", saat(X, 0.03, target=TARGET))
