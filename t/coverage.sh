#!/bin/bash
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
#
# Which lines of the core do the unit tests reach? Prints a line a file, every
# line that was not reached, and the share of all; fails below LEAST per cent.

cd "$(dirname "$0")/.." || exit 1
LEAST=${LEAST:-95}
build=build/coverage
make -s BUILD=$build CFLAGS='-O0 -g --coverage' unit-programs || exit 1
find $build -name '*.gcda' -delete
failed=0
for program in $build/unit/test_*; do
    [ -x "$program" ] || continue
    "$program" > $build/log 2>&1 || { echo "$program failed"; failed=1; }
done

rm -rf $build/gcov && mkdir -p $build/gcov
for source in src/openid/*.c src/store/*.c; do
    gcov -t -o "$build/${source%.c}.o" "$source" \
        > "$build/gcov/$(basename "$source").gcov" 2> /dev/null
done
# gcov: "count:line:text", where "#####" is a line that was not reached and
# "-" one without code.
awk -F: -v least="$LEAST" '
    $2 + 0 == 0 && $3 == "Source" { file = $4 }
    $2 + 0 == 0 || file !~ /^src\/(openid|store)\/.*\.c$/ { next }
    { count = $1; gsub(/[ *]/, "", count) }
    count == "-" { next }
    { lines[file]++; all++ }
    count ~ /^(#####|=====)$/ {
        missed[file]++; none++
        text = $0; sub(/^[^:]*:[^:]*:/, "", text); sub(/^ +/, "", text)
        names = names sprintf("  %s:%d: %s\n", file, $2, text)
    }
    END {
        for (f in lines) {
            printf "%6.1f %%  %s\n", 100 * (lines[f] - missed[f]) / lines[f],
                f | "sort -n"
        }
        close("sort -n")
        printf "not reached:\n%s", names
        share = 100 * (all - none) / all
        printf "%.1f %% of %d lines\n", share, all
        exit share < least
    }' $build/gcov/*.gcov || failed=1
exit $failed
