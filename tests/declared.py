#!/usr/bin/env python3
"""A function that core or the engines' common part exports is found by its header's name: declared.py [ROOT].

x_y.c declares what it exports in x_y.h or in x.h, the header of the concept that it is a part of, or in a private header of
its room. No name is exported twice. Outside the engines, whose kernels take what they take, no function has more than eight
parameters: a struct has names."""
import collections
import pathlib
import re
import sys

ROOMS = ['core', 'plugins/engines/common']
DEFINED = re.compile(r'^(?!static\b|typedef\b|enum\b|extern\b|_Noreturn static\b)[a-z_][\w \*]*?[ \*](\w+)\([^;{}]*?\)\s*\n\{', re.M | re.S)
PRIVATE = {'core/cli': ['commands.h'], 'core/run': ['entry.h']}


DEFINITION = re.compile(r'^[A-Za-z][\w \t*]*?\b(\w+)\(((?:[^(){};]|\([^(){};]*\))*)\)\s*\{', re.M)
MOST_PARAMETERS = 8


def code(path):
    return re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S)


def headers(source):
    """Where the file's exports may be declared."""
    words = source.stem.split('_')
    return [h for h in (source.parent / ('_'.join(words[:n]) + '.h') for n in range(len(words), 0, -1)) if h.exists()]


def findings(root):
    where = collections.defaultdict(list)
    for room in ROOMS:
        for source in sorted((root / room).rglob('*.c')):
            if 'templates' in source.parts:
                continue
            folder = str(source.parent.relative_to(root))
            private = [*source.parent.glob('*private.h'), *(source.parent / name for name in PRIVATE.get(folder, []))]
            declared = ' '.join(code(header) for header in headers(source) + private)
            for name in DEFINED.findall(code(source)):
                if name == 'main':
                    continue
                where[name].append(str(source.relative_to(root)))
                if not re.search(rf'\b{name}\b', declared):
                    yield f'{where[name][-1]}: {name} is declared in no header of that name, and in no private one'
    for name, sources in where.items():
        if len(sources) > 1:
            yield f"{name} is exported by {' and '.join(sources)}"


def crowded(root):
    for folder in ('core', 'plugins'):
        for source in sorted((root / folder).rglob('*.[ch]')):
            if source.is_relative_to(root / 'plugins/engines') or 'templates' in source.parts:
                continue
            for name, parameters in DEFINITION.findall(code(source)):
                count = re.sub(r'\([^()]*\)', '', parameters).count(',') + 1
                if count > MOST_PARAMETERS:
                    yield f'{source.relative_to(root)}: {name} has {count} parameters, more than {MOST_PARAMETERS}: make a struct'


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1]
    found = [*findings(root), *crowded(root)]
    print('\n'.join(found) or 'every exported function is declared beside its file, and once, with at most eight parameters')
    return 1 if found else 0


sys.exit(main())
