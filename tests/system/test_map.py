"""bioft map on .npy codes and labels, against a plain numpy implementation."""
import json
import subprocess
import unittest

import numpy as np

import bioft

FILES = ("query-codes", "query-labels", "database-codes", "database-labels")
DIVISORS = ("hits", "relevant", "k")


def plain_stable(distance, relevant, k):
    """By hits, by relevant, by k, and the hits, of one query's stable ranking."""
    ranking = relevant[np.argsort(distance, kind="stable")][:k]
    ranks = np.flatnonzero(ranking) + 1
    total = (np.arange(1, len(ranks) + 1) / ranks).sum()
    every = relevant.sum()
    return np.array([total / max(len(ranks), 1), total / max(min(every, k), 1),
                     total / len(ranking), len(ranks)])


def plain_expected(distance, relevant, k):
    """The same over all orders of ties, one item after another: prob[t] is the chance that t of a
    tie's items so far are relevant, weighted[t] the sum of precisions then, times the chance."""
    k = min(k, len(relevant))
    rank, before, total = 0, 0, 0.0
    for d in np.unique(distance):
        n, m = (distance == d).sum(), relevant[distance == d].sum()
        t = np.arange(m + 1)
        prob, weighted = (t == 0) * 1.0, (t == 0) * total
        for j in range(min(n, k - rank)):
            rank += 1
            hit = np.maximum(m - t, 0) / (n - j)
            gain = hit * (weighted + prob * (before + t + 1) / rank)
            into = np.roll(prob * hit, 1)
            prob = prob * (1 - hit) + into
            weighted = weighted * (1 - hit) + np.roll(gain, 1)
        by_hits = (weighted / np.maximum(before + t, 1)).sum()
        hits, total, before = (prob * (before + t)).sum(), weighted.sum(), before + m
        if rank == k:
            break
    every = relevant.sum()
    return np.array([by_hits, total / max(min(every, k), 1), total / k, hits])


class Map(bioft.Case):
    def setUp(self):
        super().setUp()
        self.rng = np.random.default_rng(2)

    def codes(self, n, bits=16, spread=0.5):
        return np.where(self.rng.random((n, bits)) < spread, 1, -1).astype(np.float32)

    def sets(self, n, classes=21):
        return (self.rng.random((n, classes)) < 1.5 / classes).astype(np.uint8)

    def save(self, *arrays):
        """The four files' arguments."""
        arguments = []
        for name, array in zip(FILES, arrays):
            np.save(self.folder / f"{name}.npy", array)
            arguments += [f"--{name}", f"{name}.npy"]
        return arguments

    def compare(self, q, ql, d, dl, k, relevant):
        """Every figure of the JSON, and the two lines for people."""
        arguments = self.save(q, ql, d, dl)
        r = self.good("map", *arguments, "--k", k, "--json")
        found = json.loads(r.stdout)
        self.assertEqual(r.stderr, "")
        self.assertEqual(r.stdout.count("\n"), 1)
        distance = ((q[:, None, :] > 0) != (d[None, :, :] > 0)).sum(2)
        for ties, plain in (("expected", plain_expected), ("stable", plain_stable)):
            rows = np.array([plain(distance[i], relevant[i], k) for i in range(len(q))])
            for column, divisor in enumerate(DIVISORS):
                self.assertAlmostEqual(found["map"][ties][divisor], rows[:, column].mean(),
                                       delta=1e-9)
                some = relevant.any(1)
                self.assertAlmostEqual(found["map_of_queries_with_relevant"][ties][divisor],
                                       rows[some, column].mean() if some.any() else 0, delta=1e-9)
            n, every = min(k, len(d)), relevant.sum(1)
            self.assertAlmostEqual(found["precision"][ties], (rows[:, 3] / n).mean(), delta=1e-9)
            self.assertAlmostEqual(found["recall"][ties],
                                   (rows[:, 3] / np.maximum(every, 1)).mean(), delta=1e-9)
            line = self.good("map", *arguments, "--k", k, "--ties", ties, "--threads", 1)
            self.assertEqual(line.stdout, f"map@{k} {rows[:, 0].mean():.6f} ({ties})\n")
            self.assertEqual(line.stderr, "")
        for point in found["radii"]:
            near = distance <= point["radius"]
            hits = (near & relevant).sum(1)
            self.assertAlmostEqual(point["precision"],
                                   (hits / np.maximum(near.sum(1), 1)).mean(), delta=1e-9)
            self.assertAlmostEqual(point["recall"],
                                   (hits / np.maximum(relevant.sum(1), 1)).mean(), delta=1e-9)
        self.assertEqual([p["radius"] for p in found["radii"]], list(range(q.shape[1] + 1)))
        self.assertEqual(found["precision_radius_2"], found["radii"][2]["precision"])
        self.assertEqual((found["k"], found["queries"], found["database"], found["bits"]),
                         (k, len(q), len(d), q.shape[1]))
        self.assertEqual(found["ties"], "expected")
        self.assertEqual(found["queries_without_relevant"], int((~relevant.any(1)).sum()))
        self.assertEqual(found["value"], found["map"]["expected"]["hits"])
        self.assertTrue(found["ci_low"] <= found["value"] <= found["ci_high"])
        low, high = found["map"]["relevant_last"]["k"], found["map"]["relevant_first"]["k"]
        for ties in ("expected", "stable"):
            self.assertTrue(low <= found["map"][ties]["k"] <= high)
        return found

    def test_single_label(self):
        q, d = self.codes(20), self.codes(300)
        ql, dl = self.rng.integers(0, 10, 20), self.rng.integers(0, 10, 300)
        ql[3] = 11                                   # no such label in the database
        for k in (1, 50, 300, 5000):
            found = self.compare(q, ql, d, dl, k, ql[:, None] == dl)
            self.assertEqual((found["classes"], found["queries_without_relevant"]), (12, 1))

    def test_multi_label(self):
        for bits, classes, k in ((8, 21, 40), (48, 80, 100), (32, 21, 1000), (130, 3, 7)):
            q, d = self.codes(17, bits, 0.8), self.codes(200, bits, 0.8)
            ql, dl = self.sets(17, classes), self.sets(200, classes)
            self.compare(q, ql, d, dl, k, ql.astype(int) @ dl.T.astype(int) > 0)

    def test_forms_of_codes_and_labels(self):
        """Packed codes, doubles, fortran order, int32 and bool labels: the same figures."""
        def output(*forms):
            return self.good("map", *self.save(*forms), "--k", 20, "--json").stdout

        q, d, ql, dl = self.codes(9, 24), self.codes(100, 24), self.sets(9), self.sets(100)
        want = output(q, ql, d, dl)
        packed = [np.packbits(x > 0, axis=1) for x in (q, d)]
        self.assertEqual(output(packed[0], ql, packed[1], dl), want)
        self.assertEqual(output(q, ql, packed[1], dl), want)
        self.assertEqual(output(q.astype("f8"), ql, np.asfortranarray(d), dl), want)
        self.assertEqual(output(q, ql.astype(bool), d, dl.astype(bool)), want)
        ql, dl = np.arange(9) % 4, np.arange(100) % 4
        self.assertEqual(output(q, ql, d, dl), output(q, ql.astype("i4"), d, dl))

    def test_threads_do_not_matter(self):
        arguments = self.save(self.codes(100), self.sets(100), self.codes(5000), self.sets(5000))
        outputs = {self.good("map", *arguments, "--k", 500, "--json", "--threads", n).stdout
                   for n in (1, 2, 3, 7)}
        self.assertEqual(len(outputs), 1)

    def refuse(self, says, *arguments):
        self.assertEqual(self.bad(2, "map", *arguments, says=says).stdout, "")

    def test_wrong_usage(self):
        arguments = self.save(self.codes(3), np.arange(3), self.codes(5), np.arange(5))
        self.assertIn("--query-codes Q.npy", self.good("map", "--help").stdout)
        self.refuse(["'--k' takes a whole number from 1", "usage: bioft map"], *arguments, "--k", 0)
        self.refuse("'--k' takes", *arguments, "--k", -5)
        self.refuse("'--k' takes", *arguments, "--k", "5e3")
        self.refuse("Give --k N", *arguments)
        self.refuse("Give --database-labels", *arguments[:6], "--k", 5)
        self.refuse("Give --query-codes", "--k", 5)
        self.refuse(["'expected' or 'stable'", "random"], *arguments, "--k", 5, "--ties", "random")
        self.refuse("did you mean '--ties'", *arguments, "--k", 5, "--tie", "stable")
        self.refuse("one argument too many", "q.npy", *arguments, "--k", 5)

    def refuse_files(self, says, q, ql, d, dl):
        self.refuse(says, *self.save(q, ql, d, dl), "--k", 5)

    def test_bad_codes(self):
        q, d, ql, dl = self.codes(4), self.codes(6), np.arange(4), np.arange(6)
        zero, half, nan = d.copy(), d.copy(), q.copy()
        zero[5, 3], half[2, 15], nan[0, 0] = 0, 0.5, np.nan
        self.refuse_files(["database-codes.npy: bit 3 of code 5 is 0,", "takes 0 as +1"],
                          q, ql, zero, dl)
        self.refuse_files("database-codes.npy: bit 15 of code 2 is 0.5,", q, ql, half, dl)
        self.refuse_files("query-codes.npy: bit 0 of code 0 is nan", nan, ql, d, dl)
        self.refuse_files("query-codes.npy: codes of dtype '<i8'", q.astype("i8"), ql, d, dl)
        self.refuse_files("query-codes.npy: codes of dtype '|b1'", q > 0, ql, d, dl)
        self.refuse_files("dtype '|i1' is not supported", q.astype("i1"), ql, d, dl)
        self.refuse_files("codes have 2 dimensions, not 1", q[0], ql, d, dl)
        self.refuse_files("database-codes.npy: codes of 8 bits, but those of", q, ql, d[:, :8], dl)
        self.refuse_files("codes of 8 bits", q, ql, np.packbits(d[:, :8] > 0, axis=1), dl)
        self.refuse_files("query-codes.npy: no codes in it", q[:0], ql[:0], d, dl)
        self.refuse_files("codes of 0 bits", q[:, :0], ql, d, dl)
        self.refuse_files("codes of 40000 bits", np.ones((4, 40000), "f4"), ql, d, dl)

    def test_bad_labels(self):
        q, d, ql, dl = self.codes(4), self.codes(6), np.arange(4), np.arange(6)
        sets, other = self.sets(4), self.sets(6)
        two = other.copy()
        two[1, 20] = 2
        self.refuse_files(["query-labels.npy: 3 labels for the 4 codes of", "query-codes.npy"],
                          q, ql[:3], d, dl)
        self.refuse_files("database-labels.npy: class 20 of label 1 is 2,", q, sets, d, two)
        self.refuse_files("database-labels.npy: labels of 20 classes, but those of",
                          q, sets, d, other[:, :20])
        self.refuse_files(["query-labels.npy: one label a sample", "database-labels.npy has sets"],
                          q, ql, d, other)
        self.refuse_files("label 2 is -1", q, np.array([0, 1, -1, 2]), d, dl)
        self.refuse_files("label 0 is 65536", q, ql + 65536, d, dl)
        self.refuse_files("not '<f4' of 1 dimension", q, ql.astype("f4"), d, dl)
        self.refuse_files("not '<i8' of 2 dimensions", q, ql[:, None], d, dl)
        self.refuse_files("not '|u1' of 1 dimension", q, ql.astype("u1"), d, dl)
        self.refuse_files("labels of 0 classes", q, sets[:, :0], d, other[:, :0])

    def test_bad_files(self):
        arguments = self.save(self.codes(4), np.arange(4), self.codes(6), np.arange(6))
        path = self.folder / "database-codes.npy"
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        self.refuse("database-codes.npy: .npy: truncated", *arguments, "--k", 5)
        path.write_bytes(whole + b"x")
        self.refuse("1 bytes left over", *arguments, "--k", 5)
        path.write_bytes(b"-1 1 -1")
        self.refuse("not a .npy file", *arguments, "--k", 5)
        path.unlink()
        self.refuse([str(self.folder.resolve() / "database-codes.npy"), "No such file"],
                    *arguments, "--k", 5)

    def test_full_standard_output(self):
        arguments = self.save(self.codes(4), np.arange(4), self.codes(6), np.arange(6))
        with open("/dev/full", "w") as full:
            r = subprocess.run([bioft.BIOFT, "map", *arguments, "--k", "5"], cwd=self.folder,
                               stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(r.returncode, 1)


if __name__ == "__main__":
    unittest.main()
