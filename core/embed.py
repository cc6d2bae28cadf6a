#!/usr/bin/env python3
"""Files as arrays of bytes in C: embed.py OUT FILE... (string literals of this length are no C11)."""
import pathlib
import sys


def main():
    paths = [pathlib.Path(p) for p in sys.argv[2:]]
    lines = []
    for i, path in enumerate(paths):
        data = path.read_bytes()
        lines.append(f'static const char embedded_{i}[] = {{')
        for at in range(0, len(data), 20):
            lines.append('    ' + ' '.join(f'{b},' for b in data[at:at + 20]))
        lines.append('    0,\n};')
    lines.append('static const struct {\n    const char *name, *text;\n} embedded_files[] = {')
    lines += [f'    {{ "{path.name}", embedded_{i} }},' for i, path in enumerate(paths)]
    lines.append('};')
    pathlib.Path(sys.argv[1]).write_text('\n'.join(lines) + '\n', encoding='ascii')


main()
