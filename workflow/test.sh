#!/usr/bin/env bash
# Runs of one store come to the same bits however they are scheduled: one after the other, by GNU parallel, by Snakemake and by
# Slurm, and also where the engine or a run was killed in between.
#
#   workflow/test.sh GDSTAR
#
# What is not installed is skipped and named: parallel and jq; snakemake; slurmctld, slurmd and munged, which are started here,
# on this machine alone, as root.
set -euo pipefail
gdstar=$(realpath "$1")
workflow=$(realpath "$(dirname "$0")")
base=$(mktemp -d)
running=()
clean() {
    for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait || true
    rm -rf "$base"
}
trap clean EXIT
cd "$base"

scale=(--models lenet300 --data digits --seeds 1 --epochs "${EPOCHS:-3}")
table=("$gdstar" reproduce table2 "${scale[@]}" --threads 1 --store)
reproduce() { "${table[@]}" "$@"; }
has() { for tool in "$@"; do command -v "$tool" >/dev/null || { echo "skipped: there is no $tool"; return 1; }; done; }

# The last state of every run, weights, masks and momentum, and its epochs without what a clock decides.
bits() {
    (
        cd "$1/runs"
        for run in *; do
            [ -f "$run/finished.json" ] || { echo "$1: $run is not finished" >&2; exit 1; }
            sha256sum "$run/checkpoint.safetensors"
            sed 's/"seconds":[^,]*,//' "$run/metrics.jsonl"
        done
    )
}
same() {
    if ! diff <(bits serial) <(bits "$1") >/dev/null; then
        echo "$1: not the same bits as one run after the other"
        exit 1
    fi
    echo "$1: the same bits"
}
# Waits until so many runs of a store have a checkpoint.
until_begun() {
    local store=$1 count=$2
    for _ in $(seq 6000); do
        [ "$(find "$store/runs" -name checkpoint.safetensors 2>/dev/null | wc -l)" -ge "$count" ] && return
        sleep 0.02
    done
    echo "$store: nothing was begun"
    exit 1
}

echo "== one after the other"
reproduce serial >table.txt
cat table.txt

echo "== the engine is killed, twice, and begun again"
for count in 1 3; do
    "${table[@]}" killed >/dev/null 2>&1 &
    engine=$!
    until_begun killed "$count"
    kill -KILL "$engine"
    wait "$engine" 2>/dev/null || true
done
reproduce killed 2>/dev/null | diff table.txt - || { echo "killed: another table"; exit 1; }
same killed

if has parallel jq; then
    echo "== GNU parallel, a run of which is killed"
    reproduce parallel --list | jq -r '.command | @sh' >commands
    attempt() { PATH=$(dirname "$gdstar"):$PATH parallel --jobs 2 <commands >/dev/null 2>&1; }
    attempt &
    all=$!
    until_begun parallel 1
    # The runs are children of parallel's, and know their store.
    killed=$(pgrep --oldest --full -- "--store $base/parallel --only") && kill -KILL "$killed"
    wait "$all" || true
    attempt
    same parallel
fi

if has snakemake; then
    echo "== Snakemake on this machine"
    snakemake --snakefile "$workflow/Snakefile" --cores 2 --quiet all --config gdstar="$gdstar" targets=table2 \
        scale="${scale[*]}" store=snakemake
    same snakemake
fi

if has slurmctld slurmd munged sbatch jq && [ "$(id -u)" -eq 0 ]; then
    echo "== Slurm on this machine"
    host=$(hostname -s)
    mkdir -p cluster/state cluster/spool cluster/munge
    dd if=/dev/urandom of=cluster/munge/key bs=1024 count=1 2>/dev/null
    chmod 700 cluster/munge
    chmod 400 cluster/munge/key
    munged --foreground --force --key-file="$base/cluster/munge/key" --socket="$base/cluster/munge/socket" \
        --log-file="$base/cluster/munge/log" --pid-file="$base/cluster/munge/pid" --seed-file="$base/cluster/munge/seed" 2>/dev/null &
    running+=($!)
    cat >cluster/slurm.conf <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$base/cluster/munge/socket
StateSaveLocation=$base/cluster/state
SlurmdSpoolDir=$base/cluster/spool
SlurmctldPidFile=$base/cluster/slurmctld.pid
SlurmdPidFile=$base/cluster/slurmd.pid
SlurmctldPort=${SLURM_TEST_PORT:-46817}
SlurmdPort=$((${SLURM_TEST_PORT:-46817} + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldTimeout=30
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$base/cluster/slurm.conf
    sleep 1
    slurmctld -D >cluster/slurmctld.log 2>&1 &
    running+=($!)
    slurmd -D >cluster/slurmd.log 2>&1 &
    running+=($!)
    for _ in $(seq 60); do sinfo --noheader --format=%T 2>/dev/null | grep -q idle && break; sleep 1; done
    sinfo
    reproduce slurm --list >runs.jsonl
    GDSTAR=$gdstar sbatch --wait --array="1-$(wc -l <runs.jsonl)" "$workflow/slurm.sh" runs.jsonl || { cat gdstar-*.log; exit 1; }
    same slurm
fi
