# Needs Python 3.11 or newer and nothing else; everything is installed into .venv in this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test browser lint types guests clean help

help:
	@echo "make demo   a map/reduce job on a Swift cluster of its own, from nothing, in about a minute"
	@echo "make test   lint, types and the whole test-suite, from nothing"
	@echo "make lint | types | guests | clean"

demo: $(VENV)/runtime
	@$(BIN)/python -m zerocloud.demo

# The console's tests drive Chromium and are skipped where there is none. As root on Debian it is simply installed.
browser:
	@command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
		echo "Installing Chromium for the console's tests ..."; \
		{ timeout 120 apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 \
			apt-get install -y -qq --no-install-recommends chromium chromium-driver; } >/dev/null 2>&1 \
		|| echo "It can't be installed; those tests will be skipped."; }

# Two processes, each with clusters of its own; the tests of a file stay together.
test: lint types browser
	$(BIN)/pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/testing
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/testing
	$(BIN)/mypy

guests: $(VENV)/testing
	$(MAKE) -C zerocloud/demo/guests ZIG="$(CURDIR)/$(BIN)/python -m ziglang"

clean:
	rm -rf $(VENV) .demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ZeroCloud needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.11")'
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "This Python lacks its venv module; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/runtime: $(BIN)/python pyproject.toml
	@echo "Installing ZeroCloud and what it needs from PyPI ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/testing: $(BIN)/python pyproject.toml
	@echo "Installing ZeroCloud and what its tests need from PyPI ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/runtime
