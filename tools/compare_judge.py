"""Our verdicts against HL7's engine on a file of mutants: agreement on pass or fail, and on the places of errors.

    python tools/compare_judge.py MUTANTS.ndjson JUDGED.jsonl [--profiles PATH] [--show N]

JUDGED.jsonl: what `tests/judge/run --level error MUTANTS.ndjson` printed.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from casefhir.conformance.api import Checker
from casefhir.conformance.findings import Finding

FAILED = ("error", "fatal")
OURS_ONLY = {"terminology.loinc", "terminology.snomed"}  # HL7's engine has no check digits


def place(text: str) -> str:
    """A location without what the two write differently: entry comments, indexes of urls, primitives' ids."""
    plain = re.sub(r"/\*[^*]*\*/|\[url='[^']*'\]", "", text)
    return re.sub(r"\.extension\[\d+\].*|\.ofType\([A-Za-z0-9]+\)|\[\d+\]|\[x\]", "", plain).rstrip(".")


def near(one: str, other: str) -> bool:
    """Is one place the other, or its parent: rules are told on the element or on its holder."""
    return one == other or one.rpartition(".")[0] == other or other.rpartition(".")[0] == one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mutants", type=Path)
    parser.add_argument("judged", type=Path)
    parser.add_argument("--profiles", type=Path, action="append", default=[])
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    theirs: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in options.judged.read_text().splitlines():
        if line.startswith("{") and (one := json.loads(line))["severity"] in FAILED:
            theirs[one["line"]].append(one)
    checker = Checker(profiles=options.profiles)
    count = agreed = digits = placed = rejected = 0
    more: dict[str, list[str]] = defaultdict(list)
    less: dict[str, list[str]] = defaultdict(list)
    for number, data in enumerate(options.mutants.read_bytes().splitlines(), 1):
        report = checker.report()
        checker.check_bytes(data, report)
        mine: list[Finding] = [each for each in report.findings if each.severity in FAILED]
        count += 1
        if bool(mine) == bool(theirs[number]):
            agreed += 1
            if mine:
                rejected += 1
                placed += any(near(place(a.location), place(b["location"])) for a in mine for b in theirs[number])
        elif mine and {each.rule for each in mine} <= OURS_ONLY:
            digits += 1
        elif mine:
            more[mine[0].rule].append(f"{number} {mine[0].location} {mine[0].message[:90]}")
        else:
            less[str(theirs[number][0]["messageId"])].append(f"{number} {theirs[number][0]['message'][:110]}")
    print(
        f"{agreed} of {count} verdicts agree; {digits} more fail here by check digit alone "
        f"({100 * (agreed + digits) / count:.2f} % with them)."
    )
    print(f"Of {rejected} that both reject, {placed} have an error at the same element or its parent.")
    for title, rows in (("only here", more), ("only HL7's", less)):
        for rule, found in Counter({rule: len(found) for rule, found in rows.items()}).most_common():
            print(f"{title}: {found} {rule}")
            for each in rows[rule][: options.show]:
                print(f"    {each}")


if __name__ == "__main__":
    main()
