"""The rows of labs.csv as Observations, by fhircraft and the FHIR mapping language: prints resources and seconds.

python bench/mappers/fhircraft_labs.py LABS.CSV OUT.NDJSON  (in an environment that has the package)
"""

import csv
import json
import sys
import time

from fhircraft.fhir.mapper import FHIRStructureMapper

MAP = """
map "http://example.org/StructureMap/labs" = "labs"

uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target

group row(source row, target observation : Observation) {
  row -> observation.status = 'final' "status";
  row.date as date -> observation.effectiveDateTime = date "when";
  row.test as test -> observation.code as code then { test -> code.text = test "name"; } "code";
  row.id as id -> observation.subject as subject then {
    id -> subject.reference = append('Patient/', id) "who";
  } "subject";
  row.value as value -> observation.valueQuantity as quantity then {
    value -> quantity.value = cast(value, 'decimal') "number";
    row.unit as unit -> quantity.unit = unit "unit";
  } "value";
}
"""

mapper = FHIRStructureMapper("R4")
parsed = mapper.parse(MAP)
began, count = time.process_time(), 0
with open(sys.argv[1], newline="") as rows, open(sys.argv[2], "w") as stream:
    for row in csv.DictReader(rows):
        (resource,) = mapper.map(parsed, row)
        stream.write(resource.model_dump_json(exclude_none=True) + "\n")
        count += 1
print(json.dumps({"resources": count, "processor": time.process_time() - began}))
