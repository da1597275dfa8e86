# Everything is set up in .venv (the real client in .client); nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
READY := $(VENV)/.ready

.PHONY: help check test test-network test-browser test-client bench report routing gen clean

help:
	@echo "make check        set up, then lint this package with pluglint"
	@echo "make test         set up, then run the whole test suite"
	@echo "make test-network set up, then run the action and the pre-commit hook from their installation on"
	@echo "make test-browser set up, then look at the page of pluglint graph --html in Chromium, which must be installed"
	@echo "make test-client  set up, fetch the real client from npm, then test the plugin and the rules in it"
	@echo "make bench        set up, then time pluglint against its peers; the table goes into README.md"
	@echo "make report       set up, then measure the plugin; writes AGENT_ANALYSIS_SUMMARY.md and tables in README.md"
	@echo "make routing      set up, then show how well the descriptions tell agents and skills apart"
	@echo "make gen          write the generated files again (the tests check that they are current)"
	@echo "make clean        remove the environment, the client and caches"

# pluglint alone, and then what the tests need: PyTorch, JAX and others take a while
$(BASE): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pluglint needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(READY): $(BASE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

check: $(BASE)
	$(BIN)/pluglint check .

test: $(READY)
	$(BIN)/python -m pytest

# installs pluglint with pip as a runner does, and the real pre-commit
test-network: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[network]'
	$(BIN)/python -m pytest -m network tests/pluglint

# the browser is the system's: chromium, chromium-browser or google-chrome on PATH, or what CHROMIUM names
test-browser: $(READY)
	$(BIN)/python -m pytest -m browser tests/pluglint

# the client goes into .client, 364 MiB of it, and needs no network once it is there
test-client: $(READY)
	@$(BIN)/python tests/client/harness.py
	$(BIN)/python -m pytest tests/client

# the peers get an environment of their own: their requirements are not ours
.bench/.ready: tests/bench/peers.txt
	$(PYTHON) -m venv .bench
	.bench/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench: $(READY) .bench/.ready
	$(BIN)/python tests/bench/bench.py --peers .bench/bin --write README.md

report: $(READY)
	$(BIN)/python tests/plugin/report.py

routing: $(READY)
	@$(BIN)/python tests/plugin/routing.py

gen: $(READY)
	$(BIN)/python -m pluglint.gen
	$(BIN)/python tests/precision/table.py

clean:
	rm -rf $(VENV) .bench .client .pytest_cache .hypothesis *.egg-info tools/*.egg-info
