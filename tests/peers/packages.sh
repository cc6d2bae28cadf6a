#!/bin/sh
# Attacks of other packages: packages.sh BUILD fetches Foolbox and torchattacks from PyPI into BUILD/peers, unless they are
# there, and prints that folder. They use the torch of the Python that imports them.
set -eu
build=$(cd "$1" && pwd)
packages=$build/peers
done=$packages/attacks-1
if [ ! -e "$done" ]; then
    rm -rf "$packages"
    mkdir -p "$packages"
    /usr/bin/python3 -m pip install -q --root-user-action=ignore --no-deps --target "$packages" foolbox==3.3.4 torchattacks==3.5.1 \
        eagerpy==0.30.0 gitpython gitdb smmap requests urllib3 idna certifi charset-normalizer >&2
    touch "$done"
fi
echo "$packages"
