"""A plugin of the first version of the ABI, which includes none of today's headers, still loads and keeps the contract."""
import os
import subprocess
import unittest

BIOFT, PLUGINS, OLD = os.environ['BIOFT'], os.environ['PLUGINS'], os.environ['OLD']


class Old(unittest.TestCase):
    def test_it_keeps_the_contract(self):
        done = subprocess.run([BIOFT, 'plugin', 'test', OLD, '--plugin-path', PLUGINS], text=True, capture_output=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(' passed, 0 failed, ', done.stdout)
        for test in ('options', 'feedback', 'sign', 'state', 'leaks', 'network'):
            self.assertIn(f"'plugin_v0_1': {test}: passed", done.stdout)

    def test_it_says_what_it_is(self):
        done = subprocess.run([BIOFT, 'plugin', 'show', 'plugin_v0_1', '--plugin-path', OLD], text=True, check=True,
                              capture_output=True, timeout=300)
        self.assertRegex(done.stdout, r'a rule of ABI 0\.1')
        self.assertRegex(done.stdout, r'size: number from 0 to 8; default 1')


if __name__ == '__main__':
    unittest.main()
