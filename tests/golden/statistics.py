#!/usr/bin/python3
"""Writes tests/unit/eval/golden_compare.h: tests, intervals and quantiles by scipy and numpy.

/usr/bin/python3 tests/golden/statistics.py > tests/unit/eval/golden_compare.h   (needs python3-scipy)
"""
import itertools
import math

import numpy as np
from scipy import stats


def newcombe(e, f, g, h):
    """Newcombe 1998, method 10, from the roots of Wilson's quadratic equation."""
    n, z = e + f + g + h, stats.norm.ppf(0.975)

    def wilson(p):
        roots = np.roots([1 + z * z / n, -(2 * p + z * z / n), p * p])
        return min(roots.real), max(roots.real)

    p1, p2 = (e + f) / n, (e + g) / n
    (l1, u1), (l2, u2) = wilson(p1), wilson(p2)
    product = (e + f) * (g + h) * (e + g) * (f + h)
    phi = e * h - f * g
    phi = 0.0 if product == 0 else (max(phi - n / 2, 0) if phi > 0 else phi) / math.sqrt(product)
    low = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    high = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return p1 - p2 - low, p1 - p2 + high


def student(p, df):
    """scipy's quantile is good to some 1e-10: one step of Newton by its density."""
    t = stats.t.ppf(p, df)
    return 0.0 if p == 0.5 else float(t - (stats.t.cdf(t, df) - p) / stats.t.pdf(t, df))


def table(kind, name, rows):
    print(f"static const struct {kind} {name}[] = {{")
    for row in rows:
        print("    { " + ", ".join(repr(float(v)) if isinstance(v, float) else str(v) for v in row) + " },")
    print("};")


print("/* Written by tests/golden/statistics.py. */")
print("struct golden_mcnemar { uint64_t a, b; double p; };")
table("golden_mcnemar", "golden_mcnemars",
      [(a, b, float(stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0))
       for a, b in [(0, 0), (0, 1), (1, 1), (0, 5), (0, 6), (1, 9), (10, 25), (59, 6), (121, 59), (37, 37),
                    (400, 500), (2500, 2300), (0, 1000)]])
print("struct golden_newcombe { uint64_t e, f, g, h; double low, high; };")
table("golden_newcombe", "golden_newcombes",
      [(*c, *map(float, newcombe(*c))) for c in [(36, 12, 2, 0), (20, 0, 0, 30), (30, 12, 2, 6), (1, 24, 25, 0), (450, 20, 10, 20),
                                                 (4000, 300, 250, 450), (0, 30, 0, 20)]])
print("struct golden_student { uint64_t df; double p, t; };")
table("golden_student", "golden_students",
      [(df, p, student(p, df)) for df, p in itertools.product([1, 2, 3, 4, 9, 29, 99, 4999],
                                                                          [0.025, 0.5, 0.75, 0.975, 0.9995])])
print("struct golden_seeds { uint64_t n; double x[6], mean, low, high, p; };")
rows = []  # within -1..1: the interval's ends
for x in ([0.01, 0.03], [0.9, 0.1, 0.8], [-0.02, -0.05, -0.03], [0.1, -0.2, 0.05, 0.02, 0.01], [0.3, 0.31, 0.29, 0.32, 0.3, 0.33]):
    r = stats.ttest_1samp(x, 0.0)
    ci = r.confidence_interval(0.95)
    full = "{ " + ", ".join(map(repr, x)) + " }"
    rows.append((len(x), full, float(np.mean(x)), max(-1.0, float(ci.low)), min(1.0, float(ci.high)), float(r.pvalue)))
table("golden_seeds", "golden_seed_sets", rows)
print("struct golden_permutation { size_t n; double d[40], p; };")
rows = []
rng = np.random.default_rng(5)
for n, shift in [(2, 0.5), (3, 0.5), (5, 0.3), (8, 0.1), (12, 0.2), (14, 0.0), (16, 0.25), (40, 0.0), (40, 0.1), (40, 0.2)]:
    d = [float(v) for v in np.round(rng.normal(shift, 0.4, n), 6)]
    if n == 8:
        d[1], d[6], d[3] = 0.0, d[0], -d[2]
    exact = n <= 16
    r = stats.permutation_test((np.array(d),), np.sum, permutation_type="samples", vectorized=True, batch=10000,
                               n_resamples=np.inf if exact else 999999, random_state=7)
    rows.append((n, "{ " + ", ".join(map(repr, d)) + " }", float(r.pvalue)))
table("golden_permutation", "golden_permutations", rows)
