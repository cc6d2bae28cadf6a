#!/usr/bin/env python3
"""Writes small files for the fuzz targets to start from: seeds.py FOLDER makes FOLDER/<target>/."""
import io
import json
import pathlib
import pickle
import re
import struct
import sys
import tarfile
import zipfile
import zlib


def npy(text, data, version=1):
    header = text.encode() + b'\n'
    length = struct.pack('<H' if version == 1 else '<I', len(header))
    return b'\x93NUMPY' + bytes([version, 0]) + length + header + data


def npy_files():
    for descr, size in [('|u1', 1), ('|b1', 1), ('<i4', 4), ('<i8', 8), ('<f4', 4), ('<f8', 8),
                        ('>f4', 4), ('|O', 8), ('<f2', 2)]:
        for order in (False, True):
            for shape in [(), (0, 3), (2,), (2, 3), (2, 1, 2)]:
                count = 1
                for n in shape:
                    count *= n
                yield npy(f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}",
                          bytes(count * size))
    yield npy('{"shape":(2L,),"fortran_order":False,"descr":"<i4"}', bytes(8), 2)
    yield npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", b'')
    yield npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", bytes(4), 3)
    yield npy('(' * 1000, b'')
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, 'w', method) as z:
            z.writestr('a.npy', npy("{'descr': '|u1', 'fortran_order': False, 'shape': (200,), }", bytes(200)))
            z.writestr('b.npy', npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }", bytes(8)))
        yield archive.getvalue()


def safetensors(header, data):
    if not isinstance(header, bytes):
        header = json.dumps(header, separators=(',', ':')).encode()
    return struct.pack('<Q', len(header)) + header + data


def entry(dtype, shape, begin, end):
    return {'dtype': dtype, 'shape': shape, 'data_offsets': [begin, end]}


def safetensors_files():
    sizes = {'F32': 4, 'F16': 2, 'BF16': 2, 'F64': 8, 'I64': 8, 'I32': 4, 'U8': 1, 'BOOL': 1,
             'I16': 2, 'F33': 5}
    for dtype, size in sizes.items():
        yield safetensors({'a': entry(dtype, [1, 2], 0, 2 * size)}, bytes(2 * size))
    yield safetensors({'__metadata__': {'format': 'pt', 'a\n': '\u00e9'},
                       'b': entry('F32', [], 4, 8), 'a': entry('U8', [4], 0, 4),
                       'c': entry('F32', [0], 8, 8)}, bytes(8))
    yield safetensors(b'{"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   ', b'x')
    yield safetensors({'a': entry('F32', [2**40, 2**40], 0, 0)}, b'')
    yield safetensors({'a': entry('F32', [1], 0, 4), 'b': entry('F32', [1], 2, 6)}, bytes(6))
    yield struct.pack('<Q', 2**63) + b'{}'


def gzip_files():
    for text in (b'', b'a', b'fashion' * 100, bytes(50000)):
        deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
        member = deflate.compress(text) + deflate.flush()
        yield from (member, member + member, member + bytes(9), member + b'garbage', member[:-5])
    body = member[10:]
    for flags, fields in [(4, b'\2\0ab'), (8, b'name\0'), (16, b'comment\0'), (8, b'name'),
                          (0x20, b'')]:
        yield b'\x1f\x8b\x08' + bytes([flags]) + bytes(6) + fields + body


def json_files():
    yield from (b'{}', b'[]', b'null', b'-1.5e-3', b'"\\ud83d\\ude00\\n"', b'{"a":[1,{"b":true}]}',
                b'[' * 40, b'{"a":1,"a":2}', b'"\\ud800"', b'"\xff"', b'1e400', b'[1,]')


def csv_files():
    yield from (b'', b'a,b\nc,d\n', b'"a""b","c\nd"\r\n,\r\n', b'a,b\nc\n', b'"a', b'a"b', b'\n')


def idx(shape, data, kind=8):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f'>{len(shape)}I', *shape) + data


def idx_files():
    """How long the images' file is, it, and the labels' file."""
    good = idx((2, 3, 2), bytes(range(12)))
    for images, labels in [(good, idx((2,), b'\x09\0')), (good, idx((2,), b'\x0a\0')),
                           (good, idx((3,), bytes(3))), (good[:-1], idx((2,), bytes(2))),
                           (idx((2**32 - 1,) * 3, b''), b''), (idx((0, 1, 1), b''), idx((0,), b'')),
                           (idx((1, 0, 4), b''), idx((1,), b'\0')), (good + b'x', good),
                           (idx((2, 3, 2), bytes(48), 13), b''), (b'\0\0\x08', b'')]:
        yield struct.pack('>I', len(images)) + images + labels


def image_files():
    """The golden files of the unit test: C string literals with octal escapes."""
    golden = pathlib.Path(__file__).parent.parent / 'unit' / 'formats' / 'image_golden.h'
    for entry in golden.read_text().split('    { "')[1:]:
        _, lines, *_ = re.split(r'",\n', entry)
        text = ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"?', lines + '"'))
        yield text.encode('latin-1').decode('unicode_escape').encode('latin-1')


def torch_files():
    """The golden files of the unit test, as image_files."""
    golden = pathlib.Path(__file__).parent.parent / 'unit' / 'formats' / 'torch_golden.h'
    for lines in re.findall(r'^    \{ "[^"\n]*",\n((?:      "(?:[^"\\]|\\.)*"\n?)+),', golden.read_text(), re.M):
        text = ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', lines))
        yield text.encode('latin-1').decode('unicode_escape').encode('latin-1')
    yield bytes(257) + b'ustar' + bytes(250)
    yield b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n'


def pickle_files():
    for data in torch_files():
        if data[:2] == b'PK':
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield b'0' + archive.read(next(n for n in archive.namelist() if n.endswith('data.pkl')))
        elif data[:1] == b'\x80':
            yield b'1' + data[data.index(b'uu.') + 3:]      # after the dict that describes the machine
    array = (b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R(K\1K\2K\3\x86'
             b'cnumpy\ndtype\nU\2u1K\0K\1\x87R(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89U\6\x80abcdetb')
    yield b'2\x80\2}q\1(U\4data' + array + b'U\6labels](K\1M,\1e' + b'U\5names](U\1aU\1beu.'


def mat_element(kind, data):
    if 0 < len(data) <= 4:
        return struct.pack('<HH', kind, len(data)) + data.ljust(4, b'\0')
    return struct.pack('<II', kind, len(data)) + data + bytes(-len(data) % 8)


def mat_matrix(kind, shape, *parts, name=b''):
    body = mat_element(6, struct.pack('<II', kind, 0)) + mat_element(5, struct.pack(f'<{len(shape)}i', *shape))
    return mat_element(14, body + mat_element(1, name) + b''.join(parts))


def matlab_files():
    """`synsets` with a class and an inner node, plain and compressed."""
    cells = b''
    for number, wnid, children in [(1, 'n01440764', 0), (300, 'n00000001', 2)]:
        cells += mat_matrix(6, (1, 1), mat_element(9, struct.pack('<d', number)))
        cells += mat_matrix(4, (1, 9), mat_element(4, wnid.encode('utf-16-le')))
        cells += mat_matrix(6, (1, 1), mat_element(2, bytes([children])))
    fields = b''.join(f.ljust(16, b'\0') for f in (b'ILSVRC2012_ID', b'WNID', b'num_children'))
    matrix = mat_matrix(2, (2, 1), mat_element(5, struct.pack('<i', 16)), mat_element(1, fields), cells, name=b'synsets')
    head = b'MATLAB 5.0 MAT-file'.ljust(116) + bytes(8) + struct.pack('<H', 0x0100) + b'IM'
    packed = zlib.compress(matrix)
    yield head + matrix
    yield head + struct.pack('<II', 15, len(packed)) + packed
    yield head


def coco_files():
    """The first byte chooses the protocol."""
    images = [{'id': i, 'file_name': f'{i:012}.jpg', 'width': 4} for i in (9, 7, 30)]
    outline = {'segmentation': [[1.5, 2, 3e0, -4]], 'bbox': [0, 0, 1, 1], 'area': 1.25}
    annotations = [{'id': 1, 'image_id': 9, 'category_id': 18, 'iscrowd': 0, **outline},
                   {'id': 2, 'image_id': 30, 'category_id': 3, 'iscrowd': 1, 'segmentation': {'counts': [1, 2], 'size': [2, 2]}}]
    categories = [{'id': 18, 'name': 'dog', 'supercategory': 'animal'}, {'id': 3, 'name': 'caf\u00e9'}]
    good = {'info': {'year': 2017, 'x': None}, 'images': images, 'annotations': annotations, 'categories': categories}
    yield b'0' + json.dumps(good).encode()
    yield b'1' + json.dumps(good, ensure_ascii=False, indent=1).encode()
    yield b'1' + json.dumps(dict(reversed(good.items()))).encode()
    for change in ({'images': images + images[:1]}, {'images': [{'id': 1, 'file_name': '../x.jpg'}]}, {'annotations': {}},
                   {'annotations': [dict(annotations[0], category_id=12)]}, {'categories': []}, {'images': [1]}):
        yield b'0' + json.dumps({**good, **change}).encode()
    yield b'0' + json.dumps(good).encode()[:-9]
    yield b'0{"images": ' + b'[' * 40


def tar_files():
    """The first byte says whether sums are mended."""
    for style in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        for name in ('a/0.png', 'long/' * 30 + '1.cls', 'caf\u00e9' * 60):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode='w', format=style) as archive:
                for number, path in enumerate((name, 'b')):
                    if style == tarfile.USTAR_FORMAT and len(path.encode()) > 155:
                        continue
                    member = tarfile.TarInfo(path)
                    member.size = 5 * number
                    archive.addfile(member, io.BytesIO(bytes(5 * number)))
            whole = out.getvalue()
            yield b'0' + whole[:4096]
            yield b'1' + whole[:4096]
    yield b'1' + bytes(1024)


def npz_files():
    """The first byte chooses a pickled dict."""
    array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", bytes(6))
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, 'w', how) as archive:
            archive.writestr('a.npy', array)
            archive.writestr('train_images.npy', array)
        yield b'0' + out.getvalue()
        yield b'0' + out.getvalue()[:-9]
    for protocol in (0, 1, 2):
        yield b'1' + pickle.dumps({b'data': bytes(6), b'labels': [1, 2], 'label_names': ['cat', 'dog']}, protocol)
        yield b'1' + pickle.dumps({'labels': [[1]], 'label_names': {}}, protocol)


def onnx_files():
    for path in sorted((pathlib.Path(__file__).parents[1] / 'golden/onnx').glob('*.onnx')):
        data = path.read_bytes()
        yield data
        yield data[:-40]
    yield b''


def manifest_files():
    for path in sorted((pathlib.Path(__file__).parents[2] / 'manifests').rglob('*.yaml')):
        yield path.read_bytes()
    yield from (b'a: &x [1, *x]', b'a: 1\na: 2\n', b'a: &a {b: 1}\nc: {<<: *a}\n', b'[' * 100, b'\ta: 1', b'a: "\\x00"',
                b'a: |\n  text\n', b'? [a]\n: b\n', b'%YAML 1.1\n---\na: !!int 1\n...\n')


root = pathlib.Path(sys.argv[1])
for target, files in [('npy', npy_files), ('safetensors', safetensors_files), ('gzip', gzip_files),
                      ('json', json_files), ('csv', csv_files), ('idx', idx_files), ('image', image_files),
                      ('manifest', manifest_files), ('torch', torch_files), ('pickle', pickle_files),
                      ('matlab', matlab_files), ('coco', coco_files), ('tar', tar_files), ('npz', npz_files),
                      ('onnx', onnx_files)]:
    folder = root / target
    folder.mkdir(parents=True, exist_ok=True)
    for n, data in enumerate(files()):
        (folder / f'{n:03}').write_bytes(data)
