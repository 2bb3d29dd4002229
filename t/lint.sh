#!/bin/bash
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
#
# The static checks of make lint, and valgrind. All of them run, also after
# one has failed; t/lint.sh NAME... runs only those named.

set -u
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
gcc=build/lint-gcc
failed=()

# The C of the house, as it is now.
sources() {
    find mod_openid2rp.c src t/analysis.h t/unit t/fuzz t/bench t/sanitize \
        -name '*.[ch]' 2>/dev/null | sort
}

# One value of what configure found out.
config() {
    sed -n "s/^$1 = *//p" $gcc/config.mk
}

# Says nothing unless something is wrong.
build() {
    $make -j2 --no-print-directory -s "$@" WERROR=-Werror \
        all unit-programs bench-module \
        > build/lint.log 2>&1 && ! grep 'warning:' build/lint.log ||
        { cat build/lint.log; return 1; }
}

lint_gcc() { build BUILD=$gcc CC=gcc; }

lint_clang() { build BUILD=build/lint-clang CC=clang; }

lint_cppcheck() {
    # varFuncNullUB: NULL ends APR's variable argument lists, and is a pointer
    # wherever httpd runs.
    local suppress=(--suppress=toomanyconfigs --suppress=varFuncNullUB)
    local include
    for include in /usr/include "$(config HTTPD_INCLUDEDIR)"; do
        suppress+=("--suppress=*:$include/*")
    done
    # Word splitting of the flags is meant.
    # shellcheck disable=SC2046
    sources | cppcheck -j 2 --file-list=- --quiet --error-exitcode=1 --std=c11 \
        --enable=warning,performance,portability --inline-suppr \
        "${suppress[@]}" -Isrc/openid -Isrc/store -Isrc/httpd -It/unit -It/fuzz \
        -I"$(config HTTPD_INCLUDEDIR)" $(config APR_CFLAGS | grep -o -- '-I[^ ]*')
}

# What both analysers read, and how.
analysed() {
    find mod_openid2rp.c src -name '*.c' | sort
}

analysis_flags() {
    local name flags='-std=gnu11 -Isrc/openid -Isrc/store -Isrc/httpd -Isrc/cli'
    for name in APR_CFLAGS CURL_CFLAGS OPENSSL_CFLAGS XML2_CFLAGS \
                IDN2_CFLAGS PSL_CFLAGS HIREDIS_CFLAGS; do
        flags+=" $(config $name | sed 's/-I/-isystem /g')"
    done
    echo "$flags -isystem $(config HTTPD_INCLUDEDIR)"
}

# The files that define what t/analysis.h tells cannot have it told.
facts() {
    grep -qE '^[a-z].*(orp_reason_set|orp_dbm_fail|openid2rp_mistake)\(' "$1" &&
        return
    echo '-include t/analysis.h'
    case $1 in
    src/httpd/*) echo -DANALYSIS_HTTPD ;;
    esac
}

analyser_one() {
    # Word splitting of the flags is meant, here and below.
    # shellcheck disable=SC2046,SC2086
    gcc $flags $(facts "$1") -O2 -fanalyzer -Werror -c -o /dev/null "$1"
}

tidy_one() {
    local said
    # shellcheck disable=SC2046,SC2086
    said=$(clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" \
               --config="$tidy" "$1" -- $flags $(facts "$1") 2>&1) ||
        { echo "$said"; return 1; }
}

# Two files at a time.
each_analysed() {
    export -f facts "$1"
    flags=$(analysis_flags)
    export flags
    analysed | xargs -P 2 -I {} bash -c "$1 {}"
}

lint_analyzer() { each_analysed analyser_one; }

lint_tidy() {
    local checks='-*,bugprone-*,cert-*,clang-analyzer-*,concurrency-*,misc-*'
    checks+=',performance-*,portability-*'
    checks+=',readability-duplicate-include'
    checks+=',readability-inconsistent-declaration-parameter-name'
    checks+=',readability-misleading-indentation'
    checks+=',readability-misplaced-array-index'
    checks+=',readability-redundant-declaration'
    checks+=',readability-redundant-preprocessor'
    checks+=',readability-suspicious-call-argument'
    # The others of readability are matters of taste. Left out besides:
    # wants memcpy_s() and the like, which glibc has not.
    checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
    # two parameters of one type are no mistake.
    checks+=',-bugprone-easily-swappable-parameters'
    # says it of every "64 * 1024"; gcc warns where a constant overflows.
    checks+=',-bugprone-implicit-widening-of-multiplication-result'
    # says it of every memcpy() of what never was a string.
    checks+=',-bugprone-not-null-terminated-result'
    # a const that an interface lacks is cast away by way of a number.
    checks+=',-performance-no-int-to-ptr'
    # whether the command's complaint on stderr came through helps nobody.
    checks+=',-cert-err33-c'
    # "if (strcmp(a, b))" is how the house says it.
    local key='bugprone-suspicious-string-compare.WarnOnImplicitComparison'
    local tidy="{CheckOptions: [{key: $key, value: 'false'}]}"
    export checks tidy
    each_analysed tidy_one
}

# One name goes out, or two modules in one httpd may get in each other's way.
lint_exports() {
    local names
    names=$(nm -D --defined-only $gcc/mod_openid2rp.so | awk '{ print $3 }')
    [ "$names" = openid2rp_module ] || {
        echo "mod_openid2rp.so exports: $names"
        return 1
    }
}

# The compiler finds no httpd header for these folders, except where a system
# keeps APR's and httpd's in one; and none of the floors above.
lint_floors() {
    local httpd bad=0 file name
    httpd=$(config HTTPD_INCLUDEDIR)
    while IFS=: read -r file name; do
        case $name in
        apr* | ap[ru]_*) continue ;;
        openid2rp_* | ../*) ;;
        *) [ -e "$httpd/$name" ] || continue ;;
        esac
        echo "$file includes $name"
        bad=1
    done < <(grep -rHoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' \
                 --include='*.[ch]' src/openid src/store src/cli t/unit t/fuzz |
             sed -E 's/:.*[<"]/:/')
    return $bad
}

# Strings and URLs may be longer than a line: they are found by grep.
lint_layout() {
    sources | xargs -r perl -CSD -ne '
        chomp;
        my $where = "$ARGV:$.";
        print "$where: tab\n" and $bad = 1 if /\t/;
        print "$where: space at the end\n" and $bad = 1 if /\s$/;
        (my $short = $_) =~ s/"(?:[^"\\]|\\.)*"/""/g;
        $short =~ s{https?://\S+}{};
        print "$where: ", length, " columns\n" and $bad = 1
            if length > 80 && length $short > 80;
        close ARGV if eof;
        END { $? = 1 if $bad }'
}

lint_licence() {
    local bad=0 file
    while read -r file; do
        head -n 4 "$file" |
            grep -q 'SPDX-License-Identifier: Apache-2\.0' && continue
        echo "$file has no SPDX header"
        bad=1
    done < <(find Makefile configure.ac .ci conf src t mod_openid2rp.c -type f \
                 \( -name '*.[chtm]' -o -name '*.p[lm]' -o -name '*.sh' \
                    -o -name Makefile -o -name configure.ac -o -name run \) |
             sort)
    return $bad
}

# One program, with a log of its own.
valgrind_one() {
    local program=$gcc/unit/$(basename "$1" .c) log
    log=build/lint.$(basename "$1" .c).log
    # ORP_VALGRIND: a test that counts to a million may stop earlier.
    ORP_VALGRIND=1 timeout -k 5 600 valgrind -q --error-exitcode=99 \
        --leak-check=full --errors-for-leak-kinds=definite \
        --show-leak-kinds=definite "$program" > "$log" 2>&1 ||
        { echo "$program: exit status $?"; cat "$log"; return 1; }
    rm -f "$log"
}

# Two at a time: it is the longest of the checks. test_store_shm steps its
# children one instruction at a time, which would be valgrind's own; the
# sanitized run covers it.
lint_valgrind() {
    export -f valgrind_one
    export gcc
    find t/unit -name 'test_*.c' ! -name test_store_shm.c | sort |
        xargs -P 2 -I {} bash -c 'valgrind_one {}'
}

# Every check but the first two asks what configure found.
mkdir -p build
$make --no-print-directory -s BUILD=$gcc CC=gcc $gcc/config.mk || exit 1

for name in "${@:-gcc clang cppcheck analyzer tidy exports floors layout licence valgrind}"
do
    for check in $name; do
        if "lint_$check"; then
            echo "lint: $check: ok"
        else
            echo "lint: $check: FAILED"
            failed+=("$check")
        fi
    done
done
[ ${#failed[@]} -eq 0 ] || { echo "lint failed: ${failed[*]}"; exit 1; }
