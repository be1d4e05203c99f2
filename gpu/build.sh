#!/usr/bin/env bash
# Builds didact-cuda without a CUDA toolkit or a GPU: gpu/build.sh [CAPABILITY ...] (default: 80 90).
#
# Needs Rust, gcc with C++, binutils, Python 3 with pip. Creates target/gpu/didact-cuda-sm80, …. dfdx compiles its kernels to PTX for
# one capability. The driver translates it for GPUs of this capability and every later one, but of no earlier one.
#   CUDA_MAJOR        13 (default): needs libcublas.so.13, libnvrtc.so.13 and a driver of version 580 or later at run time.
#                     12: needs libcublas.so.12, libnvrtc.so.12 and a driver of version 525 or later.
#   DIDACT_GPU_TOOLS  folder of NVIDIA's compiler (270 MB, installed once); default target/gpu/tools
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 80 90
major=${CUDA_MAJOR:-13}
case $major in
12) driver=525 ;;
13) driver=580 ;;
*) echo "CUDA_MAJOR=$major: expected 12 or 13" >&2 && exit 2 ;;
esac
tools=${DIDACT_GPU_TOOLS:-$PWD/target/gpu/tools}
# Each CUDA_MAJOR has its own folders, cargo's target folder included: cargo does not notice a change of the linked libraries.
work=$PWD/target/gpu/cuda$major
mkdir -p "$work/bin" "$work/lib"

# The compiler comes from NVIDIA's wheels, which share one folder like a toolkit. Their versions must agree. The folder is moved into
# place when it is complete, so that an interrupted installation is not used.
if [ ! -x "$tools/nvidia/cu13/bin/nvcc" ]; then
    rm -rf "$tools.part"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$tools.part" \
        nvidia-cuda-{nvcc,crt,runtime,cccl}==13.0.* nvidia-nvvm==13.0.*
    mv "$tools.part" "$tools"
fi
# dfdx compiles this path into the executable for operations that are translated at run time; didact uses none of them.
export CUDA_PATH=$tools/nvidia/cu13
export PATH="$work/bin:$CUDA_PATH/bin:$PATH"

install_wrapper() {
    { echo '#!/bin/sh' && cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
# dfdx queries the GPU's capability even if it is given.
install_wrapper nvidia-smi <<<'printf "compute_cap\n%s\n" "$CUDA_COMPUTE_CAP"'
# Drivers refuse PTX whose version is newer than theirs. The kernels use no new features, so the version is set back to CUDA 12.0's.
# ptxas, which checks the features of each version, must accept the result.
[ "$major" = 13 ] || install_wrapper nvcc <<'END'
set -e
"$CUDA_PATH/bin/nvcc" "$@"
for last; do [ "$before" != --output-directory ] || folder=$last; before=$last; done
[ -n "$folder" ] || exit 0
ptx=$folder/$(basename "$last" .cu).ptx
sed -i 's/^\.version .*/.version 8.0/' "$ptx"
ptxas --gpu-name "sm_$CUDA_COMPUTE_CAP" --output-file /dev/null "$ptx"
END

# Stub libraries to link against: they have the real names and every function that cudarc binds, but all functions fail. If an
# executable loads the driver's stub instead of the real driver, it reports this (34 is CUDA_ERROR_STUB_LIBRARY).
cudarc=$(dirname "$(cargo metadata --locked --features cuda --format-version 1 | python3 -c '
import json, sys
print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')")
stub() { # module of cudarc, name of the library, return value of functions, additional C
    {
        echo "${4:-}"
        sed -nE "/ cuGetError/d; s/^ *pub fn ((cu|nvrtc)[A-Za-z0-9_]+)\(.*/int \1(void) { return $3; }/p" "$cudarc/src/$1/sys.rs"
    } | cc -shared -fPIC "-Wl,-soname,$2" -o "$work/lib/$2" -x c -
    ln -sf "$2" "$work/lib/${2%%.*}.so"
}
stub driver libcuda.so.1 34 '
int cuGetErrorName(int error, const char **text) { *text = "CUDA_ERROR_STUB_LIBRARY"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "this libcuda is a stub, for linking only"; return 0; }'
stub cublas "libcublas.so.$major" 1
stub cublaslt "libcublasLt.so.$major" 1
stub nvrtc "libnvrtc.so.$major" 1
# RUSTFLAGS cannot contain a path with spaces, so use LIBRARY_PATH.
export LIBRARY_PATH=$work/lib${LIBRARY_PATH:+:$LIBRARY_PATH}

# NVIDIA's libraries may be next to the executable, or in the lib folder next to its bin folder.
export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-rpath,\$ORIGIN:\$ORIGIN/../lib"
export CARGO_TARGET_DIR=$work/cargo CARGO_PROFILE_RELEASE_DEBUG=false
for capability; do
    CUDA_COMPUTE_CAP=$capability cargo build --release --locked --features cuda --bin didact-cuda
    install -m 755 "$CARGO_TARGET_DIR/release/didact-cuda" "target/gpu/didact-cuda-sm$capability"
done

for capability; do
    built=target/gpu/didact-cuda-sm$capability
    libraries=$(readelf -d "$built" | sed -nE 's/.*NEEDED.*\[(lib(cu|nv).*)\]/\1/p' | paste -sd ' ')
    glibc=$(objdump -T "$built" | sed -nE 's/.*GLIBC_([0-9.]+).*/\1/p' | sort -V | tail -n 1)
    echo "$built: $(($(wc -c <"$built") >> 20)) MiB; a GPU of capability ${capability%?}.${capability#"${capability%?}"} or later"
    echo "    with a driver from $driver on; $libraries; glibc $glibc or later"
done
