#!/bin/sh
# How fast lenet5 trains with one thread and with two, and how many times as fast that is.
# usage: bench/threads.sh [BIOFT]     BIOFT: the program (default: bioft). Other load makes the figures worthless.
set -eu
bioft=${1:-bioft}

rate() {
    "$bioft" bench train --backbone lenet5 --batch 64 --steps 400 --threads "$1" --json |
        sed 's/.*"images_per_s": *\([0-9.]*\).*/\1/'
}

one=$(rate 1)
two=$(rate 2)
echo "lenet5, batch 64, Adam, best of 400 steps:"
echo "  1 thread:  $one images/s"
echo "  2 threads: $two images/s"
awk -v one="$one" -v two="$two" 'BEGIN { printf "  2 threads are %.2f times as fast as 1\n", two / one }'
