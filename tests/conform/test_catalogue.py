"""docs/plugins.md is what `bioft plugin list --markdown` writes of our plugins."""
import os
import pathlib
import subprocess
import unittest

BIOFT, PLUGINS = os.environ['BIOFT'], pathlib.Path(os.environ['PLUGINS'])
PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs/plugins.md'


class Catalogue(unittest.TestCase):
    def test_current(self):
        env = dict(os.environ, XDG_DATA_HOME='/nonexistent')
        env.pop('BIOFT_PLUGIN_PATH', None)
        page = subprocess.run([BIOFT, 'plugin', 'list', '--markdown', '--plugin-path', PLUGINS], env=env, text=True,
                              check=True, stdout=subprocess.PIPE).stdout
        written = PAGE.read_text()
        if not (PLUGINS / 'engines/onednn/onednn.so').exists():     # built where oneDNN is installed
            written = ''.join(line for line in written.splitlines(True) if 'onednn' not in line)
        if not (PLUGINS / 'backbones/onnx/onnx.so').exists():       # where protobuf-c is
            written = ''.join(line for line in written.splitlines(True) if '`onnx`' not in line)
        self.maxDiff = None
        self.assertEqual(page, written, 'write it again: build/core/cli/bioft plugin list --markdown > '
                         'docs/plugins.md')


if __name__ == '__main__':
    unittest.main()
