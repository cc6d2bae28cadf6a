"""docs/tutorial.md and docs/howto-*.md followed to the letter: their code blocks are the files, their commands run in
order, by an installed bioft."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import bioft

BUILD = pathlib.Path(bioft.BIOFT).resolve().parents[2]
BLOCK = re.compile(r"(?:`([\w./]+)`:\n\n)?```(\w+)\n(.*?)```\n", re.S)


class Docs(bioft.Case):
    @classmethod
    def setUpClass(cls):
        cls.prefix = pathlib.Path(tempfile.mkdtemp(prefix="bioft-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.prefix, ignore_errors=True)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.prefix],
                       check=True, stdout=subprocess.PIPE)

    def setUp(self):
        super().setUp()
        (pc,) = self.prefix.rglob("bioft.pc")
        (program,) = self.prefix.rglob("bin/bioft")
        self.env = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent), PKG_CONFIG_SYSROOT_DIR=str(self.prefix),
                        PATH=f"{program.parent}:{os.environ['PATH']}", XDG_DATA_HOME=str(self.folder / "data"))
        self.env.pop("BIOFT_PLUGIN_PATH", None)    # a moved installation finds its plugins beside it
        self.env.pop("LD_LIBRARY_PATH", None)

    def follow(self, page):
        """Writes the page's files and runs its commands, in its order; what each block of commands said."""
        work, said = self.folder / page.stem, []
        work.mkdir()
        for name, language, body in BLOCK.findall(page.read_text()):
            if name:
                (work / name).write_text(body)
            elif language == "sh":
                done = subprocess.run(["sh", "-eu", "-c", body], cwd=work, env=self.env, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
                self.assertEqual(done.returncode, 0, body + done.stdout)
                said.append(done.stdout)
            else:
                self.assertEqual(language, "text")
        return work, said

    def test_tutorial(self):
        work, said = self.follow(bioft.SOURCE / "docs/tutorial.md")
        self.assertIn("5 passed, 0 failed, 3 skipped", said[0])
        self.assertIn(" passed, 0 failed, ", said[2])
        self.assertNotIn("no engine", said[2])
        rows = [r for r in bioft.rows(work / "first/results.csv") if not r["attack"]]
        self.assertEqual(len(rows), 3)
        by = [float(r["value"]) for r in rows]
        self.assertGreaterEqual(by[1], 0.9, by)

    def test_howtos(self):
        pages = sorted((bioft.SOURCE / "docs").glob("howto-*.md"))
        kinds = {"rule", "attack", "dataset", "backbone", "loss", "engine"}
        self.assertEqual({page.stem.split("-")[1] for page in pages}, kinds)
        for page in pages:
            with self.subTest(page.stem):
                _, said = self.follow(page)
                said = "".join(said)
                counts = re.findall(r"(\d+) passed, (\d+) failed, \d+ skipped", said)
                self.assertTrue(counts and all(int(p) >= 5 and f == "0" for p, f in counts), said)
                self.assertNotIn("no engine", said)
                self.assertNotIn("no data", said)
                self.assertNotIn("warning", said)


if __name__ == "__main__":
    unittest.main()
