# The short names of what people do here; CMake does the work (CMakePresets.json). `make help` lists them.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# Many tests wait, for servers and for time to pass.
TEST_JOBS ?= $(shell expr $(JOBS) + 1)
CTEST_ARGS ?=
export CCACHE_DIR ?= $(CURDIR)/build/ccache
export CCACHE_NOHASHDIR = 1
# ctest sets a locale, and what it builds is what was built before; tests use a precompiled header.
export CCACHE_SLOPPINESS = locale,pch_defines,time_macros
export CTEST_OUTPUT_ON_FAILURE = 1

BUILD = cmake --build build/$(1) -j $(JOBS) --
TEST = tools/with_servers tests/tools/no_secrets build/$(1)/Testing/Temporary/LastTest.log \
  ctest --no-tests=error --test-dir build/$(1) -j $(TEST_JOBS) --timeout 600

.PHONY: help demo test bench install format format-check tidy asan tsan fuzz clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

# configure(preset, packages): a preset is configured once; from then on ninja sees itself what has changed.
define configure
	@tools/setup $(2)
	@test -f build/$(1)/build.ninja || { echo "configure: build/$(1)"; \
	  cmake --preset $(1) --log-level=WARNING $$(command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache); }
endef

demo:  ## build the library, the program and the demo, then run the demo
	$(call configure,dev,build)
	@echo "build: library, program oas, demo"
	@$(call BUILD,dev) --quiet oas oas-cli oas_demo
	@build/dev/bin/oas_demo
	@echo; echo "== Nothing is lost and nothing leaks (oas fsck --deep)"
	@build/dev/bin/oas --folder demo fsck --deep
	@echo; echo "look at it:  ls -R demo   cd demo && ../build/dev/bin/oas ls   …/oas show lab.recording   …/oas --help"

# build_all(preset): everything. Meanwhile a real MySQL, newer servers, S3 servers and DataJoint for Python are fetched,
# once; where they cannot be had, their tests are skipped, by name.
define build_all
	@{ tests/interop/get_datajoint || echo "get_datajoint: DataJoint for Python could not be had: its tests are skipped"; \
	   tests/servers/get_databases || echo "get_databases: not all servers could be had: their tests are skipped"; \
	   tests/servers/get_s3 || echo "get_s3: no S3 server could be had: its tests are skipped"; } & \
	$(call BUILD,$(1)); status=$$?; wait; exit $$status
endef

test:  ## build everything and run all tests
	$(call configure,dev,build test)
	@echo "build: library, program oas, examples, tests"
	$(call build_all,dev)
	@$(call TEST,dev) $(CTEST_ARGS)

bench:  ## build with full optimisation and hold the library against the raw operations; BENCH_ARGS="--only npy_large"
	$(call configure,bench,build)
	@$(call BUILD,bench) oas_benchmarks
	@set -e; for program in build/bench/bin/oas_bench_*; do $$program $(BENCH_ARGS); done

install:  ## build with full optimisation and install; PREFIX=/usr/local
	$(call configure,release,build)
	@$(call BUILD,release)
	@cmake --install build/release --prefix $(PREFIX)

# That there is not as much memory as a broken server announces is an error like others; and what is freed counts in the
# tests that measure memory.
asan: export ASAN_OPTIONS = allocator_may_return_null=1:quarantine_size_mb=32
asan:  ## all tests under the address and undefined-behaviour sanitizers
	$(call configure,asan,build test)
	$(call build_all,asan)
	@$(call TEST,asan) $(CTEST_ARGS)

tsan:  ## all tests under the thread sanitizer
	$(call configure,tsan,build test)
	$(call build_all,tsan)
	@$(call TEST,tsan) $(CTEST_ARGS)

fuzz:  ## build the fuzzers with clang and run each for FUZZ_SECONDS (60)
	$(call configure,fuzz,fuzz)
	@$(call BUILD,fuzz) oas_fuzzers
	@tools/run_fuzzers build/fuzz/bin $(or $(FUZZ_SECONDS),60)

SOURCES = git ls-files '*.cpp' '*.hpp'

format:  ## format every source file in place
	@tools/setup format
	@$(SOURCES) | xargs clang-format-14 -i

format-check:  ## say which source files are not formatted
	@tools/setup format
	@$(SOURCES) | xargs clang-format-14 --dry-run -Werror

tidy:  ## clang-tidy over the sources of the library and the program
	$(call configure,dev,tidy)
	@$(call BUILD,dev) --quiet
	@git ls-files 'src/*.cpp' 'cli/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy-14 -p build/dev --quiet

clean:  ## remove everything that was built
	@rm -rf build
