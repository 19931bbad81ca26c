"""A MeasureReport against its Measure: groups, populations, stratifiers and scores."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from casefhir.conformance.canonicals import extension_value, named
from casefhir.conformance.definitions import Definitions, Json
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SCORED = ("proportion", "ratio", "continuous-variable")
_UNIT = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"
_ALTERNATE = "http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/extension-alternateScoreType"
_UNITS = ("unit", "system", "code")


class MeasureReports:
    """Checks MeasureReport nodes."""

    def __init__(self, definitions: Definitions, tell: Tell) -> None:
        self.definitions = definitions
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check MeasureReport `node`."""
        said = node.first("measure")
        if said is None or not isinstance(said.value, str):
            return
        measure = named(said.value, "Measure", node, self.definitions)
        if measure is None:
            self.tell(
                "warning",
                "profiles.measure",
                said,
                f"Measure {said.value} is not known, so the report was not checked against it.",
                "Load it with the profiles.",
                value=said.value,
            )
            return
        groups = _objects(measure, "group")
        if groups:
            self._groups(node, measure, groups)

    def _tell(self, rule: str, node: Node, message: str, mend: str, severity: str = "error") -> None:
        self.tell(severity, f"profiles.measure-{rule}", node, message, mend)

    def _groups(self, node: Node, measure: Json, groups: list[Json]) -> None:
        given = node.children.get("group", [])

        def check(group: Node, definition: Json) -> None:
            self._group(group, definition, measure, node.get("type"))

        if len(given) == 1 and len(groups) == 1 and not (given[0].get("code") and groups[0].get("code")):
            check(given[0], groups[0])
        else:
            complete = node.get("type") != "data-collection"
            self._pair("group", node, given, groups, check, complete=complete)

    def _pair(
        self,
        what: str,
        holder: Node,
        given: list[Node],
        wanted: list[Json],
        check: Callable[[Node, Json], None],
        *,
        complete: bool = True,
    ) -> None:
        """Match the report's parts with the measure's by code, each once, and `check` each pair."""
        met: list[int] = []
        for node in given:
            code = node.get("code")
            if code is None:
                self._tell("code", node, f"This {what} has no code to find it in the Measure by.", "Give its code.")
                continue
            place = next((at for at, each in enumerate(wanted) if _match(code, each.get("code"))), None)
            if place is None:
                self._tell("code", node, f"The Measure has no {what} with this code.", "Give a code of the Measure.")
            elif place in met:
                self._tell("code", node, f"This {what} is there twice.", "Keep one.")
            else:
                met.append(place)
                check(node, wanted[place])
        for at, each in enumerate(wanted):
            if at not in met and complete and not _observation(each):
                self._tell(
                    "missing", holder, f"The Measure's {what} {_shown(each)} is not reported.", f"Add the {what}."
                )

    def _group(self, node: Node, definition: Json, measure: Json, kind: Any) -> None:
        scoring = next((each.get("code") for each in measure.get("scoring", {}).get("coding", ())), None)
        self._pair(
            "population",
            node,
            node.children.get("population", []),
            _objects(definition, "population"),
            lambda population, _: self._population(population, kind),
        )
        self._score(node, scoring, kind, measure, needed=True)
        stratifiers = _objects(definition, "stratifier")
        for each in node.children.get("stratifier", ()):
            code = each.get("code")
            codes = code if isinstance(code, list) else [code]
            if code is not None and not any(_match(x, y.get("code")) for x in codes for y in stratifiers):
                self._tell("code", each, "The Measure has no stratifier with this code.", "Give a code of the Measure.")
            for stratum in each.children.get("stratum", ()):
                self._score(stratum, scoring, kind, measure, needed=False)

    def _population(self, node: Node, kind: Any) -> None:
        listed = node.children.get("subjectResults")
        if kind != "subject-list" and listed:
            self._tell("subjects", node, "Only a subject-list report lists subjects.", "Take subjectResults out.")
        if kind != "subject-list" and "count" not in node.children:
            self._tell("count", node, "The population has no count.", "Give the count.", "warning")

    def _score(self, node: Node, scoring: Any, kind: Any, measure: Json, *, needed: bool) -> None:
        score = node.first("measureScore")
        if kind == "data-collection" or scoring == "cohort":
            if score is not None:
                collected = kind == "data-collection"
                why = "A data-collection report" if collected else "A cohort"
                self._tell("score", score, f"{why} has no score.", "Take it out.", "error" if collected else "warning")
            return
        if scoring not in _SCORED:
            return
        if score is None:
            if needed:
                self._tell("score", node, f"A {scoring} measure needs a measureScore.", "Give the score.")
            return
        value = score.get("value")
        if value is None:
            value = extension_value(score.value, _ALTERNATE)
        if value is None:
            self._tell("score", score, f"The score of a {scoring} measure has a value.", "Give the value.")
            return
        if scoring == "proportion":
            if any(score.get(each) is not None for each in _UNITS):
                self._tell("score", score, "A proportion has no unit.", "Take unit, system and code out.")
            if isinstance(value, int | Decimal) and not 0 <= value <= 1:
                self._tell("score", score, f"A proportion is between 0 and 1, not {value}.", "Divide it.")
            return
        unit = extension_value(measure, _UNIT)
        if isinstance(unit, dict) and any(score.get(each) != unit.get(each) for each in ("system", "code")):
            self._tell("score", score, f"The Measure's unit is {unit.get('code')}.", "Give the score in that unit.")
        elif scoring == "ratio" and unit is None and score.get("code") is None:
            self._tell("score", score, "The score of a ratio should have a unit.", "Give its unit.", "warning")


def _objects(holder: Json, name: str) -> list[Json]:
    return [each for each in holder.get(name, ()) if isinstance(each, dict)]


def _codings(concept: Any) -> set[tuple[Any, Any]]:
    found = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return {(each.get("system"), each.get("code")) for each in found if isinstance(each, dict)}


def _match(one: Any, other: Any) -> bool:
    mine, theirs = _codings(one), _codings(other)
    if mine or theirs:
        return bool(mine & theirs)
    return bool(isinstance(one, dict) and isinstance(other, dict) and one.get("text") == other.get("text"))


def _observation(definition: Json) -> bool:
    return (_POPULATION, "measure-observation") in _codings(definition.get("code"))


def _shown(definition: Json) -> str:
    codes = sorted(str(code) for _, code in _codings(definition.get("code")))
    return ", ".join(codes) or str(definition.get("code", {}).get("text", "without a code"))
