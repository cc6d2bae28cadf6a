#!/usr/bin/env python3
"""Prints tests/unit/data/golden_choices.h (argument: choices), which samples a balanced draw takes, or golden_places.h
(argument: places), where an image is cut.

The generator after Salmon, Moraes, Dror and Shaw (SC 2011), the draw by dealing cards class by class, the geometry after
torchvision's documentation of Resize, CenterCrop, RandomCrop, RandomResizedCrop and RandomHorizontalFlip.
"""
import math
import sys

M32, M64 = 2**32 - 1, 2**64 - 1


def philox(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p, q = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & M32, (p >> 32) ^ c3 ^ k1, p & M32
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return c0, c1, c2, c3


def word(seed, stream, key, i):
    x = (seed + 0x9E3779B97F4A7C15) & M64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & M64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & M64
    x ^= x >> 31
    h = 0xCBF29CE484222325
    for byte in stream.encode():
        h = (h ^ byte) * 0x100000001B3 & M64
    mixed, block = x ^ h, i // 4
    return philox((block & M32, block >> 32, key & M32, key >> 32), (mixed & M32, mixed >> 32))[i % 4]


def permutation(seed, stream, key, n):
    p = list(range(n))
    for i in range(n - 1, 0, -1):
        u = word(seed, stream, key, 2 * i) | word(seed, stream, key, 2 * i + 1) << 32
        j = u * (i + 1) >> 64
        p[i], p[j] = p[j], p[i]
    return p


def choose(seed, stream, labels, classes, wanted):
    """Rounds of dealing: each class in turn gives the next of its samples, in the order of the permutation."""
    order = permutation(seed, stream, 0, len(labels))
    if classes is None:
        return sorted(order[:wanted])
    decks = {c: [i for i in order if labels[i] == c] for c in range(-1, classes)}
    turns, taken = permutation(seed, stream, 1, classes), []
    while len(taken) < wanted and any(decks[c] for c in turns):
        for c in turns:
            if decks[c] and len(taken) < wanted:
                taken.append(decks[c].pop(0))
    return sorted(taken + decks[-1][:wanted - len(taken)])


def half_even(x):
    return round(x)


def resize(s, height, width):
    return (int(s * height / width), s) if width <= height else (s, int(s * width / height))


def centre(have, want):
    return half_even((have - want) / 2.0) if have >= want else -((want - have) // 2)


def place(kind, seed, epoch, sample, height, width, size, short=None, padding=0, flip=True):
    """(box top, left, height, width), (height, width), top, left, flip of a training sample."""
    u = [(word(seed, "augment", epoch << 40 | sample, i) >> 8) * 2.0**-24 for i in range(43)]
    box, flipped = (0, 0, height, width), int(flip and u[0] < 0.5)
    if kind == "random_resized_crop":
        for k in range(10):
            a, r, y, x = u[3 + 4 * k:7 + 4 * k]
            area = height * width * (0.08 + 0.92 * a)
            ratio = math.exp(math.log(3 / 4) + (math.log(4 / 3) - math.log(3 / 4)) * r)
            w, h = half_even(math.sqrt(area * ratio)), half_even(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                box = (int(y * (height - h + 1)), int(x * (width - w + 1)), h, w)
                break
        else:
            h, w = height, width
            if width / height < 3 / 4:
                h = half_even(width / (3 / 4))
            elif width / height > 4 / 3:
                w = half_even(height * (4 / 3))
            box = ((height - h) // 2, (width - w) // 2, h, w)
        return *box, size, size, 0, 0, flipped
    h, w = resize(short, height, width) if short else (height, width)
    if kind == "random_crop":
        top = int(u[1] * (h + 2 * padding - size + 1)) - padding
        left = int(u[2] * (w + 2 * padding - size + 1)) - padding
    else:
        top, left = centre(h, size), centre(w, size)
    return *box, h, w, top, left, flipped


def choices():
    print("/* Balanced draws; written by tests/golden/data.py. */")
    print("static const struct {\n    uint64_t seed, count, wanted;\n    int32_t classes, modulus;"
          "                      /* label: index * index % modulus, -1 for 0 where `gaps` */\n"
          "    int gaps;\n    uint64_t taken[24];\n} golden_choices[] = {")
    for seed, count, wanted, classes, modulus, gaps in [
            (0, 40, 10, 5, 5, 0), (0, 40, 11, 5, 5, 0), (7, 30, 20, 7, 7, 0), (3, 24, 23, 3, 3, 1), (3, 24, 9, 3, 3, 1),
            (5, 50, 12, 0, 1, 0)]:
        labels = [i * i % modulus - (1 if gaps and i * i % modulus == 0 else 0) for i in range(count)]
        taken = choose(seed, "choose/test", labels, classes or None, wanted)
        assert len(taken) == wanted
        print(f"    {{ {seed}, {count}, {wanted}, {classes}, {modulus}, {gaps},\n      {{ "
              + ", ".join(map(str, taken)) + " } },")
    print("};")


def places():
    print("/* Placements of images; written by tests/golden/data.py. */\nenum golden_crop { GOLDEN_NONE, GOLDEN_CROP, GOLDEN_BOX };\nstatic const struct {\n"
          "    enum golden_crop kind;\n    uint64_t seed, epoch, sample;\n"
          "    uint32_t height, width, size, resize, padding;\n    bool flip;\n"
          "    uint32_t box_top, box_left, box_height, box_width, to_height, to_width;\n"
          "    int64_t top, left;\n    bool flipped;\n} golden_places[] = {")
    kinds = {"none": "GOLDEN_NONE", "random_crop": "GOLDEN_CROP", "random_resized_crop": "GOLDEN_BOX"}
    cases = [("none", 1, 0, s, 301, 200, 32, 37, 0, True) for s in range(3)]
    cases += [("random_crop", 1, e, s, 32, 32, 32, 0, 4, True) for e in (0, 3) for s in range(5)]
    cases += [("random_crop", 9, 2, s, 75, 56, 24, 28, 2, False) for s in range(3)]
    cases += [("random_resized_crop", 4, 1, s, h, w, 32, 0, 0, True) for s in range(6)
              for h, w in [(300, 200), (64, 64), (5, 90), (90, 4)]]
    for kind, seed, epoch, sample, height, width, size, short, padding, flip in cases:
        r = place(kind, seed, epoch, sample, height, width, size, short, padding, flip)
        print(f"    {{ {kinds[kind]}, {seed}, {epoch}, {sample}, {height}, {width}, {size}, {short}, {padding}, "
              f"{str(flip).lower()},\n      {', '.join(map(str, r[:-1]))}, {'true' if r[-1] else 'false'} }},")
    print("};")


{"choices": choices, "places": places}[sys.argv[1]]()
