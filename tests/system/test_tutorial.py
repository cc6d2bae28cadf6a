"""docs/tutorial.md followed to the letter: its code blocks are the files, its commands run in order, by an installed bioft."""
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


class Tutorial(bioft.Case):
    def setUp(self):
        super().setUp()
        self.prefix = pathlib.Path(tempfile.mkdtemp(prefix="bioft-install-"))
        self.addCleanup(shutil.rmtree, self.prefix, ignore_errors=True)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.prefix],
                       check=True, stdout=subprocess.PIPE)
        (pc,) = self.prefix.rglob("bioft.pc")
        (program,) = self.prefix.rglob("bin/bioft")
        self.env = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent), PKG_CONFIG_SYSROOT_DIR=str(self.prefix),
                        PATH=f"{program.parent}:{os.environ['PATH']}", XDG_DATA_HOME=str(self.folder / "data"),
                        BIOFT_PLUGIN_PATH=str(pc.parents[1] / "bioft"))    # of a staged installation
        self.env.pop("LD_LIBRARY_PATH", None)

    def test_to_the_letter(self):
        text = (bioft.SOURCE / "docs/tutorial.md").read_text()
        work, said = self.folder / "work", []
        work.mkdir()
        for name, language, body in BLOCK.findall(text):
            if name:
                (work / name).write_text(body)
            elif language == "sh":
                done = subprocess.run(["sh", "-eu", "-c", body], cwd=work, env=self.env, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
                self.assertEqual(done.returncode, 0, body + done.stdout)
                said.append(done.stdout)
            else:
                self.assertEqual(language, "text")
        self.assertIn("4 passed, 0 failed, 3 skipped", said[0])
        self.assertIn(" passed, 0 failed, ", said[2])
        self.assertNotIn("no engine", said[2])
        rows = [r for r in bioft.rows(work / "first/results.csv") if not r["attack"]]
        self.assertEqual(len(rows), 3)
        by = [float(r["value"]) for r in rows]
        self.assertGreaterEqual(by[1], 0.9, by)


if __name__ == "__main__":
    unittest.main()
