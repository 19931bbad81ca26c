"""Our verdicts against HL7's engine on a file of resources: agreement on pass or fail, and on the places of errors.

    python tools/compare_judge.py RESOURCES.ndjson JUDGED.jsonl [--profiles PATH] [--show N]

JUDGED.jsonl: what `tests/judge/run --level error RESOURCES.ndjson` printed. `known_differences.tsv` lists what the two
judge differently, who is right and why; what it does not list is shown.
"""

import argparse
import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from casefhir.conformance.api import Checker
from casefhir.conformance.findings import Finding

FAILED = ("error", "fatal")
CHECK_DIGITS = {"terminology.loinc", "terminology.snomed"}  # counted apart: HL7's engine has none
_KNOWN = Path(__file__).with_name("known_differences.tsv")


def place(text: str) -> str:
    """A location without what the two write differently: entry comments, indexes of urls, primitives' ids."""
    plain = re.sub(r"/\*[^*]*\*/|\[url='[^']*'\]", "", text)
    plain = re.sub(r"\.extension\[\d+\].*|\.ofType\([A-Za-z0-9]+\)|\[\d+\]|\[x\]", "", plain).rstrip(".")
    return "" if plain in ("$", "Resource") else plain


def near(one: str, other: str) -> bool:
    """Is one place the other, or its parent: rules are told on the element or on its holder."""
    return one == other or one.rpartition(".")[0] == other or other.rpartition(".")[0] == one


@cache
def known_differences() -> list[dict[str, str]]:
    """The rows of `known_differences.tsv`."""
    return list(csv.DictReader(_KNOWN.read_text().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def known(only: str, rule: str, message: str) -> str | None:
    """Why `only` (casefhir or hl7) says `rule` of something that passes elsewhere; None when that is not listed."""
    for row in known_differences():
        if row["only"] == only and rule in row["rule"].split("|") and re.search(row["message"], message):
            return row["why"]
    return None


@dataclass
class Comparison:
    """Verdicts counted; `more` and `less` hold what only we and only the engine reject, by rule, unless listed."""

    count: int = 0
    agreed: int = 0
    digits: int = 0
    rejected: int = 0
    placed: int = 0
    whole: int = 0
    listed: Counter[str] = field(default_factory=Counter)
    more: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    less: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def open(self) -> int:
        """Disagreements that are not listed."""
        return sum(map(len, (*self.more.values(), *self.less.values())))

    def add(self, number: int, mine: list[Finding], theirs: list[dict[str, Any]]) -> None:
        """Count one resource with the errors of both."""
        self.count += 1
        if bool(mine) == bool(theirs):
            self.agreed += 1
            if mine:
                self._place([place(each.location) for each in mine], [place(each["location"]) for each in theirs])
        elif mine:
            first = mine[0]
            if {each.rule for each in mine} <= CHECK_DIGITS:
                self.digits += 1
            elif all(why := [known("casefhir", each.rule, each.message) for each in mine]):
                self.listed[str(why[0])] += 1
            else:
                self.more[first.rule].append(f"{number} {first.location} {first.message[:90]}")
        elif all(why := [known("hl7", each["messageId"], each["message"]) for each in theirs]):
            self.listed[str(why[0])] += 1
        else:
            self.less[str(theirs[0]["messageId"])].append(f"{number} {theirs[0]['message'][:110]}")

    def _place(self, ours: list[str], theirs: list[str]) -> None:
        self.rejected += 1
        if any(near(one, other) for one in ours for other in theirs):
            self.placed += 1
        elif "" in ours or "" in theirs:
            self.whole += 1

    def lines(self, show: int) -> Iterator[str]:
        """The report."""
        apart = self.agreed + self.digits
        listed = sum(self.listed.values())
        yield f"{self.agreed} of {self.count} verdicts agree ({100 * self.agreed / self.count:.2f} %)."
        yield f"{self.digits} more fail here by check digit alone ({100 * apart / self.count:.2f} % with them)."
        yield f"{listed} differ as listed ({100 * (apart + listed) / self.count:.2f} % with them), {self.open} else."
        yield (
            f"Of {self.rejected} that both reject, {self.placed} have an error at the same element or its parent; of "
            f"{self.whole} others one of the two speaks of the whole file."
        )
        for why, number in self.listed.most_common():
            yield f"listed: {number} {why}"
        for title, rows in (("only here", self.more), ("only HL7's", self.less)):
            for rule, found in Counter({rule: len(found) for rule, found in rows.items()}).most_common():
                yield f"{title}: {found} {rule}"
                yield from (f"    {each}" for each in rows[rule][:show])


def judged(lines: Iterable[str]) -> dict[int, list[dict[str, Any]]]:
    """The engine's errors by line of the file it read."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        if line.startswith("{") and (one := json.loads(line))["severity"] in FAILED:
            found[one["line"]].append(one)
    return found


def compare(resources: Iterable[bytes], theirs: dict[int, list[dict[str, Any]]], checker: Checker) -> Comparison:
    """Both verdicts on each of `resources`, numbered from 1."""
    comparison = Comparison()
    for number, data in enumerate(resources, 1):
        report = checker.report()
        checker.check_bytes(data, report)
        comparison.add(number, [each for each in report.findings if each.severity in FAILED], theirs.get(number, []))
    return comparison


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("resources", type=Path)
    parser.add_argument("judged", type=Path)
    parser.add_argument("--profiles", type=Path, action="append", default=[])
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    resources = options.resources.read_bytes().removesuffix(b"\n").split(b"\n")
    theirs = judged(options.judged.read_text().splitlines())
    for line in compare(resources, theirs, Checker(profiles=options.profiles)).lines(options.show):
        print(line)


if __name__ == "__main__":
    main()
