# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
#
#   make                  the module and the command; installs nothing
#   make install          both and the man page; enables nothing
#   make test             installs what is missing, builds, runs every test;
#                         SANITIZE=address,undefined: with the module sanitized
#   make unit             builds and runs the unit tests
#   make demo PORT=8090   a site to try in a browser; demo-check tries it itself
#   make lint             static checks
#   make bench            how fast the stores are
#   make fuzz TIME=60     each parser that many seconds; FUZZ=name: only one
#   make clean
#
# V=1 shows the commands.
#
# Everything that is made goes into build/. Variants have a folder of their
# own: make SANITIZE=address,undefined, make CC=clang BUILD=build/clang.
# CC, CFLAGS and APXS are read when a build folder is configured.

BUILD = $(if $(SANITIZE),build/asan,build)
PREFIX = /usr/local
SANITIZERS = address,undefined

MODULE = $(BUILD)/mod_openid2rp.so
COMMAND = $(BUILD)/openid2rp

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:
.PHONY: all install test check unit unit-programs demo demo-check lint \
    coverage fuzz fuzz-programs clean

# These goals must work before anything is configured; what they build, they
# build with a make of its own.
ifneq ($(if $(MAKECMDGOALS),$(filter-out test check unit demo demo-check lint \
                                coverage fuzz clean,$(MAKECMDGOALS)),all),)
include $(BUILD)/config.mk
endif

# --- sources: a new file needs no line here ---------------------------------

CORE_SRC = $(wildcard src/openid/*.c src/store/*.c)
HTTPD_SRC = $(wildcard mod_openid2rp.c src/httpd/*.c)
CLI_SRC = $(wildcard src/cli/*.c)
UNIT_SRC = $(wildcard t/unit/test_*.c)
SUPPORT_SRC = $(wildcard t/unit/support*.c)
FUZZ_SRC = $(wildcard t/fuzz/*.c)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJ = $(call objects,$(CORE_SRC))
HTTPD_OBJ = $(call objects,$(HTTPD_SRC))
CLI_OBJ = $(call objects,$(CLI_SRC))
UNIT_OBJ = $(call objects,$(UNIT_SRC))
SUPPORT_OBJ = $(call objects,$(SUPPORT_SRC))
FUZZ_OBJ = $(call objects,$(FUZZ_SRC))
# Of sanitized builds; the fuzzers have such a thing of their own.
POOLS_OBJ = $(if $(SANITIZE),$(if $(FUZZING),,$(BUILD)/t/sanitize/pools.o))
ALL_OBJ = $(CORE_OBJ) $(HTTPD_OBJ) $(CLI_OBJ) $(UNIT_OBJ) $(SUPPORT_OBJ) \
          $(FUZZ_OBJ) $(POOLS_OBJ)
UNIT_PROGRAMS = $(UNIT_SRC:t/unit/%.c=$(BUILD)/unit/%)
FUZZ_NAMES = $(patsubst t/fuzz/fuzz_%.c,%,$(filter t/fuzz/fuzz_%,$(FUZZ_SRC)))
FUZZ_PROGRAMS = $(FUZZ_NAMES:%=$(BUILD)/fuzz_%)

# --- flags ------------------------------------------------------------------

# The floors: only HTTPD_OBJ sees httpd's headers, so that the protocol and
# the stores cannot even by accident depend on a server.
# -isystem: what APR's macros do inside is not ours to be warned of.
CORE_FLAGS = -Isrc/openid -Isrc/store \
    $(patsubst -I%,-isystem %,$(APR_CFLAGS)) $(CURL_CFLAGS) \
             $(OPENSSL_CFLAGS) $(XML2_CFLAGS) $(IDN2_CFLAGS) $(PSL_CFLAGS)
$(CORE_OBJ): FLOOR = $(CORE_FLAGS)
$(filter $(BUILD)/src/store/%,$(CORE_OBJ)): FLOOR = $(CORE_FLAGS) \
                                                    $(HIREDIS_CFLAGS)
$(CLI_OBJ): FLOOR = $(CORE_FLAGS) -Isrc/cli
$(POOLS_OBJ): FLOOR = $(CORE_FLAGS)
$(UNIT_OBJ) $(SUPPORT_OBJ): FLOOR = $(CORE_FLAGS) -It/unit $(CMOCKA_CFLAGS)
$(FUZZ_OBJ): FLOOR = $(CORE_FLAGS) -It/fuzz -It/unit $(CMOCKA_CFLAGS) \
                     $(if $(FUZZING),-DORP_FUZZING)
$(BUILD)/t/unit/test_fuzz_replay.o: FLOOR += -It/fuzz
$(HTTPD_OBJ): FLOOR = $(CORE_FLAGS) -Isrc/httpd -isystem $(HTTPD_INCLUDEDIR)

# The module record is the one name to be seen, and httpd's macro for it does
# not say so.
VISIBILITY = -fvisibility=hidden
$(BUILD)/mod_openid2rp.o: VISIBILITY =

LIBS = $(CURL_LIBS) $(OPENSSL_LIBS) $(XML2_LIBS) $(IDN2_LIBS) $(PSL_LIBS) $(HIREDIS_LIBS) $(APR_LIBS) \
       -pthread

ifdef SANITIZE
# override: a sanitized build is -O1 and unfortified, whatever CFLAGS says.
override CFLAGS := -O1 -g
SANITIZE_FLAGS = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
                 -fno-omit-frame-pointer
else
optimised = $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))
FORTIFY_FLAGS = $(if $(optimised),$(FORTIFY))
endif

COMPILE = $(CC) -std=gnu11 -fPIC $(VISIBILITY) $(FLOOR) $(WARNINGS) \
          $(HARDENING) $(FORTIFY_FLAGS) $(SANITIZE_FLAGS) -MMD -MP \
          $(CPPFLAGS) $(CFLAGS) $(WERROR)
LINK = $(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(HARDENING_LD) $(LDFLAGS)

say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@;)

# --- building ---------------------------------------------------------------

all: $(MODULE) $(if $(CLI_SRC),$(COMMAND)) $(POOLS_OBJ:%/t/sanitize/pools.o=%/pools.so)
	@:

$(ALL_OBJ): $(BUILD)/%.o: %.c Makefile $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call say,CC) $(COMPILE) -c -o $@ $<

# Made anew each time, so that no object of a deleted source stays in it.
$(BUILD)/liborp.a: $(CORE_OBJ)
	@rm -f $@
	$(call say,AR) $(AR) rcs $@ $^

# httpd loads many modules into one process: ours shows it one name only.
$(BUILD)/exports.map: Makefile
	@mkdir -p $(@D)
	@echo '{ global: openid2rp_module; local: *; };' > $@

$(MODULE): $(HTTPD_OBJ) $(BUILD)/liborp.a $(BUILD)/exports.map
	$(call say,LINK) $(LINK) -shared -Wl,--version-script=$(BUILD)/exports.map -o $@ \
	    $(filter-out %.map,$^) $(LIBS)

# For LD_PRELOAD; see t/sanitize/pools.c.
$(BUILD)/pools.so: $(POOLS_OBJ)
	$(call say,LINK) $(LINK) -shared -o $@ $^ $(APR_LIBS)

$(COMMAND): $(CLI_OBJ) $(BUILD)/liborp.a
	$(call say,LINK) $(LINK) -o $@ $^ $(LIBS)

unit-programs: $(UNIT_PROGRAMS)
	@:

$(UNIT_PROGRAMS): $(BUILD)/unit/%: $(BUILD)/t/unit/%.o $(SUPPORT_OBJ) \
                                   $(BUILD)/liborp.a
	@mkdir -p $(@D)
	$(if $(CMOCKA_LIBS),,$(error cmocka was not found: install \
	    libcmocka-dev (Debian, Ubuntu) or libcmocka-devel (Fedora), \
	    then run make clean))
	$(call say,LINK) $(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	    $(CMOCKA_LIBS) $(LIBS)

# The one unit test that the fuzz targets are built into, pools and all.
$(BUILD)/unit/test_fuzz_replay: $(FUZZ_OBJ)
$(filter-out %/test_fuzz_replay,$(UNIT_PROGRAMS)): $(POOLS_OBJ)

# Built by make fuzz, with FUZZING set. fuzz.o, pool.o and world.o serve all.
fuzz-programs: $(if $(FUZZ),$(FUZZ:%=$(BUILD)/fuzz_%),$(FUZZ_PROGRAMS))
	@:

$(FUZZ_PROGRAMS): $(BUILD)/fuzz_%: $(BUILD)/t/fuzz/fuzz_%.o \
        $(filter-out $(BUILD)/t/fuzz/fuzz_%,$(FUZZ_OBJ)) \
        $(BUILD)/t/unit/support.o $(BUILD)/liborp.a
	$(call say,LINK) $(LINK) -fsanitize=fuzzer -o $@ $^ $(CMOCKA_LIBS) $(LIBS)

-include $(ALL_OBJ:.o=.d)

# --- configuring ------------------------------------------------------------

HINT = echo "Hint: conf/install-packages build (as root) installs it all." >&2

build/configure: configure.ac
	@command -v autoconf >/dev/null || { \
	    echo "autoconf was not found: install autoconf" \
	         "(Debian, Ubuntu, Fedora)." >&2; $(HINT); exit 1; }
	@mkdir -p build
	@cd build && autoconf -o configure ../configure.ac

$(BUILD)/config.mk: build/configure conf/config.mk.in
	@mkdir -p $(BUILD)
	@cd $(BUILD) && rm -f config.mk && \
	    "$(CURDIR)/build/configure" -q --srcdir="$(CURDIR)" || \
	    { $(HINT); exit 1; }

# --- installing -------------------------------------------------------------

LIBEXECDIR = $(DESTDIR)$(HTTPD_LIBEXECDIR)
BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man1

install: all
	mkdir -p $(LIBEXECDIR) $(BINDIR) $(MANDIR)
	$(APXS) -S LIBEXECDIR=$(LIBEXECDIR) -i -n openid2rp $(MODULE) >/dev/null
	$(if $(CLI_SRC),install -m 755 $(COMMAND) $(BINDIR)/openid2rp)
	install -m 644 docs/openid2rp.1 $(MANDIR)/openid2rp.1
	@echo
	@echo "Installed, not enabled. To load the module, httpd needs this line:"
	@echo "    LoadModule openid2rp_module $(HTTPD_LIBEXECDIR)/mod_openid2rp.so"

# --- testing ----------------------------------------------------------------

# With SANITIZE=address,undefined: the same tests, of a sanitized module.
test check:
	@conf/install-packages test
	@$(MAKE) -j2 --no-print-directory all unit-programs
	$(if $(SANITIZE),,@$(MAKE) -j2 --no-print-directory \
	    SANITIZE=$(SANITIZERS) BUILD=$(BUILD)/asan unit-programs)
	@t/run --build $(BUILD) $(if $(SANITIZE),,--sanitized $(BUILD)/asan)

unit:
	@$(MAKE) --no-print-directory unit-programs
	@t/run --build $(BUILD) --unit

# Which lines of the core the unit tests reach.
coverage:
	t/coverage.sh

# Fuzzing (t/README.md): clang's libFuzzer, for TIME seconds a target.
TIME = 60
fuzz:
	@conf/install-packages lint
	@$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz FUZZING=1 \
	    SANITIZE=fuzzer-no-link,$(SANITIZERS) fuzz-programs
	@t/fuzz/run.sh "$(TIME)" $(if $(FUZZ),$(FUZZ),$(FUZZ_NAMES))

lint:
	@conf/install-packages lint
	@MAKE="$(MAKE)" t/lint.sh

demo demo-check:
	$(if $(SANITIZE),@echo "The demo runs without sanitizers;" \
	    "make test SANITIZE=$(SANITIZE) runs the tests with." >&2; exit 1)
	@conf/install-packages demo
	@$(MAKE) --no-print-directory all
	@MODULE="$(abspath $(MODULE))" COMMAND="$(abspath $(COMMAND))" \
	    $(if $(PORT),PORT="$(PORT)") conf/demo/run $(if $(filter demo-check,$@),--check)

# --- measuring --------------------------------------------------------------

# A module for httpd that measures the stores; never installed.
BENCH_MODULE = $(BUILD)/bench/mod_bench_store.so
BENCH_OBJ = $(call objects,$(wildcard t/bench/*.c))
BENCH_FLAGS = $(CORE_FLAGS) -It/bench -isystem $(HTTPD_INCLUDEDIR)

.PHONY: bench bench-module
bench:
	t/bench/store --build $(BUILD)

bench-module: $(BENCH_MODULE)
	@:

# $(VISIBILITY) is left out: the module record must be seen.
$(BENCH_OBJ): $(BUILD)/%.o: %.c Makefile $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call say,CC) $(CC) -std=gnu11 -fPIC $(BENCH_FLAGS) $(WARNINGS) \
	    $(HARDENING) $(FORTIFY_FLAGS) $(SANITIZE_FLAGS) -MMD -MP \
	    $(CPPFLAGS) $(CFLAGS) $(WERROR) -c -o $@ $<

$(BENCH_MODULE): $(BENCH_OBJ) $(BUILD)/liborp.a
	@mkdir -p $(@D)
	$(call say,LINK) $(LINK) -shared -o $@ $^ $(LIBS)

-include $(BENCH_OBJ:.o=.d)

clean:
	rm -rf build
