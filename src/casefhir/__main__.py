"""`python -m casefhir`."""

from casefhir.cli import main

main(prog_name="casefhir")
