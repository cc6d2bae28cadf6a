"""bioft schema: every manifest of the repository is valid by it, as resolved too, and mistakes are not; completion of shells."""
import json
import os
import re
import shutil
import subprocess
import unittest

import yaml

import bioft

try:
    import jsonschema
except ImportError:
    jsonschema = None


class Loader(yaml.SafeLoader):
    """Numbers as YAML 1.2 and bioft have them: 1e-4 is one."""


Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)$"), list("-+.0123456789"))


@unittest.skipUnless(jsonschema, "no python3-jsonschema")
class Schema(bioft.Case):
    @classmethod
    def setUpClass(cls):
        r = bioft.run("schema")
        assert r.returncode == 0, r.stderr
        cls.schema = json.loads(r.stdout)
        jsonschema.Draft7Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def faults(self, text):
        return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in self.validator.iter_errors(yaml.load(text, Loader))]

    def test_every_manifest(self):
        own = {path.stem for path in (bioft.SOURCE / "examples/learning_rules").glob("*.c")}
        found = sorted((bioft.SOURCE / "manifests").rglob("*.yaml"))
        self.assertGreater(len(found), 15)
        for path in found:
            self.assertEqual(self.faults(path.read_text()), [], path)
        for path in (bioft.SOURCE / "examples").rglob("*.yaml"):               # of rules that are not installed
            self.assertTrue(all(any(f"'{rule}'" in f for rule in own) for f in self.faults(path.read_text())), path)

    def test_as_resolved(self):
        """Every key that a resolved manifest has is known."""
        self.good("run", self.manifest(bioft.MANIFEST.replace("seed: 3", "seed: 3\nthreads: 1").replace("[bp, usf, brsf]", "[bp]")
                                       .replace("steps: 12", "steps: 1").replace("samples: 30", "samples: 2")), "--out", "out", "--quiet")
        self.assertEqual(self.faults((self.folder / "out/manifest.yaml").read_text()), [])

    def test_every_documented_key(self):
        """What docs/manifest.md has in its tables is in the schema."""
        text = (bioft.SOURCE / "docs/manifest.md").read_text()
        known = set(re.findall(r'"([a-z_]+)": ?\{', json.dumps(self.schema)))
        keys = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.M))
        self.assertGreater(len(keys), 60)
        self.assertEqual(keys - known, set())

    def test_mistakes(self):
        for before, after in (("seed: 3", "sede: 3"), ("backbone: lenet5", "backbone: lenet6"), ("epochs: 1", "epochs: many"),
                              ("plugin: pgd,", "plugin: pgd, stpes: 3,"), ("plugin: fgsm,", "plugin: fgsm, steps: 3,"),
                              ("rule: bp", "rule: {plugin: usf, scale: 3}"), ("{name: adam,", "{name: adan,")):
            self.assertEqual(self.faults(bioft.MANIFEST), [])
            self.assertNotEqual(self.faults(bioft.MANIFEST.replace(before, after)), [], after)
        self.assertEqual(self.faults(bioft.MANIFEST.replace("plugin: pgd,", "plugin: pgd, steps: [1, 5], stepsize: 2/255,")), [])


class Completion(bioft.Case):
    def complete(self, *words):
        return [line.split("\t")[0] for line in self.good("__complete", *words).stdout.splitlines()]

    def test_candidates(self):
        self.assertIn("schema", self.complete(""))
        self.assertEqual(self.complete("ru"), ["run"])
        self.assertEqual(self.complete("run", "--re"), ["--resume"])
        self.assertEqual(self.complete("run", "--out", ""), [":files"])
        self.assertEqual(self.complete("run", ""), [":files"])
        self.assertEqual(self.complete("plugin", ""), ["list", "show", "test", "new"])
        self.assertEqual(self.complete("plugin", "list", "--kind", "r"), ["rule"])
        self.assertEqual(self.complete("plugin", "show", "frs"), ["frsf"])
        self.assertEqual(self.complete("run", self.manifest(), "--set", "stages.fine-tune.optimizer.l"),
                         ["stages.fine-tune.optimizer.lr=", "stages.fine-tune.optimizer.loss_lr="])
        self.bad(2, "completion", "csh", says="use bash, zsh or fish")

    def test_shells(self):
        for shell, check in (("bash", "-n"), ("zsh", "-n"), ("fish", "-n")):
            script = self.folder / f"bioft.{shell}"
            script.write_text(self.good("completion", shell).stdout)
            if shutil.which(shell):
                subprocess.run([shell, check, script], check=True)
        words = subprocess.run(["bash", "-c", f'. {self.folder}/bioft.bash; COMP_WORDS=(bioft plugin show frs); COMP_CWORD=3; '
                                '_bioft; echo "${COMPREPLY[@]}"'], text=True, stdout=subprocess.PIPE, check=True,
                               env=dict(os.environ, PATH=f"{os.path.dirname(os.path.abspath(bioft.BIOFT))}:{os.environ['PATH']}")).stdout
        self.assertEqual(words, "frsf\n")


if __name__ == "__main__":
    unittest.main()
