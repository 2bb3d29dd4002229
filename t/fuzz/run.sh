#!/bin/bash
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
#
# Runs fuzz targets that make fuzz has built: t/fuzz/run.sh SECONDS NAME...
# One line a target; exit status 1 where one has found something, with the
# input that found it in build/fuzz/crashes. What is found on the way stays
# in build/fuzz/corpus for the next run; the seeds are only read.

set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=$1
shift
out=build/fuzz
status=0

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# One number of what libFuzzer says at the end.
number() {
    sed -n "$1" "$out/$name.log" | tail -n 1
}

for name; do
    mkdir -p "$out/corpus/$name" "$out/crashes"
    rm -f "$out/crashes/$name-"*
    dictionary=()
    [ -e "t/fuzz/$name.dict" ] && dictionary=("-dict=t/fuzz/$name.dict")
    # The longest input is each target's own matter; longer ones are skipped.
    timeout -k 5 $((seconds + 60)) "$out/fuzz_$name" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
        -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$out/crashes/$name-" "${dictionary[@]}" \
        "$out/corpus/$name" "t/fuzz/seeds/$name" \
        > "$out/$name.log" 2>&1
    code=$?
    found=("$out/crashes/$name-"*)
    [ -e "${found[0]}" ] || found=()
    printf '%-12s %9s runs, %5s edges, %s\n' "$name" \
        "$(number 's/^stat::number_of_executed_units: *//p')" \
        "$(number 's/.* cov: \([0-9]*\).*/\1/p')" \
        "$([ $code -eq 0 ] && echo 'nothing found' ||
            echo "FAILED (exit status $code): ${found[*]}")"
    if [ $code -ne 0 ]; then
        grep -m 1 -E 'not true:|runtime error:|ERROR: ' "$out/$name.log" ||
            tail -n 5 "$out/$name.log"
        echo "see $out/$name.log"
        status=1
    fi
done
exit $status
