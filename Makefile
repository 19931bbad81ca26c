# Two commands on a machine with only Python 3.11 or later: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types contract java bundles proof clean

demo: $(READY)  ## convert and validate the six published cases, and say what to open next
	$(BIN)/casefhir convert -o out
	@echo
	@echo "Next: open out/scig-antisynthetase-jo1.json, or read the same as a table:"
	@echo "    $(BIN)/casefhir show scig-antisynthetase-jo1"

test: $(READY)  ## the tests; those that need Java or the source documents say so where these are missing
	$(BIN)/python -m pytest

check: lint types contract  ## what does not run the program

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contract: $(READY)
	$(BIN)/lint-imports

bundles: $(READY)  ## regenerate what is committed
	$(BIN)/casefhir convert -o bundles

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("casefhir needs Python 3.11 or later; give it by make PYTHON=…") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $(READY)

clean:
	rm -rf $(VENV) out build dist
