#!/usr/bin/env python3
"""Each kind of incompatible change of the headers is found by tests/abi/v0_1.c, and compatible ones are let through:
test_mutations.py CC..."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CC = sys.argv[1:]

# what: (header, what stands there, what it becomes, the words of the compiler)
INCOMPATIBLE = {
    'two fields change places': ('loss', 'train_count, total_steps', 'total_steps, train_count', 'bioft_task.train_count moved'),
    'a field is put between': ('rule', 'uint32_t struct_size, n;\n    const bioft_batch *batch;',
                               'uint32_t struct_size, n;\n    void *fresh;\n    const bioft_batch *batch;',
                               'bioft_local.batch moved'),
    'a field becomes longer': ('backbone', 'float init_std;\n    uint32_t reserved;', 'double init_std;', 'bioft_linear'),
    'a type of the same size': ('rule', 'float constant;', 'uint32_t constant;', 'bioft_feedback.constant has another type'),
    'another sign': ('attack', 'uint32_t struct_size, flags, norm, reserved;',
                     'uint32_t struct_size; int32_t flags; uint32_t norm, reserved;',
                     'bioft_attack.flags has another type'),
    'const is lost': ('dataset', 'const void *data;', 'void *data;', 'bioft_array.data has another type'),
    'a pointer to something else': ('plugin', 'const int32_t *label;', 'const uint32_t *label;',
                                    'bioft_batch.label has another type'),
    'an array is longer': ('dataset', 'uint64_t shape[8];', 'uint64_t shape[16];', 'bioft_array'),
    'an enumerator is put between': ('rule', 'BIOFT_M_UNIFORM, BIOFT_M_NORMAL', 'BIOFT_M_UNIFORM, BIOFT_M_OTHER, BIOFT_M_NORMAL',
                                     'BIOFT_M_NORMAL changed'),
    'a flag changes': ('loss', 'BIOFT_LOSS_CODES = 2', 'BIOFT_LOSS_CODES = 8', 'BIOFT_LOSS_CODES changed'),
    'a constant changes': ('plugin', '0x54464f42u', '0x54464f43u', 'BIOFT_MAGIC changed'),
    'an enumerator is gone': ('rule', 'BIOFT_ACT_RELU, BIOFT_ACT_TANH', 'BIOFT_ACT_RELU', 'BIOFT_ACT_TANH'),
    'one argument more': ('rule', '(*step_end)(void *self, uint64_t step)', '(*step_end)(void *self, uint64_t step, int32_t last)',
                          'bioft_rule.step_end has another type'),
    'an argument of another type': ('attack', 'const bioft_batch *clean, double epsilon', 'const bioft_batch *clean, float epsilon',
                                    'bioft_attack.run has another type'),
    'arguments change places': ('engine', 'uint32_t what, uint32_t parameter, float *ret, size_t count',
                                'uint32_t what, float *ret, uint32_t parameter, size_t count', 'bioft_engine.read has another type'),
    'another return type': ('plugin', 'void (*destroy)(void *self);', 'bioft_status (*destroy)(void *self);',
                            'bioft_plugin.destroy has another type'),
    'a struct shrinks': ('attack', '    const uint64_t *codes, *labels; ', '    const uint64_t *codes; ', 'labels'),
    'a struct without its padding': ('backbone', 'float init_std;\n    uint32_t reserved;', 'float init_std;', 'bioft_linear'),
    'a plain type is wider': ('plugin', 'typedef int32_t bioft_status;', 'typedef int64_t bioft_status;',
                              'bioft_status is another type'),
    'the entry has another signature': ('plugin', 'bioft_plugin_entry(uint32_t index)', 'bioft_plugin_entry(uint64_t index)',
                                        'bioft_plugin_entry'),
    'a struct is gone': ('plugin', 'bioft_parallel', 'bioft_threads', 'bioft_parallel'),
}
COMPATIBLE = {
    'nothing': ('loss', '', ''),
    'a field at the end': ('rule', '                              float *v);\n} bioft_rule;',
                           '                              float *v);\n    void (*fresh)(void *self);\n} bioft_rule;'),
    'an enumerator at the end': ('rule', 'BIOFT_ACT_RELU, BIOFT_ACT_TANH', 'BIOFT_ACT_RELU, BIOFT_ACT_TANH, BIOFT_ACT_GELU'),
    'another comment': ('rule', 'Learning rules', 'Rules'),
    'another name of an argument': ('rule', '(*step_end)(void *self, uint64_t step)', '(*step_end)(void *me, uint64_t t)'),
}


class Mutations(unittest.TestCase):
    def compiled(self, header, old, new):
        with tempfile.TemporaryDirectory() as folder:
            include = pathlib.Path(folder, 'include')
            shutil.copytree(ROOT / 'include', include)
            path = include / 'bioft' / f'{header}.h'
            text = path.read_text()
            self.assertIn(old, text, f'{header}.h has changed: so must this test')
            path.write_text(text.replace(old, new))
            return subprocess.run([*CC, '-std=c11', '-fsyntax-only', '-I', include, ROOT / 'tests/abi/v0_1.c'],
                                  env={'LC_ALL': 'C', 'PATH': '/usr/bin:/bin:/usr/local/bin'}, text=True,
                                  capture_output=True)

    def test_incompatible(self):
        for what, (header, old, new, words) in INCOMPATIBLE.items():
            with self.subTest(what):
                done = self.compiled(header, old, new)
                self.assertNotEqual(done.returncode, 0, 'it was let through')
                self.assertIn(words, done.stderr)

    def test_compatible(self):
        for what, change in COMPATIBLE.items():
            with self.subTest(what):
                done = self.compiled(*change)
                self.assertEqual((done.returncode, done.stderr), (0, ''))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
