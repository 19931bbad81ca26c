"""REDCap's exports of labels, read by the project's data dictionary as if they were exports of raw values.

Such an export has fields' labels as headers (or their variable names) and labels of choices as cells: `Skin signs
(choice=Rash)` with `Checked` and `Unchecked`, `Complete?`, `Repeat Instrument`. What a label may mean is never guessed.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Literal

from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.readers import OnFault, Table
from casefhir.sources.tables.readers.base import NAMED, Around
from casefhir.sources.tables.redcap_cells import CleanTable, FlatTable, is_eav
from casefhir.sources.tables.redcap_events import COLUMN as EVENT
from casefhir.sources.tables.redcap_events import event_label, event_names
from casefhir.sources.tables.rows import Row, TableError, find_column
from casefhir.sources.tables.value_maps import choice_labels, column_code

_NEEDED = ("Variable / Field Name", "Field Type", "Field Label", "Choices, Calculations, OR Slider Labels")
_USEFUL = ("Form Name", "Identifier?", "Text Validation Type OR Show Slider Number")
_ABOUT_ROWS = {
    "event name": "redcap_event_name", "repeat instrument": "redcap_repeat_instrument",
    "repeat instance": "redcap_repeat_instance", "data access group": "redcap_data_access_group",
    "survey identifier": "redcap_survey_identifier",
}  # fmt: skip
_COMPLETE, _TIMESTAMP = "Complete?", "Survey Timestamp"
_TICKED = {"1": "Checked", "0": "Unchecked"}
_FINISHED = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
_CHOSEN = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_CHOICE = re.compile(r"(?P<label>.*?)\s*\(choice=(?P<choice>.*)\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_LOOKED_AT = 1_000
"""Rows in which a label is looked for, where the headers are variable names."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of the dictionary; `choices`: code -> label."""

    name: str
    form: str
    type: str
    label: str
    choices: Mapping[str, str]
    identifies: bool
    validation: str = ""


@dataclass(frozen=True, slots=True)
class _Cells:
    """How the cells of a column are read: code -> label, label -> its codes. Of instruments the dictionary tells no
    labels: a label is that of the name which REDCap makes of it (`by_name`).
    """

    column: str
    codes: Mapping[str, str]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by_name: bool = False
    events: bool = False

    def labelled(self, cell: str) -> Sequence[str]:
        """The codes of which a cell is the label."""
        if self.by_name:
            name = re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_")
            return [name] if name in self.codes else []
        return self.labels.get(event_label(cell) if self.events else plain(cell), ())

    def meant(self, cell: str, mode: "Mode") -> Sequence[str]:
        """The codes that a cell may mean; none where it is neither a code nor a label."""
        labelled = self.labelled(cell)
        if cell not in self.codes or (mode == "labels" and labelled):
            return labelled
        return list(dict.fromkeys([cell, *(labelled if mode == "mixed" else ())]))


Mode = Literal["labels", "raw", "mixed"]
"""What the cells of a file are; mixed where they are some of both, or cannot be told apart."""


class Dictionary:
    """A REDCap project's data dictionary, and its list of events where there is one. Raises `TableError` where one of
    them lacks a column.
    """

    def __init__(self, lookup: Lookup, events: Lookup | None = None) -> None:
        places = [find_column(lookup.columns, part) for part in (*_NEEDED, *_USEFUL)]
        for part, place in zip(_NEEDED, places):
            if place is None:
                raise TableError(f"{lookup.file}: A REDCap data dictionary has the column {part!r}; this has none.")
        self.file = lookup.file
        self.fields: dict[str, _Field] = {}
        for row in lookup.rows.values():
            cells = ["" if place is None else (row[place] or "").strip() for place in places]
            name, kind, label, choices, form, identifier, validation = cells
            told = _CHOSEN.get(kind) or (choice_labels(choices) if kind in ("radio", "dropdown", "checkbox") else {})
            valid = validation if kind == "text" else ""  # of a slider it tells something else
            self.fields[name] = _Field(name, form, kind, plain(label), told, identifier.casefold() == "y", valid)
        self._forms = dict.fromkeys(each.form for each in self.fields.values() if each.form)
        self._cells = dict(self._readers())
        if events:
            labels = event_names(events)
            names = dict.fromkeys(chain(*labels.values()), "")
            self._cells[EVENT] = _Cells(EVENT, names, labels, events=True)

    def columns(self, file: str, given: list[str]) -> list[str]:
        """The variable names for the headers of an export, which may be these or labels; what the dictionary does not
        know keeps its name. Raises `TableError` where a label may mean several fields.
        """
        if is_eav(given):
            return given
        meant: dict[str, list[str]] = {}
        for label, name in chain(*self._exported(whole=True).values()):
            meant.setdefault(label, []).append(name)
        if not any(not self._is_raw(name) and (plain(name) in meant or _about_rows(name)) for name in given):
            return given
        in_order = self._in_order(given, whole=True) or self._in_order(given, whole=False)
        if in_order:
            return in_order
        found: list[str] = []
        form = ""
        for place, header in enumerate(given, 1):
            label = plain(header)
            names = dict.fromkeys([*([header] if self._is_raw(header) else []), *meant.get(label, ())])
            if label == _COMPLETE:
                name = f"{form}_complete"
                found.append(name if form and name not in found else f"column_{place}_complete")
                continue
            if len(names) > 1:
                raise TableError(
                    f"{file}, column {place}: {header!r} may be {' or '.join(names)} by the data dictionary "
                    f"({self.file}). Write the right variable name in its place in the header, or export raw data."
                )
            name = _ABOUT_ROWS.get(label.casefold()) or next(iter(names), header)
            found.append(f"column_{place}_timestamp" if label == _TIMESTAMP else name)
            of = self.fields.get(name.partition("___")[0])
            form = of.form if of else form
        return found

    def read(self, part: Table) -> Table:
        """`part` as a flat export of raw values: put together where it has one value a row, with codes for labels, with
        decimal points and one word for what is missing.
        """
        if is_eav(part.columns):
            names = [name for _, name in chain(*self._exported(whole=True).values())]
            part = FlatTable.of(part, self.fields, names)
        return CleanTable.of(self._coded(part), self.fields)

    def _coded(self, part: Table) -> Table:
        readers = [self._cells.get(column) for column in part.columns]
        if not any(readers):
            return part
        mode = _mode(part, readers)
        if mode is None:
            mode = "mixed" if NAMED in part.detected else "raw"
        return part if mode == "raw" else LabelledTable(part, tuple(readers), mode)

    def _is_raw(self, name: str) -> bool:
        stem, _, code = name.partition("___")
        of = self.fields.get(stem)
        return (
            name in self.fields
            or name in _ABOUT_ROWS.values()
            or (of is not None and of.type == "checkbox" and bool(code))
            or any(name in (f"{form}_complete", f"{form}_timestamp") for form in self._forms)
        )

    def _exported(self, *, whole: bool) -> dict[str, list[tuple[str, str]]]:
        """Form -> label and name of each column that an export has of it, in the dictionary's order; without those of
        identifiers unless it is `whole`.
        """
        found: dict[str, list[tuple[str, str]]] = {each.form: [] for each in self.fields.values()}
        for each in self.fields.values():
            if each.type == "descriptive" or (each.identifies and not whole):
                continue
            if each.type == "checkbox":
                found[each.form] += [
                    (plain(f"{each.label} (choice={label})"), ticked(each.name, code))
                    for code, label in each.choices.items()
                ]
            else:
                found[each.form].append((each.label, each.name))
        for form in self._forms:
            found[form].append((_COMPLETE, f"{form}_complete"))
        return found

    def _in_order(self, given: Sequence[str], *, whole: bool) -> list[str] | None:
        """The names where the headers are those of whole forms in the dictionary's order, perhaps after the record's
        id: then no label is in doubt.
        """
        left = [(place, plain(header)) for place, header in enumerate(given) if not _about_rows(header)]
        forms, record = self._exported(whole=whole), next(iter(self.fields.values()))
        names: dict[int, str] = {}
        if left and left[0][1] == record.label and not _begins(left, next(iter(forms.values()))):
            names[left.pop(0)[0]] = record.name
        taken, passed = [], []
        for columns in forms.values():
            labels = [label for label, _ in columns]
            if not _begins(left, columns):
                passed.append(labels)
                continue
            names |= {place: name for (place, _), (_, name) in zip(left, columns)}
            del left[: len(columns)]
            taken += [labels, labels[1:] if labels[0] == record.label else labels]
        if left or any(labels in taken for labels in passed):  # it may be the other form
            return None
        return [
            names.get(place) or _ABOUT_ROWS.get(plain(header).casefold(), f"column_{place + 1}_timestamp")
            for place, header in enumerate(given)
        ]

    def _readers(self) -> Iterator[tuple[str, _Cells]]:
        for each in self.fields.values():
            if each.type == "checkbox":
                for code, label in each.choices.items():
                    name = ticked(each.name, code)
                    yield name, _Cells(name, _TICKED, {plain(label): ["1"], **_turned(_TICKED)})
            elif each.choices:
                yield each.name, _Cells(each.name, each.choices, _turned(each.choices))
        for form in self._forms:
            yield f"{form}_complete", _Cells(f"{form}_complete", _FINISHED, _turned(_FINISHED))
        instrument = "redcap_repeat_instrument"
        yield instrument, _Cells(instrument, dict.fromkeys(self._forms, ""), by_name=True)


@dataclass(frozen=True, slots=True)
class LabelledTable(Around):
    """A table with labels as cells, given with codes. Where a cell is a label and another choice's code, `mode` tells
    which; where that is not known (mixed), the row is none.
    """

    readers: tuple[_Cells | None, ...]
    mode: Mode

    @property
    def detected(self) -> dict[str, str]:
        """As in `Table`."""
        return {**self.part.detected, "labels": "read as codes by the data dictionary"}

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """As in `Table`; a row with a label that may mean several codes is told to `fault`."""
        reading = [(place, each) for place, each in enumerate(self.readers) if each]
        for number, row in self.part.rows(fault):
            cells, wrong = list(row), ""
            for place, reader in reading:
                cell = (row[place] or "").strip()
                if not cell:
                    continue
                codes = reader.meant(cell, self.mode)
                if len(codes) > 1:
                    wrong = (
                        f"In {reader.column}, {cell!r} may be the choice {' or '.join(codes)} by the data dictionary; "
                        f"write the code of the right one in all rows, or export raw data."
                    )
                    break
                cells[place] = codes[0] if codes else row[place]
            if wrong:
                fault(number, row, wrong)
            else:
                yield number, tuple(cells)


def _mode(part: Table, readers: Sequence[_Cells | None]) -> Mode | None:
    """Whether the cells are labels or codes, by those that can be one of both alone; None without such ones."""
    labels = codes = False
    for _, row in islice(part.rows(lambda *_: None), _LOOKED_AT):
        for reader, cell in zip(readers, row):
            if reader and cell and (cell := cell.strip()):
                is_code, is_label = cell in reader.codes, bool(reader.labelled(cell))
                codes, labels = codes or is_code > is_label, labels or is_label > is_code
    return "mixed" if labels and codes else "labels" if labels else "raw" if codes else None


def _about_rows(header: str) -> bool:
    """Whether a column tells of the row, in which form or event it is, and of no field."""
    return plain(header).casefold() in (*_ABOUT_ROWS, _TIMESTAMP.casefold())


def _begins(left: Sequence[tuple[int, str]], columns: Sequence[tuple[str, str]]) -> bool:
    """Whether the headers that are left begin with all labels of some columns."""
    return bool(columns) and [label for _, label in left[: len(columns)]] == [label for label, _ in columns]


def _turned(choices: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, label in choices.items():
        found.setdefault(plain(label), []).append(code)
    return found


def ticked(name: str, code: str) -> str:
    """The column of a checkbox's choice, as REDCap calls it."""
    return f"{name}___{column_code(code)}"


def plain(label: str) -> str:
    """A label as exports have it: without markup and line breaks."""
    return " ".join(html.unescape(_TAG.sub("", label)).replace('"', "'").split())
