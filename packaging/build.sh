#!/usr/bin/env bash
# Makes packages of the release program.
#
#   packaging/build.sh          makes everything in target/package/: wheel, tarball, container definition, licences, checksums
#   packaging/build.sh --wheel  makes a wheel around the program that the tests build, installs it in a fresh environment, and uses it
#
# Needs Rust and Python 3 with pip. Other tools are installed into target/tools/.
set -euo pipefail
cd "$(dirname "$0")/.."
case $* in
'' | --wheel) mode=${1:-} ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
. packaging/tools.sh
out=$PWD/target/package
python=$tools/python/bin/python

# Tools with fixed versions: the same sources make the same packages.
wheels=(maturin==1.16.0)
[ "$mode" = --wheel ] || wheels+=(ziglang==0.17.1)
[ -x "$python" ] || python3 -m venv "$tools/python"
"$python" -m pip install --quiet --disable-pip-version-check "${wheels[@]}"
# maturin builds with cargo-zigbuild, which is part of it and finds ziglang through the environment's Python.
export PATH=$tools/python/bin:$tools/bin:$PATH VIRTUAL_ENV=$tools/python

# Installs a wheel in an environment that has nothing else, and uses it.
try_wheel() { # wheel
    local folder
    folder=$(mktemp -d)
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet --disable-pip-version-check --no-index "$1"
    (
        cd "$folder"
        export PATH=$folder/python/bin:$PATH
        didact --version
        didact data synth drawn --side 64 >/dev/null
        didact data check drawn >/dev/null
        didact sweep --set name=try --set 'data.categories=["washer"]' --set 'search.seeds=[0]' --set joint.epochs=1 --set pretrain.epochs=1 2>/dev/null
        didact export try --format parquet --out try.parquet
        test -s reports/try/index.html
    )
    rm -rf "$folder"
}

if [ "$mode" = --wheel ]; then
    rm -rf target/wheel
    # The profile and the features of the tests: nothing is compiled again.
    maturin build --quiet --profile dev --compatibility linux --out target/wheel
    try_wheel target/wheel/*.whl
    exit
fi

cargo_tool cargo-deny@0.20.2
cargo_tool cargo-about@0.9.3 --features cli
rm -rf "$out"
mkdir -p "$out"

echo "== licences"
cargo deny --all-features check licenses bans sources
cargo about generate --locked --config packaging/about.toml --all-features packaging/licences.hbs --output-file "$out/THIRD-PARTY-LICENSES.txt"

echo "== wheel for glibc 2.28 and later"
glibc=2.28
maturin build --quiet --release --locked --zig --compatibility "manylinux_${glibc/./_}" --target x86_64-unknown-linux-gnu --out "$out"
try_wheel "$out"/*.whl

echo "== tarball with the program of the wheel"
version=$(cargo pkgid | sed 's/.*[#@]//')
name=didact-$version-x86_64-linux
mkdir -p "$out/$name/completions"
python3 -m zipfile --extract "$out"/*.whl "$out/wheel"
program=$out/$name/didact
install -m 755 "$out"/wheel/didact-*.data/scripts/didact "$program"
rm -r "$out/wheel"
newest=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
if [ "$(printf '%s\n' "$newest" "GLIBC_$glibc" | sort -V | tail -n 1)" != "GLIBC_$glibc" ]; then
    echo "the program needs $newest, but should run with glibc $glibc" >&2
    exit 1
fi
echo "highest symbol: $newest"
cp README.md CHANGELOG.md LICENSE "$out/THIRD-PARTY-LICENSES.txt" "$out/$name"
cp -r experiments "$out/$name"
"$program" man --out "$out/$name/man" >/dev/null
rm -f "$out/$name"/man/.didact*
for shell in bash fish zsh; do "$program" completions "$shell" >"$out/$name/completions/didact.$shell"; done
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$out" -czf "$out/$name.tar.gz" "$name"
rm -r "${out:?}/$name"

echo "== container definition and checksums"
sed "s/@TARBALL@/$name.tar.gz/g; s/@NAME@/$name/g" packaging/didact.def >"$out/didact.def"
(cd "$out" && sha256sum -- * >SHA256SUMS)
ls -l "$out"
