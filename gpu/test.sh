#!/usr/bin/env bash
# Checks didact on a GPU: compares every operation with PyTorch's recorded values and the CPU, then sweeps the real hazelnut images.
#
#   DIDACT, DIDACT_CUDA  the executables; by default `cargo build --release` builds both, which needs the CUDA toolkit
#   DIDACT_TEST_DATA     folder with the real images and weights (default ../shared/data)
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "gpu-test: $*" >&2 && exit 1; }

compgen -G '/dev/nvidia[0-9]*' >/dev/null || [ -e /dev/dxg ] || fail "no NVIDIA GPU on this machine"
if [ -z "${DIDACT_CUDA:-}" ]; then
    cargo build --release --locked --bin didact
    cargo build --release --locked --features cuda --bin didact-cuda
    DIDACT=target/release/didact DIDACT_CUDA=target/release/didact-cuda
fi
DIDACT=$(realpath "${DIDACT:-$(dirname "$DIDACT_CUDA")/didact}")
DIDACT_CUDA=$(realpath "$DIDACT_CUDA")
export DIDACT_CUDA
"$DIDACT_CUDA" devices || fail "cannot use the GPU"

"$DIDACT_CUDA" check
"$DIDACT_CUDA" check --tf32 | tail -n 1

data=$(realpath "${DIDACT_TEST_DATA:-../shared/data}" 2>/dev/null) || fail "no real data: set DIDACT_TEST_DATA"
weights=("$data"/resnet18*.safetensors)
[ -f "${weights[0]}" ] || fail "no real weights in $data (DIDACT_TEST_DATA)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
DIDACT_DATA=$data "$DIDACT" sweep experiments/hazelnut.toml --set teacher.weights="${weights[0]}" --device cuda \
    --store "$folder/didact.db" --no-report
python3 gpu/table.py "$folder/didact.db"
