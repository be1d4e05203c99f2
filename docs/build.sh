#!/usr/bin/env bash
# Builds the documentation into target/site/ and checks all its links.
#
# Installs mdBook and hyperlink into target/tools/ unless they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/tools.sh
cargo_tool mdbook@0.5.4 --no-default-features --features search
cargo_tool hyperlink@0.3.2
"$tools/bin/mdbook" build docs
"$tools/bin/hyperlink" target/site --check-anchors
