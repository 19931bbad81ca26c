# Two commands on a machine with only Python 3.11 or later: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# what needs nothing but Python
ALONE := not java and not browser and not packaging and not pythons
# empty: what pytest makes of the tests' modules is kept for the next time
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
PARALLEL := -n auto --dist loadscope

.PHONY: demo test thorough explore check lint types contract java browser packages pythons proof bundles docs clean

demo: $(READY)  ## convert and validate the six published cases, and say what to open next
	$(BIN)/casefhir convert -o out
	@echo
	@echo "Next:"
	@echo "    $(BIN)/casefhir show scig-antisynthetase-jo1    the record of one case as tables"
	@echo "    out/scig-antisynthetase-jo1.json               its FHIR bundle"
	@echo "    out/index/scig-antisynthetase-jo1.json         from each resource to the line it comes from"

test: $(READY)  ## the quick tests; make java adds those against HL7's validator and a real server
	$(PYTEST) $(PARALLEL) -m "$(ALONE) and not thorough"
	@echo "Left out, for they take longer: make thorough (minutes), make java, make browser, make packages, make pythons."

thorough: $(READY)  ## what make test leaves out because it takes over a second, or tries with a few examples only
	CASEFHIR_THOROUGH=1 $(PYTEST) $(PARALLEL) -m "$(ALONE) and (thorough or examples)"

explore: $(READY)  ## properties with examples that nobody has tried yet; a failure says how to try it again
	CASEFHIR_THOROUGH=1 $(PYTEST) $(PARALLEL) -m "$(ALONE)" --hypothesis-profile explore

java: $(READY)  ## tests that need Java 17 and Maven
	$(PYTEST) -m java

browser: $(READY)  ## tests that need Debian's chromium and chromium-driver
	$(PYTEST) -m browser

proof: $(READY)  ## what an upload promises, at full size (about an hour; Java)
	tests/delivery/proof

packages: $(READY)  ## wheel, sdist and editable install, each tried in an environment of its own
	$(PYTEST) -m packaging

pythons: $(READY)  ## the same bytes on every supported Python that is on this machine
	$(PYTEST) -m pythons

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
