#!/usr/bin/env python3
"""docs/reference.md from the public headers: reference.py prints it; reference.py --check says whether it is current.

A header is a text: its opening comment, then pieces, each with the comment before it. A piece that makes a name gets a
heading; the C is shown as it stands, since its comments are the contract."""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs/reference.md'
# In the order to read them.
HEADERS = ['plugin', 'rule', 'attack', 'dataset', 'backbone', 'loss', 'engine', 'util', 'rule_util', 'attack_util', 'backbone_util']
NAMES = re.compile(r'^typedef struct (\w+) \{|^struct (\w+) \{|^#define (BIOFT_\w+)|^typedef \w+ (bioft_\w+);|'
                   r'^(?:static inline [\w *]+?|const bioft_plugin \*)(bioft_\w+)\(', re.M)
NOISE = re.compile(r'^#(?:ifndef BIOFT_\w+_H|define BIOFT_\w+_H|endif|include.*|ifdef __cplusplus)$|^extern "C" \{$|^\}$')

HEAD = '''# Reference

The contract, made from `include/bioft/*.h` by `tools/reference.py`; a test keeps it current. The headers are the text:
what is shown here stands there, with its comments. [The words of threads](#bioftpluginh) - control, step, any - are
explained in `plugin.h`.
'''


def prose(comment):
    """A comment's text as Markdown: without its marks; what is set in is a list."""
    out, listed = [], False
    for line in re.sub(r'^ \* ?', '', comment.strip()[2:-2], flags=re.M).splitlines():
        line = line[1:] if not out else line       # the opening's blank after the mark
        if re.match(r'  \S', line):
            line, listed = '- ' + line.strip(), True
        elif listed and line.startswith('   '):
            line = '  ' + line.strip()
        else:
            out += [''] if listed and line.strip() else []
            line, listed = line.strip(), False
        out.append(line)
    return '\n'.join(out).strip()


def pieces(text):
    """The blocks between empty lines outside of braces and comments, without include guards."""
    block, depth, in_comment = [], 0, False
    for line in text.splitlines() + ['']:
        if not line.strip() and depth == 0 and not in_comment:
            if block:
                yield '\n'.join(block)
            block = []
            continue
        if depth == 0 and not in_comment and NOISE.match(line):
            continue
        in_comment = in_comment or '/*' in line
        code = re.sub(r'/\*.*?(?:\*/|$)|^.*?\*/' if in_comment else r'/\*.*?\*/', '', line)
        if '*/' in line[line.rfind('/*') if '/*' in line else 0:]:
            in_comment = False
        depth += code.count('{') - code.count('}')
        block.append(line)


def declarations(block):
    """A block cut where, at no depth, a new comment or definition begins after a finished one."""
    part, depth, ready, in_comment = [], 0, False, False
    for line in block.splitlines():
        follows = part and line.startswith('#define') and part[-1].startswith('#define')
        starts = depth == 0 and ready and not in_comment and not follows and \
            re.match(r'/\*|typedef|struct|enum|#define|#if|static', line)
        if starts:
            yield '\n'.join(part)
            part, ready = [], False
        begins, ends = line.lstrip().startswith('/*'), '*/' in line
        code = '' if in_comment else re.sub(r'/\*.*?(?:\*/|$)', '', line)
        in_comment = (in_comment or ('/*' in line)) and not ends
        depth += code.count('{') - code.count('}')
        part.append(line)
        if code.strip() and not begins and depth == 0 and (code.rstrip().endswith((';', '}')) or code.startswith('#define')):
            ready = True
    yield '\n'.join(part)


def title(code):
    found = [next(filter(None, m)) for m in NAMES.findall(code)]
    if len(found) > 1 and code.startswith('#define'):
        return found[0] + ', ...'
    if not found and code.lstrip().startswith('enum'):
        found = re.findall(r'\b(BIOFT_\w+)', re.sub(r'/\*.*?\*/', '', code, flags=re.S))[:1]
        return found[0] + ', ...' if found else None
    return found[0] if found else None


def split_comment(part):
    m = re.match(r'(/\*.*?\*/)\n(.*)', part, re.S)
    return (prose(m[1]), m[2]) if m else ('', part)


def shown(code):
    """The C to show: of an inline function its head alone."""
    if 'static inline' not in code:
        return code
    return re.sub(r'^#.*\n|^__attribute__.*\n', '', code[:code.index('\n{')], flags=re.M) + ';'


def parts_of(text):
    """(comment, code) of each piece after the opening comment; a struct's forward declaration goes with the struct."""
    held = None
    for block in pieces(text):
        for part in declarations(block):
            said, code = split_comment(part)
            if re.fullmatch(r'typedef struct (\w+) \1;', code.strip()):
                held = said, code
                continue
            if held:
                said, code, held = '\n\n'.join(filter(None, (held[0], said))), f'{held[1].strip()}\n{code}', None
            yield said, code


def anchor(name):
    return re.sub(r'[^\w -]', '', name.lower()).replace(' ', '-')


def page():
    body, contents = [], []
    for header in HEADERS:
        text = (ROOT / f'include/bioft/{header}.h').read_text(encoding='utf-8')
        opening = re.match(r'/\*.*?\*/', text, re.S)[0]
        body.append(f'\n## bioft/{header}.h\n\n{prose(opening)}\n')
        links = []
        for said, code in parts_of(text[len(opening):]):
            name = title(code)
            if name:
                body.append(f'\n### {name}\n')
                links.append(f'[`{name.split(",")[0]}`](#{anchor(name)})')
            body += [f'\n{said}\n'] if said else []
            body += [f'\n```c\n{shown(code)}\n```\n'] if code.strip() else []
        line = f'- [`bioft/{header}.h`](#{anchor(f"bioft/{header}.h")}): ' + ', '.join(links)
        contents.append(textwrap.fill(line, 120, subsequent_indent='  ', break_long_words=False, break_on_hyphens=False))
    return HEAD + '\n' + '\n'.join(contents) + '\n' + ''.join(body)


def main():
    text = page()
    if sys.argv[1:] != ['--check']:
        sys.stdout.write(text)
        return 0
    if PAGE.read_text(encoding='utf-8') == text:
        return 0
    print(f'{PAGE}: not what the headers say: tools/reference.py > docs/reference.md', file=sys.stderr)
    return 1


sys.exit(main())
