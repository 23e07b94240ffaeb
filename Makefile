# xrm needs Python 3.11 or newer and nothing else; everything is installed into .venv.
# make demo takes what running needs, the rest also what testing needs. A second run of either is quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.stamp-runtime
DEV := $(VENV)/.stamp-dev
PORT ?= 8000
# Workers of the test run: one a core, at least two, at most eight.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -lt 2 ] && n=2; [ $$n -gt 8 ] && n=8; echo $$n)
# What to test: make test TESTS="tests/test_imports.py -k planted"
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types format soak bench constraints wheel clean

help: ## say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /make \1\t/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "xrm needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there)."; \
	  echo "Name another with: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what xrm needs to run into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location -c constraints.txt -e .
	@touch $@

$(DEV): $(RUNTIME)
	@echo "Installing what its tests need into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(DEV) ## install everything that developing needs

demo: $(RUNTIME) ## start the demo city (PORT=8000; RESET=1 starts it afresh)
	@RESET='$(RESET)' PORT='$(PORT)' $(BIN)/python examples/city311/demo.py

test: $(DEV) ## run the whole suite on both databases (TESTS="…" for a part, WORKERS=n)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

lint: $(DEV) ## check style
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/ruff format --check .

types: $(DEV) ## check types, strictly
	@$(BIN)/mypy

format: $(DEV) ## put the style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

soak: $(DEV) ## run the tests that take minutes
	@XRM_SOAK=1 $(BIN)/python -m pytest -m soak -o faulthandler_timeout=0 $(TESTS)

bench: $(DEV) ## run the measurements and print them
	@$(BIN)/python -m bench.run $(BENCH)

constraints: ## pin the newest version of everything, in constraints.txt
	@tools/constraints.sh $(PYTHON)

wheel: $(DEV) ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean: ## remove everything that was made, the environment too
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
