#!/usr/bin/env python3
"""Writes tests/unit/formats/resize_golden.h: SHA-256 of images resized by Pillow, and the sizes
and boxes of torchvision's Resize, CenterCrop and RandomResizedCrop."""
import hashlib
import random
import unittest.mock as mock

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

random.seed(9)
np_random = np.random.default_rng(9)


def noise(width, height):
    """The image that the C test makes too: a linear congruential sequence's high bytes."""
    x, out = 1, bytearray(width * height * 3)
    for i in range(len(out)):
        x = (x * 1664525 + 1013904223) & 0xffffffff
        out[i] = x >> 24
    return Image.frombytes('RGB', (width, height), bytes(out))


def rectangle(left, top, width, height):
    return f'{{ {left}, {top}, {width}, {height} }}'


def inside(width, height):
    left, top = random.randrange(width), random.randrange(height)
    return left, top, random.randint(1, width - left), random.randint(1, height - top)


def resized(width, height, box, to, window):
    image = noise(width, height)
    left, top, w, h = box
    image = image.crop((left, top, left + w, top + h)).resize(to, Image.BILINEAR)
    left, top, w, h = window
    image = image.crop((left, top, left + w, top + h))
    digest = hashlib.sha256(image.tobytes()).hexdigest()
    print(f'    {{ {width}, {height}, {rectangle(*box)}, {to[0]}, {to[1]}, {rectangle(*window)},\n'
          f'      "{digest}" }},')


print(f"/* Pillow's BILINEAR ({PIL.__version__}), torchvision's boxes ({torchvision.__version__});"
      '\n * written by tests/golden/make_resize.py. */')
print('static const struct {\n    uint32_t width, height;\n    struct rectangle box;\n'
      '    uint32_t to_width, to_height;\n    struct rectangle window;\n    const char *sha256;\n'
      '} resized[] = {')
for size, to in [((1, 1), (1, 1)), ((1, 1), (9, 5)), ((2, 2), (3, 3)), ((7, 5), (7, 5)),
                 ((7, 5), (7, 3)), ((7, 5), (4, 5)), ((600, 1), (1, 1)), ((1, 600), (1, 1)),
                 ((3, 2), (500, 2)), ((500, 375), (341, 256)), ((32, 32), (256, 256)),
                 ((281, 600), (13, 600))]:
    resized(*size, (0, 0, *size), to, (0, 0, *to))
for most in [12] * 8 + [90] * 12 + [600] * 8:
    size, to = [(random.randint(1, most), random.randint(1, most)) for _ in range(2)]
    resized(*size, (0, 0, *size), to, (0, 0, *to))
for most in [12] * 6 + [90] * 8 + [600] * 3:
    size, to = [(random.randint(1, most), random.randint(1, most)) for _ in range(2)]
    resized(*size, inside(*size), to, inside(*to))
print('};')

print('static const struct {\n    uint32_t width, height, side, to_width, to_height;\n'
      '} shorter_side[] = {')
for width, height, side in [(500, 375, 256), (375, 500, 256), (32, 32, 256), (256, 300, 256),
                            (300, 256, 256), (101, 3, 7), (3, 101, 7), (1, 1, 1)] + [
                                tuple(random.randint(1, 700) for _ in range(3)) for _ in range(24)]:
    to = transforms.Resize(side)(Image.new('L', (width, height))).size
    print(f'    {{ {width}, {height}, {side}, {to[0]}, {to[1]} }},')
print('};')

print('static const struct {\n    uint32_t width, height, side;\n    int32_t left, top;\n'
      '} center_crop[] = {')
for width, height, side in [(227, 225, 224), (229, 226, 224), (224, 224, 224), (3, 3, 8),
                            (3, 12, 8), (12, 3, 8), (7, 8, 8), (8, 5, 8), (1, 1, 4)] + [
                                tuple(random.randint(1, 40) for _ in range(3)) for _ in range(16)]:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    image = Image.fromarray(np.stack([x, y, x * 0 + 1], 2).astype('u1'), 'RGB')
    out = np.array(transforms.CenterCrop(side)(image)).astype(int)
    row, column = np.argwhere(out[..., 2] == 1)[0]
    print(f'    {{ {width}, {height}, {side}, {out[row, column, 0] - column}, '
          f'{out[row, column, 1] - row} }},')
print('};')


class Drawn:
    """Stands for torch.empty(1): its uniform_ takes the next number."""

    def __init__(self, numbers):
        self.numbers = numbers

    def uniform_(self, low, high):
        return torch.tensor([low + (high - low) * self.numbers.pop(0)], dtype=torch.float64)


def random_crop(width, height, scale, ratio, uniforms):
    """torchvision's own code on given numbers; it draws the place only for the try that fits."""
    numbers = []

    def empty(_):
        if not numbers:
            numbers.extend(uniforms[4 * tries[0]:4 * tries[0] + 2])
            place_of[0] = uniforms[4 * tries[0] + 2:4 * tries[0] + 4]
            tries[0] += 1
        return Drawn(numbers)

    def randint(_, high, size):
        return torch.tensor([int(high * place_of[0].pop(0))])

    tries, place_of = [0], [[]]
    with mock.patch('torch.empty', empty), mock.patch('torch.randint', randint):
        top, left, h, w = transforms.RandomResizedCrop.get_params(
            Image.new('L', (width, height)), scale, ratio)
    return left, top, w, h


print('static const struct {\n    uint32_t width, height;\n    double scale[2], ratio[2];\n'
      '    struct rectangle box;\n    uint16_t uniform[RESIZE_UNIFORMS];      /* in 4096ths */\n'
      '} random_crop[] = {')
for width, height, scale, ratio in [(500, 375, (0.08, 1), (0.75, 4 / 3))] * 5 + [
        (32, 32, (0.08, 1), (0.75, 4 / 3)), (600, 3, (0.9, 1), (0.75, 4 / 3)),
        (3, 600, (0.9, 1), (0.75, 4 / 3)), (50, 52, (4, 5), (0.75, 4 / 3)),
        (9, 8, (0.5, 1), (1, 1)), (1, 1, (0.08, 1), (0.75, 4 / 3))]:
    uniforms = [int(u) for u in np_random.integers(0, 1 << 12, 40)]
    box = random_crop(width, height, scale, ratio, [u / 4096 for u in uniforms])
    lines = [', '.join(map(str, uniforms[i:i + 14])) for i in range(0, 40, 14)]
    print(f'    {{ {width}, {height}, {{ {scale[0]}, {scale[1]} }}, '
          f'{{ {ratio[0]!r}, {ratio[1]!r} }}, {rectangle(*box)},\n'
          '      { ' + ',\n        '.join(lines) + ' } },')
print('};')
