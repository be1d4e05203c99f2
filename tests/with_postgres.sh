#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own: tests/with_postgres.sh COMMAND [ARGUMENT ...]
#
# The server runs as an ordinary user, with its data in a temporary folder, on a free port of this machine. The command finds its URL in
# DIDACT_TEST_POSTGRES, its data in DIDACT_TEST_POSTGRES_DATA and its programs in DIDACT_TEST_POSTGRES_PROGRAMS. When the command ends, the
# server is stopped and its data removed. Needs PostgreSQL 14 or later (Debian: apt-get install postgresql); its own server need not run.
set -euo pipefail

find_programs() {
    local folder
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin "$(dirname "$(command -v initdb 2>/dev/null || echo /none/initdb)")"; do
        [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && echo "$folder"
    done | sort -V | tail -n 1
}
programs=$(find_programs)
[ -n "$programs" ] || { echo "no PostgreSQL server is installed (Debian: apt-get install postgresql)" >&2 && exit 1; }

# initdb refuses to run as root.
as_user=()
if [ "$(id -u)" = 0 ]; then
    as_user=(runuser -u "$(id -un postgres 2>/dev/null || echo nobody)" --)
fi
folder=$(mktemp -d)
chmod 755 "$folder"
[ ${#as_user[@]} -eq 0 ] || chown "${as_user[2]}" "$folder"
stop() {
    "${as_user[@]}" "$programs/pg_ctl" --pgdata "$folder/data" --mode immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT

cd "$folder"
"${as_user[@]}" "$programs/initdb" --pgdata "$folder/data" --username didact --auth trust --no-sync --encoding UTF8 >"$folder/initdb.log"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder"
"${as_user[@]}" "$programs/pg_ctl" --pgdata "$folder/data" --log "$folder/log" --wait --options "$options" start >/dev/null
cd - >/dev/null
export DIDACT_TEST_POSTGRES="postgres://didact@127.0.0.1:$port/postgres" DIDACT_TEST_POSTGRES_DATA="$folder/data" DIDACT_TEST_POSTGRES_PROGRAMS=$programs
"$@"
