#!/usr/bin/env python3
"""Writes tests/unit/formats/gzip_golden.h: gzip members, one with every optional field."""
import struct
import zlib

TEXT = b'ankle boot, bag, coat, dress, pullover, sandal, shirt, shirt, shirt, sneaker, trouser\n'


def member(data, flags=0, fields=b'', header_crc=False):
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    header = bytes([0x1f, 0x8b, 8, flags | 2 * header_crc]) + struct.pack('<IBB', 1700000000, 2, 3)
    header += fields
    if header_crc:
        header += struct.pack('<H', zlib.crc32(header) & 0xffff)
    return (header + deflate.compress(data) + deflate.flush()
            + struct.pack('<II', zlib.crc32(data), len(data)))


def literal(data):
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n    '.join(f'"{line}"' for line in lines)


files = {
    'plain': member(TEXT),
    'all_fields': member(TEXT, 1 | 4 | 8 | 16, b'\x03\0abcname\0a comment\0', True),
    'empty': member(b''),
}
print('/* gzip members of one text; written by tests/golden/make_gzip.py. */')
print(f'static const char text[] =\n    {literal(TEXT)};')
for name, data in files.items():
    print(f'static const char {name}[{len(data)}] =\n    {literal(data)};')
