#!/usr/bin/env bash
# Runs a command beside a Slurm cluster of one node: tests/with_slurm.sh COMMAND [ARGUMENT ...]
#
# The cluster is this machine, with four processors and two devices that stand for GPUs. Its configuration, state and logs are in a
# temporary folder, its ports are free ones, and its key is its own, so that it disturbs no other cluster. The command finds it by
# SLURM_CONF. When the command ends, the cluster is stopped and its folder removed. Needs Debian's packages slurm-wlm and munge. Their
# services need not run.
set -euo pipefail
PATH=$PATH:/usr/sbin

for program in munged slurmctld slurmd sbatch; do
    command -v "$program" >/dev/null || { echo "$program is not installed (Debian: apt-get install slurm-wlm munge)" >&2 && exit 1; }
done

folder=$(mktemp -d)
chmod 755 "$folder"
pids=()
stop() {
    # Jobs first: nothing else would stop them.
    scancel --user="$(id -un)" >/dev/null 2>&1 || true
    for _ in $(seq 50); do
        [ -n "$(squeue --noheader 2>/dev/null)" ] || break
        sleep 0.1
    done
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap stop EXIT

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
host=$(hostname -s)
user=$(id -un)
mkdir "$folder/state" "$folder/spool" "$folder/munge"
chmod 711 "$folder/munge"
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,requeue_delay=0
ReturnToService=2
GresTypes=gpu
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmdSpoolDir=$folder/spool
StateSaveLocation=$folder/state
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
KillWait=5
MinJobAge=300
OverTimeLimit=0
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=ALL MaxTime=INFINITE State=UP
CONF
# Slurm checks only that these are devices.
printf 'NodeName=%s Name=gpu File=%s\n' "$host" /dev/null "$host" /dev/zero >"$folder/gres.conf"
export SLURM_CONF=$folder/slurm.conf DIDACT_TEST_SLURM=$folder

munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge.log" --seed-file="$folder/munge/seed" >"$folder/munged.out" 2>&1 &
pids+=($!)
for _ in $(seq 50); do [ -S "$folder/munge/socket" ] && break || sleep 0.1; done
slurmctld -D -f "$SLURM_CONF" >"$folder/slurmctld.out" 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" >"$folder/slurmd.out" 2>&1 &
pids+=($!)
for _ in $(seq 100); do
    if sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then
        # After the cluster is gone, its exit code is that of the command.
        "$@"
        exit
    fi
    sleep 0.2
done
tail -n 20 "$folder"/*.log "$folder"/*.out >&2
echo "Slurm did not start" >&2
exit 1
