#!/bin/sh
# bioft beside PyTorch on this machine, in pairs that alternate: docs/performance.md says how, and
# peer.py --help what may be chosen.
# usage: bench/peer.sh [BUILD] [OPTION...]     BUILD: a build folder (default: build)
# PEER_PYTHON names a Python with a newer torch and torchvision than /usr/bin/python3 has.
set -eu
here=$(dirname "$0")
build=build
case ${1:--} in
-*) ;;
*)
    build=$1
    shift
    ;;
esac
python=/usr/bin/python3
[ -x "$python" ] || python=python3

ninja --quiet -C "$build"
ninja --quiet -C "$build" bench/attack
exec "$python" "$here/peer.py" --build "$build" "$@"
