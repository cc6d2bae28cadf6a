#!/usr/bin/env python3
"""Pillow's pixels against ours on a folder of photographs: images.py BUILD FOLDER. Prints the
table of docs/images.md.

Decoded: Image.open(FILE).convert('RGB'). Evaluation: torchvision's Resize(256) and CenterCrop(224)
on that, which are Pillow's resize with BILINEAR and a crop."""
import pathlib
import subprocess
import sys

import numpy as np
import PIL
from PIL import Image, features

SHORTER, CROP = 256, 224


def evaluation(image):
    w, h = image.size
    if w <= h:
        w, h = SHORTER, int(SHORTER * h / w)
    else:
        w, h = int(SHORTER * w / h), SHORTER
    left, top = round((w - CROP) / 2), round((h - CROP) / 2)
    return image.resize((w, h), Image.BILINEAR).crop((left, top, left + CROP, top + CROP))


class Row:
    def __init__(self, name):
        self.name, self.images, self.same = name, 0, 0
        self.pixels, self.equal, self.largest = 0, 0, 0

    def add(self, theirs, ours):
        differs = np.abs(theirs.astype(int) - ours.astype(int))
        self.images += 1
        self.same += not differs.any()
        self.pixels += theirs.shape[0] * theirs.shape[1]
        self.equal += int((~differs.any(axis=2)).sum())
        self.largest = max(self.largest, int(differs.max()))


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    whole, middle, kinds = Row("decoded"), Row("resized to 256, middle 224x224"), {}
    for path in files:
        out = subprocess.run([build / "bench/images", path], stdout=subprocess.PIPE,
                             check=True).stdout
        w, h = np.frombuffer(out, np.uint32, 2)
        decoded = np.frombuffer(out, np.uint8, w * h * 3, 8).reshape(h, w, 3)
        window = np.frombuffer(out, np.uint8, CROP * CROP * 3, 8 + w * h * 3).reshape(CROP, CROP, 3)
        with Image.open(path) as image:
            kinds[image.mode] = kinds.get(image.mode, 0) + 1
            image = image.convert("RGB")
        assert image.size == (w, h), path
        whole.add(np.asarray(image), decoded)
        middle.add(np.asarray(evaluation(image)), window)
    modes = ", ".join(f"{n} of mode {k}" for k, n in sorted(kinds.items()))
    library = features.version("libjpeg_turbo") or "of a version it does not say"
    print(f"Pillow {PIL.__version__}, its libjpeg-turbo {library}; {modes}.\n")
    print("| | images | all pixels equal | pixels | equal | largest difference of 255 |")
    print("|---|---|---|---|---|---|")
    for r in (whole, middle):
        print(f"| {r.name} | {r.images} | {r.same} | {r.pixels:,} | {r.equal:,} "
              f"| {r.largest} |")


main()
