#!/usr/bin/python3
"""Writes tests/unit/train/golden_losses.h: torch's losses and gradients on fixed numbers.

/usr/bin/python3 tests/golden/losses.py > tests/unit/train/golden_losses.h
"""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

N, C = 4, 3
OUT = [[0.5, -1.0, 2.0], [300.0, -200.0, 299.0], [0.0, 0.0, 0.0], [-4.0, 1.5, 0.25]]
LABEL = [2, 0, 1, 0]
SETS = [[0, 0, 1], [1, 0, 1], [0, 0, 0], [1, 1, 1]]


def number(v):
    text = f"{v if abs(v) > 1e-37 else 0.0:.9g}"
    return text + ("f" if "e" in text or "." in text else ".0f")


def rows(t):
    return ",\n        ".join("{ " + ", ".join(number(v) for v in row) + " }" for row in t.tolist())


def case(name, options, value, out, multi):
    value.backward()
    print('    { "%s", %r, %d, %.17g, {\n        %s,\n    } },' % (name, options, multi, value.item(), rows(out.grad)))


def leaf():
    return torch.tensor(OUT, dtype=torch.float64, requires_grad=True)


label, sets = torch.tensor(LABEL), torch.tensor(SETS, dtype=torch.float64)
onehot = torch.nn.functional.one_hot(label, C).double()
print("/* Made by tests/golden/losses.py from torch, in double: not to be edited. */")
print("static const float golden_out[%d][%d] = {\n        %s,\n};" % (N, C, rows(torch.tensor(OUT))))
print("static const int32_t golden_label[%d] = { %s };" % (N, ", ".join(map(str, LABEL))))
print("static const uint64_t golden_sets[%d] = { %s };" % (N, ", ".join(str(sum(b << i for i, b in enumerate(s))) for s in SETS)))
print("static const struct {\n    const char *loss;\n    double smoothing;\n    int multi;\n    double value;\n"
      "    float d_out[%d][%d];\n} golden_losses[] = {" % (N, C))
out = leaf()
case("cross_entropy", 0.0, cross_entropy(out, label), out, 0)
out = leaf()
case("cross_entropy", 0.1, cross_entropy(out, label, label_smoothing=0.1), out, 0)
out = leaf()
case("mse", 0.0, ((out - onehot) ** 2).sum(1).mean() / 2, out, 0)
out = leaf()
case("mse", 0.0, torch.nn.MSELoss()(out, sets) * C / 2, out, 1)
out = leaf()
case("binary_cross_entropy", 0.0, binary_cross_entropy_with_logits(out, sets), out, 1)
print("};")
