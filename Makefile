# Two commands on a machine with only Python 3.11 or later: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types contract java browser packages pythons proof bundles docs clean

demo: $(READY)  ## convert and validate the six published cases, and say what to open next
	$(BIN)/casefhir convert -o out
	@echo
	@echo "Next:"
	@echo "    $(BIN)/casefhir show scig-antisynthetase-jo1    the record of one case as tables"
	@echo "    out/scig-antisynthetase-jo1.json               its FHIR bundle"
	@echo "    out/index/scig-antisynthetase-jo1.json         from each resource to the line it comes from"

test: $(READY)  ## the quick tests; make java adds those against HL7's validator and a real server
	$(BIN)/python -m pytest -n auto --dist loadscope -m "not java and not browser and not packaging and not pythons"

java: $(READY)  ## tests that need Java 17 and Maven
	$(BIN)/python -m pytest -m java

browser: $(READY)  ## tests that need Debian's chromium and chromium-driver
	$(BIN)/python -m pytest -m browser

proof: $(READY)  ## what an upload promises, at full size (about an hour; Java)
	tests/delivery/proof

packages: $(READY)  ## wheel, sdist and editable install, each tried in an environment of its own
	$(BIN)/python -m pytest -m packaging

pythons: $(READY)  ## the same bytes on every supported Python that is on this machine
	$(BIN)/python -m pytest -m pythons

check: lint types contract  ## what does not run the program

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## the examples too, which are typed as their readers' code may be
	$(BIN)/python tools/notebooks_as_python.py examples build/notebooks
	$(BIN)/mypy src examples build/notebooks

contract: $(READY)
	$(BIN)/lint-imports

bundles: $(READY)  ## regenerate what is committed
	$(BIN)/casefhir convert -o bundles

docs: $(READY)  ## the documentation as a site, in build/site; a link that leads nowhere is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("casefhir needs Python 3.11 or later; name one: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@$(BIN)/python -m compileall -q src  # else every start compiles it, where PYTHONDONTWRITEBYTECODE is set
	@touch $(READY)

clean:
	rm -rf $(VENV) out build dist
