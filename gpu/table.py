"""Prints the runs of a store with their results and training costs: python3 table.py didact.db"""

import json
import sqlite3
import sys

RUNS = """
SELECT r.category, st.variant, r.seed, a.device, a.costs,
       MAX(CASE WHEN x.name = 'pixel_auroc' THEN x.value END), MAX(CASE WHEN x.name = 'aupro' THEN x.value END)
FROM run r
JOIN sweep_trial st ON st.trial_id = r.trial_id
JOIN run_stage rs ON rs.run_id = r.id
JOIN stage g ON g.id = rs.stage_id AND g.kind = 'joint'
JOIN attempt a ON a.stage_id = g.id AND a.state = 'done'
JOIN result x ON x.run_id = r.id AND x.selection = 'selected'
GROUP BY r.id ORDER BY st.position, r.seed
"""
HEAD = ("category", "variant", "seed", "device", "pixel AUROC", "AUPRO", "ms/step", "s/epoch", "GPU GiB")


def formatted(value, form, scale=1.0):
    return "-" if value is None else format(value * scale, form)


rows = []
for category, variant, seed, device, costs, auroc, aupro in sqlite3.connect(sys.argv[1]).execute(RUNS):
    cost = json.loads(costs or "{}").get
    rows.append((
        category, variant, str(seed), device, formatted(auroc, ".4f"), formatted(aupro, ".4f"),
        formatted(cost("milliseconds_per_step"), ".1f"), formatted(cost("seconds_per_epoch"), ".2f"),
        formatted(cost("device_peak_bytes"), ".1f", 2.0**-30),
    ))
widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
for row in [HEAD, *rows]:
    print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
if not rows:
    sys.exit("no finished run")
