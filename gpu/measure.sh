#!/usr/bin/env bash
# Checks and measures didact on a GPU, with PyTorch beside it. Takes at most eight minutes, needs no network, and ends in one Markdown table.
#
#   gpu/measure.sh [PYTHON]    with this Python (default python3); without torch, the columns of PyTorch stay empty
#                              The exit code is 1 if a step failed or bits differ; the other steps run all the same.
#   gpu/measure.sh --expected  on a machine without a GPU: writes target/emulation/expected.csv, the numbers that a GPU should give; needs g++
#
#   DIDACT            the program (default target/release/didact); build it first
#   OUT               folder for log.txt, table.md and raw.tar.gz, the output of each step (default target/gpu/measured)
#   DIDACT_DATA       folder with hazelnut/, and
#   MEASURE_WEIGHTS   teacher weights, for the skip ablation; without them it is left out, and other sweeps use random weights ("demo": the demo's)
#   MEASURE_PARTS     what to do (default "start check speed sanitizer workers ablation kernels")
#   MEASURE_SECONDS   time for everything (480)
#   MEASURE_BATCHES, MEASURE_SIDE, MEASURE_STEPS, MEASURE_REPEATS, MEASURE_EPOCHS    smaller sizes, to try the script on the emulated driver
#   MEASURE_PATIENCE  factor for the time limits of steps (1); more on the emulated driver
#   MEASURE_DEVICE    PyTorch's device (cuda); cpu to try the script
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
[ "$#" -le 1 ] || usage
case ${1:-} in
--expected | '') ;;
-*) usage ;;
esac

didact=${DIDACT:-target/release/didact}
[ -x "$didact" ] || { echo "measure: no program $didact: run cargo build --release, or set DIDACT" >&2 && exit 1; }
didact=$(realpath "$didact")
data=${DIDACT_DATA:-}
weights=${MEASURE_WEIGHTS:-}
[ ! -f "$weights" ] || weights=$(realpath "$weights")
# The caller's settings must not change a sweep.
unset DIDACT_DATA DIDACT_STORE DIDACT_ARTIFACTS DIDACT_FAULT DIDACT_CUDA_TESTING
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
raw=$work/raw
mkdir "$raw"
expected=target/emulation/expected.csv
gpu=cuda:0

# Runs the sweep whose bits are compared; writes its numbers and the digests of its files.
bits=(gpu/measure.py bits "$didact" "$gpu" kernels/kernels.ptx)

if [ "${1:-}" = --expected ]; then
    gpu/emulate.sh --build
    LD_LIBRARY_PATH=$PWD/target/emulation python3 "${bits[@]}" "$work/expected.csv"
    mv "$work/expected.csv" "$expected"
    echo "wrote $expected ($(wc -l <"$expected") lines)"
    exit
fi

python=${1:-python3}
out=${OUT:-target/gpu/measured}
parts=${MEASURE_PARTS:-start check speed sanitizer workers ablation kernels}
limit=${MEASURE_SECONDS:-480}
read -ra batches <<<"${MEASURE_BATCHES:-8 32}"
side=${MEASURE_SIDE:-256}
# Many steps, because the first ones record the graphs.
steps=${MEASURE_STEPS:-100}
repeats=${MEASURE_REPEATS:-5}
epochs=${MEASURE_EPOCHS:-40}
device=${MEASURE_DEVICE:-cuda}
largest=${batches[-1]}
mkdir -p "$out"
out=$(realpath "$out")
# The cuDNN that Python's packages brought.
cudnn_folder=$("$python" -c 'import nvidia.cudnn as it; print(list(it.__path__)[0] + "/lib")' 2>/dev/null) || true
[ -z "$cudnn_folder" ] || export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$cudnn_folder
rm -f "$out/log.txt" "$out/table.md" "$out/raw.tar.gz"

now() { # milliseconds
    echo $((${EPOCHREALTIME/./} / 1000))
}
seconds() { # milliseconds
    printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100))
}
# Notes a line for the summary.
fact() {
    echo "$*"
    echo "$*" >>"$raw/facts.txt"
}
# Finds a tool of the CUDA toolkit.
tool() {
    command -v "$1" || compgen -G "/usr/local/cuda*/bin/$1" || compgen -G "/opt/nvidia/nsight-*/*/$1"
}
# Runs a command within its time and within what is left of the whole. Its output goes to a file, and its last lines are shown. Sets `took` to
# its milliseconds.
took=0
step() { # name, limit in seconds, lines to show, file, command…
    local name=$1 most=$2 lines=$3 file=$raw/$4 left=$((limit - SECONDS)) code=0 started
    shift 4
    most=$((most * ${MEASURE_PATIENCE:-1}))
    if ((left < 5)); then
        fact "- $name: left out, the time is over"
        return 1
    fi
    ((most < left)) || most=$left
    echo "-- $name"
    started=$(now)
    timeout --kill-after=5 "$most" "$@" >"$file" 2>&1 </dev/null || code=$?
    took=$(($(now) - started))
    ((code == 0 || lines >= 20)) || lines=20
    tail -n "$lines" "$file"
    tar -czf "$out/raw.tar.gz" -C "$work" raw
    case $code in
    0) echo "   $(seconds "$took")" ;;
    124 | 137) fact "- $name: stopped after $most s" ;;
    *) fact "- $name: failed with exit code $code after $(seconds "$took")" ;;
    esac
    return "$code"
}
about() {
    date -u '+%F %T UTC'
    echo "program: $("$didact" --version)"
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader 2>/dev/null ||
        grep -h version /proc/driver/nvidia/version 2>/dev/null || echo "no nvidia-smi"
    step "didact devices" 15 9 devices.txt "$didact" devices || true
    if ! grep -q "^$gpu " "$raw/devices.txt"; then
        echo "measure: didact finds no GPU" >&2
        return 1
    fi
    fact "- card: $(sed -n "s/^$gpu  *//p" "$raw/devices.txt" | sed 's/   */, /g'); driver $(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null || echo unknown)"
    fact "- processor: $(nproc) cores, $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)"
    fact "- cuDNN: $(grep -h -o 'cuDNN [0-9.]*$' "$raw/devices.txt" || echo "none on the loader's path; its column is empty")"
}

# The first start translates the kernels for the card, which the driver keeps in a folder.
start() {
    export CUDA_CACHE_PATH=$work/cache
    local first
    step "first start: didact check" 90 1 check-first.txt "$didact" check --device "$gpu" || return 0
    first=$took
    step "second start: didact check" 60 1 check-second.txt "$didact" check --device "$gpu" || return 0
    fact "- didact check takes $(seconds "$first") at the first start and $(seconds "$took") at the second: translating the kernels takes $(seconds $((first - took)))"
}

check() {
    step "check, f32" 60 1 check-f32.txt "$didact" check --device "$gpu" || grep -s " !" "$raw/check-f32.txt" || true
    fact "- check, f32: $(last check-f32.txt)"
    step "check, TF32" 60 1 check-tf32.txt "$didact" check --device "$gpu" --tf32 || true
    fact "- check, TF32: $(last check-tf32.txt)"
    step "bits: a sweep" 45 1 bits-one.txt "$python" "${bits[@]}" "$work/one.csv" || return 0
    step "bits: the same sweep again" 45 1 bits-two.txt "$python" "${bits[@]}" "$work/two.csv" && same "again" two
    step "bits: without graphs" 45 1 bits-eager.txt env DIDACT_CUDA_TESTING=eager "$python" "${bits[@]}" "$work/eager.csv" &&
        same "without graphs" eager
    if [ -f "$expected" ]; then
        cp "$expected" "$work/expected.csv"
        same "on the emulated driver" expected
    else
        fact "- bits, on the emulated driver: not compared, because there is no $expected (gpu/measure.sh --expected)"
    fi
}
last() { # file
    tail -n 1 "$raw/$1" 2>/dev/null | grep . || echo "no result"
}
same() { # what, file
    fact "- bits, $1: $("$python" gpu/measure.py compare "$work/one.csv" "$work/$2.csv" 2>&1 | tail -n 1)"
}

speed() {
    local batch numerics flags graphs=() torch=1 own=(--convolutions own) cudnn
    cudnn=$(grep -h '^cuDNN' "$raw/devices.txt") || true
    [ "$device" != cuda ] || graphs=(--graphs)
    timeout 60 "$python" -c "import torch; torch.zeros(1, device='$device')" >"$raw/torch.txt" 2>&1 || torch=
    [ -n "$torch" ] || fact "- PyTorch: NOT MEASURED, because $python has no torch that can use $device ($(last torch.txt)); its columns are empty"
    for batch in "${batches[@]}"; do
        for numerics in f32 tf32; do
            flags=(--batch "$batch" --size "$side")
            [ "$numerics" = f32 ] || flags+=(--tf32)
            # Before and after PyTorch, so that a slow moment or a hot card affects both.
            didact_speed "$batch" "$numerics" graphs-1 DIDACT_CUDA_TESTING= "${own[@]}" "${flags[@]}"
            if [ -n "$torch" ]; then
                # Once more without its graphs if their capture fails.
                pytorch "$batch" "$numerics" "${flags[@]}" "${graphs[@]}" || ((${#graphs[@]} == 0)) || pytorch "$batch" "$numerics" "${flags[@]}" || true
            fi
            didact_speed "$batch" "$numerics" graphs-2 DIDACT_CUDA_TESTING= "${own[@]}" "${flags[@]}"
            didact_speed "$batch" "$numerics" eager DIDACT_CUDA_TESTING=eager "${own[@]}" "${flags[@]}"
            [ -z "$cudnn" ] || didact_speed "$batch" "$numerics" cudnn DIDACT_CUDA_TESTING= --convolutions cudnn "${flags[@]}"
        done
    done
}
didact_speed() { # batch, numerics, way, setting, flags…
    local batch=$1 numerics=$2 way=$3 setting=$4
    shift 4
    step "didact, batch $batch, $numerics, $way" 60 5 "speed-$batch-$numerics-$way.txt" \
        env "$setting" "$didact" speed --device "$gpu" --steps "$steps" "$@" || true
}
# Takes four steps in a row, because didact waits for the card after four.
pytorch() { # batch, numerics, flags…
    local batch=$1 numerics=$2
    shift 2
    step "PyTorch, batch $batch, $numerics" 75 0 "pytorch-$batch-$numerics.txt" \
        "$python" benches/pytorch/steps.py --device "$device" --threads "$(nproc)" --repeats "$repeats" --burst 4 "$@" \
        --rows stfpm_step joint_step pretrain_step
}

sanitizer() {
    local program
    program=$(tool compute-sanitizer | head -n 1) || true
    if [ -z "$program" ]; then
        fact "- compute-sanitizer: not there"
        return 0
    fi
    # Every buffer gets memory of its own, so that an access beyond it is seen.
    step "memcheck" 45 3 memcheck.txt env DIDACT_CUDA_TESTING="apart eager" \
        "$program" --tool memcheck --error-exitcode 9 --print-limit 20 "$didact" check --device "$gpu" || true
    fact "- compute-sanitizer memcheck: $(verdict memcheck.txt)"
    step "racecheck" 45 3 racecheck.txt env DIDACT_CUDA_TESTING=eager \
        "$program" --tool racecheck --error-exitcode 9 --print-limit 20 "$didact" check --device "$gpu" || true
    fact "- compute-sanitizer racecheck: $(verdict racecheck.txt)"
}
verdict() { # file
    grep -h SUMMARY "$raw/$1" 2>/dev/null | tail -n 1 | sed 's/^=* *//' | grep . || echo "no summary"
}

workers() {
    local number teacher=$weights
    if [ -z "$teacher" ]; then
        teacher=$work/random.safetensors
        step "random teacher" 30 1 teacher.txt "$python" gpu/measure.py weights "$teacher" || return 0
    fi
    cat >"$work/workers.toml" <<TOML
schema = 1
name = "workers"
question = "How many workers should share a card?"
[data]
layout = "synthetic"
categories = ["weave"]
image_size = $side
synthetic = { side = $side, train = 100, test_good = 4, test_per_defect = 2 }
[teacher]
weights = "$teacher"
[pretrain]
epochs = 1
batch_size = 8
[joint]
recipe = "seed"
epochs = $epochs
batch_size = 8
[search]
seeds = [0, 1, 2, 3]
[baseline]
rerun = false
TOML
    for number in 1 2 4; do
        step "four runs on $number worker(s)" 60 1 "workers-$number.txt" "$didact" sweep "$work/workers.toml" --store "$work/workers-$number.db" \
            --no-report --device "$gpu" --workers-per-gpu "$number" || continue
        fact "- four runs on $number worker(s): $(seconds "$took"), $("$python" gpu/measure.py costs "$work/workers-$number.db" 2>&1 | tail -n 1)"
    done
}

ablation() {
    if [ -z "$data" ] || [ ! -d "$data/hazelnut" ] || [ ! -f "$weights" ]; then
        fact "- skip ablation on hazelnut: left out, because DIDACT_DATA names no folder with hazelnut or MEASURE_WEIGHTS no file"
        return 0
    fi
    # Three seeds give the 15 runs that took 1 min 57 s on an H100 with the former kernels.
    step "skip ablation on hazelnut" 120 3 ablation.txt env DIDACT_DATA="$data" "$didact" sweep experiments/skip-ablation.toml \
        --set teacher.weights="$weights" --set search.seeds='[0, 1, 2]' --store "$work/ablation.db" --no-report --device "$gpu" --workers-per-gpu 2 || return 0
    fact "- skip ablation on hazelnut, two workers: $(seconds "$took") (15 runs; 117 s before), $("$python" gpu/measure.py costs "$work/ablation.db" 2>&1 | tail -n 1)"
}

# The launches of a joint step with three U-Nets: some 445. The first step, which ends with the optimisers, is skipped.
kernels() {
    local profiler report=$work/kernels launches=700
    local program=("$didact" speed --device "$gpu" --batch "$largest" --size "$side" --steps 1)
    local metrics=gpu__time_duration.sum,sm__throughput.avg.pct_of_peak_sustained_elapsed
    metrics+=,gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed,dram__throughput.avg.pct_of_peak_sustained_elapsed
    metrics+=,sm__warps_active.avg.pct_of_peak_sustained_active,launch__registers_per_thread
    profiler=$(tool ncu | head -n 1) || true
    # The card's clocks stay as they are.
    if [ -n "$profiler" ] && step "ncu" 80 3 ncu.txt env DIDACT_CUDA_TESTING=eager "$profiler" --csv --page raw --print-units base --clock-control none \
        --launch-skip 440 --launch-count "$launches" --kill yes --metrics "$metrics" --log-file "$raw/ncu.csv" "${program[@]}"; then
        : # Its results follow.
    fi
    if grep -q '^"ID"' "$raw/ncu.csv" 2>/dev/null; then
        "$python" gpu/measure.py ncu "$raw/ncu.csv" || true
        return 0
    fi
    [ -z "$profiler" ] || tail -n 3 "$raw/ncu.csv" 2>/dev/null || true
    profiler=$(tool nsys | head -n 1) || true
    if [ -n "$profiler" ] && step "nsys" 60 1 nsys.txt env DIDACT_CUDA_TESTING=eager "$profiler" profile --trace=cuda --sample=none --cpuctxsw=none \
        --force-overwrite=true --output="$report" "${program[@]}" &&
        step "nsys stats" 30 1 nsys.csv "$profiler" stats --report cuda_gpu_kern_sum --format csv "$report.nsys-rep"; then
        "$python" gpu/measure.py nsys "$raw/nsys.csv" || true
        return 0
    fi
    fact "- longest kernels: not measured, because neither ncu nor nsys is there and works"
}

main() {
    local part
    about || return
    for part in $parts; do
        case $part in
        start | check | speed | sanitizer | workers | ablation | kernels)
            echo "== $part"
            # What fails does not end the others.
            "$part" || true
            ;;
        *) fact "- $part: no such part" ;;
        esac
    done
    tar -czf "$out/raw.tar.gz" -C "$work" raw
    echo "== results after $SECONDS s"
    cat "$raw/facts.txt"
    echo
    "$python" gpu/measure.py table "$raw" | tee "$out/table.md"
    ! grep -qE 'failed with exit code|stopped after|DIFFERENT|the time is over' "$raw/facts.txt"
}
main 2>&1 | tee "$out/log.txt"
