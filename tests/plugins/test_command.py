#!/usr/bin/env python3
"""`plugin list` and `plugin show`: their answers, their exit statuses, and files that crash or hang.

test_command.py PROGRAM FOLDER: the folder holds the built plugins, the broken ones among them."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, BUILT = pathlib.Path(sys.argv.pop(1)).resolve(), pathlib.Path(sys.argv.pop(1))


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enter(tempfile.TemporaryDirectory())).resolve()
        self.environment = {'PATH': os.environ['PATH'], 'XDG_DATA_HOME': str(self.folder / 'data')}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def put(self, name, place):
        to = self.folder / place
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BUILT / f'{name}.so', to)
        return to

    def run_it(self, *args, status=0, **variables):
        done = subprocess.run([PROGRAM, 'plugin', *args], env=dict(self.environment, **variables), cwd=self.folder,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def rows(self, *args, **variables):
        return [row for row in json.loads(self.run_it('list', '--json', *args, **variables).stdout)
                if row['explicit'] or str(self.folder) in row['path']]

    def test_lists(self):
        self.put('complete', 'd/attacks/complete.so')
        done = self.run_it('list', '--plugin-path', 'd')
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ['KIND', 'NAME', 'VERSION', 'WHAT'])
        line = next(line for line in lines if 'complete' in line)
        self.assertEqual(line.split(None, 3), ['attack', 'complete', '2.1', 'does nothing | well'])
        self.assertNotIn('greets', done.stdout)    # what a file prints while it is opened
        self.assertEqual(done.stderr, '')

    def test_what_a_dataset_reads(self):
        """Every dataset of ours says what belongs in its root, and what its images are."""
        for path in sorted((BUILT.parents[1] / 'plugins/datasets').glob('*.so')):
            shown = json.loads(self.run_it('show', '--json', str(path)).stdout)
            self.assertTrue(shown['layout'] and shown['samples'], path)
        text = ' '.join(self.run_it('show', str(BUILT.parents[1] / 'plugins/datasets/npy.so')).stdout.split())
        for words in ('layout train_images.npy and train_labels.npy', 'samples images [n,h,w,c] of uint8 0 to 255',
                      'source your own arrays, written by numpy.save'):
            self.assertIn(words, text)

    def test_a_folder_without_folders_of_kinds(self):
        path = self.put('complete', 'flat/complete.so')
        self.put('crash_segv', 'flat/crash_segv.so')
        [row] = [row for row in self.rows('--plugin-path', 'flat') if row['name'] == 'complete']
        self.assertEqual((row['kind'], row['path']), ('attack', str(path)))
        self.assertIn(str(path), self.run_it('show', 'complete', '--plugin-path', 'flat').stdout)

    def test_names_and_files(self):
        path = self.put('complete', 'flat/complete.so')
        by_name = self.run_it('show', 'complete', '--plugin-path', 'flat').stdout
        self.assertEqual(self.run_it('show', 'flat/complete.so').stdout, by_name)
        os.mkdir(os.path.join(self.folder, 'complete'))    # a folder of the name, as plugin new makes one, is no plugin
        self.assertEqual(self.run_it('show', 'complete', '--plugin-path', 'flat').stdout, by_name)
        self.assertIn('no such file', self.run_it('show', 'flat/none.so', status=1).stderr)
        by_file = self.run_it('test', str(path), '--test', 'options', status=1).stdout
        self.assertEqual(self.run_it('test', 'complete', '--test', 'options', '--plugin-path', 'flat', status=1).stdout, by_file)
        self.assertIn("did you mean 'complete'?", self.run_it('test', 'complet', '--plugin-path', 'flat', status=2).stderr)

    def test_lists_as_json(self):
        path = self.put('complete', 'd/attacks/complete.so')
        self.assertEqual(self.rows('--plugin-path', 'd'), [{
            'kind': 'attack', 'name': 'complete', 'version': '2.1', 'author': 'tests', 'license': 'MIT',
            'summary': 'does nothing | well', 'reference': 'nobody, nowhere', 'path': str(path), 'explicit': True,
            'overridden': False, 'fault': None}])

    def test_survives_what_dies(self):
        dying = {
            'crash_segv': 'died of SIGSEGV while being opened', 'crash_ill': 'died of SIGILL while being opened',
            'hang': 'did not open within 10 s', 'exits': 'ended with status 0 while being opened',
            'unknown_flag': 'unknown flag 0x40 of its rule', 'not_a_library': 'not a loadable library: ',
            'many_faults': 'its version is empty;', 'newer_used': 'uses something in its vtable of ABI 0.9',
        }
        for name in dying:
            self.put(name, f'd/learning_rules/{name}.so')
        self.put('complete', 'd/attacks/complete.so')
        rows = {row['name']: row for row in self.rows('--plugin-path', 'd')}
        self.assertIsNone(rows['complete']['fault'])
        for name, words in dying.items():
            fault = rows[name]['fault']
            self.assertTrue(fault.startswith(f'{self.folder}/d/learning_rules/{name}.so: {words}'), fault)
            self.assertNotIn('\n', fault)
            self.assertEqual(rows[name]['kind'], 'rule')
        text = self.run_it('list', '--plugin-path', 'd', '--kind', 'attack').stdout
        self.assertNotIn('crash_segv', text)
        self.assertIn('complete', text)

    def test_tells_refusals_in_the_table(self):
        path = self.put('crash_ill', 'd/learning_rules/crash_ill.so')
        text = self.run_it('list', '--plugin-path', 'd', '--kind', 'learning_rules').stdout
        line = next(line for line in text.splitlines() if 'crash_ill' in line)
        self.assertEqual(line.split(None, 3),
                         ['rule', 'crash_ill', '-', f'refused: {path}: died of SIGILL while being opened'])

    def test_lists_files_given_as_places(self):
        good, bad = self.put('complete', 'lab/complete.so'), self.put('twins', 'lab/twins.so')
        rows = self.rows('--plugin-path', str(good), '--plugin-path', 'lab/twins.so')
        self.assertEqual([(row['kind'], row['name']) for row in rows], [(None, 'twins'), ('attack', 'complete')])
        self.assertEqual(rows[0]['fault'], f"{bad}: two plugins are the rule 'twins'")

    def test_marks_what_is_overridden(self):
        self.put('complete', 'd/attacks/complete.so')
        self.put('complete', 'data/bioft/plugins/attacks/complete.so')
        for place in ('d', 'd/attacks/complete.so'):
            rows = self.rows('--plugin-path', place)
            self.assertEqual([(row['name'], row['explicit'], row['overridden']) for row in rows],
                             [('complete', True, False), ('complete', False, True)])
        text = self.run_it('list', '--plugin-path', 'd').stdout
        self.assertIn(f'[overridden: {self.folder}/data/bioft/plugins/attacks/complete.so]', text)

    def test_writes_markdown(self):
        self.put('complete', 'd/attacks/complete.so')
        self.put('twins', 'd/learning_rules/twins.so')
        lines = self.run_it('list', '--markdown', '--plugin-path', 'd').stdout.splitlines()
        self.assertEqual(lines[0], '# Plugins')
        self.assertIn('## Attacks', lines)
        row = next(line for line in lines if line.startswith('| `complete` |'))
        self.assertEqual(row.replace('\\|', '').count('|'), 5)
        self.assertTrue(row.startswith('| `complete` | does nothing \\| well | `alpha`: number (0.25); '), row)
        self.assertIn('`scales`: list of numbers ([0.5, 1])', row)
        self.assertIn('`file`: path (none)', row)
        self.assertFalse([line for line in lines if 'twins' in line])

    def test_shows(self):
        path = self.put('complete', 'd/attacks/complete.so')
        text = self.run_it('show', 'complete', '--plugin-path', 'd').stdout
        for part in ("attack 'complete': does nothing | well", 'nobody, nowhere', f'file       {path}',
                     'alpha: number from 0 to 1 [pixels]; default 0.25', 'needs a gradient',
                     "- {plugin: complete, epsilon: [0, 8/255], alpha: 0.25, steps: 5, random_start: true, "
                     "mode: plain, word: 'it''s', scales: [0.5, 1], sizes: [], words: ['a', 'b']}"):
            self.assertIn(part, text)
        shown = json.loads(self.run_it('show', 'complete', '--json', '--plugin-path', 'd').stdout)
        self.assertEqual(shown['path'], str(path))
        self.assertEqual([option['default'] for option in shown['options']],
                         [0.25, 5, True, 'plain', "it's", None, [0.5, 1], [], ['a', 'b']])

    def test_shows_what_is_refused(self):
        path = self.put('crash_segv', 'd/learning_rules/crash_segv.so')
        done = self.run_it('show', 'crash_segv', '--plugin-path', 'd', status=1)
        self.assertEqual(done.stdout, '')
        self.assertEqual(done.stderr, f'bioft: {path}: died of SIGSEGV while being opened\n')
        self.put('complete', 'd/attacks/complete.so')
        self.put('no_plugin', 'complete.so')
        done = self.run_it('show', 'complete', '--plugin-path', 'complete.so', '--plugin-path', 'd', status=1)
        self.assertIn('/complete.so: it holds no plugin', done.stderr)

    def test_says_what_is_not_there(self):
        self.put('complete', 'd/attacks/complete.so')
        done = self.run_it('show', 'compleet', '--plugin-path', 'd', status=2)
        self.assertIn("no plugin 'compleet'; did you mean 'complete'?", done.stderr)
        done = self.run_it('show', 'complete', '--kind', 'loss', '--plugin-path', 'd', status=2)
        self.assertIn(f"no loss 'complete': looked in {self.folder}/d, ", done.stderr)

    def test_refuses_a_users_plugin_that_shadows(self):
        self.put('complete', 'data/bioft/plugins/attacks/complete.so')
        build = self.folder / 'build/core/cli'
        build.mkdir(parents=True)
        shutil.copy(PROGRAM, build / 'bioft')
        self.put('complete', 'build/plugins/attacks/complete.so')
        done = subprocess.run([build / 'bioft', 'plugin', 'show', 'complete'], env=self.environment,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("attack 'complete' is there twice", done.stderr)

    def test_refuses_wrong_usage(self):
        for args in ([], ['lost'], ['show'], ['list', 'more'], ['list', '--kind', 'rules'], ['list', '--no-such'],
                     ['show', 'a', '--markdown'], ['list', '--markdown', '--json'], ['list', '--plugin-path'],
                     ['list', '--plugin-path', ''], ['list', '--plugin-path', '/no/such/place']):
            done = self.run_it(*args, status=2)
            self.assertEqual(done.stdout, '')
            self.assertNotEqual(done.stderr, '')
        done = self.run_it('list', BIOFT_PLUGIN_PATH='/a::/b', status=2)
        self.assertIn('BIOFT_PLUGIN_PATH: ', done.stderr)
        self.assertIn('usage: bioft plugin', self.run_it('--help').stdout)

    def test_is_quick(self):
        self.put('complete', 'd/attacks/complete.so')
        begin = time.monotonic()
        self.run_it('show', 'complete', '--plugin-path', 'd')
        self.assertLess(time.monotonic() - begin, 5)


unittest.main()
