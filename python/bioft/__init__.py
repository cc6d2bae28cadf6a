"""What a run of bioft left, for Python: pandas frames, NumPy arrays, torch state dicts.

    import bioft
    bioft.results("runs/quickstart")                       # a frame of results.csv
    bioft.corruption_errors("runs/x", "corrupted")         # mean corruption errors of a sweep over corruptions
    bioft.predictions("runs/quickstart", "01-rule=usf", attack="pgd", gradient="exact", epsilon=0.1)
    bioft.images("runs/quickstart", "01-rule=usf", attack="pgd", gradient="exact", epsilon=0.1)
    bioft.load("runs/quickstart/trials/01-rule=usf/checkpoint.safetensors")

pandas, NumPy and torch are imported where they are needed: `pip install bioft[frames]`, `bioft[torch]`.
"""
import json
import pathlib

__all__ = ["results", "corruption_errors", "predictions", "images", "load"]


def results(out):
    """OUT/results.csv: words are categories, `interval` is the 95% interval of `value`."""
    import pandas

    frame = pandas.read_csv(pathlib.Path(out) / "results.csv", dtype={"options": str}, low_memory=False)
    for name in frame.columns:
        if pandas.api.types.is_object_dtype(frame[name]) or pandas.api.types.is_string_dtype(frame[name]):
            frame[name] = frame[name].astype("category")
    known = frame["ci_low"].notna() & frame["ci_high"].notna()
    frame["interval"] = pandas.arrays.IntervalArray.from_arrays(frame["ci_low"].where(known), frame["ci_high"].where(known),
                                                                closed="both")
    return frame


CORRUPTIONS = ("gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog brightness "
               "contrast elastic_transform pixelate jpeg_compression").split()


def corruption_errors(out, stage, baseline="bp"):
    """Of a sweep over `dataset.corruption` and `dataset.severity` of a stage that trains nothing: {rule: {"mce": M,
    "corruptions": {name: CE}, "error": E, "robust": {(attack, gradient, epsilon): A}}}.

    CE is the sum of a rule's errors over severities 1 to 5, divided by the baseline rule's, and M the mean of CE over the
    corruptions, as Hendrycks and Dietterich (ICLR 2019) define them, with the baseline rule of the same run in AlexNet's
    place: 1 is as good as the baseline, and figures of two runs, or theirs, do not compare. E is the mean error, not divided;
    A the mean robust accuracy over the same trials. Errors are means over seeds. The four corruptions that are for validation
    are left out; one of the fifteen that is missing, or lacks a severity, is an error.
    """
    import csv

    clean, robust = {}, {}
    prefix = f"stages.{stage}.dataset."
    with open(pathlib.Path(out) / "results.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["stage"] != stage or row["metric"] != "accuracy" or row["split"] != "test" or not row.get(prefix + "corruption"):
                continue
            value, rule = float(row["value"]), _rule_of(row, stage)
            if row["attack"]:
                robust.setdefault(rule, {}).setdefault((row["attack"], row["gradient"], float(row["epsilon"])), []).append(value)
            elif row[prefix + "corruption"] in CORRUPTIONS:
                clean.setdefault(rule, {}).setdefault((row[prefix + "corruption"], int(row[prefix + "severity"])), []).append(1 - value)
    if baseline not in clean:
        raise LookupError(f"{out}: no trial of rule '{baseline}' in stage '{stage}'; there are: {', '.join(sorted(clean)) or 'none'}")
    found = {}
    for rule, errors in clean.items():
        missing = [f"{c} {s}" for c in CORRUPTIONS for s in range(1, 6) if (c, s) not in errors]
        if missing:
            raise LookupError(f"{out}: rule '{rule}' lacks {len(missing)} of 75 corruptions and severities: {', '.join(missing[:3])}")
        found[rule] = {c: [sum(errors[c, s]) / len(errors[c, s]) for s in range(1, 6)] for c in CORRUPTIONS}
    summary = {}
    for rule, errors in found.items():
        if not all(sum(found[baseline][c]) for c in CORRUPTIONS):
            raise ZeroDivisionError(f"rule '{baseline}' makes no error on a corruption: there is nothing to divide by")
        ratios = {c: sum(e) / sum(found[baseline][c]) for c, e in errors.items()}
        summary[rule] = {"mce": sum(ratios.values()) / len(ratios), "corruptions": ratios,
                         "error": sum(map(sum, errors.values())) / (5 * len(errors)),
                         "robust": {k: sum(v) / len(v) for k, v in robust.get(rule, {}).items()}}
    return summary


def _rule_of(row, stage):
    """The rule that a trial varies: of the stage that trains, where the last one only measures."""
    swept = [value for name, value in row.items() if name and name.endswith(".rule.plugin") and value]
    return swept[0] if swept else row["rule"]


def _one(names, what, attack, options, gradient, epsilon):
    """The one name ATTACK[.OPTIONS][.GRADIENT].EPSILON with these parts, of a dict from such names to paths."""
    end = "" if epsilon is None else f".{epsilon:.15g}"
    found = [path for name, path in sorted(names.items())
             if name.startswith(f"{attack}.") and name.endswith(end)
             and (options is None or name.startswith(f"{attack}.{options}."))
             and (gradient is None or f".{gradient}." in name)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} {what} of this attack, gradient and epsilon; there are: {', '.join(sorted(names)) or 'none'}")
    return found[0]


def predictions(out, trial, stage=None, attack=None, options=None, gradient=None, epsilon=None):
    """The predictions behind one figure, a row per image. Without an attack: of the clean split, of the last stage where none
    is named."""
    import pandas

    folder = pathlib.Path(out) / "trials" / trial / "predictions"
    if attack is None:
        frame = results(out)
        rows = frame[(frame["trial"] == trial) & frame["attack"].isna() & (True if stage is None else frame["stage"] == stage)]
        if rows.empty:
            raise LookupError(f"{out}: no clean figure of trial {trial}" + (f", stage {stage}" if stage else ""))
        path = folder / f"{rows['stage'].iloc[-1]}.{rows['split'].iloc[-1]}.csv"
    else:
        names = {"".join(p.name.split(".", 2)[2:])[:-len(".csv")]: p for p in folder.glob(f"{stage or '*'}.*.*.csv")}
        path = _one(names, "files of predictions", attack, options, gradient, epsilon)
    return pandas.read_csv(path)


def images(out, trial, attack, options=None, gradient=None, epsilon=None):
    """(clean, adversarial) of an attack with `dump: N`, float32 [n][channels][height][width] in [0, 1]."""
    import numpy

    folder, end = pathlib.Path(out) / "trials" / trial / "adversarial", ".clean.npy"
    path = _one({p.name[:-len(end)]: p for p in folder.glob("*" + end)}, "dumps", attack, options, gradient, epsilon)
    return numpy.load(path), numpy.load(path.with_name(path.name[:-len(end)] + ".adversarial.npy"))


def load(checkpoint):
    """A state dict of torch tensors from a .safetensors file, such as a trial's checkpoint."""
    import torch

    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
             "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
    data = bytearray(pathlib.Path(checkpoint).read_bytes())
    begin = 8 + int.from_bytes(data[:8], "little")
    ret = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name == "__metadata__":
            continue
        first, end = entry["data_offsets"]
        dtype = types[entry["dtype"]]
        flat = torch.frombuffer(data, dtype=torch.uint8, offset=begin + first, count=end - first) if end > first \
            else torch.empty(0, dtype=torch.uint8)
        ret[name] = flat.clone().view(dtype).reshape(entry["shape"])
    return ret
