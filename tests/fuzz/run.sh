#!/bin/sh
# Builds the fuzz targets with clang's libFuzzer and runs each: run.sh [SECONDS [TARGET...]], or run.sh COUNTx for as many
# inputs: 1000000x. Default: 20 seconds, all. What it builds and finds lies in $BIOFT_FUZZ, whose corpora are made small
# after each run, or in a new folder.
# The portable C is fuzzed, not what needs a CPU's own instructions.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:-20}
case $seconds in
    *x) limit=-runs=${seconds%x} what="${seconds%x} inputs" ;;
    *) limit=-max_total_time=$seconds what="$seconds s" ;;
esac
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- npy safetensors gzip json csv idx image manifest torch pickle matlab coco tar npz onnx
work=${BIOFT_FUZZ:-$(mktemp -d)}
mkdir -p "$work"

packages='libpng libjpeg zlib yajl libcrypto yaml-0.1'
pkg-config --exists libprotobuf-c && packages="$packages libprotobuf-c" || set -- $(echo "$@" | sed 's/ *onnx//')
flags="-g -O1 -std=c11 -D_GNU_SOURCE -ffp-contract=off -fno-sanitize-recover=undefined
    -I$root/include -I$root/core $(pkg-config --cflags $packages)"
python3 "$here/seeds.py" "$work/seeds"

rm -rf "$work/objects" "$work/core.a"
mkdir "$work/objects"
datasets=$(for name in coco_json coco_check label_lists lines image_list tar; do echo "$root/plugins/datasets/$name.c"; done)
manifest=$(for name in yaml yaml_check yaml_node tree tree_write diagnose; do echo "$root/core/manifest/$name.c"; done)
onnx=
case " $* " in *' onnx '*)
    protoc-c --proto_path="$root/plugins/backbones/onnx" --c_out="$work" "$root/plugins/backbones/onnx/onnx.proto"
    onnx=$(ls "$root"/core/graph/*.c "$root"/core/plugin/*.c "$root"/plugins/backbones/onnx/*.c "$work/onnx.pb-c.c" |
        grep -v onnx/onnx.c)
    flags="$flags -I$work -I$root/plugins/backbones/onnx -DPLUGIN_DIR=\"\" -DPLUGIN_DIR_FROM_BIN=\"\"" ;;
esac
for source in "$root"/core/base/*.c "$root"/core/formats/*.c $manifest $datasets $onnx; do
    case $source in *_avx512.c) continue ;; esac
    name=$(basename "$(dirname "$source")")-$(basename "$source" .c)
    clang $flags -fsanitize=fuzzer-no-link,address,undefined -c "$source" -o "$work/objects/$name.o"
done
ar rcs "$work/core.a" "$work"/objects/*.o

failed=0
for target; do
    clang $flags -fsanitize=fuzzer,address,undefined "$here/$target.c" "$work/core.a" \
        $(pkg-config --libs $packages) -lm -lpthread -o "$work/fuzz-$target"
    mkdir -p "$work/corpus/$target"
    echo "$target: $what"
    if ! "$work/fuzz-$target" "$limit" -max_len=65536 -timeout=10 \
        -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 -artifact_prefix="$work/$target-" \
        "$work/corpus/$target" "$work/seeds/$target" >"$work/$target.log" 2>&1; then
        tail -40 "$work/$target.log"
        echo "$target: failed, see $work/$target.log and $work/$target-*"
        failed=1
    fi
    grep number_of_executed_units "$work/$target.log" || true
    [ -n "${BIOFT_FUZZ:-}" ] || continue
    rm -rf "$work/small"
    mkdir "$work/small"
    if "$work/fuzz-$target" -merge=1 -verbosity=0 -max_len=65536 "$work/small" "$work/corpus/$target" >/dev/null 2>&1; then
        rm -rf "$work/corpus/$target"
        mv "$work/small" "$work/corpus/$target"
    fi
done
exit $failed
