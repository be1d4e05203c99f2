#!/usr/bin/env bash
# Runs the GPU kernels, and everything above them, on the CPU: g++ compiles them with an emulated driver, which the tests load instead of
# NVIDIA's.
#
#   gpu/emulate.sh          all tests
#   gpu/emulate.sh --build  only makes target/emulation/libcuda.so.1, for LD_LIBRARY_PATH and DIDACT_EMULATION, and an emulated cuDNN in
#                           target/emulation/cudnn, for LD_LIBRARY_PATH, too
#
# Needs Rust, and g++ for x86-64 with C++20.
set -euo pipefail
cd "$(dirname "$0")/.."
case $* in
'' | --build) ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
folder=$PWD/target/emulation
# The same arithmetic as on a GPU: products and sums are fused only where the source says so.
flags=(-std=c++20 -ffp-contract=off -mfma -Wall -Wno-unknown-pragmas)

# Compiles the driver into a folder, unless it is newer than its sources.
driver() { # folder, flags of the compiler
    local to=$1 && shift
    mkdir -p "$to"
    if [ -z "$(find kernels "$0" -newer "$to/libcuda.so.1" -print -quit 2>&1)" ]; then return; fi
    g++ "${flags[@]}" "$@" -fPIC -fvisibility=hidden -shared -Wl,-soname,libcuda.so.1 kernels/emulation/driver.cpp -o "$to/libcuda.so.1"
    ln -sf libcuda.so.1 "$to/libcuda.so"
}
# Compiles the emulated cuDNN into a folder of its own, so that the driver can be on the loader's path without it.
cudnn() { # folder, flags of the compiler
    local to=$1 part && shift
    mkdir -p "$to"
    if [ -z "$(find kernels/emulation/cudnn.cpp "$0" -newer "$to/libcudnn.so.9" -print -quit 2>&1)" ]; then return; fi
    g++ "${flags[@]}" "$@" -fPIC -fvisibility=hidden -shared -Wl,-soname,libcudnn.so.9 kernels/emulation/cudnn.cpp -ldl -o "$to/libcudnn.so.9"
    for part in graph ops cnn; do ln -sf libcudnn.so.9 "$to/libcudnn_$part.so.9"; done
}
driver "$folder" -O2
cudnn "$folder/cudnn" -O2
[ "$*" != --build ] || exit 0

echo "== the emulation finds removed barriers, accesses out of bounds and other mistakes"
for tests in tests driver_tests cudnn_tests; do
    g++ "${flags[@]}" -O2 "kernels/emulation/$tests.cpp" -ldl -o "$folder/$tests"
done
"$folder/tests"
"$folder/driver_tests" "$folder/libcuda.so.1"
"$folder/cudnn_tests" "$folder/libcuda.so.1" "$folder/cudnn/libcudnn.so.9"

cargo test --features full --lib --no-run
echo "== operations and phases, with blocks and threads in a random order, and work that waits as long as it may"
EMULATION_ORDER=random:7 EMULATION_LAZY=1 LD_LIBRARY_PATH=$folder cargo test --quiet --features full --lib -- --ignored cuda
echo "== convolutions by an emulated cuDNN, and by own kernels where it refuses"
convolutions=(on_cuda::convolution on_cuda::transposed on_cuda::outputs cuda_agrees_with_the_cpu)
export LD_LIBRARY_PATH=$folder:$folder/cudnn
DIDACT_CUDA_TESTING=cudnn cargo test --quiet --features full --lib -- --ignored "${convolutions[@]}"
DIDACT_CUDA_TESTING=cudnn EMULATION_CUDNN_REFUSES=strides EMULATION_LAZY=1 cargo test --quiet --features full --lib -- --ignored "${convolutions[@]}"
unset LD_LIBRARY_PATH
echo "== operations with a check of every access to memory"
driver "$folder/checked" -O1 -g -fsanitize=address
cudnn "$folder/checked/cudnn" -O1 -g -fsanitize=address
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="env LD_PRELOAD=$(g++ -print-file-name=libasan.so) LD_LIBRARY_PATH=$folder/checked:$folder/checked/cudnn"
ASAN_OPTIONS=detect_leaks=0 DIDACT_CUDA_TESTING="apart eager" cargo test --quiet --features full --lib -- --ignored on_cuda
ASAN_OPTIONS=detect_leaks=0 DIDACT_CUDA_TESTING="apart eager cudnn" cargo test --quiet --features full --lib -- --ignored "${convolutions[@]}"
unset CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER
echo "== sweeps, predictions and errors"
DIDACT_EMULATION=$folder cargo test --quiet --features full --test black_box devices
echo "== kills at random moments do not change what a GPU computes"
DIDACT_TORTURE_DEVICE=cuda DIDACT_TORTURE_KILLS=5 LD_LIBRARY_PATH=$folder cargo test --quiet --features full --test black_box kills_at_random
