#!/usr/bin/env bash
# Compiles the GPU kernels, kernels/kernels.cu, to kernels/kernels.ptx without a CUDA toolkit or a GPU.
#
#   gpu/build.sh           makes kernels/kernels.ptx anew
#   gpu/build.sh --check   compares it with a new one; says "not compared" where NVIDIA's compiler cannot be installed
#
# Needs g++ and Python 3 with pip. The driver translates the PTX for GPUs of capability 8.0 and every later one.
#   DIDACT_GPU_TOOLS  folder of NVIDIA's compiler (270 MB, installed once); default target/gpu/tools
set -euo pipefail
export LC_ALL=C  # sort and comm must agree
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
if ! install_tools; then
    [ "$mode" = --check ] || exit 1
    echo "not compared: NVIDIA's compiler cannot be installed"
    exit 0
fi
bin=$tools/nvidia/cu13/bin
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
made=$folder/kernels.ptx

# Paths are relative: the result does not depend on the folder. Products and sums are not fused, and nothing is approximated.
# Drivers refuse PTX whose version is newer than theirs. The kernels need no new features, so the version is set back to CUDA 12.0's,
# and hints that it does not know, which bytes of a load are used, go.
compile() { # prefix of the command
    "$@" env --unset=NVCC_PREPEND_FLAGS --unset=NVCC_APPEND_FLAGS PATH="$bin:$PATH" nvcc -arch=compute_80 -ptx -fmad=false -ftz=false \
        -prec-div=true -prec-sqrt=true -O3 kernels/kernels.cu -o "$made"
    sed -i -e 's/^\.version .*/.version 8.0/' -e '/^[[:space:]]*\.pragma "used_bytes_mask /d' "$made"
}
# The compiler chooses between equivalent instructions by addresses of its objects. Memory from one place that is not given back, a stack
# of the usual size and no random addresses, where the system allows that, give it the same addresses each time.
ulimit -S -s 8192
fixed=(env MALLOC_CONF=dss:primary,dirty_decay_ms:-1,muzzy_decay_ms:-1,narenas:1)
! setarch --addr-no-randomize true 2>/dev/null || fixed+=(setarch --addr-no-randomize)
compile "${fixed[@]}"

# ptxas checks what each version and each GPU has.
capabilities=()
known=$("$bin/ptxas" --help)
for capability in 80 90 100 120; do
    grep -q "'sm_$capability'" <<<"$known" || continue
    "$bin/ptxas" --gpu-name "sm_$capability" --output-file "$folder/kernels.cubin" "$made"
    capabilities+=("${capability%?}.${capability#"${capability%?}"}")
done
gpu/check_ptx.sh "$made"

if [ "$mode" != --check ]; then
    install -m 644 "$made" kernels/kernels.ptx
    echo "kernels/kernels.ptx: $(($(wc -c <"$made") >> 10)) KiB, ${#capabilities[@]} kinds of GPUs tried: ${capabilities[*]}"
    exit 0
fi

if cmp --quiet "$made" kernels/kernels.ptx; then
    echo "kernels/kernels.ptx is what kernels/kernels.cu gives, byte for byte"
    exit 0
fi
# With other headers of the system, the compiler's objects have other addresses. Then each kernel must be equal to that of one of some
# results with random addresses. Each kernel is one line: its name and its text.
kernels_of() {
    awk '
    /\.entry/ { name = $0; sub(/.*\.entry[ \t]+/, "", name); sub(/[( \t].*/, "", name) }
    { text = text "\\n" $0 }
    /^}/ { print name "\t" text; name = text = "" }
    END { print "end\t" text }' "$1" | sort
}
kernels_of kernels/kernels.ptx >"$folder/committed"
: >"$folder/seen"
for _ in {1..8}; do
    kernels_of "$made" | sort -u -o "$folder/seen" - "$folder/seen"
    comm -23 "$folder/committed" "$folder/seen" | cut -f 1 >"$folder/different"
    [ -s "$folder/different" ] || break
    # A kernel that is missing, or has other arguments, does not become equal.
    compile env --unset=MALLOC_CONF
done
if [ -s "$folder/different" ] || [ "$(cut -f 1 "$folder/committed" | sort)" != "$(kernels_of "$made" | cut -f 1)" ]; then
    echo "kernels/kernels.ptx is not what kernels/kernels.cu gives; run gpu/build.sh. Different: $(paste -sd ' ' "$folder/different")" >&2
    exit 1
fi
echo "kernels/kernels.ptx is what kernels/kernels.cu gives, kernel by kernel"
