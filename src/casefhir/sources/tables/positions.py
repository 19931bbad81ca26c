"""Where in a mapping file a key stands: errors name the line and the column."""

from collections.abc import Iterator

from casefhir.sources.records.nodes import Node

Path = tuple[str | int, ...]
Place = tuple[int, int]


def of_node(node: Node, path: Path = ()) -> dict[Path, Place]:
    """Line and column (from 1) of every key and item of a YAML document."""
    found: dict[Path, Place] = {}
    if isinstance(node.value, dict):
        for key, each in node.value.items():
            found[(*path, key)] = (node.keys[key].line, node.keys[key].column)
            found |= of_node(each, (*path, key))
    elif isinstance(node.value, list):
        for place, each in enumerate(node.value):
            found[(*path, place)] = (each.place.line, each.place.column)
            found |= of_node(each, (*path, place))
    return found


def of_toml(text: str) -> dict[Path, Place]:
    """Line and column (from 1) of every key and array item of a TOML document that `tomllib` accepts."""
    return dict(_Toml(text).places())


def nearest(places: dict[Path, Place], path: Path) -> Place | None:
    """The place of `path`, or of the nearest thing around it that has one."""
    for end in range(len(path), 0, -1):
        if path[:end] in places:
            return places[path[:end]]
    return None


class _Toml:
    """Walks a valid document and tells where its keys stand. Values are skipped, not read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counts: dict[Path, int] = {}

    def places(self) -> Iterator[tuple[Path, Place]]:
        base: Path = ()
        while True:
            self._blank(lines=True)
            if self.at >= len(self.text):
                return
            here = self._place()
            if self.text.startswith("[", self.at):
                array = self.text.startswith("[[", self.at)
                self.at += 2 if array else 1
                base = self._header(self._keys(), array=array)
                self.at += 2 if array else 1
                yield base, here
            else:
                yield from self._pair(base)

    def _header(self, keys: list[str], *, array: bool) -> Path:
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            last = place == len(keys) - 1
            if last and array:
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.counts:
                path = (*path, self.counts[path])
        return path

    def _pair(self, base: Path) -> Iterator[tuple[Path, Place]]:
        here = self._place()
        path = (*base, *self._keys())
        yield path, here
        self.at += 1  # =
        self._blank()
        yield from self._value(path)

    def _value(self, path: Path) -> Iterator[tuple[Path, Place]]:
        opened = self.text[self.at]
        if opened == "[":
            self.at += 1
            place = 0
            while True:
                self._blank(lines=True, commas=True)
                if self.text[self.at] == "]":
                    break
                yield (*path, place), self._place()
                yield from self._value((*path, place))
                place += 1
            self.at += 1
        elif opened == "{":
            self.at += 1
            while True:
                self._blank(lines=True, commas=True)
                if self.text[self.at] == "}":
                    break
                yield from self._pair(path)
            self.at += 1
        elif opened in "\"'":
            self._string()
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}\n#":
                self.at += 1

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._blank()
            if self.text[self.at] in "\"'":
                start = self.at
                self._string()
                keys.append(self.text[start + 1 : self.at - 1])
            else:
                start = self.at
                while self.text[self.at] not in " \t.=]":
                    self.at += 1
                keys.append(self.text[start : self.at])
            self._blank()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        while not self.text.startswith(mark, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(mark)
        while len(mark) == 3 and self.text.startswith(quote, self.at):  # a quote may stand before the closing three
            self.at += 1

    def _blank(self, *, lines: bool = False, commas: bool = False) -> None:
        skipped = " \t" + ("\r\n" if lines else "") + ("," if commas else "")
        while self.at < len(self.text):
            if self.text[self.at] in skipped:
                self.at += 1
            elif lines and self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def _place(self) -> Place:
        line = self.text.count("\n", 0, self.at)
        return line + 1, self.at - self.text.rfind("\n", 0, self.at)
