#!/usr/bin/env bash
# Checks that kernels give the same bits on every GPU: gpu/check_ptx.sh [FILE.ptx ...] (default: kernels/kernels.ptx).
#
# Refuses, with the line and the kernel:
#   - approximate instructions, and those that flush subnormal numbers to zero;
#   - f32 and f64 sums and products without a rounding modifier: ptxas may fuse them;
#   - quotients and roots that are not rounded to nearest;
#   - atomic operations on floating-point numbers: their order is not fixed;
#   - minima and maxima that hide NaN;
#   - matrix products, except in kernels whose name contains _tf32: a GPU chooses the order of their sums;
#   - variables outside of kernels: names of file-local ones differ between builds.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- kernels/kernels.ptx

awk '
function refuse(why) {
    printf "%s:%d: %s: %s: %s\n", FILENAME, FNR, place, why, line
    bad++
}
FNR == 1 { place = "outside of kernels"; depth = 0 }
{
    line = $0
    sub(/\/\/.*/, "", line)
    gsub(/^[ \t]+|[ \t]+$/, "", line)
}
match(line, /\.(entry|func)[ \t]/) {
    place = line
    sub(/.*\.(entry|func)[ \t]+/, "", place)
    sub(/^\([^)]*\)[ \t]*/, "", place)  # what a function returns
    sub(/[( \t].*/, "", place)
    entries += line ~ /\.entry/
    next
}
depth == 0 && line ~ /^(\.visible |\.extern |\.weak )*\.(global|const|shared)[ \t]/ && line !~ /\.shared/ { refuse("variable outside of kernels") }
{
    text = line
    opened = gsub(/\{/, "{", text)
    closed = gsub(/\}/, "}", text)
    depth += opened - closed
    if (depth == 0 && closed) place = "outside of kernels"

    instruction = line
    sub(/^\{[ \t]*/, "", instruction)        # inline assembly stands in braces
    sub(/^@!?%p[0-9]+[ \t]+/, "", instruction)
    sub(/[ \t;].*/, "", instruction)
    if (instruction !~ /^[a-z][a-z0-9]*\./) next
    n = split(instruction, part, ".")
    operation = part[1]
    rounded = nearest = floating = nan = 0
    for (i = 2; i <= n; i++) {
        if (part[i] ~ /^r[nzmp]$/) rounded = 1
        if (part[i] == "rn") nearest = 1
        if (part[i] == "NaN") nan = 1
        if (part[i] ~ /^(f16|f16x2|bf16|bf16x2|f32|f64)$/) floating = 1
        if (part[i] == "approx") refuse("approximate")
        if (part[i] == "ftz") refuse("flushes subnormal numbers to zero")
    }
    if (!floating) next
    if (operation ~ /^(add|sub|mul|fma|mad)$/ && !rounded) refuse("no rounding modifier")
    if (operation ~ /^(div|sqrt|rcp)$/ && !nearest) refuse("not rounded to nearest")
    if (operation ~ /^(rsqrt|ex2|lg2|sin|cos|tanh)$/ && instruction !~ /approx/) refuse("approximate")
    if (operation ~ /^(atom|red)$/) refuse("atomic operation on floating-point numbers")
    if (operation ~ /^(min|max)$/ && !nan) refuse("hides NaN")
    if (operation ~ /^(mma|wmma|wgmma)$/ && place !~ /_tf32/) refuse("matrix product")
}
END {
    if (!entries) { print "no kernels in the PTX"; exit 1 }
    if (bad) exit 1
    printf "%d kernels give the same bits on every GPU, matrix products in TF32 aside\n", entries
}' "$@"
