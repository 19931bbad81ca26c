"""Cases as GA4GH Phenopackets, version 2, and a list of what such a packet cannot say.

Source: https://phenopacket-schema.readthedocs.io. A packet has no partial dates, no comparators and no words for
results; where it would say something else than the bundle, it says nothing, and `LeftOut` tells what and why.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.report.bundles import Resources
from casefhir.report.facts import cases
from casefhir.report.phenopacket_facts import LeftOut, Writer
from casefhir.report.tables import Heading, Table


class BadPhenopacket(CasefhirError):
    """A packet that its schema refuses: a defect of ours."""


@dataclass(slots=True)
class Packet:
    """A case as a Phenopacket (`value`, JSON) and what it leaves out; `file_name` is its own among the packets."""

    name: str
    file_name: str
    value: dict[str, Any]
    left_out: list[LeftOut] = field(default_factory=list)

    def as_json(self) -> bytes:
        """The packet as JSON, numbers with the digits of the bundle."""
        return exactjson.write(self.value)


def packets(resources: Resources, created: str, created_by: str) -> list[Packet]:
    """One packet a patient, each accepted by the schema of the phenopackets package.

    `created` (an instant) stands in the metadata of cases whose bundle has no Provenance with an instant of its own.
    Raises `MissingExtra`, `BadPhenopacket`.
    """
    known = [each for each in cases(resources) if each.patient is not None]
    plain = [re.sub(r"[^A-Za-z0-9_-]+", "_", each.name).strip("_")[:80] or "case" for each in known]
    found = [
        _packet(Writer(case, created, created_by), name if plain.count(name) == 1 else f"{name}-{case.key}")
        for case, name in zip(known, plain)
    ]
    for each in found:
        _check(each)
    return found


def _packet(writer: Writer, file_name: str) -> Packet:
    value = writer.packet()
    return Packet(writer.case.name, file_name, value, writer.left)


def _check(packet: Packet) -> None:
    schema = needed("phenopackets", "phenopacket", "A phenopacket")
    json_format = needed("google.protobuf.json_format", "phenopacket", "A phenopacket")
    try:
        json_format.Parse(packet.as_json().decode("utf-8"), schema.Phenopacket())
    except json_format.ParseError as error:
        raise BadPhenopacket(f"The phenopacket of {packet.name} does not fit its schema: {error}") from error


def left_out(found: list[Packet]) -> Table:
    """What all of `found` leave out, as a table: case, resource, title, what, why."""
    names = ("case", "resource", "title", "what", "why")
    rows = tuple(
        (each.case, each.resource, each.title, each.what, each.why) for packet in found for each in packet.left_out
    )
    return Table(
        "left_out", "What the phenopackets do not say.", tuple(Heading(each, "text", "", "") for each in names), rows
    )
