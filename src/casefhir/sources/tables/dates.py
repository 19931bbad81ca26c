"""Dates and times of day as tables write them, at the precision they have; impossible ones are refused."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from casefhir.sources.tables.elements import Notation
from casefhir.sources.tables.refusal import Refused

MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january januar janvier", "feb february februar", "mar march mär märz mrz", "apr april avril",
         "may mai", "jun june juni juin", "jul july juli juillet", "aug august août",
         "sep sept september septembre", "oct october okt oktober octobre", "nov november novembre",
         "dec december dez dezember"), 1)
    for name in names.split()
}  # fmt: skip
_UNKNOWN = r"[Uu][NnKk]{1,2}|[Xx]{2}|00|--?|\?\?"
_ISO = re.compile(
    r"(?P<y>\d{4})(?:-(?P<m>\d{2}|-)(?:-(?P<d>\d{2}|-))?)?"
    r"(?:[T ](?P<h>\d{2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?P<f>\.\d+)?)?\s?(?P<z>Z|UTC|[+-]\d{2}(?::?\d{2})?)?"
    r"|T(?P<part>(?:[01]\d|2[0-3]|-)(?::(?:[0-5]\d|-)(?::(?:[0-5]\d|-))?)?))?"  # an hour alone; - for what is unknown
)
_NO_YEAR = re.compile(  # as CDISC writes what is known where the year is not: --12-15, ---15, -----T07:15
    r"--(?:(?P<m>\d{2})(?:-(?:(?P<d>\d{2})|-))?|-(?P<alone>\d{2})|-?-?-?(?=T))(?:T(?:[01]\d|2[0-3]|-)(?::(?:[0-5]\d|-)){0,2})?"
)
_PARTS = re.compile(
    rf"(?:(?:(?P<a>\d{{1,2}}|{_UNKNOWN})[./\- ]+)?(?P<b>\d{{1,2}}|{_UNKNOWN}|[^\W\d_]{{3,9}})\.?[./\-, ]+)?"
    rf"(?P<c>\d{{4}}|\d{{2}})(?P<clock>[ T]\S.*)?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<c>\d{{4}})(?:[./\- ](?P<b>\d{{1,2}}|{_UNKNOWN})(?:[./\- ](?P<a>\d{{1,2}}|{_UNKNOWN}))?)?(?P<clock>[ T]\S.*)?"
)
_COMPACT = re.compile(r"(?P<c>\d{4})(?P<b>\d{2})(?P<a>\d{2})(?P<clock>[ T]\S.*)?")
_SAS = re.compile(rf"(?P<a>\d{{2}}|{_UNKNOWN})(?P<b>[A-Za-z]{{3}})(?P<c>\d{{4}}|\d{{2}})(?::(?P<clock>\S.*))?")
_MONTH_FIRST = re.compile(r"(?P<b>[^\W\d_]{3,9})\.? (?P<a>\d{1,2}),? (?P<c>\d{4})(?P<clock>[ T]\S.*)?")
_CLOCK = re.compile(
    r"T?(?P<h>\d{1,2})[:.h](?P<min>\d{2})(?:[:.](?P<s>\d{2})(?P<f>\.\d+)?)?\s?(?P<half>[AaPp][Mm])?\s?"
    r"(?P<z>Z|UTC|[+-]\d{2}(?::?\d{2})?)?"
)
_OFFSET = re.compile(r"[+-]\d{2}:\d{2}")
DURATION = re.compile(
    r"P(?:(?P<a>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<wk>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
)
_COUNT = re.compile(r"(?P<days>[1-9]\d{4})(?:[.,]\d+)?", re.ASCII)
NO_DAY = "(a date without a day, which cannot be moved)"
NO_YEAR = "(a date without a year, which cannot be moved)"
_MEMO = 1 << 16
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Day:
    """A date as FHIR writes it (with time and zone if both are known), empty where the year is not known; `printed` the
    cell, where the date says less; `until` the other end, where the cell is an interval (`a/b`, as ISO 8601 has it).
    """

    iso: str
    printed: str | None = None
    until: "Day | None" = None


class DateReader:
    """Reads dates in the notations given, tried in their order. `zone` is that of times which name none."""

    def __init__(self, notations: tuple[Notation, ...], *, pivot: int | None = None, zone: str | None = None) -> None:
        self.notations = notations
        self.pivot = pivot
        self.zone = _zone(zone) if zone else None
        self._memo: dict[str, Day | Refused] = {}

    def read(self, cell: str) -> Day:
        """The date in `cell`; raises `Refused` for what is none, or is no day of the calendar."""
        found = self._memo.get(cell)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            try:
                if len(cell) > _LONGEST:
                    raise Refused(f"{cell!r} is not a date", "mend the cell")
                found = self._read(cell if cell.isascii() else _western(cell))
            except Refused as refused:
                found = refused
            if len(cell) <= _LONGEST:
                self._memo[cell] = found
        if isinstance(found, Refused):
            raise found
        return found

    def with_clock(self, cell: str, clock: str) -> Day:
        """The date in `cell` at the time of day in `clock`."""
        day = self.read(cell)
        if len(day.iso) < 10:
            return Day(day.iso, f"{cell} {clock}")
        return self._timed(day.iso[:10], clock, f"{cell} {clock}")

    def _read(self, cell: str) -> Day:
        for notation in self.notations:
            if notation == "excel":
                found = _counted(cell)
            else:
                found = self._iso(cell) if notation == "iso" else self._other(cell, notation)
            if found is not None:
                return found
        if _COUNT.fullmatch(cell):
            mend = 'mend the cell, or add "excel" to [reading] dates, if it is a spreadsheet\'s count of days'
        else:
            mend = "mend the cell, or say in [reading] dates how dates are written"
        raise Refused(f"{cell!r} is not a date as {' or '.join(self.notations)} write it", mend)

    def _iso(self, cell: str) -> Day | None:
        match = _ISO.fullmatch(cell)
        if not match:
            return self._interval(cell) if "/" in cell else _without_year(cell)
        month = None if match["m"] == "-" else match["m"]
        day = None if match["d"] == "-" else match["d"]
        if month is None and (day or match["m"]):
            return Day(_calendar(cell, match["y"], None, None), cell)
        date = _calendar(cell, match["y"], month, day)
        if match["part"]:
            return Day(date, cell)
        if match["h"] is None:
            return Day(date, cell if match["d"] == "-" else None)
        if len(date) < 10:
            return Day(date, cell)
        return self._timed(date, cell[cell.index(match["h"], 10) :], cell)

    def _interval(self, cell: str) -> Day | None:
        first, _, last = cell.partition("/")
        if not (_ISO.fullmatch(first) and _ISO.fullmatch(last)):
            return None
        start, end = self._iso(first), self._iso(last)
        return start and Day(start.iso, start.printed, end)

    def _other(self, cell: str, notation: Notation) -> Day | None:
        if notation == "ymd":
            match = _YEAR_FIRST.fullmatch(cell) or _COMPACT.fullmatch(cell)
        else:
            match = _SAS.fullmatch(cell) or _PARTS.fullmatch(cell) or _MONTH_FIRST.fullmatch(cell)
        if not match:
            return None
        day, month, year = match["a"], match["b"], self._year(cell, match["c"])
        named = month is not None and month[0].isalpha() and not re.fullmatch(_UNKNOWN, month)
        if named:
            number = MONTHS.get(month.lower())
            if number is None:
                return None
            month = str(number)
        elif notation == "mdy" and day is not None:
            day, month = month, day
        whole = [None if part is None or re.fullmatch(_UNKNOWN, part) else part.zfill(2) for part in (month, day)]
        if whole[0] is None:
            return Day(_calendar(cell, year, None, None), cell if month or day else None)
        date = _calendar(cell, year, whole[0], whole[1])
        clock = match["clock"]
        if clock is None or len(date) < 10:
            return Day(date, cell if clock or (day is not None and whole[1] is None) else None)
        return self._timed(date, clock.strip(), cell)

    def _year(self, cell: str, year: str) -> str:
        if len(year) == 4:
            return year
        if self.pivot is None:
            raise Refused(
                f"the year of {cell!r} has two digits",
                "write it with four, or say in [reading] two_digit_years_from which hundred years are meant",
            )
        first = self.pivot - self.pivot % 100 + int(year)
        return str(first if first >= self.pivot else first + 100)

    def _timed(self, date: str, clock: str, printed: str) -> Day:
        match = _CLOCK.fullmatch(clock.strip())
        if not match:
            raise Refused(f"{clock!r} is not a time of day", "write 16:17 or 16:17:47, with a zone if it is known")
        hour = int(match["h"])
        if match["half"]:
            if not 1 <= hour <= 12:
                raise Refused(f"{clock!r} is not a time of day", "write 1 to 12 with am or pm")
            hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
        minute, second = int(match["min"]), int(match["s"] or 0)
        if hour > 23 or minute > 59 or second > 59:
            raise Refused(f"{clock!r} is no time of the clock", "mend it; midnight is 00:00 of the day that begins")
        time = f"{hour:02}:{minute:02}:{second:02}{match['f'] or ''}"
        zone = match["z"]
        if zone:
            return Day(f"{date}T{time}{_written(zone)}", None if match["s"] else printed)
        if self.zone is None:
            return Day(date, printed)
        moment = dt.datetime.fromisoformat(f"{date}T{hour:02}:{minute:02}:{second:02}").replace(tzinfo=self.zone)
        if moment.astimezone(dt.UTC).astimezone(self.zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
            raise Refused(
                f"{printed!r} is no time of the clock there", "clocks were put forward over it; mend the time"
            )
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            return Day(date, printed)  # clocks were put back over it: which of the two hours, nobody can tell
        offset = moment.strftime("%z")
        return Day(f"{date}T{time}{offset[:3]}:{offset[3:5]}", printed)


def _without_year(cell: str) -> Day | None:
    match = _NO_YEAR.fullmatch(cell)
    if not match:
        return None
    _calendar(cell, "2000", match["m"], match["d"] or match["alone"])  # a leap year: February may have 29 days
    return Day("", cell)


def _counted(cell: str) -> Day | None:
    """The day that a spreadsheet counts from 1900, as Excel does; of 1927 to 2173, for less can be a year."""
    match = _COUNT.fullmatch(cell)
    if not match:
        return None
    day = dt.date(1899, 12, 30) + dt.timedelta(days=int(match["days"]))
    return Day(day.isoformat(), cell)


def _western(cell: str) -> str:
    """`cell` with the digits of other scripts as 0 to 9."""
    return "".join(each if each.isascii() else str(unicodedata.decimal(each, each)) for each in cell)


def _written(zone: str) -> str:
    if zone in ("Z", "UTC"):
        return "Z"
    digits = zone[1:].replace(":", "")
    hours, minutes = digits[:2], digits[2:] or "00"
    if int(hours) * 60 + int(minutes) > 14 * 60 or int(minutes) > 59:
        raise Refused(f"{zone!r} is no time zone", "mend it; the farthest is +14:00")
    return f"{zone[0]}{hours}:{minutes}"


def _zone(name: str) -> dt.tzinfo:
    if _OFFSET.fullmatch(name):
        return dt.datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo or dt.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"{name!r} is not a time zone", "write Europe/Berlin, UTC or +01:00") from None


def _calendar(cell: str, year: str, month: str | None, day: str | None) -> str:
    try:
        dt.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise Refused(f"{cell!r} is no day of the calendar", "look it up in the source and mend the cell") from None
    return "-".join(part for part in (year, month, day) if part)


def shifted(iso: str, days: int) -> str | None:
    """`iso` moved by `days`; a month becomes its year where that is still true, otherwise nothing (None)."""
    if len(iso) >= 10:
        moved = dt.date.fromisoformat(iso[:10]) + dt.timedelta(days=days)
        return moved.isoformat() + iso[10:]
    if len(iso) == 7:
        first = dt.date.fromisoformat(f"{iso}-01")
        last = (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
        years = {(each + dt.timedelta(days=days)).year for each in (first, last)}
        return str(years.pop()) if len(years) == 1 else None
    return None


def moved_from(iso: str, days: int) -> str:
    """The day `days` after the day `iso`."""
    return (dt.date.fromisoformat(iso[:10]) + dt.timedelta(days=days)).isoformat()
