#!/usr/bin/env python3
"""Where each name of the public headers stands: header_lines.py OUT HEADER..., for findings that point at the contract."""
import pathlib
import re
import sys

WORD = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
CALLBACK = re.compile(r'\(\*([a-z_0-9]+)\)\s*\(')
COMMENT = re.compile(r'/\*.*?\*/', re.S)


def names(text):
    """Name to line: a callback's own line, else the first use outside comments."""
    code = COMMENT.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]), text)
    callbacks, found = {}, {}
    for number, line in enumerate(code.splitlines(), 1):
        for name in CALLBACK.findall(line):
            callbacks.setdefault(name, number)
        for name in WORD.findall(line):
            found.setdefault(name, number)
    return found | callbacks


def main():
    rows = []
    for path in map(pathlib.Path, sorted(sys.argv[2:])):
        for name, line in sorted(names(path.read_text(encoding='utf-8')).items()):
            rows.append(f'    {{ "{path.name}", "{name}", {line} }},')
        lines = path.read_text(encoding='utf-8').splitlines()
        for mark in ('Threads.', 'Memory.', 'Errors.', 'Growth.'):
            for number, line in enumerate(lines, 1):
                if line.startswith(f' * {mark}'):
                    rows.append(f'    {{ "{path.name}", "{mark}", {number} }},')
    pathlib.Path(sys.argv[1]).write_text('\n'.join(rows) + '\n', encoding='utf-8')


main()
