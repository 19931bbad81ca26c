"""Mutants of valid resources for the comparison with HL7's validator: one small fault each, from a seed.

    python tools/mutate_resources.py SEED COUNT OUT.ndjson SOURCE...

SOURCE: JSON files or folders. A mutant may still be valid; both validators have to say so. What is put in the place of
what is found stands in `mutation_words.json`. Beside OUT stands OUT.names.json, the mutation of each line.
"""

import copy
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from casefhir import exactjson

sys.path.insert(0, str(Path(__file__).parent))

import mutate_elements as elements
import mutate_wholes as wholes
from grow_resources import grow
from mutation_places import NUMBERS, WORDS, dated, named, numeric, swapping, text

LARGEST = 40_000
# HL7's engine reads these by rules of their content, or needs what it cannot fetch, before it looks at the fault.
DEFINITIONS = {
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "ConceptMap",
    "ImplementationGuide",
    "SearchParameter",
    "OperationDefinition",
    "CapabilityStatement",
    "StructureMap",
    "CompartmentDefinition",
    "GraphDefinition",
    "TestScript",
    "TerminologyCapabilities",
    "Questionnaire",
    "QuestionnaireResponse",
    "Measure",
    "Library",
    "ExampleScenario",
    "NamingSystem",
    "MessageDefinition",
}

MUTATIONS: dict[str, Callable[[random.Random, Any], bool]] = {
    "drop": elements.drop,
    "drop again": elements.drop,
    "add": elements.add,
    "retype": swapping(WORDS["any"], lambda _v, _k: True),
    "wrap": elements.wrap,
    "repeat": elements.repeat,
    "code": swapping(
        WORDS["codes"],
        text("status", "code", "use", "gender", "intent", "type", "mode", "kind", "language", "priority"),
    ),
    "date": swapping(WORDS["dates"], dated),
    "number": swapping(NUMBERS, numeric),
    "reference": swapping(WORDS["references"], text("reference")),
    "refer": elements.refer,
    "unit": swapping(WORDS["units"], text("code", "unit")),
    "system": swapping(WORDS["systems"], text("system")),
    "text": swapping(WORDS["texts"], text()),
    "uri": elements.uri,
    "id": elements.identity,
    "base64": swapping(WORDS["base64"], text("data", "hash", "content")),
    "rename": elements.rename,
    "choice": elements.choice,
    "narrative": elements.narrative,
    "extension": elements.extension,
    "part of extension": elements.part_of_extension,
    "sibling": elements.sibling,
    "aligned": elements.aligned,
    "contain": wholes.contain,
    "entry": wholes.entry,
    "retag": wholes.retag,
    "nest": elements.nest,
    "move": elements.move,
    "case": elements.case,
    "blank": elements.blank,
    "backwards": elements.backwards,
    "nothing": swapping([None, [], {}, ""], named),
    "grow": grow,
    "grow more": grow,
    "exchange": elements.exchange,
    "narrative part": elements.narrative_part,
    "language": elements.language,
    "deep extension": elements.deep_extension,
    "bundled": wholes.bundled,
    "in parameters": wholes.in_parameters,
    "contained": wholes.contained,
}


def sources(paths: list[Path]) -> list[Any]:
    """The resources of `paths` that are not too large and not definitions."""
    found: list[Any] = []
    for path in paths:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            data = file.read_bytes()
            if len(data) <= LARGEST:
                one = exactjson.read(data)
                if isinstance(one, dict) and one.get("resourceType") not in DEFINITIONS and "resourceType" in one:
                    found.append(one)
    return found


def mutants(seed: int, count: int, valid: list[Any]) -> Iterator[tuple[str, Any]]:
    """`count` pairs of the mutation's name and the mutant."""
    chance = random.Random(seed)
    names = list(MUTATIONS)
    made = 0
    while made < count:
        one = copy.deepcopy(chance.choice(valid))
        name = chance.choice(names)
        if MUTATIONS[name](chance, one) and "resourceType" in one:
            made += 1
            yield name, one


def lines(seed: int, count: int, valid: list[Any]) -> Iterator[tuple[str, bytes]]:
    """`count` pairs of the mutation's name and the mutant as JSON; one in forty broken as text."""
    chance = random.Random(-seed - 1)
    for name, one in mutants(seed, count, valid):
        data = exactjson.write(one)
        if chance.random() < 0.025:
            yield "scrambled", wholes.scrambled(chance, exactjson.write(chance.choice(valid)))
        else:
            yield name, data


def main(arguments: list[str]) -> None:
    seed, count, out = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    valid = sources([Path(each) for each in arguments[3:]])
    names: list[str] = []
    with out.open("wb") as stream:
        for name, data in lines(seed, count, valid):
            names.append(name)
            stream.write(data + b"\n")
    out.with_suffix(".names.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1:])
