#!/usr/bin/env python3
"""Every plugin of the build exports one symbol, bioft_plugin_entry, and nothing else: symbols.py FOLDER."""
import pathlib
import subprocess
import sys

SKIPPED = 77


def exported(path):
    """The names that a library defines for others, sanitizers' own left out."""
    lines = subprocess.run(['nm', '-D', '--defined-only', path], check=True, capture_output=True, text=True).stdout
    return [line.split()[-1] for line in lines.splitlines() if line.strip()]


def main():
    folder = pathlib.Path(sys.argv[1])
    plugins = sorted(folder.glob('**/*.so'))
    wrong = 0
    for path in plugins:
        names = exported(path)
        if names != ['bioft_plugin_entry']:
            print(f'{path}: exports {", ".join(names) or "nothing"}; bioft_plugin_entry alone is wanted')
            wrong += 1
    print(f'{len(plugins)} plugins, {wrong} wrong')
    if not plugins:
        return SKIPPED
    return 1 if wrong else 0


sys.exit(main())
