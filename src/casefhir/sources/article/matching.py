"""What a stretch of the text holds: the words of a quote, the figure of a claim."""

import re
from itertools import pairwise

from casefhir import terms
from casefhir.record import Span
from casefhir.record.spans import ELISION
from casefhir.sources.article import naming
from casefhir.sources.article.claims import Amount, Claim, Ratio, Time
from casefhir.sources.article.comparing import comparison, is_limit, may_be_limit, printed_sign, ranges
from casefhir.sources.article.document import quote_pattern
from casefhir.sources.article.figures import SOFT_UNITS, Figure, figures, has_unit, states_time, units_at, within
from casefhir.sources.article.prose import data_lines, touching

EITHER = frozenset("<>")  # the signs of an Amount whose comparison does not matter
_SHOWN = 60
_TYPEWRITER = str.maketrans("“”‘’–—‐‑−", "\"\"''-----")


def span_mistake(text: str, span: Span) -> tuple[str, str] | None:
    """What is wrong with `span` in `text`, and how to mend it; None where it reads exactly as its quote says."""
    locate = f"Find it again: casefhir locate DOCUMENT '{span.quote}'."
    if span.end > len(text):
        return f"the span at {span.offset} ends at {span.end}, after the document's {len(text)} characters.", locate
    words = text[span.offset : span.end]
    if not reads_plainly(words, span.quote) and not quote_pattern(span.quote).fullmatch(words):
        return f"the span at {span.offset} reads “{short(words)}”, not “{span.quote}”.", locate
    if _cuts(text, span.offset) or _cuts(text, span.end):
        return f"the span at {span.offset} starts or ends inside a word or number: “{short(words)}”.", locate
    return None


def reads_plainly(words: str, quote: str) -> bool:
    """Whether `words` read as `quote`, no word being broken: the pattern would say so too, but is slow to make."""
    flat = " ".join(words.split())
    first, *rest = (piece.strip() for piece in quote.split(ELISION))
    if words != words.strip():
        return False
    if not rest:
        return flat == first
    position = len(first)
    for piece in rest[:-1]:
        position = flat.find(piece, position) + len(piece)
        if position < len(piece):
            return False
    return flat.startswith(first) and flat.endswith(rest[-1]) and len(flat) - len(rest[-1]) >= position


def _cuts(text: str, position: int) -> bool:
    """Whether a border at `position` cuts a word, a number, or a word broken at a line end."""
    before, after = text[max(position - 30, 0) : position], text[position : position + 30]
    if before[-1:].isalnum() and after[:1].isalnum():
        return True
    if re.search(r"\d[.,·]\Z", before) and after[:1].isdigit():
        return True
    if before[-1:].isdigit() and re.match(r"[.,·]\d", after):
        return True
    return bool(re.search(r"[^\W\d_][-\u00ad]\s*\n\s*$", before) and re.match(r"[a-z]", after))


def word_after(text: str, end: int) -> str:
    """The word directly after a figure, in small letters; empty where none, or only a function word, follows."""
    match = re.compile(r"[\s-]*([^\W\d_]{3,})").match(text, end)
    word = match[1].casefold() if match else ""
    return "" if word in data_lines("function_words.txt") else word


def is_bare(text: str, span: Span) -> bool:
    """Whether a span holds a figure and no word but units."""
    left = text[span.offset : span.end]
    found = within(text, span.offset, span.end)
    if not found:
        return False
    for figure in reversed(found):
        printed = max((unit for unit, _ in units_at(text, figure.end)), key=len, default="")
        tail = figure.end - span.offset + (len(printed) + 1 if printed else 0)
        left = left[: figure.start - span.offset] + " " + left[tail:]
    return not naming.words_of(left)


def matches(text: str, span: Span, claim: Claim) -> list[tuple[int, int]]:
    """Where in `span` the claimed figure stands."""
    if isinstance(claim, Time):
        found = states_time(text, span.offset, span.end, claim.digits, claim.ucum)
        ends = {each.start: each.end for each in figures(text)}
        return [
            (start, start + 1)
            for start in found
            if claim.what != "offset" or comparison(text, start, ends.get(start, start)) == claim.compared
        ]
    here = within(text, span.offset, span.end)
    if isinstance(claim, Ratio):
        return _ratios(text, here, claim)
    return [
        (each.start, each.end)
        for each in here
        if each.digits == claim.digits and (not each.name or claim.what == "scale") and _fits(text, each, claim)
    ]


def _fits(text: str, figure: Figure, claim: Amount) -> bool:
    """Whether sign and unit beside the printed figure allow the claim."""
    before = text[max(figure.start - 4, 0) : figure.start].rstrip()
    sign = printed_sign(text, figure.start)
    allowed = {"<" if each in "<≤" else ">" for each in claim.signs}
    if sign and sign not in allowed:
        return False
    if not _is_compared(text, figure, claim) or not _is_end_of_range(text, figure, claim):
        return False
    if claim.negative and before[-1:] not in ("-", "−", "–"):
        return False
    if claim.unit:
        printed_so = has_unit(text, figure, claim.unit)
        # a unit stands beside its figure, but for a table's cell, a range's bound, and words that are no unit of UCUM
        strict = claim.what in ("value", "dose") and terms.ucum_of(claim.unit) is not None
        in_table = any(each.is_line for each in touching(text, figure.start, figure.end))
        return printed_so is True or (printed_so is None and (in_table or not strict))
    printed = () if claim.signs == EITHER else units_at(text, figure.end)
    return not printed or any(code in SOFT_UNITS for _, code in printed)


def _is_compared(text: str, figure: Figure, claim: Amount) -> bool:
    """Whether a single value is printed with the comparison it claims, and with none where it claims none."""
    if claim.what != "value" or claim.range:
        return True
    return comparison(text, figure.start, figure.end) == claim.compared


def _is_end_of_range(text: str, figure: Figure, claim: Amount) -> bool:
    """A range of reference is printed as one, and no limit of what is normal is the value."""
    if any(each.is_line for each in touching(text, figure.start, figure.end)):
        return True  # in a table each has a column of its own
    printed = ranges(text).get(figure.start)
    if claim.what == "range of reference":
        if claim.range:
            return bool(printed) and {each.digits for each in printed or ()} == {claim.digits, claim.range}
        return bool(comparison(text, figure.start, figure.end)) or may_be_limit(text, figure.start)
    if claim.what != "value" or claim.range or claim.negative:
        return True
    return (printed is None or _is_change(text, printed[0])) and not is_limit(text, figure.start)


def _is_change(text: str, first: Figure) -> bool:
    """Whether a printed range is what something fell or rose `from`, and to."""
    return text[max(first.start - 8, 0) : first.start].rstrip().endswith("from")


def _ratios(text: str, here: tuple[Figure, ...], claim: Ratio) -> list[tuple[int, int]]:
    found = []
    for first in range(len(here) - len(claim.digits) + 1):
        row = here[first : first + len(claim.digits)]
        apart = (text[one.end : other.start] for one, other in pairwise(row))
        if tuple(each.digits for each in row) == claim.digits and all(
            re.fullmatch(r"\s*[/:]\s*", gap) for gap in apart
        ):
            found.append((row[0].start, row[-1].end))
    return found


def plain(words: str) -> str:
    """`words` with typewriter quotes and dashes."""
    return words.translate(_TYPEWRITER)


def shown(claim: Claim) -> str:
    """The figure of `claim` for a message."""
    match claim:
        case Amount():
            return f"{claim.compared}{'-' if claim.negative else ''}{claim.digits} {claim.unit}".strip()
        case Time():
            return f"{claim.compared}{claim.digits} {claim.ucum}"
        case Ratio():
            return "/".join(claim.digits)


def short(words: str) -> str:
    """`words` on one line, its middle left out where it is long."""
    flat = " ".join(words.split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN // 2].rstrip()} … {flat[-_SHOWN // 2 :].lstrip()}"
