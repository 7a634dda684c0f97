#!/bin/sh
# Runs targets one after the other: `fuzz/run.sh SECONDS [TARGET ...]`, all of them if none is named, SECONDS in all.
# What it builds on, corpus and findings, lies in $FUZZ_FOLDER; the program is $FUZZ; $SEED chooses the inputs, so that a run
# can be repeated. Fails when something is found.
set -u
seconds=$1
shift
fuzz=${FUZZ:-target/debug/fuzz}
folder=${FUZZ_FOLDER:-target/fuzz}
seed=${SEED:-1}
mkdir -p "$folder"
[ $# -gt 0 ] || set -- $("$fuzz" list)
each=$(((seconds + $# - 1) / $#))

# Inputs that a reader takes by their path lie in memory, and are gone at the end.
scratch=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

failed=0
for target; do
    if TMPDIR=$scratch "$fuzz" "$target" "$folder" -seed="$seed" -max_total_time="$each" >"$folder/$target.log" 2>&1; then
        verdict=sound
    else
        verdict=FAILED
        failed=1
        grep -v '^#' "$folder/$target.log" | tail -n 60
    fi
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$target.log")
    printf '%s\t%s\t%s\n' "$target" "${count:-0}" "$verdict" | tee -a "$folder/executions.tsv"
done
exit $failed
