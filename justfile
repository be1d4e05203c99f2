# Recipes for people. CI runs `lint`, `gpu-check` and `test`.

set positional-arguments

# List the recipes.
default:
    @just --list

# Run a sweep file (default: the embedded demo) and write its report: just sweep [FILE] [FLAGS].
sweep *args:
    cargo run --release --quiet -- sweep "$@"

# Compare every skip connection of the U-Net with ST-FPM on hazelnut: just ablate [FLAGS].
ablate *args:
    cargo run --release --quiet -- sweep experiments/skip-ablation.toml "$@"

# Write the report of a sweep (default: the latest).
report *args:
    cargo run --release --quiet -- report "$@"

# Generate the page about the sweep file from the settings in the code.
sweep-file:
    cargo run --quiet -- schema --format markdown > docs/sweep-file.md

# Run all tests.
test *args:
    cargo test --all-targets "$@"

# Kill sweeps until this many processes are dead, and compare the results with those of undisturbed sweeps.
torture kills="300" seed="1":
    DIDACT_TORTURE_KILLS={{kills}} DIDACT_TORTURE_SEED={{seed}} cargo test --test black_box torture -- --nocapture

# Read mutated weight files for this many seconds; nothing may panic or exceed its memory bound.
fuzz-weights seconds="60":
    DIDACT_FUZZ_SECONDS={{seconds}} cargo test --test weights_fuzz -- --nocapture

# Check formatting, lints and documentation.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --features parquet --lib --tests -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet

# Lint the code for GPUs; needs neither a CUDA toolkit nor a GPU.
gpu-check:
    cargo clippy --features cuda,dfdx/ci-check --all-targets -- -D warnings

# Build didact-cuda without a CUDA toolkit or a GPU, once per compute capability: just gpu-build [80 90 …].
gpu-build *capabilities:
    gpu/build.sh "$@"

# Check every operation on a GPU against recorded values and the CPU, then sweep real images; fails without a GPU.
gpu-test:
    gpu/test.sh

# Install didact and didact-cuda; needs a GPU and a CUDA toolkit (in CUDA_PATH, /usr/local/cuda or the system's own).
install-gpu:
    cargo install --path . --locked --bin didact
    PATH="$PATH:${CUDA_PATH:-/usr/local/cuda}/bin" cargo install --path . --locked --features cuda --bin didact-cuda

# Compare the TPE sampler with Optuna's (Python with optuna and scipy; see benches/optuna/README.md).
bench-search python="python3":
    cargo run --quiet --example search_oracle | {{python}} benches/optuna/compare.py

# Run the benchmarks.
bench *args:
    cargo bench "$@"

# Compare training steps and inference with PyTorch (Python with torch; see benches/pytorch/README.md).
bench-peers python="python3":
    cargo bench --bench peers -- --python {{python}}

# Measure the time and speed of each part of a training step and of inference.
bench-parts:
    cargo bench --bench peers -- --parts

# Measure the engine's overhead: empty stages, a store of 100,000 runs.
bench-engine:
    cargo bench --bench engine

# Simulate verdicts on equally good variants and count how often one is called better or worse.
bench-inference:
    cargo bench --bench inference

# Let sixteen processes use one store for this many seconds; print failed writes, the longest wait and the throughput.
hammer seconds="60":
    DIDACT_HAMMER_SECONDS={{seconds}} cargo test --quiet --test black_box sixteen_processes -- --nocapture
