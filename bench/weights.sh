#!/bin/sh
# Seconds that loading takes from a warm page cache: ResNet-18 and VGG-16 with random weights, saved
# by torch as zip and legacy, and as safetensors.
# usage: bench/weights.sh [BUILD] [THREADS]     BUILD: a build folder (default: build)
# Other load makes the figures worthless. Takes 1.8 GB of the folder for temporary files.
set -eu
build=${1:-build}
threads=${2:-2}
python=/usr/bin/python3
[ -x "$python" ] || python=python3

ninja -C "$build" bench/weights core/cli/bioft >/dev/null
build=$(cd "$build" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" - "$work" <<'PYTHON'
import sys

import torch
import torchvision

for name in ("resnet18", "vgg16"):
    state = getattr(torchvision.models, name)().state_dict()
    torch.save(state, f"{sys.argv[1]}/{name}-zip.pth")
    torch.save(state, f"{sys.argv[1]}/{name}-legacy.pth", _use_new_zipfile_serialization=False)
PYTHON
cd "$work"
for name in resnet18 vgg16; do
    "$build/core/cli/bioft" weights convert --quiet $name-zip.pth $name.safetensors
    BIOFT_PLUGIN_PATH="$build/plugins" "$build/bench/weights" $name "$threads" \
        $name-zip.pth $name-legacy.pth $name.safetensors
    rm -f $name*
done
