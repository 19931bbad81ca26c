"""Findings for people: grouped by file and rule, with what stands there and a caret under it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from casefhir.cli.common import console, shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from casefhir.conformance.findings import Excerpt, Finding, Report

_EACH, _ALSO = 3, 6
# colours that can be read on a light terminal and on a dark one
_STYLES = {"fatal": "bold red", "error": "bold red", "warning": "bold magenta", "information": "bold"}
_ORDER = ("fatal", "error", "warning", "information")


@dataclass(slots=True)
class _Said:
    """One sentence of a rule in a file, and every place it is said of."""

    message: str
    mend: str
    places: "list[Finding]" = field(default_factory=list)


Groups = dict[tuple[str, str, str], dict[tuple[str, str], _Said]]


def show(report: "Report", *, redact: bool = False, every: bool = False) -> None:
    """Print the findings of `report` on stdout; `every` shows each place instead of the first of each kind."""
    printer = _Printer(console(), redact=redact, every=every)
    groups = _grouped(report.findings, redact)
    last = None
    for (file, severity, rule), said in groups.items():
        if file != last:
            printer.file(file, first=last is None)
            last = file
        printer.rule(severity, rule, said.values())
    if len(groups) > 1:
        printer.table(groups, report)


def show_must_support(report: "Report") -> None:
    """Print on stdout, by profile, how often each mustSupport element is given."""
    from rich.table import Table

    out = console()
    for profile, elements in sorted(report.must_support.items()):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column(f"mustSupport in {shown(profile)}", overflow="fold")
        table.add_column("given", justify="right", no_wrap=True)
        table.add_column("of", justify="right", no_wrap=True)
        for path, (given, possible) in elements.items():
            table.add_row(shown(path), str(given), str(possible), style="" if given else "dim")
        out.print()
        out.print(table)


def _grouped(findings: "Iterable[Finding]", redact: bool) -> Groups:
    from casefhir.conformance.output import said

    by_file: dict[str, Groups] = {}
    for each in findings:
        file = each.file or "stdin"
        sentences = by_file.setdefault(file, {}).setdefault((file, each.severity, each.rule), {})
        told = said(each, redact=redact), each.mend
        sentences.setdefault(told, _Said(*told)).places.append(each)
    found: Groups = {}
    for groups in by_file.values():
        found.update(sorted(groups.items(), key=_worst_first))
    return found


def _worst_first(item: tuple[tuple[str, str, str], dict[tuple[str, str], _Said]]) -> tuple[int, int, int]:
    (_, severity, _), said = item
    first = min(((each.line or 0), (each.column or 0)) for one in said.values() for each in one.places)
    return _ORDER.index(severity), *first


class _Printer:
    def __init__(self, out: "Console", *, redact: bool, every: bool) -> None:
        self.out = out
        self.redact = redact
        self.every = every

    def file(self, name: str, *, first: bool) -> None:
        from rich.text import Text

        if not first:
            self.out.print()
        self._line(Text(shown(name), style="bold underline"), 0)

    def rule(self, severity: str, rule: str, sentences: Iterable[_Said]) -> None:
        from rich.text import Text

        told = list(sentences)
        count = sum(len(each.places) for each in told)
        head = Text(severity, style=_STYLES[severity])
        head.append(f" {shown(rule)}", style="bold")
        if count > 1:
            head.append(f"  {count} times", style="dim")
        self._line(head, 1)
        for each in told if self.every else told[:_EACH]:
            self._said(each)
        if len(told) > _EACH and not self.every:
            more = sum(len(each.places) for each in told[_EACH:])
            self._line(Text(f"… {more} more of this rule; -v shows each, --json lists all", style="dim"), 2)

    def _said(self, said: _Said) -> None:
        from rich.text import Text

        self._line(Text(shown(said.message)), 2)
        for each in said.places if self.every else said.places[:1]:
            self._place(each)
        if said.mend:
            self._line(Text("to mend: ", style="dim").append(shown(said.mend), style="not dim"), 3)
        others = [] if self.every else said.places[1:]
        if others:
            listed = ", ".join(_short(each) for each in others[:_ALSO])
            more = f" and {len(others) - _ALSO} more" if len(others) > _ALSO else ""
            self._line(Text(f"also at {listed}{more}", style="dim"), 3)

    def _place(self, finding: "Finding") -> None:
        from rich.text import Text

        from casefhir.conformance.origins import origin_of

        place = ":".join(str(each) for each in (finding.file or "stdin", finding.line, finding.column) if each)
        self._line(Text(shown(place), style="dim").append(f"  {shown(finding.location)}", style="not dim"), 3)
        if finding.excerpt is not None and finding.excerpt.text and not self.redact:
            for line in _pointed(finding.excerpt, str(finding.line), self.out.width - 6 if self._narrow() else 200):
                self.out.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
        origin = origin_of(finding)
        if origin:
            self._line(Text("comes from ", style="dim").append(shown(str(origin)), style="not dim"), 3)

    def _narrow(self) -> bool:
        return self.out.is_terminal

    def _line(self, text: "Text", depth: int) -> None:
        """`text`, indented; a terminal gets it wrapped with a hanging indent, others get it whole, to be searched."""
        from rich.padding import Padding
        from rich.text import Text

        if self._narrow():
            self.out.print(Padding(text, (0, 0, 0, 2 * depth)))
        else:
            self.out.print(Text("  " * depth).append_text(text), soft_wrap=True)

    def table(self, groups: Groups, report: "Report") -> None:
        """How often each rule was told, and in how many files."""
        from rich.table import Table

        counted: dict[tuple[str, str], list[int]] = {}
        for (_, severity, rule), said in groups.items():
            row = counted.setdefault((severity, rule), [0, 0])
            row[0] += sum(len(each.places) for each in said.values())
            row[1] += 1
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("", no_wrap=True)
        table.add_column("rule", no_wrap=True, overflow="ellipsis")
        table.add_column("times", justify="right", no_wrap=True)
        table.add_column("files", justify="right", no_wrap=True)
        for (severity, rule), (times, files) in sorted(
            counted.items(), key=lambda item: (_ORDER.index(item[0][0]), -item[1][0], item[0][1])
        ):
            times += report.left_out.get(rule, 0)
            table.add_row(f"[{_STYLES[severity]}]{severity}[/]", shown(rule), str(times), str(files))
        self.out.print()
        self.out.print(table)


def _short(finding: "Finding") -> str:
    return f"{finding.line}:{finding.column}" if finding.line else finding.location


def _pointed(excerpt: "Excerpt", number: str, room: int) -> "Iterable[Text]":
    """The line of the input behind its number, and a line with the caret."""
    from rich.cells import cell_len
    from rich.text import Text

    room = max(20, room - len(number) - 3)
    start, text = excerpt.start, excerpt.text
    if cell_len(text[: start + min(excerpt.width, room // 2)]) > room:
        cut = max(0, start - room // 3)
        text, start = "…" + text[cut + 1 :], start - cut
    while cell_len(text) > room:
        text = text[: max(1, len(text) - max(1, cell_len(text) - room))]
    before, here = shown(text[:start]), shown(text[start : start + excerpt.width])
    after = shown(text[start + excerpt.width :])
    gutter = " " * 6
    yield Text(f"{gutter}{number} │ ", style="dim").append(before + here + after, style="not dim")
    caret = " " * cell_len(before) + "^" * max(1, cell_len(here))
    yield Text(f"{gutter}{' ' * len(number)} │ ", style="dim").append(caret, style="bold not dim")
