# Everything is set up in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help check test bench gen clean

help:
	@echo "make check   set up, then lint this package with pluglint"
	@echo "make test    set up, then run the whole test suite"
	@echo "make bench   set up, then time pluglint against agnix and the bare interpreter"
	@echo "make gen     write the generated files again (the tests check that they are current)"
	@echo "make clean   remove the environment and caches"

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pluglint needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

check: $(READY)
	$(BIN)/pluglint check .

test: $(READY)
	$(BIN)/python -m pytest

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[bench]'
	$(BIN)/python tests/bench/bench.py

gen: $(READY)
	$(BIN)/python -m pluglint.gen

clean:
	rm -rf $(VENV) .pytest_cache .hypothesis *.egg-info tools/*.egg-info
