#!/bin/sh
# The engine onednn where allocations fail and under the thread sanitizer, by hand: run.sh BUILD [COUNT]. COUNT: allocations
# that are tried, 100. The sanitized build is made beside BUILD.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
count=${2:-100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cc -O1 -g -shared -fPIC -D_GNU_SOURCE "$here/alloc_shim.c" -ldl -o "$work/alloc_shim.so"
status=0
BIOFT=$build/core/cli/bioft /usr/bin/python3 "$here/alloc.py" "$work/alloc_shim.so" onednn "$count" || status=1

cd "$here/../.."
tsan=$build-tsan
[ -f "$tsan/build.ninja" ] || meson setup "$tsan" -Dtests=true -Db_sanitize=thread -Db_lundef=false -Dbuildtype=debugoptimized >/dev/null
programs='threads update layers feedback'
ninja -C "$tsan" plugins/engines/onednn/onednn.so $(for p in $programs; do echo tests/unit/engine/test_$p; done) >/dev/null
# oneDNN and OpenMP are not built with the sanitizer: what they do among themselves is theirs.
printf 'called_from_lib:libdnnl.so\ncalled_from_lib:libgomp.so\nrace:libgomp.so\nrace:libdnnl.so\n' >"$work/suppressions"
for p in $programs; do
    if TSAN_OPTIONS="suppressions=$work/suppressions ignore_noninstrumented_modules=1 halt_on_error=0 exitcode=66" \
        BIOFT_TEST_ENGINE=$tsan/plugins/engines/onednn/onednn.so BIOFT_TEST_BLOCK=16 \
        "$tsan/tests/unit/engine/test_$p" >"$work/log" 2>&1; then
        echo "thread sanitizer, $p: no report"
    else
        status=1
        echo "thread sanitizer, $p: failed"
        grep -c '^WARNING: ThreadSanitizer' "$work/log" || true
        head -60 "$work/log"
    fi
done
exit $status
