# SPDX-License-Identifier: Apache-2.0
#
# The commands of the project; `make help` lists them. Each one installs and builds what it needs.

BUILD ?= build
JOBS ?= $(shell nproc)
# Builds in other folders may share cached objects.
export CCACHE_NOHASHDIR := 1
# The longest tests wait for brokers most of the time.
export CTEST_PARALLEL_LEVEL ?= $(shell expr 2 '*' $(JOBS))

CTEST = ctest --test-dir $(1) --output-on-failure --no-tests=error $(CTEST_FLAGS)

.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-kafka kafka test t bench fmt asan tsan campaign ci clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{printf "make %-12s %s\n", $$1, $$2}'

setup: ## Install Debian packages and the pinned Arrow wheel (needs root or sudo once)
	@tools/setup

$(BUILD)/build.ninja: | setup
	@cmake -G Ninja -S . -B $(BUILD) $(CMAKE_FLAGS)

build: setup $(BUILD)/build.ninja ## Build everything into build/
	@ninja -C $(BUILD) -j $(JOBS)

demo: build ## Count clicks per URL in 5-minute windows of a real access log
	@echo "-- a typed C++ program: examples/click_analytics/main.cc"
	@$(BUILD)/examples/click_analytics --input examples/click_analytics/data/apache_access.json.gz
	@echo; echo "-- the same in SQL: tidegate run examples/click_analytics/clicks.sql"
	@$(BUILD)/tidegate run examples/click_analytics/clicks.sql

demo-kafka: build ## The same program from topic to topic of a real Kafka broker
	@tools/demo-kafka $(BUILD)/examples/click_analytics

kafka: ## Start a Kafka broker on this machine (port 9092) with the topics of the example
	@tools/kafka start
	@for topic in clicks click-counts; do \
	  tools/kafka topics --create --if-not-exists --topic $$topic --partitions 3; done
	@echo "-- $(BUILD)/examples/click_analytics --kafka localhost:9092 --state-dir one   (and two, ...)"

test: build ## Build and run all tests
	@$(call CTEST,$(BUILD))

t: setup $(BUILD)/build.ninja ## Build and run the tests that match T=regex, for example T=types; F=filter of cases
	@test -n "$(T)" || { echo "usage: make t T=regex [F=gtest filter]"; exit 2; }
	@ninja -C $(BUILD) build.ninja
	@grep -E "$(T)" $(BUILD)/test_programs.txt | xargs -r ninja -C $(BUILD) -j $(JOBS)
	@GTEST_FILTER="$(or $(F),*)" $(call CTEST,$(BUILD)) -R "$(T)"

bench: setup $(BUILD)/build.ninja ## Build the benchmarks into build/bench/ and run them
	@ninja -C $(BUILD) -j $(JOBS) bench
	@for bench in $$(find $(BUILD)/bench -maxdepth 1 -type f -executable | sort); do echo "== $$bench"; $$bench || exit 1; done

fmt: setup ## Format all C++ sources
	@tools/format

asan: setup ## All tests with the address and undefined-behaviour sanitizers, in build-asan/
	@cmake -G Ninja -S . -B build-asan -DTIDEGATE_SANITIZE=address
	@ninja -C build-asan -j $(JOBS) tests
	@$(call CTEST,build-asan) -LE check

tsan: setup ## All tests with the thread sanitizer, in build-tsan/
	@cmake -G Ninja -S . -B build-tsan -DTIDEGATE_SANITIZE=thread
	@ninja -C build-tsan -j $(JOBS) tests
	@ARROW_DEFAULT_MEMORY_POOL=system $(call CTEST,build-tsan) -LE check

campaign: build ## Kill, damage and simulate: nothing lost, nothing twice; KILLS=1000 STEPS=500 RUNS=300 SEEDS=10000 SEED=1
	@TIDEGATE_BUILD=$(BUILD) python3 tests/recovery/campaign.py --kills $(or $(KILLS),1000) --seed $(or $(SEED),1)
	@TIDEGATE_BUILD=$(BUILD) python3 tests/recovery/campaign.py --planted --kills 300 --seed $(or $(SEED),1)
	@TIDEGATE_BUILD=$(BUILD) python3 tests/recovery/campaign.py --batch-steps $(or $(STEPS),500) --seed $(or $(SEED),1)
	@TIDEGATE_BUILD=$(BUILD) python3 tests/kafka/library_campaign.py --runs $(or $(RUNS),300) --seed $(or $(SEED),1) || [ $$? = 77 ]
	@TIDEGATE_SIMULATION_SEEDS=$(or $(SEEDS),10000) $(BUILD)/api_test --gtest_filter='*RecoverySimulation*:*WithoutProtection*'

ci: ## What continuous integration runs
	@.ci/run

clean: ## Delete the build folders (not .venv)
	@rm -rf build build-asan build-tsan
