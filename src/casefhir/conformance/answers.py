"""One answer of a QuestionnaireResponse against the item it answers: type, options, bounds, form, units."""

import base64
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from casefhir.conformance.canonicals import contained, extension_value, extension_values
from casefhir.conformance.conversion import Incomparable
from casefhir.conformance.definitions import CORE, Json
from casefhir.conformance.forms import Form, compared, compared_quantity
from casefhir.conformance.references import REST
from casefhir.conformance.shapes import capital, shape
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
_CHOICE = ("Coding", "date", "time", "integer", "string", "Reference")
TYPES: dict[str, tuple[str, ...]] = {
    "boolean": ("boolean",),
    "decimal": ("decimal",),
    "integer": ("integer",),
    "date": ("date",),
    "dateTime": ("dateTime",),
    "time": ("time",),
    "string": ("string",),
    "text": ("string",),
    "url": ("uri",),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
    "choice": _CHOICE,
    "open-choice": _CHOICE,
}
_LAST = re.compile(r"(?:\A|/)([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?\Z", re.ASCII)
_REGEX_LENGTH = 1000
_REPEATED_REPEAT = re.compile(r"\([^()]*[+*}][^()]*\)[+*{]")  # may take time exponential in the text


class Answers:
    """Checks answers; `vocabulary` knows the value sets."""

    def __init__(self, vocabulary: Vocabulary, tell: Tell) -> None:
        self.vocabulary = vocabulary
        self.tell = tell

    def check(self, answer: Node, item: Json, form: Form, count: int) -> None:
        """Check `answer`, one of `count` to `item` of `form`."""
        value = answer.first("value")
        if value is None:
            return
        kind = str(item.get("type"))
        wanted = TYPES.get(kind)
        if wanted is None:
            return
        if value.type not in wanted:
            self._tell("answer-type", value, f"must be a {' or '.join(wanted)}, not a {value.type}", item)
            return
        self._option(value, item, count)
        self._value_set(value, item, form)
        self._bounds(value, item)
        by_type: dict[str, Callable[[Node, Json], None]] = {
            "string": self._text,
            "Quantity": self._quantity,
            "Attachment": self._attachment,
            "Reference": self._reference,
        }
        if value.type in by_type:
            by_type[value.type](value, item)

    def _tell(self, rule: str, node: Node, said: str, item: Json, severity: str = "error", mend: str = "") -> None:
        self.tell(
            severity,
            f"profiles.{rule}",
            node,
            f"The answer to {item.get('linkId')!r} {said}.",
            mend or "Correct the answer, or the question it is given to.",
            value=node.value if node.is_primitive() else None,
        )

    def _option(self, value: Node, item: Json, count: int) -> None:
        options = [each for each in item.get("answerOption", ()) if isinstance(each, dict)]
        choice = item.get("type") in ("choice", "open-choice")
        if not options:
            if choice and value.type != "Coding" and not self._free(value, item) and "answerValueSet" not in item:
                self._tell(
                    "answer-type",
                    value,
                    f"is a {value.type}; a choice without options of that type takes a Coding",
                    item,
                    "warning",
                )
            return
        met = [each for each in options if _chosen(value, each)]
        if not met and not self._free(value, item):
            self._tell("answer-option", value, f"is none of the {len(options)} options", item)
        alone = any(extension_value(each, CORE + "questionnaire-optionExclusive") is True for each in met)
        if alone and count > 1:
            self._tell("answer-exclusive", value, "excludes all others, and is not alone", item)

    def _free(self, value: Node, item: Json) -> bool:
        return item.get("type") == "open-choice" and value.type == "string"

    def _value_set(self, value: Node, item: Json, form: Form) -> None:
        url = item.get("answerValueSet")
        if not isinstance(url, str) or self._free(value, item) or value.type not in ("Coding", "string"):
            return
        system, code = (value.get("system"), value.get("code")) if value.type == "Coding" else (None, value.value)
        local = contained(form.source, "ValueSet", url[1:]) if url.startswith("#") else None
        if local is not None:
            found = self.vocabulary.among(self.vocabulary.expanded(local), system, str(code))
        else:
            found = self.vocabulary.has(url, system, str(code))
        if code is None or (found is False and system is None and self._displayed(url, str(code))):
            return
        if found is False:
            self._tell("answer-value-set", value, f"is not in the value set {url}", item)
        elif found and value.type == "Coding":
            self._display(value, item)

    def _displayed(self, url: str, text: str) -> bool:
        """Is `text` what a code system of the value set calls one of its codes."""
        for system, codes in (self.vocabulary.codes(url) or {}).items():
            known = self.vocabulary.system(system)
            if known is not None and isinstance(codes, frozenset) and text in (known.codes.get(x) for x in codes):
                return True
        return False

    def _display(self, value: Node, item: Json) -> None:
        """A display that is another's: who answered saw the display, not the code."""
        known, said = self.vocabulary.system(str(value.get("system"))), value.get("display")
        wanted = known.codes.get(str(value.get("code"))) if known is not None else None
        if known is None or wanted is None or not isinstance(said, str):
            return
        names = [wanted, *known.others.get(str(value.get("code")), ())]
        if " ".join(said.lower().split()) not in [" ".join(each.lower().split()) for each in names]:
            self._tell("answer-display", value, f"says {said!r}, but its code means {wanted!r}", item)

    def _bounds(self, value: Node, item: Json) -> None:
        quantity = value.type == "Quantity"
        for end, sign, words in (("min", -1, "less than the least"), ("max", 1, "more than the most")):
            urls = [f"{CORE}{end}Value", f"{SDC}{end}Quantity"]
            limit = extension_value(item, *urls)
            if limit is None:
                continue
            shown = f"{limit.get('value')} {limit.get('code') or limit.get('unit') or ''}" if quantity else str(limit)
            try:
                found = compared_quantity(value.value, limit) if isinstance(limit, dict) else compared(value, limit)
            except Incomparable:
                self._tell("answer-unit", value, f"cannot be compared with {shown}: the units differ in kind", item)
                continue
            if found is None and quantity:
                self._tell("answer-unit", value, f"cannot be compared with {shown} by its coded unit", item)
            elif found == sign:
                self._tell("answer-bounds", value, f"is {words} allowed, {shown}", item)
        places = extension_value(item, CORE + "maxDecimalPlaces")
        number = value.get("value") if quantity else value.value
        if isinstance(places, int) and isinstance(number, Decimal):
            exponent = number.as_tuple().exponent
            if isinstance(exponent, int) and -exponent > places:
                self._tell("answer-decimals", value, f"{number} has more than {places} decimal places", item)

    def _text(self, value: Node, item: Json) -> None:
        text = str(value.value)
        least, most = extension_value(item, CORE + "minLength"), item.get("maxLength")
        if isinstance(least, int) and len(text) < least:
            self._tell("answer-length", value, f"has {len(text)} characters, fewer than {least}", item)
        if isinstance(most, int) and len(text) > most:
            self._tell("answer-length", value, f"has {len(text)} characters, more than {most}", item)
        if item.get("type") == "string" and ("\n" in text or "\r" in text):
            self._tell("answer-lines", value, "has several lines; a string is one line", item, "warning")
        pattern = extension_value(item, CORE + "regex")
        if isinstance(pattern, str):
            self._matches(value, text, pattern, item)

    def _matches(self, value: Node, text: str, pattern: str, item: Json) -> None:
        try:
            long = len(text) > _REGEX_LENGTH or _REPEATED_REPEAT.search(pattern) is not None
            fits = None if long else re.fullmatch(pattern, text, re.DOTALL) is not None
        except re.error:
            fits = None
        if fits is None:
            self._tell("not-evaluated", value, f"was not compared with {pattern!r}", item, "warning")
        elif not fits:
            form = extension_value(item, CORE + "entryFormat")
            self._tell("answer-form", value, f"has not the form {form or pattern}", item)

    def _quantity(self, value: Node, item: Json) -> None:
        units = [each for each in extension_values(item, CORE + "questionnaire-unitOption") if isinstance(each, dict)]
        system, code = value.get("system"), value.get("code")
        if units and not any(each.get("code") == code and each.get("system") in (None, system) for each in units):
            allowed = ", ".join(str(each.get("code")) for each in units)
            self._tell("answer-unit", value, f"has the unit {code}; allowed are {allowed}", item)
        url = extension_value(item, CORE + "questionnaire-unitValueSet")
        if isinstance(url, str) and (
            not isinstance(code, str) or self.vocabulary.has(url, str(system) if system else None, code) is False
        ):
            self._tell("answer-unit", value, f"has a unit that is not in the value set {url}", item)

    def _attachment(self, value: Node, item: Json) -> None:
        kinds = [str(each) for each in extension_values(item, CORE + "mimeType")]
        said = value.get("contentType")
        if kinds and not any(str(said).startswith(each) for each in kinds):
            self._tell("answer-attachment", value, f"is of type {said}; allowed are {', '.join(kinds)}", item)
        most, data = extension_value(item, CORE + "maxSize"), value.get("data")
        if isinstance(most, int | Decimal) and isinstance(data, str):
            size = len(base64.b64decode("".join(data.split()) + "==", validate=False))
            if size > most:
                self._tell("answer-attachment", value, f"has {size} bytes; at most {most} are allowed", item)

    def _reference(self, value: Node, item: Json) -> None:
        text = value.get("reference")
        if not isinstance(text, str) or text.startswith(("#", "urn:")):
            return
        match = REST.match(text) or _LAST.search(text)
        if match is None:
            return
        name = match["type"] if match.re is REST else match[1]
        kinds = [str(each) for each in extension_values(item, CORE + "questionnaire-referenceResource")]
        known = shape(name)
        if kinds and name not in kinds:
            self._tell("answer-reference", value, f"points at a {name}; allowed are {', '.join(kinds)}", item)
        elif known is None or known.kind != "resource":
            self._tell("answer-reference", value, f"points at a {name}, which is no R4 resource type", item)


def _chosen(value: Node, option: Json) -> bool:
    """Is `value` the option (an answerOption)."""
    wanted = option.get("value" + capital(value.type))
    if value.type == "dateTime" and wanted is None:
        wanted = option.get("valueDate")
    if value.type == "decimal" and wanted is None:
        wanted = option.get("valueInteger")
    if wanted is None:
        return False
    if isinstance(wanted, dict):
        keys = ("reference",) if value.type == "Reference" else ("system", "code")
        return all(value.get(key) == wanted.get(key) for key in keys)
    return bool(_plain(wanted) == _plain(value.value))


def _plain(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
