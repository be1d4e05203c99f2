#!/usr/bin/env bash
# Compiles the GPU kernels, kernels/kernels.cu, to kernels/kernels.ptx without a CUDA toolkit or a GPU.
#
#   gpu/build.sh           makes kernels/kernels.ptx anew
#   gpu/build.sh --check   checks that it was made from the present sources and not edited, and translates it for several kinds of GPUs
#
# Needs g++ and Python 3 with pip. The driver translates the PTX for GPUs of capability 8.0 and every later one.
#   DIDACT_GPU_TOOLS  folder of NVIDIA's compiler (270 MB, installed once); default target/gpu/tools
set -euo pipefail
export LC_ALL=C  # the order of the sources must not depend on the language
cd "$(dirname "$0")/.."
case $* in
'' | --check) mode=${1:-} ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac

# Only the same compiler gives the same bytes. These wheels share one folder like a toolkit.
wheels=(nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 nvidia-nvvm==13.0.88)
tools=${DIDACT_GPU_TOOLS:-$PWD/target/gpu/tools}
# The folder is moved into place when it is complete, so that an interrupted installation is not used.
install_tools() {
    [ "$(cat "$tools/wheels.txt" 2>/dev/null)" != "${wheels[*]}" ] || return 0
    rm -rf "$tools.part"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$tools.part" "${wheels[@]}" || return 1
    echo "${wheels[*]}" >"$tools.part/wheels.txt" || return 1
    rm -rf "$tools" && mv "$tools.part" "$tools"
}
# The compiler chooses between equivalent instructions, and orders them, by the addresses of its objects: another machine gives another
# text. So the first line names the sources and the text that it gave, and a check needs no second compilation.
options=(-arch=compute_80 -ptx -fmad=false -ftz=false -prec-div=true -prec-sqrt=true -O3)
stamp() { # file whose lines from the second on are the kernels
    local sources text
    sources=$({ echo "${wheels[*]} ${options[*]}" && cat kernels/*.cu kernels/*.cuh; } | sha256sum | cut -d ' ' -f 1)
    text=$(tail -n +2 "$1" | sha256sum | cut -d ' ' -f 1)
    echo "// Made by gpu/build.sh from sources with SHA-256 $sources; the lines below have SHA-256 $text"
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# ptxas checks what each version and each GPU has.
try_gpus() { # file
    local known capability capabilities=()
    known=$("$bin/ptxas" --help)
    for capability in 80 90 100 120; do
        grep -q "'sm_$capability'" <<<"$known" || continue
        "$bin/ptxas" --gpu-name "sm_$capability" --output-file "$folder/kernels.cubin" "$1"
        capabilities+=("${capability%?}.${capability#"${capability%?}"}")
    done
    echo "kernels/kernels.ptx: $(($(wc -c <"$1") >> 10)) KiB, ${#capabilities[@]} kinds of GPUs tried: ${capabilities[*]}"
}
bin=$tools/nvidia/cu13/bin

if [ "$mode" = --check ]; then
    ptx=kernels/kernels.ptx
    if [ "$(head -n 1 "$ptx")" != "$(stamp "$ptx")" ]; then
        echo "$ptx was made from other sources, or was edited; run gpu/build.sh" >&2
        exit 1
    fi
    gpu/check_ptx.sh "$ptx"
    if install_tools; then
        try_gpus "$ptx"
    else
        echo "not translated: NVIDIA's compiler cannot be installed"
    fi
    exit 0
fi
install_tools

# Paths are relative: the result does not depend on the folder. Products and sums are not fused, and nothing is approximated.
# Drivers refuse PTX whose version is newer than theirs. The kernels need no new features, so the version is set back to CUDA 12.0's,
# and hints that it does not know, which bytes of a load are used, go.
made=$folder/kernels.ptx
env --unset=NVCC_PREPEND_FLAGS --unset=NVCC_APPEND_FLAGS PATH="$bin:$PATH" nvcc "${options[@]}" kernels/kernels.cu -o "$folder/text.ptx"
sed -i -e 's/^\.version .*/.version 8.0/' -e '/^[[:space:]]*\.pragma "used_bytes_mask /d' "$folder/text.ptx"
{ echo && cat "$folder/text.ptx"; } >"$made"
sed -i "1c\\$(stamp "$made")" "$made"
gpu/check_ptx.sh "$made"
try_gpus "$made"
install -m 644 "$made" kernels/kernels.ptx
