#!/usr/bin/env python3
"""Writes tests/unit/formats/image_golden.h: small JPEG and PNG files, and the SHA-256 of the RGB
that Pillow reads from each (from a grey PNG of 16 bits: of the high bytes, and Pillow's apart). Arithmetic codes are written
by libjpeg-turbo's jpegtran."""
import hashlib
import io
import struct
import subprocess
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image

warnings.simplefilter('ignore')
r = np.random.default_rng(3)


def jpeg(mode, size=(13, 11), **options):
    channels = len(mode)
    ramp = np.add.outer(np.arange(size[1]) * 9, np.arange(size[0]) * 7)[..., None]
    noise = r.integers(0, 90, (size[1], size[0], channels))
    pixels = ((ramp * np.arange(1, channels + 1) + noise) % 256).astype('u1')
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if mode == 'L' else pixels, mode).save(out, 'JPEG', **options)
    return out.getvalue()


def segments(data):
    """(marker, segment with its marker) up to the first scan, then (None, the rest)."""
    at = 2
    while data[at + 1] != 0xda:
        end = at + 2 + int.from_bytes(data[at + 2:at + 4], 'big')
        yield data[at + 1], data[at:end]
        at = end
    yield None, data[at:]


def without(data, *markers):
    return data[:2] + b''.join(s for m, s in segments(data) if m not in markers)


def adobe(transform):
    return b'\xff\xee\x00\x0eAdobe' + bytes([0, 100, 0, 0, 0, 0, transform])


def with_adobe(data, transform):
    plain = without(data, 0xe0, 0xee)
    return plain[:2] + adobe(transform) + plain[2:]


def component_ids(data, ids):
    """Other names for the components, in the frame and in the scan."""
    out = bytearray(data)
    frame = out.index(b'\xff\xc0')
    scan = out.index(b'\xff\xda')
    for i, c in enumerate(ids):
        out[frame + 10 + 3 * i] = c
        out[scan + 5 + 2 * i] = c
    return bytes(out)


def flipped(data, back, value):
    out = bytearray(data)
    out[-back] ^= value
    return bytes(out)


exif = b'Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0'
rgb, cmyk = jpeg('RGB', subsampling=0), jpeg('CMYK')
jpegs = {
    'JPEG 4:4:4': rgb,
    'JPEG 4:2:0': jpeg('RGB', subsampling=2),
    'JPEG 4:2:2': jpeg('RGB', subsampling=1, quality=95),
    'JPEG 4:2:0 of one pixel': jpeg('RGB', (1, 1), subsampling=2),
    'JPEG grey': jpeg('L'),
    'JPEG progressive': jpeg('RGB', (9, 17), progressive=True),
    'JPEG grey progressive': jpeg('L', progressive=True),
    'JPEG CMYK': cmyk,
    'JPEG CMYK without Adobe marker': without(cmyk, 0xee),
    'JPEG YCCK': with_adobe(cmyk, 2),
    'JPEG RGB by Adobe marker': with_adobe(rgb, 0),
    'JPEG RGB by component names': component_ids(without(rgb, 0xe0), b'RGB'),
    'JPEG turned by EXIF': jpeg('RGB', (9, 5), exif=exif),
    'JPEG with bytes after its end': jpeg('L', (3, 3)) + b'\0\0after',
    'JPEG with a damaged code': flipped(jpeg('RGB', quality=95), 60, 0x3c),
    'JPEG without Huffman tables': without(jpeg('L', (5, 5)), 0xc4),
}

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]
END = struct.pack('>I', 0) + b'IEND' + struct.pack('>I', zlib.crc32(b'IEND'))


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def packed_rows(samples, depth):
    """samples: [height][width][channels]; each row packed, with filter 0 before it."""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            yield b'\0' + row.astype('>u2').tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            yield b'\0' + np.packbits(bits.astype('u1').ravel()).tobytes()


def png(colour, depth, samples, interlaced=False, before=b'', palette=None):
    height, width = samples.shape[:2]
    header = struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, int(interlaced))
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    data = b''.join(b''.join(packed_rows(samples[y::dy, x::dx], depth)) for x, y, dx, dy in passes
                    if x < width and y < height)
    body = chunk(b'PLTE', palette) if palette else b''
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + body + before
            + chunk(b'IDAT', zlib.compress(data, 9)) + END)


def random_png(colour, depth, interlaced=False, before=b'', height=6, width=5):
    samples = r.integers(0, 1 << depth, (height, width, CHANNELS[colour]))
    palette = r.integers(0, 256, 3 << depth).astype('u1').tobytes() if colour == PALETTE else None
    return png(colour, depth, samples, interlaced, before, palette)


pngs = {}
for name, colour, depths in [('grey', GREY, (1, 2, 4, 8)), ('palette', PALETTE, (1, 2, 4)),
                             ('RGB', RGB, (8, 16)), ('grey with alpha', GREY_ALPHA, (8, 16)),
                             ('RGB with alpha', RGBA, (8, 16))]:
    for depth in depths:
        pngs[f'PNG {name}, {depth} bits'] = random_png(colour, depth)
        pngs[f'PNG {name}, {depth} bits, interlaced'] = random_png(colour, depth, True)
pngs['PNG with gamma and transparency'] = random_png(
    RGB, 8, before=chunk(b'gAMA', struct.pack('>I', 100000)) + chunk(b'tRNS', bytes(6)))
pngs['PNG palette with transparency'] = random_png(PALETTE, 2, before=chunk(b'tRNS', b'\0\x80'))
pngs['PNG grey with transparency'] = random_png(GREY, 2, before=chunk(b'tRNS', b'\0\1'))
pngs['PNG with bytes after its end'] = random_png(GREY, 8) + b'after'
pngs['PNG of one pixel, interlaced'] = random_png(RGB, 8, True, height=1, width=1)
grey16 = {f'PNG grey, 16 bits{word}': (samples, png(GREY, 16, samples, bool(word)))
          for word in ('', ', interlaced')
          for samples in [np.array([0, 0x12, 0xff, 0x100, 0x12ff, 0x80ff, 0xffff, 0xfe] * 4)
                          .reshape(8, 4, 1)]}


def arithmetic(data, *how):
    return subprocess.run(['jpegtran', '-arithmetic', *how], input=data, stdout=subprocess.PIPE, check=True).stdout


def icc(number, count, data):
    body = b'ICC_PROFILE\0' + bytes([number, count]) + data
    return b'\xff\xe2' + struct.pack('>H', len(body) + 2) + body


def with_segments(data, *more):
    return data[:2] + b''.join(more) + data[2:]


grey = jpeg('L', (7, 5))
coded = {
    'JPEG with arithmetic codes': arithmetic(grey),
    'JPEG with arithmetic codes, progressive': arithmetic(jpeg('RGB', (9, 6)), '-progressive'),
    'JPEG with an ICC profile': with_segments(grey, icc(1, 2, b'a'), icc(2, 2, bytes(20))),
    'JPEG with ICC segments 3 and 3 of 2': with_segments(grey, icc(3, 2, b''), icc(3, 2, b'\xff\xd9'), icc(0, 0, b'x')),
    'JPEG with an EXIF that points at itself': with_segments(grey, b'\xff\xe1\0\x18Exif\0\0II*\0\x08\0\0\0\xff\xff\x08\0\0\0\x08\0'),
}


def literal(data):
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n      '.join(f'"{line}"' for line in lines)


def show(name, data, size, rgb, pillow=None):
    hashes = f'"{rgb}",\n      ' + (f'"{pillow}"' if pillow else 'NULL')
    print(f'    {{ "{name}",\n      {literal(data)},\n      {len(data)}, {size[0]}, {size[1]},\n'
          f'      {hashes} }},')


def sha256(data):
    return hashlib.sha256(data).hexdigest()


print(f'/* What Pillow {PIL.__version__} makes of small images; '
      'written by tests/golden/make_images.py. */')
print('static const struct {\n    const char *name, *bytes;\n    size_t size;\n'
      '    uint32_t width, height;\n'
      '    const char *sha256, *pillow;    /* pillow: where it differs */\n'
      '} images[] = {')
for name, data in {**jpegs, **pngs, **coded}.items():
    image = Image.open(io.BytesIO(data)).convert('RGB')
    show(name, data, image.size, sha256(image.tobytes()))
for name, (samples, data) in grey16.items():
    image = Image.open(io.BytesIO(data)).convert('RGB')
    high = np.repeat((samples >> 8).astype('u1'), 3, axis=2)
    show(name, data, image.size, sha256(high.tobytes()), sha256(image.tobytes()))
print('};')
