"""bioft verify: figures recomputed from checkpoints and predictions, and what was changed is named."""
import shutil
import unittest

import bioft


class Verify(bioft.Case):
    def change(self, path, old, new):
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def test_verify(self):
        m = self.manifest(bioft.MANIFEST.replace("rule: [bp, usf, brsf]", "rule: [bp, brsf]").replace(
            "attacks:\n", "attacks:\n  - {plugin: pgd, name: other, from: {rule: bp}, epsilon: 0.05, samples: 30}\n"))
        out = self.folder / "out"
        self.good("run", m, "--out", "out", "--quiet", "--threads", "1")
        state = lambda: {p.relative_to(out): p.read_bytes() for p in out.glob("**/*") if p.is_file()}
        before = state()
        rows = len(bioft.rows(out / "results.csv"))
        self.assertEqual(self.good("verify", "out").stdout, "%d figures of 2 trials recomputed: 0 differences\n" % rows)
        self.assertEqual(self.good("verify", "out", "--attacks").stdout,
                         "%d figures of 2 trials recomputed, attacks run again: 0 differences\n" % rows)
        self.assertEqual(state(), before)

        images = out / "trials/01-rule=brsf/predictions/fine-tune.test.fgsm.exact.0.05.csv"
        line = next(l for l in images.read_text().splitlines() if ",1," in l)
        self.change(images, line, line.replace(",1,", ",0,", 1))
        self.assertIn("predictions/fine-tune.test.fgsm.exact.0.05.csv is not what is computed",
                      self.bad(1, "verify", "out", "--attacks").stdout)
        images.write_bytes(before[images.relative_to(out)])
        row = next(l for l in before[(out / "results.csv").relative_to(out)].decode().splitlines() if "bp,pre-train" in l)
        value = row.split(",")[16]
        self.change(out / "results.csv", row, row.replace("," + value + ",", ",0.125,", 1))
        said = self.bad(1, "verify", "out").stdout
        self.assertIn("00-rule=bp: results.csv, accuracy pre-train.test: value is 0.125 there, computed %s\n" % value, said)
        (out / "results.csv").write_bytes(before[(out / "results.csv").relative_to(out)])

        scores = images.read_text().splitlines()       # the score that a figure is counted from
        at = next(i for i, l in enumerate(scores) if l.split(",")[3] == "1")
        fields = scores[at].split(",")
        fields[3] = "0"
        images.write_text("\n".join(scores[:at] + [",".join(fields)] + scores[at + 1:]) + "\n")
        said = self.bad(1, "verify", "out").stdout
        self.assertIn("01-rule=brsf: results.csv, accuracy fine-tune.test.fgsm.exact.0.05: value is", said)
        images.unlink()
        self.assertIn("fine-tune.test.fgsm.exact.0.05.csv is missing", self.bad(1, "verify", "out").stdout)
        shutil.rmtree(out / "stages")
        self.bad(2, "verify", "out", says="stage 'pre-train' has no complete checkpoint")
        self.bad(2, "verify", "data", says="no run of bioft")


if __name__ == "__main__":
    unittest.main()
