#!/usr/bin/env python3
"""Writes tests/unit/formats/pickle_golden.h: one dict as Python 2 and NumPy pickled CIFAR's releases (tests/fixtures/make.py
has the writer; here Python reads it back, to be sure), and as Python 3 pickles it with protocol 3."""
import pathlib
import pickle
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'fixtures'))
import make  # noqa: E402


def literal(data):
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n      '.join(f'"{line}"' for line in lines)


PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
VALUE = {'batch_label': 'one', 'labels': [7, 300, 0, 9], 'data': PIXELS, 'names': ['a', 'bc', 'd\u00e9', 'a']}

python2 = make.Python2(VALUE).out
back = pickle.loads(python2, encoding='latin1')
assert back['labels'] == VALUE['labels'] and (back['data'] == PIXELS).all() and back['data'].dtype == np.uint8
assert [n.encode('latin1').decode() for n in back['names']] == VALUE['names']
print('/* One dict pickled by Python 2 and by Python 3; written by tests/golden/make_pickle.py. */')
for name, data in (('python2', python2), ('python3', pickle.dumps(VALUE, protocol=3))):
    print(f'static const char {name}[{len(data)}] =\n      {literal(data)};')
