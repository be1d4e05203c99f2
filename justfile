# Recipes for people. CI runs `lint`, `test` (with the object store of `test-s3`), `wheel`, `docs`, `test-postgres`, `test-slurm`,
# `test-emulation` and `kernels --check`.

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

# Compare ST-FPM with and without the seed article's U-Net on leather and bottle: just article [FLAGS].
article *args:
    cargo run --release --quiet -- sweep experiments/article.toml "$@"

# Compare ST-FPM with four U-Nets on all fifteen categories of MVTec AD: just mvtec [FLAGS].
mvtec *args:
    cargo run --release --quiet -- sweep experiments/mvtec.toml "$@"

# Try `article` and `mvtec` on drawn stand-ins with a tenth of the images, at 64 px and with two epochs: just try-mvtec [FLAGS].
try-mvtec *args:
    cargo run --release --quiet -- data synth target/stand-ins/data --like mvtec --share 0.1 --side 64
    for sweep in article mvtec; do \
        DIDACT_DATA=target/stand-ins/data cargo run --release --quiet -- sweep experiments/$sweep.toml \
            --store target/stand-ins/didact.db --set name=try-$sweep --set teacher.weights=demo --set data.image_size=64 \
            --set pretrain.epochs=2 --set joint.epochs=2 "$@" || exit $?; \
    done

# Write the report of a sweep (default: the latest).
report *args:
    cargo run --release --quiet -- report "$@"

# Generate the page about the sweep file from the settings in the code.
sweep-file:
    cargo run --quiet -- schema --format markdown > docs/src/reference/sweep-file.md

# Build the documentation into target/site/ and check its links.
docs:
    docs/build.sh

# Run every block of the documentation (needs sqlite3; blocks in Python and R are skipped without pandas, polars and R).
docs-blocks:
    DIDACT_TEST_DOCUMENTATION=whole cargo test --features full --test black_box documentation -- --nocapture

# Make a wheel, a tarball, a container definition, licences and checksums in target/package/ (needs Python 3 with pip).
package:
    packaging/build.sh

# Make a wheel around the program that the tests build, install it in a fresh environment, and use it.
wheel:
    packaging/build.sh --wheel

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
    cargo clippy --lib --bins -- -D warnings
    cargo clippy --all-targets --features full -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet

# Run the kernels for GPUs and everything above them on an emulated driver; needs g++.
test-emulation:
    gpu/emulate.sh

# Run tests with stores on a PostgreSQL server, which the recipe starts and stops (Debian: apt-get install postgresql).
test-postgres:
    tests/with_postgres.sh tests/postgres.sh

# Run sweeps on a Slurm cluster of one node, which the recipe starts and stops (Debian: apt-get install slurm-wlm munge postgresql).
test-slurm:
    tests/with_postgres.sh tests/with_slurm.sh cargo test --quiet --features full --test black_box -- slurm::

# Run sweeps with artifacts in an object store, which the recipe starts and stops (pip install 'moto[server]').
test-s3:
    tests/with_s3.sh cargo test --quiet --features full --test black_box -- s3::

# Compile the kernels for GPUs again, or compare them with the committed ones: just kernels [--check].
kernels *args:
    gpu/build.sh "$@"

# Check and measure everything on a GPU within eight minutes, PyTorch beside it (Python with torch): just measure-gpu [PYTHON].
measure-gpu python="python3":
    gpu/measure.sh {{python}}

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

# Measure the engine: a report of 10,000 runs, empty stages, a store of 100,000 runs: just bench-engine [report] [stages] [store].
bench-engine *parts:
    cargo bench --features live --bench engine -- {{parts}}

# Run a sweep with and without live pages that a browser shows, in turn; print the times and their ratio: just bench-live [PAIRS].
bench-live pairs="5":
    cargo build --release --quiet --features live
    benches/live/cost.sh {{pairs}}

# The same on a PostgreSQL server, which the recipe starts and stops.
bench-engine-postgres *parts:
    tests/with_postgres.sh cargo bench --features postgres --bench engine -- {{parts}}

# Simulate verdicts on equally good variants and count how often one is called better or worse.
bench-inference:
    cargo bench --bench inference

# Simulate decisions of [decide]: how often they are wrong, and how many seeds they take.
bench-decide:
    cargo bench --bench decide

# Let sixteen processes use one store for this many seconds; print failed writes, the longest wait and the throughput.
hammer seconds="60":
    DIDACT_HAMMER_SECONDS={{seconds}} cargo test --quiet --test black_box many_processes -- --nocapture
