#!/usr/bin/env bash
# Builds didact-cuda on a machine with neither a CUDA toolkit nor a GPU: gpu/build.sh [CAPABILITY ...], without any 80 90.
#
# Needs Rust, gcc with C++, binutils, Python 3 with pip. Leaves target/gpu/didact-cuda-sm80, …: dfdx compiles its kernels for one
# capability, as PTX, which the driver translates for GPUs of this capability and of every later one, never of an earlier one.
#   CUDA_MAJOR        13 (default): libcublas.so.13 and libnvrtc.so.13 where it runs, a driver from 580 on.
#                     12: libcublas.so.12 and libnvrtc.so.12, a driver from 525 on.
#   DIDACT_GPU_TOOLS  where NVIDIA's compiler is kept (270 MB, installed once); default target/gpu/tools
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
# For each CUDA_MAJOR its own, cargo's target folder too: cargo does not see what is linked against.
work=$PWD/target/gpu/cuda$major
mkdir -p "$work/bin" "$work/lib"

# The compiler: NVIDIA's own wheels, which share one folder that looks like a toolkit. Their versions must agree. Moved into place
# when complete, so that an interrupted installation is not taken for one.
if [ ! -x "$tools/nvidia/cu13/bin/nvcc" ]; then
    rm -rf "$tools.part"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$tools.part" \
        nvidia-cuda-{nvcc,crt,runtime,cccl}==13.0.* nvidia-nvvm==13.0.*
    mv "$tools.part" "$tools"
fi
# dfdx compiles this path into the executable, for operations that are translated at run time; didact calls none of them.
export CUDA_PATH=$tools/nvidia/cu13
export PATH="$work/bin:$CUDA_PATH/bin:$PATH"

command_of_ours() {
    { echo '#!/bin/sh' && cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
# dfdx asks for the GPU even where it is told one.
command_of_ours nvidia-smi <<<'printf "compute_cap\n%s\n" "$CUDA_COMPUTE_CAP"'
# Drivers refuse PTX that is newer than they are by the version at its head. The kernels need nothing new: the head is set back to
# CUDA 12.0's, and ptxas, which knows what came with which version, must agree.
[ "$major" = 13 ] || command_of_ours nvcc <<'END'
set -e
"$CUDA_PATH/bin/nvcc" "$@"
for last; do [ "$before" != --output-directory ] || folder=$last; before=$last; done
[ -n "$folder" ] || exit 0
ptx=$folder/$(basename "$last" .cu).ptx
sed -i 's/^\.version .*/.version 8.0/' "$ptx"
ptxas --gpu-name "sm_$CUDA_COMPUTE_CAP" --output-file /dev/null "$ptx"
END

# What is linked against: libraries with the names of the real ones and every function that cudarc binds, which only fail. The
# driver says so in its words (34 is CUDA_ERROR_STUB_LIBRARY), should an executable ever find it instead of the real one.
cudarc=$(dirname "$(cargo metadata --locked --features cuda --format-version 1 | python3 -c '
import json, sys
print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')")
stub() { # module of cudarc, name of the library, what functions return, more C
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
# Not by RUSTFLAGS, which cannot hold a path with spaces.
export LIBRARY_PATH=$work/lib${LIBRARY_PATH:+:$LIBRARY_PATH}

# NVIDIA's libraries may lie beside the executable, or in the lib beside its bin.
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
