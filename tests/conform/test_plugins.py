"""Every plugin of ours keeps the contract."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'fixtures'))
import make  # noqa: E402

BIOFT, PLUGINS = os.environ['BIOFT'], pathlib.Path(os.environ['PLUGINS'])
GIVEN = {'onnx': ['--set', f"file={pathlib.Path(__file__).resolve().parents[1] / 'golden/onnx/torch_like.onnx'}"]}


def run(path, *more):
    more = [*GIVEN.get(path.stem, []), *more]
    return path, subprocess.run([BIOFT, 'plugin', 'test', path, '--plugin-path', PLUGINS, '--timeout', '600', *more],
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def write_npy(path, dtype, shape, data):
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    head += ' ' * (63 - (10 + len(head)) % 64) + '\n'
    path.write_bytes(b'\x93NUMPY\x01\x00' + len(head).to_bytes(2, 'little') + head.encode() + data)


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


    def test_data_in_archives(self):
        """The miniatures that have no place of their own elsewhere."""
        for name, maker in (('npz', 'npz'), ('cifar100', 'cifar100_python'), ('tiny_imagenet', 'tiny_imagenet'),
                            ('webdataset', 'webdataset')):
            (path,) = PLUGINS.glob(f'datasets/{name}.so')
            with self.subTest(name), tempfile.TemporaryDirectory() as root:
                getattr(make, maker)(pathlib.Path(root))
                _, done = run(path, '--root', root)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertRegex(done.stdout, r'[1-9] passed, 0 failed')

    def test_data_from_a_root(self):
        (path,) = PLUGINS.glob('datasets/npy.so')
        with tempfile.TemporaryDirectory() as root:
            for split, count in (('train', 40), ('test', 12)):
                pixels = bytes(i * i % 251 for i in range(count * 6 * 5))
                write_npy(pathlib.Path(root, f'{split}_images.npy'), '|u1', (count, 6, 5, 1), pixels)
                labels = b''.join((i % 3).to_bytes(8, 'little') for i in range(count))
                write_npy(pathlib.Path(root, f'{split}_labels.npy'), '<i8', (count,), labels)
            _, done = run(path, '--root', root)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('5 passed, 0 failed, 3 skipped', done.stdout)


if __name__ == '__main__':
    unittest.main()
