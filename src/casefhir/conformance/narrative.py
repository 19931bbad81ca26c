"""The narrative: txt-1 (basic XHTML only), txt-2 (something to read), namespace, no active content."""

import re
import xml.parsers.expat
from dataclasses import dataclass
from functools import lru_cache

from casefhir.conformance.words import words

XHTML = "http://www.w3.org/1999/xhtml"
ELEMENTS = words()["xhtml"]["elements"]
_ANYWHERE = words()["xhtml"]["anywhere"]
_ATTRIBUTES: dict[str, frozenset[str]] = words()["xhtml"]["attributes"]
_CHILDREN: dict[str, frozenset[str]] = words()["xhtml"]["children"]
_PARENTS: dict[str, frozenset[str]] = words()["xhtml"]["parents"]
_INLINE = words()["xhtml"]["inline"]
_BLOCKS = words()["xhtml"]["blocks"]
_NOT_IN_PARAGRAPHS = words()["xhtml"]["not_in_paragraphs"]
_ACTIVE = re.compile(r"\s*(javascript|vbscript|data\s*:\s*text/html)", re.IGNORECASE)
_DEPTH = 200
Faults = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a narrative gave: its faults (rule, words) and the local links it does not resolve itself."""

    faults: Faults
    links: tuple[str, ...] = ()


class _Reader:
    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.inline = 0
        self.words = False
        self.quoted = False
        self.ids: set[str] = set()
        self.links: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._place(name)
        self.open.append(name)
        self.inline += name in _INLINE
        if len(self.open) == 1:
            if name != "div":
                self.faults.append(("structure.xhtml", f"starts with <{name}>; a narrative is one <div>"))
            if attributes.get("xmlns") != XHTML:
                self.faults.append(("structure.xhtml", f'lacks xmlns="{XHTML}" on its <div>'))
        if len(self.open) > _DEPTH:
            self.faults.append(("structure.xhtml", "is nested too deeply"))
        elif attributes.get("xmlns", XHTML) != XHTML:
            self.faults.append(("structure.xhtml", f"changes the namespace on <{name}>"))
        if name not in ELEMENTS:
            self.faults.append(("txt-1", f"has the element <{name}>, which narratives may not have"))
        if name == "img":
            self.words = True
        for key in ("src", "href"):
            if len(attributes.get(key, "")) > 1 and attributes[key].startswith("#"):
                self.links.append(attributes[key][1:])
        self.ids.update(attributes[key] for key in ("id", "name") if key in attributes)
        for key, value in attributes.items():
            self.attribute(name, key, value)

    def attribute(self, name: str, key: str, value: str) -> None:
        known = key in _ANYWHERE or key in _ATTRIBUTES.get(name, ()) or key == "xmlns"
        if not known:
            self.faults.append(("txt-1", f"has the attribute {key} on <{name}>, which narratives may not have"))
        elif key in ("href", "src") and _ACTIVE.match(re.sub(r"[\s\x00-\x1f]", "", value)):
            self.faults.append(("txt-1", f"has active content in {key} of <{name}>"))

    def end(self, name: str) -> None:
        self.open.pop()
        self.inline -= name in _INLINE

    def text(self, text: str) -> None:
        if self.quoted or not text.strip(" \t\r\n\ufeff"):
            return
        self.words = True
        if self.open[-1] in _CHILDREN:
            self.faults.append(("structure.xhtml", f"has text right inside <{self.open[-1]}>, where HTML has none"))

    def _place(self, name: str) -> None:
        """May `name` stand where it does, by HTML 4."""
        if not self.open:
            return
        holder = self.open[-1]
        if name not in _CHILDREN.get(holder, (name,)) or holder not in _PARENTS.get(name, (holder,)):
            self.faults.append(("structure.xhtml", f"has <{name}> right inside <{holder}>, where HTML has none"))
        elif (self.inline and name in _BLOCKS) or (name in _NOT_IN_PARAGRAPHS and "p" in self.open):
            self.faults.append(("structure.xhtml", f"has the block <{name}> inside a paragraph or a run of text"))
        elif name == "a" and "a" in self.open:
            self.faults.append(("structure.xhtml", "has a link inside a link"))

    def quote(self, begins: bool) -> None:
        """CDATA, which a browser does not show."""
        self.quoted = begins


@lru_cache(maxsize=256)
def read(markup: str) -> Reading:
    """What is wrong with the narrative `markup`, and where it links to."""
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartCdataSectionHandler = lambda: reader.quote(True)
    parser.EndCdataSectionHandler = lambda: reader.quote(False)
    text = markup.lstrip()
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        return Reading((("structure.xhtml", "declares a document type or entities; narratives may not"),))
    try:
        parser.Parse(text, True)
    except xml.parsers.expat.ExpatError as error:
        return Reading((("structure.xhtml", f"is not well-formed XHTML ({error})"),))
    if not reader.words:
        reader.faults.append(("txt-2", "has nothing to read"))
    links = tuple(each for each in dict.fromkeys(reader.links) if each not in reader.ids)
    return Reading(tuple(dict.fromkeys(reader.faults)), links)
