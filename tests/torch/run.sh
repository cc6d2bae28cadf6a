#!/bin/bash
# The engine `torch` beside `openblas`: run.sh BUILD. On a GPU where libtorch and the driver see one, else on the CPU
# (CUDA_VISIBLE_DEVICES= hides a GPU). BIOFT_TORCH_LIBRARY names libtorch; where it is not set, the newest torch of PyPI
# goes into a virtual environment in BUILD, without the 3 GB that its GPU part needs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
if [ -z "${BIOFT_TORCH_LIBRARY:-}" ]; then
    environment=$build/torch-environment
    if [ ! -f "$environment/complete" ]; then
        rm -rf "$environment"
        python3 -m venv "$environment"
        "$environment/bin/pip" install -q --no-deps torch nvidia-cuda-cupti nvidia-cuda-runtime
        touch "$environment/complete"
    fi
    export BIOFT_TORCH_LIBRARY=$environment
fi
# Threads that wait without spinning: a shared machine is slow otherwise.
export OMP_WAIT_POLICY=passive
export BIOFT="$build/core/cli/bioft" BIOFT_PLUGIN_PATH="$build/plugins" BIOFT_TEST_REFERENCE=openblas
unset PYTHONHOME

failed=0
run() {                                            # run NAME COMMAND...
    local name=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then echo "ok      $name"; else cat "$log"; echo "FAILED  $name"; failed=$((failed + 1)); fi
    rm -f "$log"
}
"$BIOFT" plugin show torch | grep '^here'
run 'plugin test' "$BIOFT" plugin test "$build/plugins/engines/torch/torch.so"
for test in bf16 feedback handles large layers memory operators refusals routes threads update; do
    BIOFT_TEST_ENGINE=$build/plugins/engines/torch/torch.so BIOFT_TEST_BLOCK=1 run "$test" "$build/tests/unit/engine/test_$test"
done
for test in feedback handles; do
    BIOFT_TEST_DRAWS=2 BIOFT_TEST_ENGINE=$build/plugins/engines/torch/torch.so BIOFT_TEST_BLOCK=1 \
        run "$test, drawn on the device" "$build/tests/unit/engine/test_$test"
done
for network in lenet5 resnet18 ${BIOFT_LONG:+alexnet 'alexnet bf16' vgg11}; do
    # shellcheck disable=SC2086
    BIOFT_TEST_ENGINE=torch run "agreement on $network" "$build/tests/unit/engine/test_agree" $network
done
# A step of every kind of network: without BIOFT_LONG of those that are quick.
for network in mlp mobilenet_v2 deit_tiny ${BIOFT_LONG:+lenet5 alexnet convnext_tiny densenet121 efficientnet_b0 \
    efficientnet_lite0 preact_resnet18 resnet18 resnet50 vgg11_bn vit_small_patch16_224 wide_resnet28_10}; do
    BIOFT_TEST_ENGINE=torch run "a step of $network" "$build/tests/unit/engine/test_agree" "$network" steps
done
python=/usr/bin/python3                           # which has numpy from Debian
[ -x "$python" ] || python=python3
PYTHONPATH=$here/../system run 'whole runs' "$python" "$here/test_torch.py"
[ "$failed" = 0 ]
