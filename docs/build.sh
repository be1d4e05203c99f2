#!/usr/bin/env bash
# Builds the documentation into target/site/ and checks all its links.
#
# Installs mdBook and hyperlink into target/tools/ unless they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/target/tools
cargo_tool() { # crate@version, options of cargo
    grep -q "^\"${1/@/ } " "$tools/.crates.toml" 2>/dev/null && return
    CARGO_TARGET_DIR=$tools/build cargo install --quiet --locked --root "$tools" "$@"
}
cargo_tool mdbook@0.5.4 --no-default-features --features search
cargo_tool hyperlink@0.3.2
rm -rf "$tools/build"
"$tools/bin/mdbook" build docs
"$tools/bin/hyperlink" target/site --check-anchors
