#!/bin/bash
# The engine `torch` on a GPU: run.sh BUILD. Runs its tests on the first GPU, measures training steps and forward passes,
# prints what it saw, and writes the rows between the marks of docs/performance.md. BIOFT_TORCH_LIBRARY names libtorch
# with its GPU part, where it is not that of python3 (pip install torch).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
page=$here/../../docs/performance.md
bioft=$build/core/cli/bioft
export BIOFT_PLUGIN_PATH="$build/plugins" BIOFT_TEST_DEVICE=cuda:0
: "${BIOFT_TORCH_LIBRARY:=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')}"
export BIOFT_TORCH_LIBRARY

seen=$("$bioft" plugin show torch | sed -n 's/^here *//p')
echo "$seen"
case $seen in *GPU*) ;; *) echo "no GPU is seen: nothing to do" >&2; exit 1 ;; esac
BIOFT_LONG=1 "$here/../torch/run.sh" "$build"

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for network in resnet18 alexnet resnet50 vgg16; do
    for precision in f32 bf16; do
        for mode in train forward; do
            "$bioft" bench "$mode" --backbone "$network" --batch 128 --size 224 --precision "$precision" --engine torch \
                --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
print("| {} | {} | {} | {:.0f} | {} |".format(*sys.argv[1:], r["images_per_s"], r["identity"]))' \
                "$network" "$mode" "$precision" | tee -a "$rows"
        done
    done
done
python3 - "$page" "$rows" <<'PYTHON'
import pathlib, sys
page, rows = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
text = page.read_text()
before, rest = text.split("<!-- gpu rows -->\n", 1)
_, after = rest.split("<!-- end of gpu rows -->\n", 1)
head = "| network | work | precision | images a second | engine |\n|---|---|---|---|---|\n"
page.write_text(before + "<!-- gpu rows -->\n" + head + rows + "<!-- end of gpu rows -->\n" + after)
PYTHON
