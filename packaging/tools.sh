# Sourced by scripts in the repository's root: installs programs from crates.io into target/tools/bin.
tools=$PWD/target/tools

# Installs a program unless this version is there, without optimisation: compiling takes longer than running it. What was compiled for it
# is removed.
cargo_tool() { # crate@version, options of cargo
    grep -q "^\"${1/@/ } " "$tools/.crates.toml" 2>/dev/null && return
    CARGO_TARGET_DIR=$tools/build cargo install --debug --quiet --locked --root "$tools" "$@"
    rm -rf "$tools/build"
}
