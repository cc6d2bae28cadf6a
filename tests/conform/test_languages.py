"""The example rules in C++ and Rust: built where there is a compiler, and they keep the contract like any other."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BIOFT, PLUGINS = pathlib.Path(os.environ['BIOFT']).resolve(), pathlib.Path(os.environ['PLUGINS']).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = SOURCE / 'examples/learning_rules'


class Languages(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def keeps_the_contract(self, path):
        symbols = subprocess.run(['nm', '-D', '--defined-only', path], text=True, check=True, capture_output=True).stdout
        self.assertEqual([line.split()[-1] for line in symbols.splitlines()], ['bioft_plugin_entry'])
        done = subprocess.run([BIOFT, 'plugin', 'test', path, '--plugin-path', PLUGINS], text=True, capture_output=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('8 passed, 0 failed, 5 skipped', done.stdout)
        self.assertIn('network: passed', done.stdout)

    @unittest.skipUnless(shutil.which('c++'), 'no C++ compiler')
    def test_cxx(self):
        path = self.folder / 'sign_cxx.so'
        subprocess.run(['c++', '-std=c++17', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fPIC', '-shared',
                        '-fvisibility=hidden', f'-I{SOURCE}/include', '-o', path, EXAMPLES / 'sign_cxx.cpp'], check=True)
        self.keeps_the_contract(path)

    @unittest.skipUnless(shutil.which('rustc'), 'no Rust compiler')
    def test_rust(self):
        path = self.folder / 'sign_rust.so'
        subprocess.run(['rustc', '--edition', '2021', '-O', '-C', 'panic=abort', '--crate-type', 'cdylib', '-D',
                        'warnings', '-o', path, EXAMPLES / 'sign_rust.rs'], check=True, cwd=self.folder)
        self.keeps_the_contract(path)


if __name__ == '__main__':
    unittest.main()
