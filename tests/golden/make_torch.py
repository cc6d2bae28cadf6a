#!/usr/bin/env python3
"""Writes tests/unit/formats/torch_golden.h: .pth files as torch makes them, and what torch reads.

Needs torch (1.13; the bytes are compared nowhere, so another will do)."""
import io
import pathlib
import pickle
import struct
import sys
import tempfile
import textwrap
from collections import OrderedDict

import torch


def literal(data):
    """Bytes as a C string literal of lines that fit."""
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n      '.join(f'"{line}"' for line in lines)


def saved(value, **how):
    """In a file, whose name shows in the archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'a.pth'
        torch.save(value, path, **how)
        return path.read_bytes()


def old(view):
    """As Python 2's cPickle and PyTorch 0.2 wrote it: byte strings, memo from 1 on, the first
    _rebuild_tensor, an OrderedDict from a list of pairs, longs; `view`: a window into a storage."""
    def string(s):
        return b'U' + bytes([len(s)]) + s.encode()

    def storage(kind, key, numel, window=b'N'):
        return (b'(' + string('storage') + b'ctorch\n' + kind + b'\n' + string(key) + string('cpu')
                + b'\x8a\x01' + bytes([numel]) + window + b'tQ')

    window = b'(' + string('77') + b'K\x02K\x03t' if view else b'N'
    tensors = [('w', storage(b'FloatStorage', '94', 6) + b'K\x00K\x02\x8a\x01\x03\x86K\x03K\x01\x86'),
               ('b', storage(b'FloatStorage', '286518672', 5, window) + b'K\x01K\x02\x85K\x01\x85')]
    body = b'ccollections\nOrderedDict\nq\x01]q\x02('
    for name, arguments in tensors:
        body += b'](' + string(name) + b'ctorch._utils\n_rebuild_tensor\n(' + arguments + b'tRe'
    body += b'e\x85Rq\x03.'
    system = {'protocol_version': 1001, 'little_endian': True,
              'type_sizes': {'short': 2, 'int': 4, 'long': 4}}
    keys = ['286518672', '94']
    return (pickle.dumps(0x1950a86a20f9469cfc6c, 2) + pickle.dumps(1001, 2) + pickle.dumps(system, 2)
            + b'\x80\x02' + body + pickle.dumps(keys, 2)
            + struct.pack('<q5f', 5, 10, 11, 12, 13, 14)
            + struct.pack('<q6f', 6, 0, 1, 2, 3, 4, 5))


w = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7
plain = OrderedDict(w=torch.arange(6.).reshape(2, 3), b=torch.tensor([7, 8]))
shared = torch.arange(10.)
views = OrderedDict([
    ('transposed', torch.arange(8.).reshape(2, 4).t()), ('row', w[1]), ('permuted', w.permute(2, 0, 1)),
    ('channels_last', w.reshape(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)),
    ('expanded', torch.ones(1).expand(3, 4)), ('scalar', torch.tensor(3.5)),
    ('empty', torch.zeros(0, 5)), ('every_third', shared[1::3]), ('whole', shared),
    ('ones', torch.arange(3.).reshape(1, 3, 1))])
dtypes = OrderedDict([
    ('half', torch.tensor([0.1, -65504., 6e-8]).half()), ('brain', torch.tensor([0.1, -3e38]).bfloat16()),
    ('double', torch.tensor([0.1, -1e-300, 2**24 + 1], dtype=torch.float64)),
    ('long', torch.tensor([2**40, -1])), ('int', torch.tensor([-2**31], dtype=torch.int32)),
    ('short', torch.tensor([-2**15, 3], dtype=torch.int16)),
    ('char', torch.tensor([-128, 127], dtype=torch.int8)),
    ('byte', torch.tensor([255], dtype=torch.uint8)), ('bool', torch.tensor([True, False]))])
parameter = torch.nn.Parameter(torch.tensor([1., 2.]))
momentum = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
(parameter ** 2).sum().backward()
momentum.step()
model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
model[0].weight.data = torch.tensor([[0.5, -0.25]])
model[0].bias.data = torch.tensor([0.125])
checkpoint = {'epoch': 300, 'large': 2**40, 'negative': -5, 'rate': 0.1, 'nothing': None, 'yes': True,
              'optimizer': momentum.state_dict(), 'pair': (1, [2, 3]),
              'state_dict': torch.nn.DataParallel(model).state_dict()}

old_way = {'_use_new_zipfile_serialization': False}
files = [       # name, bytes, key, state dict
    ('plain', saved(plain), None, plain),
    ('plain, legacy', saved(plain, **old_way), None, plain),
    ('plain, protocol 3', saved(plain, pickle_protocol=3), None, plain),
    ('views', saved(views), None, views),
    ('views, legacy', saved(views, **old_way), None, views),
    ('dtypes', saved(dtypes), None, dtypes),
    ('dtypes, legacy', saved(dtypes, **old_way), None, dtypes),
    ('checkpoint', saved(checkpoint), 'state_dict', checkpoint['state_dict']),
    ('checkpoint, legacy', saved(checkpoint, **old_way), 'state_dict', checkpoint['state_dict']),
    ('parameter', saved({'model': {'p': parameter}}), 'model', {'p': parameter}),
]
for what, view in [('old', False), ('old, window', True)]:
    b = torch.tensor([13., 14.]) if view else torch.tensor([11., 12.])
    files.append((what, old(view), None, {'w': plain['w'], 'b': b}))
for what, data, key, state in files:
    loaded = torch.load(io.BytesIO(data))
    loaded = loaded[key] if key else loaded
    assert all(torch.equal(loaded[k], v) for k, v in state.items()), what

NAMES = {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16', torch.float64: 'F64',
         torch.int64: 'I64', torch.int32: 'I32', torch.int16: 'I16', torch.int8: 'I8',
         torch.uint8: 'U8', torch.bool: 'BOOL'}


def number(v):
    return repr(float(v))


print(f'/* By torch {torch.__version__}; written by tests/golden/make_torch.py. */')
print('struct golden_tensor {\n    const char *name;\n    enum tensor_dtype dtype;\n'
      '    unsigned dims;\n    uint64_t shape[8];\n    size_t count;\n    double value[24];\n};')
print('static const struct golden {\n    const char *what, *data;\n    size_t size;\n'
      '    const char *key;\n    size_t count;\n    struct golden_tensor tensors[12];\n} golden[] = {')
for what, data, key, state in files:
    print(f'    {{ "{what}",\n      {literal(data)},\n      {len(data)},\n'
          f'      {chr(34) + key + chr(34) if key else "NULL"},\n      {len(state)},\n      {{')
    for name, t in state.items():
        values = t.detach().float() if t.dtype.is_floating_point else t
        shape = ', '.join(map(str, t.shape)) or '0'
        row = (f'{{ "{name}", TENSOR_{NAMES[t.dtype]}, {t.dim()}, {{ {shape} }}, {t.numel()}, '
               f'{{ {", ".join(number(v) for v in values.reshape(-1)) or 0} }} }},')
        print(textwrap.fill(row, 94, initial_indent='        ', subsequent_indent='          '))
    print('      } },')
print('};')
sys.stdout.flush()
