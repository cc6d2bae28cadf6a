"""bioft bench: what it measures and how it says so."""
import json
import unittest

import bioft

KEYS = {"backbone", "mode", "rule", "engine", "precision", "batch", "images_per_s", "peak_rss_mib"}
SMALL = ("--backbone", "lenet5", "--engine", "openblas", "--batch", "4", "--steps", "2", "--threads", "2")


class Bench(bioft.Case):
    def answers(self, *words):
        return [json.loads(line) for line in self.good("bench", *words, *SMALL, "--json").stdout.splitlines()]

    def test_train_in_json(self):
        (r,) = self.answers("train", "--rule", "usf")
        self.assertLessEqual(KEYS, set(r))
        self.assertEqual((r["backbone"], r["mode"], r["rule"], r["engine"], r["precision"], r["batch"]),
                         ("lenet5", "train", "usf", "openblas", "f32", 4))
        self.assertEqual(r["threads"], 2)
        self.assertIn("OpenBLAS", r["identity"])
        for key in ("images_per_s", "images_per_s_median", "peak_rss_mib", "forward_s", "backward_s", "update_s",
                    "gflops", "peak_gflops", "update_gb_per_s", "peak_gb_per_s"):
            self.assertGreater(r[key], 0, key)
        self.assertGreaterEqual(r["images_per_s"], r["images_per_s_median"])
        # Phases are parts of the step that the rate is of.
        self.assertLessEqual(r["forward_s"] + r["backward_s"] + r["update_s"], 1.01 * 4 / r["images_per_s"])

    def test_forward_in_json(self):
        (r,) = self.answers("forward")
        self.assertEqual((r["mode"], r["rule"]), ("forward", None))
        self.assertEqual((r["backward_s"], r["update_s"], r["update_gb_per_s"]), (0, 0, 0))
        self.assertGreater(r["gflops"], 0)

    def test_profile(self):
        _, profile = self.answers("train", "--profile")
        layers = [n["layer"] for n in profile["nodes"] if n["layer"]]
        self.assertEqual(layers, ["conv1", "conv2", "fc1", "fc2", "fc3"])
        text = self.good("bench", "train", *SMALL, "--profile").stdout
        for word in ("images/s", "peak memory", "GFLOP/s", "GB/s", "forward", "backward", "gradient", "conv1", "fc3"):
            self.assertIn(word, text)

    def test_refusals(self):
        self.bad(2, "bench", "test", *SMALL, says="'train' or 'forward'")
        self.bad(2, "bench", "train", says="--backbone")
        self.bad(2, "bench", "train", *SMALL, "--precision", "f16", says="f32 or bf16")
        self.bad(1, "bench", "forward", *SMALL, "--precision", "bf16", says="f32 only")


if __name__ == "__main__":
    unittest.main()
