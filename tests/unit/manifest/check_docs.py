#!/usr/bin/env python3
"""Every key that a reader of core/manifest knows stands in docs/manifest.md, and no other: check_docs.py ROOT."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
known = set()
for source in sorted(root.glob('core/manifest/read_*.c')):
    for table in re.findall(r'\*const (?:\w*keys|members)\[\] = \{(.*?)\};', source.read_text(), re.S):
        known.update(re.findall(r'"([a-z_]+)"', table))
text = (root / 'docs' / 'manifest.md').read_text()
rows = set(re.findall(r'^\| `([a-z_]+)` \|', text, re.M))
said = rows | set(re.findall(r'\b([a-z_]+):', text))

if len(known) < 40:
    sys.exit(f'only {len(known)} keys found in core/manifest: this script no longer reads its tables')
for key in sorted(known - said):
    print(f'docs/manifest.md does not have the key {key}')
for key in sorted(rows - known):
    print(f'docs/manifest.md has the key {key}, which nothing reads')
sys.exit(bool(known - said or rows - known))
