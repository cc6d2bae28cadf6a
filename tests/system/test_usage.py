"""The command line's words and exit status."""
import unittest

import bioft


class Usage(bioft.Case):
    def test_help_and_version(self):
        self.assertIn("usage: bioft COMMAND", self.good("--help").stdout)
        self.assertRegex(self.good("--version").stdout, r"^bioft \d+\.\d+\.\d+ \([0-9a-f]+(-dirty)?\)\n$")
        for command in ("run", "check", "plugin", "map", "bench"):
            r = self.good(command, "--help")
            self.assertIn(f"bioft {command}", r.stdout)
            self.assertEqual(r.stderr, "")

    def test_wrong_usage(self):
        self.bad(2)
        self.bad(2, "rum", says="did you mean 'run'?")
        self.bad(2, "run", says="usage: bioft run")
        self.bad(2, "run", "m.yaml", "--resum", says="did you mean '--resume'?")
        self.bad(2, "run", "m.yaml", "--threads", "0", says="whole number")
        self.bad(2, "run", "m.yaml", "--threads", says="needs a value")
        self.bad(2, "run", "m.yaml", "n.yaml", says="one argument too many")

    def test_no_manifest(self):
        self.bad(2, "run", "none.yaml", says="none.yaml")
        self.bad(2, "check", ".", says="regular file")

    def test_full_standard_output(self):
        with open("/dev/full", "w") as full:
            import subprocess
            r = subprocess.run([bioft.BIOFT, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(r.returncode, 1)

    def test_plugins(self):
        listed = self.good("plugin", "list").stdout
        for name in ("bp", "usf", "frsf", "brsf", "fa", "weight_mirror", "drtp", "sign_symmetry", "dtp",
                     "forward_forward", "oja", "lenet5", "fashion_mnist", "npy", "fgsm", "pgd", "openblas",
                     "cross_entropy"):
            self.assertRegex(listed, rf"\b{name}\b")
        shown = self.good("plugin", "show", "usf").stdout
        for word in ("scale", "xavier", "Liao"):
            self.assertIn(word, shown)
        self.bad(2, "plugin", "show", "usff", says="usf")


if __name__ == "__main__":
    unittest.main()
