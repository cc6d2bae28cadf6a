#!/usr/bin/env python3
"""A wheel of python/bioft and an installed tree: pack_wheel.py VERSION TREE OUT (a folder). tools/wheel calls it."""
import base64
import hashlib
import pathlib
import sys
import zipfile

METADATA = """\
Metadata-Version: 2.1
Name: bioft
Version: {version}
Summary: Fine-tunes networks with bio-plausible learning rules, and measures accuracy and adversarial robustness
License: MIT
Requires-Python: >=3.9
Provides-Extra: frames
Requires-Dist: numpy; extra == "frames"
Requires-Dist: pandas; extra == "frames"
Provides-Extra: torch
Requires-Dist: torch; extra == "torch"
Description-Content-Type: text/markdown

"""
WHEEL = "Wheel-Version: 1.0\nGenerator: bioft\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n"


def main():
    version, tree, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    root = pathlib.Path(__file__).resolve().parents[1]
    info = f"bioft-{version}.dist-info"
    files = {f"bioft/{p.name}": p.read_bytes() for p in sorted((root / "python/bioft").glob("*.py"))}
    modes = {}
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            name = f"bioft/tree/{path.relative_to(tree)}"
            files[name] = path.read_bytes()
            modes[name] = 0o755 if path.stat().st_mode & 0o100 else 0o644
    files[f"{info}/METADATA"] = METADATA.format(version=version).encode() + (root / "README.md").read_bytes()
    files[f"{info}/WHEEL"] = WHEEL.encode()
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nbioft = bioft.__main__:main\n"
    files[f"{info}/licenses/LICENSE"] = (root / "LICENSE").read_bytes()
    record = "".join(f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
                     for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    out.mkdir(parents=True, exist_ok=True)
    wheel = out / f"bioft-{version}-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | modes.get(name, 0o644)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(entry, data)
    print(wheel)


main()
