# Everything is set up in .venv (the real client in .client); nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help check test test-client routing bench gen clean

help:
	@echo "make check        set up, then lint this package with pluglint"
	@echo "make test         set up, then run the whole test suite"
	@echo "make test-client  set up, fetch the real client from npm, then test the plugin and the rules in it"
	@echo "make routing      set up, then show how well the descriptions tell agents and skills apart"
	@echo "make bench        set up, then time pluglint against agnix and the bare interpreter"
	@echo "make gen          write the generated files again (the tests check that they are current)"
	@echo "make clean        remove the environment, the client and caches"

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pluglint needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

check: $(READY)
	$(BIN)/pluglint check .

test: $(READY)
	$(BIN)/python -m pytest

# the client goes into .client, 364 MB of it, and needs no network once it is there
test-client: $(READY)
	@$(BIN)/python tests/client/harness.py
	$(BIN)/python -m pytest tests/client

routing: $(READY)
	@$(BIN)/python tests/plugin/routing.py

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[bench]'
	$(BIN)/python tests/bench/bench.py

gen: $(READY)
	$(BIN)/python -m pluglint.gen

clean:
	rm -rf $(VENV) .client .pytest_cache .hypothesis *.egg-info tools/*.egg-info
