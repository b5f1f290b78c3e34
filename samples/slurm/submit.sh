#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: RULES=rules.yaml SOURCE=archive SINK=export ./submit.sh SHARDS
# Submits the array and, behind it, the job that joins the shards.
set -eu
here=$(dirname "$0")
array=$(sbatch --parsable --array="1-$1" "$here/run.sbatch")
# afterany: merge itself knows whether all shards are there and finished. A task that was requeued
# has not ended.
merge=$(sbatch --parsable --dependency="afterany:$array" "$here/merge.sbatch")
echo "array $array, merge $merge"
