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
for test in bf16 feedback handles large layers memory refusals routes threads update; do
    BIOFT_TEST_ENGINE=$build/plugins/engines/torch/torch.so BIOFT_TEST_BLOCK=1 run "$test" "$build/tests/unit/engine/test_$test"
done
for network in lenet5 resnet18 ${BIOFT_LONG:+alexnet 'alexnet bf16' vgg11}; do
    # shellcheck disable=SC2086
    BIOFT_TEST_ENGINE=torch run "agreement on $network" "$build/tests/unit/engine/test_agree" $network
done
python=/usr/bin/python3                           # which has numpy from Debian
[ -x "$python" ] || python=python3
PYTHONPATH=$here/../system run 'whole runs' "$python" "$here/test_torch.py"
[ "$failed" = 0 ]
