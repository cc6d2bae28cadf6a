#!/bin/bash
# The Debian packages: built from what is committed, checked by lintian, unpacked beside one another, and a small run there
# as an ordinary user. `tests/package/run.sh`; needs debhelper, lintian and what tools/install build installs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

git clone -q "$root" "$work/bioft"
(cd "$work/bioft" && dpkg-buildpackage -us -uc -b) >"$work/log" 2>&1 || { tail -n 60 "$work/log"; exit 1; }
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$work"/*.deb
for package in "$work"/*.deb; do
    case $package in *dbgsym*) ;; *) dpkg-deb -x "$package" "$work/system" ;; esac
done

prefix=$work/system/usr
if [ "$(id -u)" = 0 ]; then
    ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups env -i HOME="$work/home" PATH="$prefix/bin:$PATH")
else
    ordinary=(env -i HOME="$work/home" PATH="$prefix/bin:$PATH")
fi
mkdir -m 777 "$work/home"
cd "$work/home"
"${ordinary[@]}" bioft --version
"${ordinary[@]}" bioft plugin list >plugins
grep -q '^rule *usf' plugins
manifest=$prefix/share/doc/bioft/examples/manifests/quickstart.yaml
"${ordinary[@]}" bioft run "$manifest" --out first --quiet "$@"
test -s first/report.html
"${ordinary[@]}" bioft plugin new rule mine >/dev/null
"${ordinary[@]}" gcc -fPIC -shared -I "$prefix/include" -o mine.so mine/mine.c -lm
"${ordinary[@]}" bioft plugin show mine --plugin-path mine.so >/dev/null
"${ordinary[@]}" man "$prefix/share/man/man1/bioft.1.gz" >/dev/null 2>&1 || test ! -x /usr/bin/man
echo "packages: built, checked, run"
