#!/usr/bin/python3
"""Writes tests/unit/eval/golden_map.h: average precision at k of small tasks, exactly; bootstraps.

/usr/bin/python3 tests/golden/map.py > tests/unit/eval/golden_map.h

Stable: the definition that the hashing literature evaluates (hits at ranks r_1 < r_2 < ... of a
stable sort by Hamming distance; the mean of i / r_i). Expected: the mean over all orders of tied
items, in fractions, by drawing the items of a tie one after another as from an urn. For small
databases that is checked against all permutations.
"""
import itertools
import math
import pathlib
import sys
from fractions import Fraction

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "unit" / "base"))
from random_golden import word  # noqa: E402

DIVISORS = ("hits", "relevant", "k")


def divide(total, hits, relevant, k):
    return [Fraction(total, hits) if hits else Fraction(0),
            Fraction(total, min(relevant, k)) if relevant else Fraction(0), Fraction(total, k)]


def ordered(rel, k):
    """Of a ranking whose relevance is known: AP by each divisor, and the hits."""
    k = min(k, len(rel))
    ranks = [r + 1 for r in range(k) if rel[r]]
    total = sum((Fraction(i + 1, r) for i, r in enumerate(ranks)), Fraction(0))
    return divide(total, len(ranks), sum(map(int, rel)), k) + [Fraction(len(ranks))]


def stable(distance, rel, k):
    return ordered(rel[np.argsort(distance, kind="stable")], k)


def expected(distance, rel, k):
    """Draws the items of each tie from an urn: prob[t] is the chance of t relevant ones so far,
    weighted[t] the sum of precisions at relevant ranks in that case, times the chance."""
    k = min(k, len(rel))
    before, relevant, total = 0, 0, Fraction(0)     # ranks, relevant items, expected sum so far
    by_hits, hits = None, None
    for d in np.unique(distance):
        n, m = int((distance == d).sum()), int(rel[distance == d].sum())
        drawn = min(n, k - before)
        prob = [Fraction(1)] + [Fraction(0)] * m
        weighted = [total] + [Fraction(0)] * m
        for j in range(drawn):
            rank = before + j + 1
            for t in reversed(range(m + 1)):
                here = Fraction(max(m - t, 0), n - j)
                p, w = prob[t], weighted[t]
                prob[t], weighted[t] = p * (1 - here), w * (1 - here)
                if t < m:
                    prob[t + 1] += p * here
                    weighted[t + 1] += here * (w + p * Fraction(relevant + t + 1, rank))
        by_hits = sum((weighted[t] / (relevant + t) for t in range(m + 1) if relevant + t),
                      Fraction(0))
        hits = sum(prob[t] * (relevant + t) for t in range(m + 1))
        total, before, relevant = sum(weighted), before + drawn, relevant + m
        if before == k:
            break
    every = int(rel.sum())
    return [by_hits, total / min(every, k) if every else Fraction(0), total / k, hits]


def expected_by_permutations(distance, rel, k):
    total, count = [Fraction(0)] * 4, math.factorial(len(rel))
    for order in itertools.permutations(range(len(rel))):
        order = np.array(order)
        total = [a + b for a, b in zip(total, stable(distance[order], rel[order], k))]
    return [t / count for t in total]


def self_check():
    rng = np.random.default_rng(7)
    for n in range(1, 7):
        for _ in range(3):
            distance, rel = rng.integers(0, 3, n), rng.integers(0, 2, n).astype(bool)
            for k in (1, 2, n, n + 3):
                assert expected(distance, rel, k) == expected_by_permutations(distance, rel, k)


def words(rows):
    """Rows of bits as 64-bit words, the first bit lowest."""
    ret = []
    for row in rows:
        for at in range(0, len(row), 64):
            ret.append(sum(int(b) << i for i, b in enumerate(row[at:at + 64])))
    return ret


def task(seed, queries, database, bits, classes, multi, noise):
    """Codes around one centre a class, so that there are ties of all sizes; 0.5 is at random."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2, (classes, bits))

    def side(n):
        if multi:
            labels = (rng.random((n, classes)) < 1.5 / classes).astype(int)
        else:
            labels = np.eye(classes, dtype=int)[rng.integers(0, classes, n)]
        near = centres[np.where(labels.any(1), labels.argmax(1), 0)]
        return near ^ (rng.random((n, bits)) < noise), labels

    return side(queries), side(database)


TASKS = [                       # seed, queries, database, bits, classes, multi-label, noise; k
    (1, 4, 60, 8, 5, False, 0.2, (1, 7, 20, 60, 100)),
    (2, 4, 60, 16, 21, True, 0.3, (1, 13, 30, 100)),
    (3, 3, 40, 70, 80, True, 0.5, (5, 39, 41)),
    (4, 5, 70, 32, 3, False, 0.0, (1, 5, 33, 70)),
    (5, 2, 50, 128, 65, False, 0.4, (10, 1000)),
    (6, 3, 30, 12, 2, True, 0.5, (3, 17)),
]


def numbers(values, form):
    lines, line = [], "       "
    for v in values:
        text = " " + form(v) + ","
        if len(line) + len(text) > 100:
            lines.append(line)
            line = "       "
        line += text
    return "\n".join(lines + [line])


def print_array(kind, name, values, form):
    print(f"static const {kind} {name}[] = {{\n{numbers(values, form)}\n}};")


def print_tasks():
    table = []
    for number, (seed, queries, database, bits, classes, multi, noise, ks) in enumerate(TASKS):
        (qc, ql), (dc, dl) = task(seed, queries, database, bits, classes, multi, noise)
        for name, rows in (("query_codes", qc), ("query_labels", ql),
                           ("database_codes", dc), ("database_labels", dl)):
            print_array("uint64_t", f"{name}_{number}", words(rows), lambda v: f"0x{v:x}")
        for k in ks:
            values = []
            for q in range(queries):
                distance, rel = (dc != qc[q]).sum(1), (dl & ql[q]).any(1)
                values += expected(distance, rel, k) + stable(distance, rel, k)
            print_array("double", f"values_{number}_{k}", values, lambda v: f"{float(v):.17g}")
            table.append(f"    {{ {queries}, {database}, {bits}, {classes}, {k}, "
                         f"query_codes_{number}, query_labels_{number},\n      "
                         f"database_codes_{number}, database_labels_{number}, "
                         f"values_{number}_{k} }},")
    print("\n/* values: for each query the expected AP by hits, by relevant, by k, the hits; then\n"
          " * the stable ones. */")
    print("static const struct {\n    uint64_t queries, database;\n    uint32_t bits, classes;\n"
          "    uint64_t k;\n"
          "    const uint64_t *query_codes, *query_labels, *database_codes, *database_labels;\n"
          "    const double *values;\n} golden_tasks[] = {\n" + "\n".join(table) + "\n};")


def print_bootstrap():
    """The 2.5% and 97.5% points of 1,000 means of values drawn by the keyed generator."""
    print("\n/* Of the values (i * i % 11) / 10. */\nstatic const struct {\n    uint64_t n, seed;\n"
          "    double low, high;\n} golden_bootstraps[] = {")
    for n, seed in ((1, 0), (7, 0), (50, 3), (300, 2**63 + 1)):
        values = np.array([(i * i % 11) / 10 for i in range(n)])
        means = [np.mean([values[word(seed, "bootstrap", draw, i) * n >> 32] for i in range(n)])
                 for draw in range(1000)]
        low, high = np.percentile(means, [2.5, 97.5])
        print(f"    {{ {n}, {seed}u, {low:.17g}, {high:.17g} }},")
    print("};")


self_check()
print("/* Made by tests/golden/map.py: not to be edited. */")
print_tasks()
print_bootstrap()
