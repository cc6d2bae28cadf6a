"""Every plugin of ours, and the examples, keep the contract."""
import concurrent.futures
import os
import pathlib
import subprocess
import unittest

BIOFT, PLUGINS = os.environ['BIOFT'], pathlib.Path(os.environ['PLUGINS'])


def run(path):
    return path, subprocess.run([BIOFT, 'plugin', 'test', path, '--plugin-path', PLUGINS, '--timeout', '600'],
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Ours(unittest.TestCase):
    def test_all_pass(self):
        paths = sorted(path for path in PLUGINS.glob('**/*.so'))
        self.assertTrue(paths)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for path, done in pool.map(run, paths):
                with self.subTest(path.stem):
                    self.assertEqual(done.returncode, 0, done.stdout)
                    self.assertNotIn('no engine', done.stdout)
                    self.assertRegex(done.stdout, r'\d+ passed, 0 failed')


if __name__ == '__main__':
    unittest.main()
