# `make demo` shows what linewatch does, `make test` proves it. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test build web lint bench faults sim fuzz nodes failover package package-test reproducible screenshots report-sample setup clean

# Say CARGO_FLAGS= to let cargo change Cargo.lock.
export CARGO_FLAGS ?= --locked
TARGET = $(or $(CARGO_TARGET_DIR),target)

help: ## This list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS=$$'\t' read -r name text; do printf 'make %-14s %s\n' "$$name" "$$text"; done

demo: ## Play the story of a cut line (DEMO_ONCE=1: once, and check it)
	@scripts/setup.sh build web demo
	@scripts/web.sh
	@. scripts/env.sh && cargo build --release --workspace --bins $(CARGO_FLAGS)
	@exec $(TARGET)/release/demo

test: ## Run every test: the page's, Rust's on both databases, the packages', the browser's
	@scripts/setup.sh build web test demo faults
	@scripts/web.sh
	@scripts/test.sh

build: ## Build both programs into target/release
	@scripts/setup.sh build web
	@scripts/web.sh
	@. scripts/env.sh && cargo build --release --workspace --bins $(CARGO_FLAGS)

web: ## Build the pages: the board, and the technician's
	@scripts/setup.sh web
	@scripts/web.sh

lint: ## Check the sources without running them
	@scripts/setup.sh build web
	@scripts/web.sh
	@scripts/lint.sh

bench: ## Measure, with the peers in the same run (NAME=board: that one alone; BENCH_PEERS=1: with all of them)
	@scripts/setup.sh build web bench $(if $(filter 1,$(BENCH_PEERS)),peers)
	@scripts/web.sh
	@scripts/bench.sh $(NAME)

faults: ## Kill, cut, fill, copy and restore the agent at a thousand moments; nothing saved is lost (SEED=, POINTS=)
	@scripts/setup.sh build web faults
	@scripts/web.sh
	@. scripts/env.sh && cargo build --workspace --bins $(CARGO_FLAGS)
	@SEED="$(SEED)" POINTS="$(POINTS)" KIND="$(KIND)" $(TARGET)/debug/faults

sim: ## Agents, network and a server of two nodes by chance of seeds (SEEDS=200, STEPS=120; SEED=7 TRACE=1 shows one)
	@scripts/setup.sh build web
	@scripts/web.sh
	@. scripts/env.sh && cargo build --profile sim -p linewatch-tests --bin sim $(CARGO_FLAGS)
	@SEEDS="$(SEEDS)" SEED="$(SEED)" STEPS="$(STEPS)" TRACE="$(TRACE)" $(TARGET)/sim/sim

fuzz: ## Feed every decoder and parser with bytes nobody meant (NAME=records: that one alone; SECONDS_EACH=60, FUZZ_KEEP=1)
	@scripts/setup.sh build web
	@scripts/web.sh
	@SECONDS_EACH="$(or $(SECONDS_EACH),60)" FUZZ_KEEP="$(FUZZ_KEEP)" scripts/fuzz.sh $(NAME)

nodes: ## Kill nodes on one PostgreSQL at moments of chance; nothing is lost, doubled or left untold (SEED=, SECONDS=)
	@scripts/setup.sh build web test
	@scripts/web.sh
	@. scripts/env.sh && cargo build --workspace --bins $(CARGO_FLAGS)
	@SEED="$(SEED)" SECONDS="$(SECONDS)" $(TARGET)/debug/nodes

failover: ## Kill the primary of PostgreSQL and promote its standby; the nodes find it by themselves (SEED=)
	@scripts/setup.sh build web test
	@scripts/web.sh
	@. scripts/env.sh && cargo build --workspace --bins $(CARGO_FLAGS)
	@SEED="$(SEED)" $(TARGET)/debug/failover

package: ## Build Debian packages into target/debian
	@scripts/setup.sh build web
	@scripts/web.sh
	@scripts/package.sh

package-test: ## Install, upgrade, remove and purge the packages beside this machine's own files (as root; debug programs)
	@scripts/setup.sh build web test demo
	@scripts/web.sh
	@scripts/package-test.sh

reproducible: ## Build the packages twice, from two clones in two places, and compare every byte
	@scripts/setup.sh build web
	@scripts/reproducible.sh

screenshots: ## Make docs/images: every page with sample data, in both languages (NAME=board: that one alone)
	@scripts/setup.sh build web screenshots
	@scripts/web.sh
	@scripts/screenshots.sh $(NAME)

report-sample: ## Write a sample desk's monthly report in every format, into target/report-sample
	@scripts/setup.sh build web report
	@scripts/web.sh
	@scripts/report-sample.sh

setup: ## Install everything that any of these needs
	@scripts/setup.sh build web test demo bench faults screenshots report

clean: ## Remove what was built
	@. scripts/env.sh && cargo clean
	@rm -rf server/web/node_modules tests/browser/node_modules
	@find server/web/dist agent/page -mindepth 1 ! -name .gitkeep -delete 2>/dev/null || true
