"""`plugin new`: each kind's project builds without a warning and passes before its author types a word."""
import os
import pathlib
import subprocess
import tempfile
import unittest

BIOFT, PLUGINS = pathlib.Path(os.environ['BIOFT']).resolve(), pathlib.Path(os.environ['PLUGINS']).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
KINDS = ['rule', 'attack', 'dataset', 'backbone', 'loss', 'engine']
MORE = {'engine': {'model.h', 'operators.h'}}      # what does not fit into one file


class New(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def bioft(self, *args, status=0):
        done = subprocess.run([BIOFT, 'plugin', *args], cwd=self.folder, text=True, capture_output=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_every_kind(self):
        for kind in KINDS:
            with self.subTest(kind):
                name = f'my_{kind}'
                self.assertEqual(self.bioft('new', kind, name).stdout, '')
                self.assertEqual({p.name for p in (self.folder / name).iterdir()},
                                 {f'{name}.c', f'{name}.yaml', 'meson.build', 'README.md', 'test.sh'} | MORE.get(kind, set()))
                for path in (self.folder / name).iterdir():
                    self.assertNotRegex(path.read_text(), '@[A-Z]+@')
                subprocess.run(['cc', '-std=c11', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion',
                                '-Werror', '-fPIC', '-shared', '-fvisibility=hidden', f'-I{SOURCE}/include', '-o',
                                self.folder / name / f'{name}.so', self.folder / name / f'{name}.c', '-lm'], check=True)
                done = self.bioft('test', f'{name}/{name}.so', '--root', '.', '--plugin-path', PLUGINS)
                self.assertIn(' passed, 0 failed, ', done.stdout)
                self.assertNotIn('no engine', done.stdout)

    def test_out(self):
        self.bioft('new', 'rule', 'mine', '--out', 'elsewhere')
        self.assertTrue((self.folder / 'elsewhere/mine.c').is_file())

    def test_refusals(self):
        self.bioft('new', 'rule', 'mine')
        before = (self.folder / 'mine/mine.c').read_text()
        self.assertIn('is there already', self.bioft('new', 'rule', 'mine', status=1).stderr)
        self.assertEqual((self.folder / 'mine/mine.c').read_text(), before)
        self.assertIn("'rul' is not a kind", self.bioft('new', 'rul', 'mine2', status=2).stderr)
        self.assertIn('a name is of a-z', self.bioft('new', 'rule', '../x', status=2).stderr)
        self.assertIn('a kind and a name', self.bioft('new', 'rule', status=2).stderr)


if __name__ == '__main__':
    unittest.main()
