# Everything runs in .venv of this checkout, pinned by requirements.lock.
# Needs: git, make, Python 3.11 or later with venv, and a package index.

PYTHON ?= python3
PYTEST_ARGS ?= -n auto --maxprocesses 8
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
# Named by content, so that the environment is built again exactly if one of these two files changed.
STAMP := $(VENV)/ready-$(shell cat requirements.lock pyproject.toml 2>/dev/null | cksum | tr ' ' '-')

define CHECK_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "shadowshare needs Python 3.11 or later, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	echo "Name another one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup race test lint types contract docs notebooks bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## make the environment, if it is not there

race: $(STAMP) ## run the race scenarios
	$(BIN)/shadowshare run

test: $(STAMP) ## run the tests (PYTEST_ARGS="tests/sim -x" for some of them)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

contract: $(STAMP) ## which part may import which
	$(BIN)/lint-imports --no-logo

docs: $(STAMP) ## make the site of the pages, in docs/_build
	$(BIN)/sphinx-build -q -W --keep-going -j 2 docs docs/_build

notebooks: $(STAMP) ## execute the notebooks, and write them as .ipynb beside their sources
	$(BIN)/jupytext --quiet --to ipynb --set-kernel python3 --execute notebooks/[0-9]*.py

bench: $(STAMP) ## measure: view, stepped world, export
	$(BIN)/python -m bench.protocol

lock: ## choose the newest versions again and write requirements.lock
	$(CHECK_PYTHON)
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && set -e; \
	$(PYTHON) -m venv "$$scratch"; \
	"$$scratch/bin/python" -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	"$$scratch/bin/uv" pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
		--extra dev --no-emit-index-url --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml

clean: ## remove the environment and everything that tools wrote
	rm -rf $(VENV) build dist docs/_build docs/api docs/notebooks src/shadowshare.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
		.hypothesis
	rm -f notebooks/*.ipynb
	find bench docs examples models notebooks protocol reports scenarios sim src tests verify \
		-name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP):
	$(CHECK_PYTHON)
	rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) -m venv failed; Debian and Ubuntu have it in the package python3-venv." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
