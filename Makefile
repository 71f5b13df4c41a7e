# Thin: each target says what it calls. `make help` lists them.
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local

.PHONY: help setup build demo cluster-demo test torture bench asan tsan simulate plants fuzz lint format install clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "  JOBS=N builds and tests with N at once (now $(JOBS)); SPUR_DATA names the folder of real test data"

setup: ## install the Debian packages of packages.txt that are missing
	@scripts/setup

build: setup ## configure and build everything, in build/release
	@scripts/build release $(JOBS)

demo: setup ## build the two programs, start a daemon, send it events and watch it decide
	@scripts/build release $(JOBS) spur spurd
	@scripts/demo $(ARGS)

cluster-demo: setup ## a Kafka broker and three daemons: one is killed, others take over, and an audit says what was lost
	@scripts/setup packages-test.txt
	@scripts/build release $(JOBS) spur spurd spur_peers_gen spur_peers_topic
	@scripts/cluster_demo $(ARGS)

test: build ## build and run every test; installs packages-test.txt too, for the tests on a Kafka broker
	@scripts/setup packages-test.txt || [ -z "$$CI" ]
	@ctest --preset release --parallel $(JOBS)

torture: build ## harm to daemons, brokers and wires, in turn, for SECONDS (600); goes on where it stood, see tests/kafka/torture.py
	@scripts/setup packages-test.txt
	@tests/kafka/torture.py build/release --seconds $(or $(SECONDS),600) $(ARGS)

bench: build ## run the benchmarks: micro, and event to action over gRPC
	@scripts/bench

asan: setup ## every test under the address and undefined behaviour sanitizers, in build/asan
	@scripts/sanitize asan $(JOBS)

tsan: setup ## every test that calls no gRPC under the thread sanitizer, in build/tsan
	@scripts/sanitize tsan $(JOBS)

simulate: setup ## the commit protocol under faults: SEEDS (100000) seeds from FROM (1); see docs/simulation.md
	@scripts/build release $(JOBS) spur_simulation
	@build/release/tests/simulation/spur_simulation --seeds $(or $(SEEDS),100000) --from $(or $(FROM),1)

plants: setup ## every planted bug of the protocol, and how many seeds it takes the simulator to find it
	@scripts/build release $(JOBS) spur_simulation_planted
	@build/release/tests/simulation/spur_simulation_planted --plants --seeds $(or $(SEEDS),100000)

fuzz: setup ## each fuzz target for FUZZ_SECONDS (60), in build/fuzz
	@scripts/fuzz $(FUZZ_SECONDS) $(JOBS)

lint: ## clang-format and clang-tidy on the files changed since origin/main (or SINCE=commit)
	@scripts/lint $(SINCE)

format: ## clang-format the files changed since origin/main (or SINCE=commit), in place
	@scripts/lint --fix $(SINCE)

install: build ## install spur and spurd below PREFIX (/usr/local)
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove build/
	@rm -rf build
