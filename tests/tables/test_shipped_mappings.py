"""The mappings that come with casefhir, over generated exports and the filled template: everything becomes something,
and HL7's validator finds no error in it.
"""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from casefhir.sources.tables.load import load_mapping, shipped
from casefhir.tables import Options, Tally, convert_tables
from tests.tables import exports

RUN = Path(__file__).parents[1] / "judge" / "run"
PERSONS = 8


def _sdtm(folder: Path) -> Path:
    for name, rows in exports.sdtm(PERSONS).items():
        exports.write_xpt(folder / f"{name}.xpt", rows)
    return folder


MAKERS = {
    "sdtm": _sdtm,
    "omop": lambda folder: exports.write(folder, exports.omop(PERSONS)),
    "redcap": lambda folder: exports.write(folder, exports.redcap(PERSONS)),
    "phenopackets": lambda folder: exports.write_json(folder / "cohort.json", exports.phenopackets(PERSONS)),
    "registry": lambda _: Path(__file__).parents[2] / "examples" / "registry",
    "synthea": lambda _: Path(__file__).parent / "data" / "synthea",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Tally]]:
    """Every mapping's output, all marked as test data."""
    found = {}
    for name, make in MAKERS.items():
        folder = tmp_path_factory.mktemp(name)
        out = folder / "out"
        found[name] = (out, convert_tables([make(folder / "in")], name, out, Options(test_data=True)))
    return found


def resources(out: Path, kind: str) -> list[dict]:
    file = out / f"{kind}.ndjson"
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def test_every_mapping_that_comes_with_casefhir_is_tried_here():
    assert set(shipped()) == set(MAKERS)
    for name in MAKERS:
        assert load_mapping(name).mapping.name == name


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_rejected_nor_in_error_and_the_sums_add_up(made, name):
    _, tally = made[name]
    assert not tally.rejected
    assert not tally.errors
    assert not tally.unaccounted()
    assert tally.persons >= 2


def test_sdtm(made):
    out, tally = made["sdtm"]
    results = resources(out, "Observation")
    ck = [each for each in results if each["code"]["text"] == "Creatine Kinase" and "coding" in each["code"]]
    assert len(ck) == 3 * PERSONS
    absent = [each for each in ck if "dataAbsentReason" in each]
    assert {each["dataAbsentReason"]["coding"][0]["code"] for each in absent} <= {"not-performed"}
    assert all(each["code"]["coding"][0]["code"] == "2157-6" for each in ck)
    below = [each for each in results if each.get("valueQuantity", {}).get("comparator") == "<"]
    assert {str(each["valueQuantity"]["value"]) for each in below} == {"0.2"}
    denied = [each for each in resources(out, "Condition") if each["code"]["text"] == "Dysphagia"]
    assert {each["verificationStatus"]["coding"][0]["code"] for each in denied} == {"refuted", "confirmed"}
    dosages = [each["dosage"][0] for each in resources(out, "MedicationStatement")]
    assert {each["doseAndRate"][0]["doseQuantity"]["value"] for each in dosages} == {2, 10}
    events = resources(out, "AdverseEvent")
    assert {each["outcome"]["coding"][0]["code"] for each in events} == {"resolved"}
    related = [each for each in events if "suspectEntity" in each]
    assert all(len(each["suspectEntity"]) == 2 for each in related)  # both infusions had begun by then
    others = {each["resultingCondition"][0]["reference"] for each in events if "suspectEntity" not in each}
    assert 0 < len(others) < PERSONS
    became = [each for each in resources(out, "Condition") if f"Condition/{each['id']}" in others]
    assert all({"text": "Relationship to IMMUNOGLOBULIN: NOT RELATED"} in each["note"] for each in became)
    assert tally.rows["lb"]["converted"] == 13 * PERSONS
    assert tally.rows["ce"]["filtered"] == PERSONS  # asked for, and not answered: nobody has chills for that
    assert "Chills" not in {each["code"]["text"] for each in resources(out, "Condition")}
    (urine, *_) = [each for each in results if str(each.get("valueQuantity", {}).get("value")) == "3"]
    assert "coding" not in urine["code"]  # the catalogue's code is that of serum


def test_sdtms_supplemental_qualifiers_stand_with_their_rows(made):
    out, tally = made["sdtm"]
    for name in ("suppdm", "suppae", "supplb"):
        assert tally.rows[name]["converted"] == tally.rows[name]["read"] > 0
    for event in resources(out, "AdverseEvent"):
        assert "Treatment Emergent Flag: Y. Involves Cancer: N." in event["text"]["div"]
    results = resources(out, "Observation")
    noted = [each for each in results if {"text": "Clinically Significant: Y"} in each.get("note", ())]
    assert {each["meta"]["tag"][2]["code"].rpartition("/")[2] for each in noted} == {"lb.2"}
    assert len(noted) == PERSONS
    safe = [each for each in results if each["code"].get("text") == "Safety Population Flag"]
    assert {each["valueCodeableConcept"]["text"] for each in safe} == {"Y"}


def test_sdtms_vital_signs_are_those_of_r4(made):
    out, _ = made["sdtm"]
    results = [
        each
        for each in resources(out, "Observation")
        if "category" in each and each["category"][0]["coding"][0]["code"] == "vital-signs"
    ]
    by_code = {each["code"]["coding"][0]["code"]: each for each in results}
    assert set(by_code) == {"85354-9", "8310-5", "8302-2", "29463-7"}
    pressure = by_code["85354-9"]
    assert [each["valueQuantity"]["value"] for each in pressure["component"]] == [128, 82]
    assert pressure["note"] == [{"text": "Position: SITTING"}]
    heat = by_code["8310-5"]["valueQuantity"]
    assert (str(heat["value"]), heat["code"]) == ("97.8", "[degF]")


def test_omop(made):
    out, tally = made["omop"]
    results = resources(out, "Observation")
    assert Counter(each.get("valueQuantity", {}).get("comparator") for each in results)["<"] == PERSONS
    words = [each for each in results if "valueCodeableConcept" in each]
    assert {each["valueCodeableConcept"]["text"] for each in words} == {"Positive", "never"}
    assert {each.get("valueQuantity", {}).get("unit") for each in results} >= {"U/L", "mg/L", "IU/L"}
    texts = {each["code"]["text"] for each in resources(out, "Condition")}
    assert texts == {"Dermatomyositis", "local rash code"}
    assert {each["encounter"]["reference"] for each in results} == {
        f"Encounter/{each['id']}" for each in resources(out, "Encounter")
    }
    assert sum("deceasedDateTime" in each for each in resources(out, "Patient")) == PERSONS // 5
    pressure = [each for each in results if "component" in each]
    assert [[part["valueQuantity"]["value"] for part in each["component"]] for each in pressure] == [
        [100 + person, 60 + person] for person in range(1, PERSONS + 1)
    ]
    assert all(each["code"]["coding"][0]["code"] == "85354-9" for each in pressure)
    assert tally.unmapped


def test_redcap(made):
    out, _ = made["redcap"]
    results = resources(out, "Observation")
    ck = [each for each in results if each["code"]["text"] == "Creatine kinase"]
    assert len(ck) == 2 * PERSONS
    assert ck[0]["code"]["coding"][0]["code"] == "2157-6"
    weak = {each["valueCodeableConcept"]["text"] for each in results if each["code"]["text"] == "Weakness of the arms"}
    assert weak <= {"None", "Mild", "Severe"}
    assert weak
    skin = [each for each in results if each["code"]["text"] == "Skin signs"]
    assert {each["valueCodeableConcept"]["text"] for each in skin} == {"Heliotrope rash"}
    assert {each["gender"] for each in resources(out, "Patient")} == {"female", "male"}


def test_phenopackets(made):
    out, _ = made["phenopackets"]
    conditions = resources(out, "Condition")
    assert Counter(each["verificationStatus"]["coding"][0]["code"] for each in conditions) == {
        "confirmed": 2 * PERSONS,
        "refuted": PERSONS,
    }
    assert {each["code"]["coding"][0]["code"] for each in conditions} == {"HP:0003326", "HP:0002015", "MONDO:0016367"}
    doses = [each["dosage"][0]["doseAndRate"][0]["doseQuantity"] for each in resources(out, "MedicationStatement")]
    assert Counter(each["value"] for each in doses) == {1000: PERSONS, 500: PERSONS}
    assert len(resources(out, "Procedure")) == PERSONS
    (observation, *_) = resources(out, "Observation")
    assert observation["referenceRange"][0]["high"]["value"] == 170


def test_synthea(made):
    out, _ = made["synthea"]
    pressure = [each for each in resources(out, "Observation") if len(each.get("component", [])) == 2]
    assert pressure
    assert all(each["code"]["coding"][0]["code"] == "85354-9" for each in pressure)


@pytest.mark.java
def test_hl7s_validator_finds_no_error_in_any_of_it(made, root):
    files = [str(path) for out, _ in made.values() for path in sorted(out.glob("*.ndjson"))]
    done = subprocess.run(
        [str(RUN), *files, "--profiles", str(root / "profiles")], capture_output=True, text=True, check=False
    )
    errors = [line for line in done.stdout.splitlines() if '"severity":"error"' in line or '"severity":"fatal"' in line]
    assert not errors, errors[:5]
    assert " 0 errors" in done.stdout.splitlines()[-1]
