#!/bin/sh
# Builds the plugin beside this file and tests whether it keeps bioft's contract.
set -eu
cd "$(dirname "$0")"
${CC:-cc} -std=c11 -O2 -Wall -Wextra -Wpedantic -fPIC -shared -fvisibility=hidden $(pkg-config --cflags bioft) \
    -o @NAME@.so @NAME@.c -lm
${BIOFT:-bioft} plugin test @NAME@.so@TESTOPTIONS@
