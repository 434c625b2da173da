# Everything a person or a CI runner does with this project. `make help` lists it.
#
# Each target installs what it needs and is missing (Debian; see deploy/install-packages), so that a machine with Swift, make,
# git, python3, gcc and curl is enough.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help packages dev build test bench demo lint clean

# One place for the flags: `swift test --skip-build` runs what `swift build --build-tests` made only if they are the same.
CHECK := --explicit-target-dependency-import-check error
DEBUG := $(CHECK)
RELEASE := -c release --static-swift-stdlib $(CHECK)

# The suites that need no process, socket or file of their own. They run once more on one processor, where a call that blocks
# Swift's thread pool shows as a hang.
PURE := ^(CoreTests|WireTests|SchedulingTests|ScalingTests|SettingsTests|FunctionsTests)\.|^(PoolTests|RedisTests)\..*(Machine|Codec|URL|Budget)
# Two that reckon for long have it to themselves: each test has a minute, and one processor has all of a run at once.
RECKONING := WindowRotationRandomTests/seeds|PoolMachineRandomTests
ALONE := timeout 600 taskset -c "$$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)"

# Arguments for `swiftlet dev`, `swiftlet demo` and the benchmarks: make dev ARGS="--port 0"
ARGS ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

packages: ## install the Debian packages that are missing
	@deploy/install-packages

dev: build ## build and start the emulator with all functions; Ctrl-C stops it
	@exec .build/release/swiftlet dev $(ARGS)

build: packages ## build both executables into .build/release/
	swift build $(RELEASE) --product functions
	swift build $(RELEASE) --product swiftlet

test: packages ## build and run all tests, then the pure ones on one processor
	@deploy/install-packages test
	swift build --build-tests $(DEBUG)
	swift test --skip-build --disable-xctest --no-parallel $(DEBUG) --skip '^EndToEnd\.'
	swift test --skip-build --disable-xctest --no-parallel $(DEBUG) --filter '^EndToEnd\.'
	@echo "once more on one processor: $(PURE)"
	$(ALONE) swift test --skip-build --disable-xctest $(DEBUG) --filter '$(PURE)' --skip '$(RECKONING)'
	$(ALONE) swift test --skip-build --disable-xctest $(DEBUG) --filter '$(RECKONING)'

bench: ## measure against nginx, uWSGI, php-fpm and others; ARGS="--only soak" for the soak
	@deploy/install-packages bench
	swift build $(RELEASE) --product swiftlet
	swift build $(RELEASE) --product functions
	swift build $(RELEASE) --product fixtures
	swift build $(RELEASE) --product nohop
	swift build $(RELEASE) --product hop
	swift build $(RELEASE) --product cronnext
	swift build $(RELEASE) --product schedulebench
	python3 Tests/Benchmarks/bench.py $(ARGS)

demo: ## drive all eight functions of the running `make dev` with real input
	@test -x .build/release/swiftlet || { echo "there is no .build/release/swiftlet; run make dev in another terminal first" >&2; exit 69; }
	@exec .build/release/swiftlet demo $(ARGS)

lint: ## check the format of all Swift files
	swift format lint --strict -p -r Package.swift Runtime Functions Tests

clean: ## remove what was built; .swiftlet/ with its data stays
	swift package clean
