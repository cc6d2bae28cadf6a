#!/usr/bin/python3
"""Six training steps of bioft beside the same in PyTorch, from the same weights and batches.

parity.py DRIVER CASE: the driver (driver.c) trains and writes weights, feedback and gradients; here
the rules are written again as autograd functions. Updates are compared with PyTorch's in float64,
and may differ by 1e-4 of their norm (SGD) or 5e-2 (Adam), or by four times what PyTorch's own
float32 differs, where that is more.
"""
import json, os, pathlib, subprocess, sys, tempfile

try:
    import numpy as np
    import torch
except ImportError as e:
    print(f"parity: {e}")
    if os.environ.get("BIOFT_TEST_OFFLINE") == "1":
        sys.exit(77)
    sys.exit("parity: PyTorch is a test dependency (python3-torch); BIOFT_TEST_OFFLINE=1 skips it")

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import models

BATCH, STEPS, CLASSES = 8, 6, 10
NETWORKS = {                       # module, image, mean and deviation of its normalisation
    "lenet5": (models.LeNet5, (1, 28, 28), [0.2860], [0.3530]),
    "small_residual": (models.SmallResidual, (3, 18, 16), [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]),
}
OUTPUT, SGD, ADAM = 1e-4, 1e-4, 5e-2


def read_safetensors(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    types = {"F32": np.float32, "I64": np.int64}
    return {name: torch.from_numpy(np.frombuffer(data[slice(*e["data_offsets"])], types[e["dtype"]])
                                   .reshape(e["shape"]).copy())
            for name, e in header.items() if name != "__metadata__"}


def write_data(folder, shape):
    random = np.random.RandomState(1)
    images = random.rand(BATCH * STEPS, *shape).astype(np.float32)
    labels = random.randint(CLASSES, size=BATCH * STEPS)
    for split in "train", "test":
        np.save(folder / f"{split}_images.npy", images)
        np.save(folder / f"{split}_labels.npy", labels.astype(np.int64))
    return torch.from_numpy(images), torch.from_numpy(labels)


def geometry(layer):
    return layer.stride, layer.padding, layer.dilation, layer.groups


class Layer(torch.autograd.Function):
    """A conv or linear layer whose input error is made by `send(dy, x)`."""

    @staticmethod
    def forward(ctx, x, w, b, layer, send):
        ctx.save_for_backward(x, w)
        ctx.layer, ctx.send, ctx.has_bias = layer, send, b is not None
        if isinstance(layer, torch.nn.Linear):
            return torch.nn.functional.linear(x, w, b)
        return torch.nn.functional.conv2d(x, w, b, *geometry(layer))

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        linear, layer = isinstance(ctx.layer, torch.nn.Linear), ctx.layer
        if linear:
            dw, db = dy.t() @ x, dy.sum(0)
        else:
            dw = torch.nn.grad.conv2d_weight(x, w.shape, dy, *geometry(layer))
            db = dy.sum((0, 2, 3))
        return ctx.send(dy, x), dw, db if ctx.has_bias else None, None, None


def through(layer, v):
    """The input error by feedback weights v."""
    if isinstance(layer, torch.nn.Linear):
        return lambda dy, x: dy @ v
    return lambda dy, x: torch.nn.grad.conv2d_input(x.shape, v, dy, *geometry(layer))


def scale(w):
    """Glorot's deviation."""
    space = w[0, 0].numel() if w.dim() == 4 else 1
    return (2.0 / (w.shape[1] * space + w.shape[0] * space)) ** 0.5


class Rule:
    """What stands for W^T, by layer; v: bioft's feedback weights, state: the rule's arrays."""

    def __init__(self, name, v, state, dtype):
        self.name, self.error = name, None
        self.v = {k: t.to(dtype) for k, t in v.items()}
        self.state = {k: t.to(dtype) for k, t in state.items()}

    def send(self, name, layer):
        w = layer.weight.detach()
        if self.name == "usf":
            return through(layer, scale(w) * w.sign())
        if self.name == "frsf":
            return through(layer, self.v[name].abs() * w.sign())
        if self.name == "kolen_pollack":
            return through(layer, self.state[name].view_as(w))
        if self.name == "dfa" and name in self.state:
            b = self.state[name].view(CLASSES, -1)
            places = (1, 1) if w.dim() == 4 else ()
            return lambda dy, x: (self.error @ b).view(*x.shape[:2], *places).expand_as(x)
        return through(layer, w)

    def updated(self, name, w, old):
        if self.name == "kolen_pollack":
            dw, decay = w - old, 1e-3
            v = self.state[name].view_as(w)
            v += dw - decay * v
            w -= decay * old


def make(kind, before, rule, dtype):
    """The network with its layers' backward passes by the rule; rule None: torch's own."""
    net = kind().to(dtype)
    net.load_state_dict({k: t.to(dtype) if t.is_floating_point() else t for k, t in before.items()
                         if "/" not in k})
    layers = {n: m for n, m in net.named_modules()
              if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))}
    for name, layer in layers.items() if rule else []:
        layer.forward = (lambda x, name=name, layer=layer:
                         Layer.apply(x, layer.weight, layer.bias, layer, rule.send(name, layer)))
    return net, layers


def train(kind, before, rule, optimizer, x, y, dtype):
    """The change of every parameter and buffer in six steps."""
    net, layers = make(kind, before, rule, dtype)
    net.train()
    if optimizer == "adam":
        o = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=5e-4)
    else:
        o = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for step in range(STEPS):
        part = slice(step * BATCH, (step + 1) * BATCH)
        out = net(x[part].to(dtype))
        leaf = out.detach().requires_grad_()
        torch.nn.functional.cross_entropy(leaf, y[part]).backward()
        if rule:
            rule.error = leaf.grad
        o.zero_grad()
        out.backward(leaf.grad)
        old = {n: m.weight.detach().clone() for n, m in layers.items()}
        o.step()
        for n, m in layers.items() if rule else []:
            with torch.no_grad():
                rule.updated(n, m.weight, old[n])
    return {k: t.double() - before[k].double() for k, t in net.state_dict().items()
            if t.is_floating_point()}


def difference(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


FAULTS = []


def check(what, found, allowed):
    print(f"{what}: {found:.2e} (allowed {allowed:.2e})")
    if not found <= allowed:
        FAULTS.append(what)


def check_gradients(kind, before, rule, x, y, out, exact, sent):
    """Outputs and both input gradients in evaluation, before training."""
    for what, other, want in ("exact", None, exact), ("rule", rule, sent):
        net, _ = make(kind, before, other, torch.float64)
        net.eval()
        leaf = x.double().requires_grad_()
        z = net(leaf)
        error = z.detach().requires_grad_()
        torch.nn.functional.cross_entropy(error, y).backward()
        if other:
            other.error = error.grad
        z.backward(error.grad)
        check("outputs", difference(out, z.detach()), OUTPUT)
        check(f"input gradient, {what}", difference(want, leaf.grad), OUTPUT)


def run(driver, network, rule, optimizer, folder):
    kind, shape, mean, std = NETWORKS[network]
    data, out = folder / "data", folder / "out"
    data.mkdir(), out.mkdir()
    images, y = write_data(data, shape)
    subprocess.run([driver, network, rule, optimizer, str(data), str(out)], check=True, cwd=folder)
    column = lambda values: torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1)
    x = (images - column(mean)) / column(std)
    before, after = (read_safetensors(out / f"{s}.safetensors") for s in ("before", "after"))
    v = {p.stem[2:]: torch.from_numpy(np.load(p)) for p in out.glob("v_*.npy")}
    state = {k.split("/", 2)[2]: t for k, t in before.items() if k.startswith("rule/")}
    load = lambda name: torch.from_numpy(np.load(out / name))
    copy = lambda: {k: t.clone() for k, t in state.items()}
    fresh = lambda dtype: None if rule == "bp" else Rule(rule, v, copy(), dtype)

    check_gradients(kind, before, fresh(torch.float64), x[:BATCH], y[:BATCH], load("out.npy"),
                    load("exact.npy"), load("rule.npy"))
    if rule in ("usf", "frsf"):
        signs = (load("exact.npy").sign() != load("rule.npy").sign()).double().mean().item()
        check("share of equal signs of the two gradients", 1 - signs, 0.9)
    for name, t in v.items():
        if rule == "usf":
            w = before[name + ".weight"]
            check(f"V of {name}", difference(t, scale(w) * w.sign()), 1e-6)
    reference = fresh(torch.float64)
    double = train(kind, before, reference, optimizer, x, y, torch.float64)
    single = train(kind, before, fresh(torch.float32), optimizer, x, y, torch.float32)
    for name, want in double.items():
        allowed = max(ADAM if optimizer == "adam" else SGD, 4 * difference(single[name], want))
        found = after[name].double() - before[name].double()
        check(f"update of {name}", difference(found, want), allowed)
    for name, want in reference.state.items() if reference else []:
        check(f"the rule's array {name}", difference(after[f"rule/0/{name}"], want), OUTPUT)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    driver, network, rule, optimizer = sys.argv[1], *sys.argv[2].split(":")
    with tempfile.TemporaryDirectory() as folder:
        run(os.path.abspath(driver), network, rule, optimizer, pathlib.Path(folder))
    if FAULTS:
        sys.exit("parity: " + ", ".join(FAULTS))
