#!/bin/sh
# The runs of a list as an array of Slurm jobs, one each (jq reads the list):
#
#   gdstar reproduce table2 --store STORE --threads 1 --list >runs.jsonl
#   sbatch --array=1-$(wc -l <runs.jsonl) workflow/slurm.sh runs.jsonl
#
# A run that is preempted, or whose node fails, is queued again; as every run of a store, it goes on where it was cut off.
#SBATCH --job-name=gdstar
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=gdstar-%A_%a.log
#SBATCH --cpus-per-task=1
set -eu
words=$(sed -n "${SLURM_ARRAY_TASK_ID}p" "$1" | jq -r '.command[1:] | @sh')
eval "exec ${GDSTAR:-gdstar} $words"
