#!/usr/bin/env bash
# Runs the tests of stores on a server, then tests of the engine with all their stores on it. Needs DIDACT_TEST_POSTGRES; see
# tests/with_postgres.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=(cargo test --quiet --features full --test black_box --)
"${tests[@]}" postgres:: watch::a_view_survives
# Tests whose own queries are written for SQLite are left out.
DIDACT_TEST_STORES=postgres "${tests[@]}" cancel:: collect:: contention:: damage:: decide::seeds_are_added decide::a_killed failures:: leases:: merge:: pseudo:: remarks:: sharing:: \
    search::two_sweeps search::a_trial_that_learns_nothing
