#!/usr/bin/env bash
# Runs a command beside an object store that speaks Amazon's protocol S3: tests/with_s3.sh COMMAND [ARGUMENT ...]
#
# The server listens on a free port of this machine and keeps all objects in memory. The command finds its address in DIDACT_TEST_S3, and the
# id of its process in DIDACT_TEST_S3_PROCESS. It has one bucket, `didact`. Needs moto (pip install 'moto[server]').
set -euo pipefail

command -v moto_server >/dev/null || { echo "no S3 server is installed (pip install 'moto[server]')" >&2 && exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
moto_server --host 127.0.0.1 --port "$port" >/dev/null 2>&1 &
DIDACT_TEST_S3_PROCESS=$!
trap 'kill "$DIDACT_TEST_S3_PROCESS" 2>/dev/null || true' EXIT
export DIDACT_TEST_S3_PROCESS DIDACT_TEST_S3="http://127.0.0.1:$port"
python3 - "$DIDACT_TEST_S3" <<'PYTHON'
import sys, time, urllib.request

for attempt in range(150):
    try:
        urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/didact", method="PUT"))
        break
    except OSError as error:
        time.sleep(0.2)
else:
    sys.exit(f"the S3 server does not start: {error}")
PYTHON
"$@"
