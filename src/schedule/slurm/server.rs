//! The script of a job that runs a PostgreSQL server for people who have none. It plans the sweep, submits its workers, and waits for them.

use std::path::PathBuf;

use super::commands::FINAL;
use super::job::{Job, array_name, quoted, quoted_arguments, quoted_path};
use crate::exit::Exit;
use crate::store::SERVER_IN_FILE;

/// What the script of the server contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerScript {
    /// What all jobs have. The folder of the server is beside that of the artifacts.
    pub job: Job,
    /// Arguments of the command that plans the sweep and submits the workers.
    pub arguments: Vec<String>,
}

impl ServerScript {
    /// Returns the folder of the server: its data, its address, and at the end a copy of the store.
    pub fn home(&self) -> PathBuf {
        self.job.files.with_extension("postgres")
    }

    /// Returns the path of the script.
    pub fn path(&self) -> PathBuf {
        self.home().join("server.sh")
    }

    /// Returns the address of the store.
    pub fn store(&self) -> String {
        format!("{SERVER_IN_FILE}{}", self.home().join("url").display())
    }

    /// Returns the path of the copy of the store that the job makes at its end.
    pub fn copy(&self) -> PathBuf {
        self.home().join("store.db")
    }

    /// Returns the text of the script.
    pub fn text(&self) -> String {
        let name = format!("{}-server", array_name(&self.job.sweep));
        // A second job of this name waits: two servers would damage the data.
        let own = ["--dependency=singleton".to_owned()];
        let header = self.job.header(&name, &self.home().join("job.log"), own);
        format!(
            r#"{header}
# This job runs a PostgreSQL server for a sweep. Its data, its address and its logs are in one folder.
umask 077
home={home}
executable={executable}
export DIDACT_STORE={store} DIDACT_ARTIFACTS={artifacts}

# After USR1, the time limit is near. After TERM, the job was cancelled or preempted: Slurm itself requeues a preempted job.
stopping=
trap 'stopping=usr1' USR1
trap 'stopping=term' TERM

for programs in "$(dirname "$(command -v initdb 2>/dev/null || echo /none/initdb)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
    [ -x "$programs/initdb" ] && [ -x "$programs/postgres" ] && break
done
[ -x "$programs/initdb" ] || {{ echo "no PostgreSQL server is installed on $HOSTNAME: put initdb into the PATH" >&2; exit 4; }}

if [ ! -e "$home/data" ]; then
    head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$home/password" || exit 4
    rm -rf "$home/data.new"
    "$programs/initdb" --pgdata "$home/data.new" --username didact --auth scram-sha-256 --pwfile "$home/password" --encoding UTF8 || exit 4
    echo "host all didact all scram-sha-256" >>"$home/data.new/pg_hba.conf"
    mv "$home/data.new" "$home/data"
fi
node=${{SLURMD_NODENAME:-$HOSTNAME}}
# Jobs of this name run one after the other. If the last server was killed on another node, this node cannot tell that it is gone.
[ "$(cat "$home/node" 2>/dev/null)" = "$node" ] || rm -f "$home/data/postmaster.pid"
echo "$node" >"$home/node"
started=
for try in 1 2 3 4 5 6 7 8; do
    port=$((20000 + RANDOM % 20000))
    "$programs/pg_ctl" --pgdata "$home/data" --log "$home/server.log" --wait start \
        --options "-p $port -c listen_addresses=* -c unix_socket_directories=" && started=yes && break
done
[ -n "$started" ] || {{ echo "the server does not start: see $home/server.log" >&2; exit 4; }}
getent hosts "$node" >/dev/null || node=$(hostname -I | cut -d ' ' -f 1)
echo "postgres://didact:$(cat "$home/password")@$node:$port/postgres" >"$home/url.new"
mv "$home/url.new" "$home/url"

# Returns whether a job of any array has not ended. By default, squeue leaves out jobs that are just being requeued.
active() {{
    touch "$home/arrays"
    while read -r array; do
        squeue --noheader --states=all --format=%T --jobs="$array" 2>/dev/null | grep -qvE '^({ended})$' && return 0
    done <"$home/arrays"
    return 1
}}

code=0
if [ -z "$stopping" ] && ! active; then
    "$executable"{arguments} || code=$?
fi
# A job that requeues itself may look ended for a moment.
quiet=0
while [ -z "$stopping" ] && [ "$quiet" -lt 3 ]; do
    active && quiet=0 || quiet=$((quiet + 1))
    sleep 2 &
    wait $!
done
if [ -z "$stopping" ]; then
    rm -f "$home/store.db.new"
    "$executable" store copy "$DIDACT_STORE" "$home/store.db.new" && mv "$home/store.db.new" "$home/store.db" || code=$?
fi
"$programs/pg_ctl" --pgdata "$home/data" --mode fast --wait stop
rm -f "$home/url"
case $stopping in
usr1)
    scontrol requeue "$SLURM_JOB_ID" || echo "cannot requeue this job: submit the sweep again" >&2
    exit {interrupted}
    ;;
term) exit {interrupted} ;;
*) exit "$code" ;;
esac
"#,
            home = quoted_path(&self.home()),
            executable = quoted_path(&self.job.executable),
            store = quoted(&self.store()),
            artifacts = quoted_path(&self.job.artifacts),
            arguments = quoted_arguments(&self.arguments),
            ended = FINAL.join("|"),
            interrupted = Exit::Interrupted.code(),
        )
    }
}
