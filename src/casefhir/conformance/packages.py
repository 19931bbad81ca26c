"""Definitions a user gives: files, folders and FHIR packages (.tgz), read and never fetched."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from casefhir.conformance.definitions import KINDS, Json
from casefhir.errors import CasefhirError


class UnreadablePackage(CasefhirError):
    """A path that holds no readable definitions."""


def load(paths: Sequence[Path]) -> list[Json]:
    """The definitions (`KINDS`) in `paths` (files, folders, .tgz), in order.

    Raises `UnreadablePackage` for a path that is not there, cannot be read or has none.
    """
    found: list[Json] = []
    for path in paths:
        before = len(found)
        for name, data in _members(path):
            found.extend(_definitions(name, data))
        if len(found) == before:
            raise UnreadablePackage(f"{path}: none of {', '.join(KINDS)} in it.")
    return found


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for each in sorted(path.rglob("*")):
            if each.suffix == ".json":
                yield str(each), each.read_bytes()
            elif each.name.endswith((".tgz", ".tar.gz")):
                yield from _archive(each)
    elif path.name.endswith((".tgz", ".tar.gz")):
        yield from _archive(path)
    elif path.is_file():
        yield str(path), path.read_bytes()
    else:
        raise UnreadablePackage(f"{path}: there is no such file or folder.")


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    import tarfile
    import zlib

    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.isfile() and member.name.startswith("package/") and member.name.endswith(".json"):
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield f"{path}!{member.name}", stream.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UnreadablePackage(f"{path}: not a readable package ({error}).") from error


def _definitions(name: str, data: bytes) -> Iterator[Json]:
    try:
        value: Any = json.loads(data, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise UnreadablePackage(f"{name}: not readable as JSON ({error}).") from error
    if not isinstance(value, dict):
        return
    entries = value.get("entry") if value.get("resourceType") == "Bundle" else None
    inside = (each.get("resource") for each in entries if isinstance(each, dict)) if isinstance(entries, list) else ()
    for each in (value, *inside):
        if isinstance(each, dict) and each.get("resourceType") in KINDS and isinstance(each.get("url"), str):
            yield each
