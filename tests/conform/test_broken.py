"""Each plugin that breaks the contract in one way is found out by one test, with the right words."""
import json
import os
import pathlib
import re
import subprocess
import unittest

BIOFT, PLUGINS, BROKEN = os.environ['BIOFT'], os.environ['PLUGINS'], pathlib.Path(os.environ['BROKEN'])

# plugin: the one test that fails, and what it says
EXPECTED = {
    'wrong_shape': ('feedback', r'V\[\d+\] is as it was before the call: V has another shape'),
    'past_the_end': ('feedback', r"SIGSEGV: it touched memory 0 bytes past the end of 'v' \(648 bytes\)"),
    'keeps_pointer': ('feedback', r"touched 'v' of an earlier call: it kept the pointer"),
    'exits': ('feedback', r'ended the process with status 7'),
    'prints': ('feedback', r'printed "layer block\.conv'),
    'loops': ('feedback', r'did not come back within 3 s'),
    'leaks': ('leaks', r'the heap grew with every one of them.*it leaks'),
    'forgets': ('state', r'it forgot its state: another V than without the interruption'),
    'is_backprop': ('network', r"equals backpropagation's at every layer.*does not say so"),
    'writes_w': ('feedback', r"wrote to 'w', which is only to be read \(byte 0 of 648\)"),
    'global': ('threads', r'another V than one instance alone has'),
    'crashes': ('feedback', r'SIGSEGV: it followed a NULL pointer \(address 0x8\)'),
    'wrong_sign': ('sign', r'the signs do not agree'),
    'unstable': ('feedback', r'another V for the same step and W, first at element 0'),
    'unwritten': ('local', r'dx\[\d+\] of \d+ was not written'),
    'new_state': ('state', r"asked the host for a new array '.*' inside a \[step\] callback"),
    'illegal': ('feedback', r'died of SIGILL'),
    'uses_rand': ('symbols', r'uses rand\(\), which has a state of the whole process'),
    'batch_order': ('batch', r'depends on its batch: image \d+ alone'),
    'outside': ('ball', r'image 0 is outside the epsilon ball or the range'),
    'out_of_range': ('ball', r'image 0 is outside the epsilon ball or the range'),
    'useless': ('improvement', r'no better than noise'),
    'clean_written': ('ball', r"wrote to 'clean->x', which is only to be read"),
    'too_many': ('ball', r'asked the victim for 9 images at once; max_batch is 8'),
    'wrong_gradient': ('gradient', r'wrong gradient: ret_d_out\[\d+\] is .*differences of the value say'),
    'learns_in_evaluation': ('evaluation', r"changed 'calls', and no gradient was asked for"),
    'infinite': ('feedback', r'V\[0\] is infinite: it must be finite'),
    'by_thread': ('threads', r'another V than one instance alone has'),
    'redeclares': ('redraw', r'another answer when asked again'),
    'same_draws': ('redraw', r'the same V for draws 1 and 2: nothing is drawn'),
    'counts_calls': ('again', r'other images when called again'),
    'attack_leaks': ('leaks', r'the heap grew with every one of them.*it leaks'),
    'loss_leaks': ('leaks', r'the heap grew with every one of them.*it leaks'),
    'grows': ('shapes', r'another graph when built again'),
    'renames': ('names', r"no parameter is called 'conv(_again)?\.weight' when built again"),
    'overflows': ('gradient', r'wrong gradient: along a direction of length 1 the derivative is'),
    'other_values': ('weights', r"'conv\.weight' begins with other values when built again"),
    'backbone_leaks': ('leaks', r'the heap grew with every one of them.*it leaks'),
    'label_beyond': ('labels', r'label 2; there are classes 0 to 1'),
    'in_two_splits': ('names', r"'39' is listed twice: the splits are not disjoint"),
    'other_bytes': ('samples', r'thread \d: other bytes than one thread alone reads'),
    'dataset_leaks': ('leaks', r'the heap grew with every one of them.*it leaks'),
    'no_reason': ('score', r'returned 1 and no reason'),
    'wrong_stride': ('layers', r'differs from plain loops by .* of the largest value'),
    'wrong_error': ('network', r'wrong gradient: along a direction of length 1 the derivative is'),
    'wrong_batchnorm': ('operators', r"the value of 'stem_norm\.running_var' differs from the other engine's by"),
    'other_bits': ('again', r'other outputs when run again'),
    'engine_leaks': ('leaks', r'the heap grew with every one of them.*it leaks'),
    'unnamed': ('more_operators', r"refuses and names none of the network's operators: 'no'"),
    'lossless': ('step', r'it asked for the loss 0 times'),
    'idle': ('step', r'4 steps moved no weight'),
    'early': ('step', r"what it asked for failed: layer 'first': update before any block_backward"),
    'unreported': ('step', r'it reports -?nan as the loss'),
    'step_forgets': ('step', r'it forgot its state: other weights than without the interruption'),
    'refuses_without_reason': ('options', r'returned BIOFT_ERR_INVALID: it gave host->fail no reason'),
    'keeps_what_it_made': ('instances', r'the heap grew with every one of them.*it leaks'),
    'offers_anything': ('extensions', r'returned something for an id that nobody has'),
}
# What one fault brings with it: the tests that call the same function fail too.
NOT_ALONE = {'wrong_shape', 'past_the_end', 'keeps_pointer', 'exits', 'prints', 'loops', 'writes_w', 'global', 'crashes',
             'unstable', 'new_state', 'illegal', 'clean_written', 'too_many'}
# Tests that a plugin of any kind may fail: one of them shows what each finds.
OF_ALL_KINDS = {'symbols', 'options', 'instances', 'extensions'}
# A sanitizer reports first, or keeps the memory that a crash would be seen by.
NOT_SANITIZED = {'illegal', 'crashes'}


def run(path, *more):
    done = subprocess.run([BIOFT, 'plugin', 'test', path, '--plugin-path', PLUGINS, '--timeout', '3', *more],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    return done.returncode, done.stdout, done.stderr


class Broken(unittest.TestCase):
    def test_each_is_found(self):
        wanted, alone = set(), set()
        for name, (test, words) in EXPECTED.items():
            if os.environ.get('BIOFT_BUILD') and name in NOT_SANITIZED:
                continue
            with self.subTest(name):
                more = ['--json', '--root', BROKEN]
                if name in NOT_ALONE:
                    more += ['--test', test]
                status, out, err = run(BROKEN / f'conform_{name}.so', *more)
                self.assertEqual((status, err), (1, ''))
                tests = json.loads(out)[0]['tests']
                failed = {t['test']: t['findings'] for t in tests if t['result'] == 'failed'}
                self.assertIn(test, failed)
                if name not in NOT_ALONE:
                    self.assertEqual(list(failed), [test], failed)
                    kind = json.loads(out)[0]['kind']
                    alone.add((test in OF_ALL_KINDS or kind, test))
                    wanted |= {(t['test'] in OF_ALL_KINDS or kind, t['test']) for t in tests}
                said = ' '.join(f['came_back'] for f in failed[test])
                self.assertRegex(said, words)
                for f in failed[test]:
                    self.assertTrue(f['called'] and f['contract'] and f['header'] and f['line'], f)

        self.assertEqual(len({kind for kind, _ in wanted}), 7)
        self.assertEqual(wanted - alone, set(), 'no plugin fails just these')

    def test_all_tests_come_to_an_end(self):
        """Whatever the plugin does, the tool goes through all its tests."""
        for name in ('exits', 'loops', 'past_the_end', 'illegal'):
            with self.subTest(name):
                status, out, _ = run(BROKEN / f'conform_{name}.so')
                self.assertEqual(status, 1)
                self.assertRegex(out, r'\d+ passed, \d+ failed, \d+ skipped\n$')
                self.assertIn(': symbols: ', out)
                self.assertIn(': network: ', out)

    def test_dies_while_it_is_opened(self):
        for name, words in (('crash_ill', 'died of SIGILL while being opened'), ('crash_segv', 'died of SIGSEGV')):
            status, out, err = run(BROKEN.parent / 'plugins' / f'{name}.so')
            self.assertEqual((status, err), (1, ''))
            self.assertIn(words, out)
            self.assertIn('0 passed, 1 failed, 0 skipped', out)

    def test_old_abi(self):
        status, out, _ = run(BROKEN / 'old_abi.so')
        self.assertEqual(status, 1)
        self.assertRegex(out, r'old_abi\.so: .*(7\.0|version)')
        self.assertIn('bioft/plugin.h:', out)

    def test_reads_like_a_compiler(self):
        _, out, _ = run(BROKEN / 'conform_past_the_end.so', '--test', 'feedback')
        header, line = re.search(r"^.*conform_past_the_end\.so: rule 'conform_past_the_end': feedback: "
                                 r"fill_feedback\(layer 'block\.conv' with W of 162 floats, step 0\): died.*\n"
                                 r"  bioft/(rule\.h):(\d+): writes V", out, re.M).groups()
        source = pathlib.Path(__file__).resolve().parents[2] / 'include/bioft' / header
        self.assertIn('(*fill_feedback)', source.read_text().splitlines()[int(line) - 1])

    def test_usage(self):
        for args, words in [(['nothing.so'], 'nothing.so: no such file'),
                            ([BROKEN / 'old_abi.so', '--test', 'x'], '--test x: unknown test'),
                            ([BROKEN / 'old_abi.so', '--root', 'nowhere'], '--root nowhere: no such folder')]:
            status, _, err = run(*args)
            self.assertEqual(status, 2)
            self.assertIn(words, err)


if __name__ == '__main__':
    unittest.main()
