#!/usr/bin/env python3
"""Writes the layout of every public struct, the type of every field and every public constant, as assertions:
make.py [--check FILE] [CC...].

What is printed is tests/abi/v0_1.c. With --check it is compared with FILE instead: a field that is not in there yet, or
one that moved. Until ABI 1.0 the file is written anew with each change of the headers; from then on lines are only added."""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ['plugin', 'rule', 'backbone', 'dataset', 'attack', 'loss', 'engine']
CONSTANTS = ['BIOFT_MAGIC', 'BIOFT_NONE']          # beside the enumerators

HEAD = '''/* The layout that plugins were built against: written by make.py, for machines with 64-bit pointers and sizes. */
{includes}
#include <stdint.h>

/* A field's place and type: `...` is a pointer to what it is, so that functions and arrays are what they were too. */
#define AT(type, field, at, ...) \\
    _Static_assert(offsetof(type, field) == (at), #type "." #field " moved"); \\
    _Static_assert(_Generic(&((type *)0)->field, __VA_ARGS__: 1, default: 0), #type "." #field " has another type")
#define SIZE(type, least) _Static_assert(sizeof(type) >= (least), #type " shrank")
#define TYPE(name, type) _Static_assert(_Generic((name *)0, type *: 1, default: 0), #name " is another type")
#define IS(name, value) _Static_assert((long long)(name) == (value), #name " changed")

const bioft_plugin *bioft_plugin_entry(uint32_t index);

#if SIZE_MAX == UINT64_MAX && UINTPTR_MAX == UINT64_MAX
'''
TAIL = '''#endif

int main(void)
{
    return 0;
}
'''


def without_comments(text):
    return re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)


def split(text, separator):
    """Cuts at the separators that stand outside of parentheses."""
    depth, part = 0, ''
    for c in text:
        depth += (c == '(') - (c == ')')
        if c == separator and depth == 0:
            yield part
            part = ''
        else:
            part += c
    if part.strip():
        yield part


def fields(body):
    """Each field's name, and the type of a pointer to it."""
    for declaration in split(body, ';'):
        declaration = ' '.join(declaration.split())
        function = re.search(r'\(\s*\*\s*(\w+)\s*\)\s*\(', declaration)
        if function:
            yield function[1], declaration[:function.start(1)] + '*' + declaration[function.end(1):]
            continue
        base = None
        for declarator in split(declaration, ','):
            parts = re.fullmatch(r'\s*(?:((?:const )?(?:struct )?\w+)(?=[ *]))?((?: ?\*(?: ?const)?)*) ?(\w+)((?:\[\w+\])*)',
                                 declarator)
            base = base or parts[1]
            pointers = (' ' if parts[2] else '') + parts[2].strip()
            yield parts[3], base + pointers + (f' (*){parts[4]}' if parts[4] else ('*' if parts[2] else ' *'))


def contents(text):
    """The structs with their fields, the enumerators and the plain types, in the order of the header."""
    structs = [(name, list(fields(body))) for name, body in re.findall(r'\bstruct\s+(bioft_\w+)\s*\{([^{}]*)\}', text)]
    constants = [part.split('=')[0].strip() for body in re.findall(r'\benum\s*\{([^{}]*)\}', text)
                 for part in body.split(',') if part.strip()]
    return structs, constants, re.findall(r'\btypedef\s+(\w+)\s+(bioft_\w+);', text)


def measure(everything, compiler):
    """Compiles a program that prints each assertion, and runs it."""
    lines = []
    for header, structs, constants, types in everything:
        lines.append(f'puts("\\n/* {header}.h */");')
        lines += [f'puts("TYPE({name}, {real});");' for real, name in types]
        for name, names in structs:
            lines += [f'printf("AT({name}, {field}, %zu, {kind});\\n", offsetof({name}, {field}));'
                      for field, kind in names]
            lines.append(f'printf("SIZE({name}, %zu);\\n", sizeof({name}));')
        lines += [f'printf("IS({name}, %lld);\\n", (long long)({name}));' for name in constants]
    program = '#include <stdio.h>\n#include <stddef.h>\n'
    program += ''.join(f'#include <bioft/{header}.h>\n' for header in HEADERS)
    program += 'int main(void)\n{\n' + '\n'.join(lines) + '\nreturn 0;\n}\n'
    with tempfile.TemporaryDirectory() as folder:
        source, out = pathlib.Path(folder, 'layout.c'), pathlib.Path(folder, 'layout')
        source.write_text(program)
        subprocess.run([*compiler, '-std=c11', '-I', ROOT / 'include', source, '-o', out], check=True)
        said = subprocess.run([out], check=True, capture_output=True, text=True).stdout
    return ''.join(textwrap.fill(line, 100, subsequent_indent='   ', break_long_words=False,
                                 break_on_hyphens=False) + '\n' for line in said.splitlines())


def main():
    args = sys.argv[1:]
    committed = pathlib.Path(args[1]) if args[:1] == ['--check'] else None
    compiler = args[2 if committed else 0:] or ['cc']
    everything = []
    for header in HEADERS:
        structs, constants, types = contents(without_comments((ROOT / 'include/bioft' / f'{header}.h').read_text()))
        everything.append((header, structs, (CONSTANTS if header == 'plugin' else []) + constants, types))
    includes = '\n'.join(f'#include <bioft/{header}.h>' for header in sorted(HEADERS))
    text = HEAD.format(includes=includes) + measure(everything, compiler) + TAIL
    if not committed:
        sys.stdout.write(text)
        return 0
    difference = list(difflib.unified_diff(committed.read_text().splitlines(), text.splitlines(), str(committed),
                                           'the headers', lineterm='', n=0))
    print('\n'.join(difference) or 'the layout is as committed')
    return 1 if difference else 0


sys.exit(main())
