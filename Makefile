# The two commands of the README are `make quickstart` and `make test`. Each makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FILE := examples/quickstart/ppml.yaml

# Tests start ppmlctl some hundred times; it is compiled for the first of them only.
unexport PYTHONDONTWRITEBYTECODE

# What pip says goes through a filter, which must not hide that it failed.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help quickstart test check bench long faults crash e2e fuzz soak clean

help:
	@echo "make quickstart   the main job, on the embedded sandbox"
	@echo "make test         all tests that need no Docker and no cluster"
	@echo "make check        style, types and layers"
	@echo "make bench        benchmarks, each beside a peer"
	@echo "make long         what takes long: whole commands on sandboxes, large enclaves, more examples, some minutes"
	@echo "make faults       every client before every fault of a server, some minutes"
	@echo "make crash        kill -9 at every instant of an apply, some minutes"
	@echo "make fuzz         every parser under a guided fuzzer, 30 seconds each"
	@echo "make soak         the same for ten minutes each, and all else that takes long"
	@echo "make e2e          tests on a real engine and cluster (DOCKER_HOST, KUBECONFIG), and beside a real kubectl"

# Debian and Ubuntu ship Python without ensurepip; python3-venv brings it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ppmlctl needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); \
	  sudo=$$(command -v sudo || true); \
	  $$sudo apt-get update -qq >/dev/null && $$sudo apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); }

$(VENV)/installed: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Packages for $(VENV):"
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.lock | sed -un 's/^Collecting \([^ ]*\).*/  \1/p'
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

quickstart: $(VENV)/installed
	@$(BIN)/ppmlctl apply --yes -f $(FILE)

test: $(VENV)/installed
	@$(BIN)/python -m pytest -q -n 2 -m "not docker and not cluster and not long and not faults and not crash and not soak and not kubectl"

long: $(VENV)/installed
	@$(BIN)/python -m pytest -q -n 2 --hypothesis-profile=many -m "(long or hypothesis) and not docker and not cluster and not crash and not soak and not kubectl"

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	@for bench in tests/benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

faults: $(VENV)/installed
	@$(BIN)/python -m pytest -q -n 2 -m faults

crash: $(VENV)/installed
	@$(BIN)/python -m pytest -q -n 2 -m crash

e2e: $(VENV)/installed
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "docker or cluster or kubectl"

$(VENV)/fuzzer: $(VENV)/installed
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'atheris>=3'
	@touch $@

fuzz: $(VENV)/fuzzer
	@PPMLCTL_FUZZ_SECONDS=$${PPMLCTL_FUZZ_SECONDS:-30} $(BIN)/python -m pytest -q -n 2 -m soak tests/fuzz

soak: $(VENV)/fuzzer
	@$(BIN)/python -m pytest -q -n 2 -m soak

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
