#!/usr/bin/env python3
"""Writes tests/unit/formats/npz_golden.h: .npz files as numpy.savez and numpy.savez_compressed make them."""
import io

import numpy as np

LABELS = np.array([[3], [1], [2]], dtype='<i8')
IMAGES = np.arange(3 * 4 * 5, dtype='|u1').reshape(3, 4, 5) // 9


def literal(data):
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n      '.join(f'"{line}"' for line in lines)


print(f'/* Two arrays as numpy {np.__version__} archives them; written by tests/golden/make_npz.py. */')
for name, save in (('stored', np.savez), ('deflated', np.savez_compressed)):
    out = io.BytesIO()
    save(out, train_images=IMAGES, train_labels=LABELS)
    data = out.getvalue()
    print(f'static const char {name}[{len(data)}] =\n      {literal(data)};')
