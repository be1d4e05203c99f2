# What people type. CI runs `lint`, `gpu-check` and `test`.

set positional-arguments

# List the recipes.
default:
    @just --list

# Run a sweep file (without one, the embedded demo) and write its report: just sweep [FILE] [FLAGS].
sweep *args:
    cargo run --release --quiet -- sweep "$@"

# Every skip connection of the U-Net beside ST-FPM, on hazelnut: just ablate [FLAGS].
ablate *args:
    cargo run --release --quiet -- sweep experiments/skip-ablation.toml "$@"

# Write the report of a sweep (without a name, of the latest).
report *args:
    cargo run --release --quiet -- report "$@"

# Write the page on the sweep file again, which is made of the settings in the code.
sweep-file:
    cargo run --quiet -- schema --format markdown > docs/sweep-file.md

# All tests.
test *args:
    cargo test --all-targets "$@"

# Kill sweeps until so many processes are dead, and compare what they leave with what undisturbed ones leave.
torture kills="300" seed="1":
    DIDACT_TORTURE_KILLS={{kills}} DIDACT_TORTURE_SEED={{seed}} cargo test --test black_box torture -- --nocapture

# Read mutated weight files for so many seconds: nothing may panic, or take more memory than its bound.
fuzz-weights seconds="60":
    DIDACT_FUZZ_SECONDS={{seconds}} cargo test --test weights_fuzz -- --nocapture

# Formatting, lints and documentation; nothing may be reported.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --features parquet --lib --tests -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet

# Lints of the code for GPUs; needs neither a CUDA toolkit nor a GPU.
gpu-check:
    cargo clippy --features cuda,dfdx/ci-check --all-targets -- -D warnings

# Build didact-cuda without a CUDA toolkit or a GPU, one for each compute capability: just gpu-build [80 90 …].
gpu-build *capabilities:
    gpu/build.sh "$@"

# Every operation on a GPU against recorded values and the CPU, then a sweep on real images; fails where there is no GPU.
gpu-test:
    gpu/test.sh

# Install didact and didact-cuda; needs a GPU and a CUDA toolkit (in CUDA_PATH, /usr/local/cuda or the system's own).
install-gpu:
    cargo install --path . --locked --bin didact
    PATH="$PATH:${CUDA_PATH:-/usr/local/cuda}/bin" cargo install --path . --locked --features cuda --bin didact-cuda

# Compare the TPE sampler with Optuna's (Python with optuna and scipy; see benches/optuna/README.md).
bench-search python="python3":
    cargo run --quiet --example search_oracle | {{python}} benches/optuna/compare.py

# Measure.
bench *args:
    cargo bench "$@"

# Training steps and inference beside PyTorch's (Python with torch; see benches/pytorch/README.md).
bench-peers python="python3":
    cargo bench --bench peers -- --python {{python}}

# What each part of a training step and of inference takes, and how fast it multiplies.
bench-parts:
    cargo bench --bench peers -- --parts

# Measure what the engine costs: empty stages, a store of 100,000 runs.
bench-engine:
    cargo bench --bench engine

# Simulate verdicts on variants that are equally good: how often is one called better or worse?
bench-inference:
    cargo bench --bench inference

# Sixteen processes at one store for so many seconds: failed writes, the longest wait, throughput.
hammer seconds="60":
    DIDACT_HAMMER_SECONDS={{seconds}} cargo test --quiet --test black_box sixteen_processes -- --nocapture
