#!/usr/bin/env python3
"""Every relative link in README.md, CONTRIBUTING.md, examples and docs leads to a file, or to a heading; every room of core
is in docs/explanation.md: links.py ROOT."""
import pathlib
import re
import sys

LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
FENCE = re.compile(r'^```.*?^```', re.S | re.M)


def anchors(text):
    return {re.sub(r'[^\w -]', '', line.lstrip('#').strip().lower()).replace(' ', '-')
            for line in FENCE.sub('', text).splitlines() if line.startswith('#')}


def faults(root):
    pages = [root / 'README.md', root / 'CONTRIBUTING.md', *sorted(root.glob('docs/*.md')), *sorted(root.glob('examples/*.md'))]
    for page in pages:
        for link in LINK.findall(FENCE.sub('', page.read_text(encoding='utf-8'))):
            if re.match(r'\w+:', link):
                continue
            path, _, heading = link.partition('#')
            to = (page.parent / path) if path else page
            if not to.exists():
                yield f'{page}: {link}: no such file'
            elif heading and heading not in anchors(to.read_text(encoding='utf-8')):
                yield f'{page}: {link}: no such heading'
    said = (root / 'docs/explanation.md').read_text(encoding='utf-8')
    for room in sorted(path.name for path in (root / 'core').iterdir() if path.is_dir()):
        if f'| `{room}` |' not in said:
            yield f'docs/explanation.md: the room {room} is not in its table'
    for page in sorted(root.glob('docs/*.md')):
        if not any(f'({prefix}{page.name}' in other.read_text(encoding='utf-8')
                   for other in pages if other != page for prefix in ('docs/', '')):
            yield f'{page}: no page leads to it'


found = list(faults(pathlib.Path(sys.argv[1])))
print('\n'.join(found) or 'links: fine')
sys.exit(bool(found))
