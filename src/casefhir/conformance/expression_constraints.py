"""SNOMED CT's expression constraints (ECL), as far as their form goes: constraints joined by and, or, minus."""

import re

_TOKEN = re.compile(
    r"\s*(?:(?P<term>\|[^|]*\|)|(?P<word>(?i:and|or|minus)\b|,)"
    r"|(?P<prefix><<!|>>!|<<|>>|<!|>!|!!>|!!<|<|>|\^)|(?P<operand>\d{6,18}|\*)|(?P<bracket>[()]))"
)
_DEEPER = re.compile(r"[:{}.=\[\]\"]")  # refinements, attributes and filters have a grammar of their own


def fault(text: str) -> str | None:
    """What is wrong with the form of `text`; None when nothing is, or when it says more than is read here."""
    if _DEEPER.search(re.sub(r"\|[^|]*\|", "", text)):
        return None
    at, wants, depth = 0, True, 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            return f"cannot be read from character {at + 1} on"
        at = match.end()
        kind = str(match.lastgroup)
        if kind == "term":
            continue
        opening = match[0].strip() == "("
        if (kind in ("prefix", "operand") or opening) != wants and not (
            kind == "bracket" and not opening and not wants
        ):
            return f"has {match[0].strip()!r} where {'a concept' if wants else 'and, or or minus'} belongs"
        depth += {"(": 1, ")": -1}.get(match[0].strip(), 0)
        wants = kind in ("prefix", "word") or opening
        if depth < 0:
            return "closes a bracket that it did not open"
    return "ends too early" if wants or depth else None
