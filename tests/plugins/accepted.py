#!/usr/bin/env python3
"""Every plugin of the build is accepted by `plugin list`: accepted.py PROGRAM FOLDER."""
import json
import os
import pathlib
import subprocess
import sys

SKIPPED = 77


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    files = {str(path) for path in folder.glob('**/*.so')}
    environment = dict(os.environ, XDG_DATA_HOME='/nonexistent', BIOFT_PLUGIN_PATH='')
    out = subprocess.run([program, 'plugin', 'list', '--json', '--plugin-path', str(folder)], env=environment,
                         check=True, capture_output=True, text=True).stdout
    rows = [row for row in json.loads(out) if row['explicit']]
    for row in rows:
        if row['fault']:
            print(row['fault'])
    for missing in files - {row['path'] for row in rows}:
        print(f'{missing}: lies where nothing finds it')
    if not files:
        return SKIPPED
    return 1 if any(row['fault'] for row in rows) or files - {row['path'] for row in rows} else 0


sys.exit(main())
