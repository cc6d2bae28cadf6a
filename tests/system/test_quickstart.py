"""The quickstart's experiment on the real Fashion-MNIST: same bytes, and figures within bounds that hold for any seed."""
import json
import os
import unittest

import bioft

CLEAN = {"bp": 0.90, "usf": 0.89, "frsf": 0.89, "brsf": 0.89, "fa": 0.85}
GAP = {"usf": 0.08, "frsf": 0.20, "brsf": 0.18, "fa": 0.45}


class Quickstart(bioft.Case):
    def test_quickstart(self):
        m = bioft.SOURCE / "manifests/quickstart.yaml"
        r = self.good("run", m, "--out", "a", "--threads", "2")
        a = self.folder / "a"
        if not os.environ.get("BIOFT_BUILD"):      # sanitizers make each run take minutes: there one is enough
            self.good("run", m, "--out", "b", "--threads", "2")
            self.good("run", m, "--out", "c", "--threads", "1")
            self.same_files(a, self.folder / "b")
            self.same_files(a, self.folder / "c")

        by = {}
        for row in bioft.rows(a / "results.csv"):
            by[row["rule"], row["stage"], row["attack"], row["gradient"], row["epsilon"]] = row
        value = {key: float(row["value"]) for key, row in by.items()}
        for rule, least in CLEAN.items():
            row = by[rule, "fine-tune", "", "", ""]
            self.assertEqual(row["n"], "5000")
            self.assertGreaterEqual(float(row["value"]), least, rule)
            exact = value[rule, "fine-tune", "pgd", "exact", "0.1"]
            self.assertEqual(by[rule, "fine-tune", "pgd", "exact", "0.1"]["n"], "500")
            self.assertLessEqual(exact, 0.32, rule)
            self.assertLessEqual(value[rule, "fine-tune", "pgd", "exact", "0.5"], 0.02, rule)
            gap = value[rule, "fine-tune", "pgd", "rule", "0.1"] - exact
            if rule == "bp":
                self.assertEqual(gap, 0)
            else:
                self.assertGreaterEqual(gap, GAP[rule], rule)
        weak = by["fa", "fine-tune", "pgd", "rule", "0.5"]
        self.assertGreater(float(weak["value"]), 0.2)
        self.assertIn("attack-too-weak", weak["warnings"])
        self.assertIn("masking, not robustness", r.stdout)

        provenance = json.loads((a / "provenance.json").read_text())
        if "avx2" in provenance["machine"]["flags"]:
            self.assertNotIn("Prescott", provenance["engine"]["identity"])


if __name__ == "__main__":
    unittest.main()
