#!/usr/bin/env bash
# Runs the same sweep with and without `didact serve` and a browser that shows its page, in turn. Prints both times of each pair, and the
# median of their ratios. The browser reads the page every two seconds, as it does for a person.
set -euo pipefail
pairs=${1:-5}
didact=$PWD/target/release/didact
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/sweep.toml" <<'SWEEP'
schema = 1
name = "cost"
data = { layout = "synthetic", categories = ["weave"], image_size = 64, synthetic = { side = 64, train = 40, test_good = 10, test_per_defect = 5 } }
teacher = { weights = "demo" }
pretrain = { epochs = 2 }
joint = { epochs = 30 }
[search]
seeds = [0, 1, 2]
[search.space]
"model.skip" = ["none", "add", "concat"]
SWEEP

# Runs the sweep in a new store, and prints its seconds.
run() {
    local store=$folder/$1.db
    local start=$EPOCHREALTIME
    (cd "$folder" && "$didact" sweep sweep.toml --store "$store" --no-report >"$folder/$1.log" 2>&1)
    local end=$EPOCHREALTIME
    rm -rf "$store"* "${store%.db}.artifacts"
    awk -v a="$start" -v b="$end" 'BEGIN { printf "%.2f", b - a }'
}

# Serves the page of a sweep, and shows it in a browser.
watched() {
    local store=$folder/watched.db
    # The server needs a store, so the sweep is planned first.
    (cd "$folder" && "$didact" sweep sweep.toml --store "$store" --no-report --time-limit 0s >/dev/null 2>&1) || true
    (cd "$folder" && exec "$didact" serve --store "$store" --port 8189 >/dev/null) &
    local server=$!
    "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/browser" --remote-debugging-port=0 \
        http://127.0.0.1:8189/sweeps/cost >/dev/null 2>&1 &
    local viewer=$!
    sleep 3
    run watched
    kill "$viewer" "$server" 2>/dev/null || true
    wait "$viewer" "$server" 2>/dev/null || true
}

run warm >/dev/null
for pair in $(seq "$pairs"); do
    alone=$(run alone)
    shown=$(watched)
    echo "pair $pair: $alone s alone, $shown s with live pages"
    awk -v a="$alone" -v b="$shown" 'BEGIN { print b / a }' >> "$folder/ratios"
done
sort -n "$folder/ratios" | awk '{ ratios[NR] = $1 } END {
    median = (ratios[int((NR + 1) / 2)] + ratios[int(NR / 2) + 1]) / 2
    printf "median ratio %.4f (%.4f to %.4f)\n", median, ratios[1], ratios[NR]
}'
