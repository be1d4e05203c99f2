# What people type. CI runs `lint` and `test`.

# List the recipes.
default:
    @just --list

# Run a sweep file (without one, the embedded demo) and write its report.
sweep file="" *flags="":
    cargo run --release --quiet -- sweep {{file}} {{flags}}

# Write the report of a sweep (without a name, of the latest).
report *args="":
    cargo run --release --quiet -- report {{args}}

# All tests.
test *args="":
    cargo test --all-targets {{args}}

# Formatting, lints and documentation; nothing may be reported.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet

# Measure.
bench *args="":
    cargo bench {{args}}
