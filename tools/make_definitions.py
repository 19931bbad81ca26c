"""Make `conformance/data/r4.definitions` from the R4 definitions in HAPI's validation resources (HL7, CC0).

    python tools/make_definitions.py [JAR [NEWER [OUT]]]

JAR: ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4 (default: 8.8.1 in ~/.m2). NEWER: the same of R5, whose
package of extensions names those that HL7 defined after R4 (default: 8.8.0 in ~/.m2). The file holds one JSON
member a type, profile, extension, value set and code system, stripped of prose, so that a run reads only what
it needs, one with all search parameters and one with the URLs of later extensions: the length of the index, a line end,
the index, then the members, each packed by zlib. A zip of 3,000 members takes Python 25 ms to open, this 2 ms.
"""

import io
import json
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VERSION, NEWER_VERSION, PACK_VERSION = "8.8.1", "8.8.0", "1.0.0"
ROOT = Path(__file__).resolve().parents[1]


def in_maven(release: str, version: str) -> Path:
    """Where Maven keeps HAPI's validation resources of a FHIR release."""
    name = f"hapi-fhir-validation-resources-{release}"
    return Path.home() / ".m2/repository/ca/uhn/hapi/fhir" / name / version / f"{name}-{version}.jar"


JAR, NEWER = in_maven("r4", VERSION), in_maven("r5", NEWER_VERSION)
OUT = ROOT / "src/casefhir/conformance/data/r4.definitions"
NS = "{http://hl7.org/fhir}"
CORE = "http://hl7.org/fhir/StructureDefinition/"
BASE = "org/hl7/fhir/r4/model/"
STRUCTURES = (
    "profile/profiles-types.xml",
    "profile/profiles-resources.xml",
    "profile/profiles-others.xml",
    "extension/extension-definitions.xml",
)
PACK = f"org/hl7/fhir/r5/packages/hl7.fhir.uv.extensions.r5-{PACK_VERSION}.tgz"
SEARCH = "sp/search-parameters.json"
VOCABULARY = ("valueset/valuesets.xml", "valueset/v2-tables.xml", "valueset/v3-codesystems.xml")
IMPLIED = {"ele-1", "ext-1"}  # every element has them; the walker checks them itself
EVERYWHERE = {"extension", "coding"}


def entries(archive: zipfile.ZipFile, member: str) -> Iterator[ET.Element]:
    root = ET.fromstring(archive.read(BASE + member))
    for entry in root.iter(NS + "entry"):
        resource = entry.find(NS + "resource")
        if resource is not None and len(resource):
            yield resource[0]


def value(element: ET.Element | None) -> str | None:
    return None if element is None else element.get("value")


def text(parent: ET.Element, name: str) -> str | None:
    return value(parent.find(NS + name))


def texts(parent: ET.Element, name: str) -> list[str]:
    return [found for each in parent.findall(NS + name) if (found := value(each)) is not None]


def texts_in(parent: ET.Element, name: str) -> list[str]:
    return [found for each in parent.findall(NS + name) if (found := text(each, "value"))]


def plain(element: ET.Element) -> Any:
    """A fixed or pattern value as JSON."""
    if element.get("value") is not None:
        raw = element.get("value")
        return {"true": True, "false": False}.get(raw or "", raw)
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.removeprefix(NS)
        if name in EVERYWHERE:
            found.setdefault(name, []).append(plain(child))
        else:
            found[name] = plain(child)
    return found


def put(into: dict[str, Any], name: str, found: Any) -> None:
    if found not in (None, [], {}):
        into[name] = found


def types(element: ET.Element) -> list[dict[str, Any]]:
    found = []
    for each in element.findall(NS + "type"):
        one: dict[str, Any] = {"code": text(each, "code")}
        for extension in each.findall(NS + "extension"):
            if (extension.get("url") or "").endswith("structuredefinition-fhir-type"):
                one["code"] = value(extension[0])
        put(one, "profile", texts(each, "profile"))
        put(one, "targetProfile", texts(each, "targetProfile"))
        put(one, "aggregation", texts(each, "aggregation"))
        found.append(one)
    return found


def constraints(element: ET.Element) -> list[dict[str, Any]]:
    found = []
    for each in element.findall(NS + "constraint"):
        if text(each, "key") in IMPLIED:
            continue
        one = {name: text(each, name) for name in ("key", "severity", "human", "expression")}
        for extension in each.findall(NS + "extension"):
            if (extension.get("url") or "").endswith("elementdefinition-bestpractice"):
                one["bestPractice"] = value(extension[0])
        found.append({name: each for name, each in one.items() if each is not None})
    return found


def binding(element: ET.Element) -> dict[str, Any] | None:
    each = element.find(NS + "binding")
    if each is None:
        return None
    one: dict[str, Any] = {"strength": text(each, "strength")}
    put(one, "valueSet", text(each, "valueSet"))
    for extension in each.findall(NS + "extension"):
        if (extension.get("url") or "").endswith("elementdefinition-maxValueSet"):
            one["maxValueSet"] = value(extension[0])
    return one


def slicing(element: ET.Element) -> dict[str, Any] | None:
    each = element.find(NS + "slicing")
    if each is None:
        return None
    one: dict[str, Any] = {
        "discriminator": [
            {"type": text(d, "type"), "path": text(d, "path")} for d in each.findall(NS + "discriminator")
        ],
        "rules": text(each, "rules"),
    }
    if text(each, "ordered") == "true":
        one["ordered"] = True
    return one


def definition(element: ET.Element) -> dict[str, Any]:
    one: dict[str, Any] = {"id": element.get("id"), "path": text(element, "path")}
    for name in ("sliceName", "max", "contentReference", "short"):
        put(one, name, text(element, name))
    if (least := text(element, "min")) is not None:
        one["min"] = int(least)
    if text(element, "mustSupport") == "true":
        one["mustSupport"] = True
    if text(element, "isModifier") == "true":
        one["isModifier"] = True
    if (longest := text(element, "maxLength")) is not None:
        one["maxLength"] = int(longest)
    put(one, "slicing", slicing(element))
    put(one, "type", types(element))
    put(one, "constraint", constraints(element))
    put(one, "binding", binding(element))
    for child in element:
        name = child.tag.removeprefix(NS)
        if name.startswith(("fixed", "pattern", "minValue", "maxValue")) and name not in ("fixed", "pattern"):
            one[name] = plain(child)
    base = element.find(NS + "base")
    if base is not None:
        one["base"] = {"path": text(base, "path"), "max": text(base, "max")}
    return one


def structure(resource: ET.Element) -> dict[str, Any]:
    """A StructureDefinition without prose; the snapshot of a base type, the differential of a profile."""
    one: dict[str, Any] = {"resourceType": "StructureDefinition"}
    for name in ("url", "name", "kind", "type", "baseDefinition", "derivation"):
        put(one, name, text(resource, name))
    put(one, "abstract", text(resource, "abstract") == "true")
    contexts = [
        {"type": text(each, "type"), "expression": text(each, "expression")}
        for each in resource.findall(NS + "context")
    ]
    put(one, "context", contexts)
    put(one, "contextInvariant", texts(resource, "contextInvariant"))
    view = "snapshot" if one.get("derivation") != "constraint" else "differential"
    found = resource.find(NS + view)
    elements = [] if found is None else [definition(each) for each in found.findall(NS + "element")]
    if view == "snapshot":
        for each in elements:
            each.pop("mustSupport", None)
    one[view] = {"element": elements}
    return one


def concepts(parent: ET.Element) -> list[dict[str, Any]]:
    found = []
    for each in parent.findall(NS + "concept"):
        one: dict[str, Any] = {"code": text(each, "code")}
        put(one, "display", text(each, "display"))
        parents = [
            child
            for prop in each.findall(NS + "property")
            if text(prop, "code") in ("subsumedBy", "parent")
            for child in (text(prop, "valueCode"),)
            if child
        ]
        put(one, "parents", parents)
        if any(
            text(prop, "code") == "notSelectable" and text(prop, "valueBoolean") == "true"
            for prop in each.findall(NS + "property")
        ):
            one["abstract"] = True
        designations = texts_in(each, "designation")
        put(one, "designation", designations)
        put(one, "concept", concepts(each))
        found.append(one)
    return found


def code_system(resource: ET.Element) -> dict[str, Any]:
    one: dict[str, Any] = {"resourceType": "CodeSystem"}
    for name in ("url", "name", "content", "version", "caseSensitive"):
        put(one, name, text(resource, name))
    put(one, "concept", concepts(resource))
    return one


def included(each: ET.Element) -> dict[str, Any]:
    one: dict[str, Any] = {}
    put(one, "system", text(each, "system"))
    put(one, "valueSet", texts(each, "valueSet"))
    put(
        one,
        "concept",
        [
            {name: found for name in ("code", "display") if (found := text(c, name))}
            for c in each.findall(NS + "concept")
        ],
    )
    filters = [{name: text(f, name) for name in ("property", "op", "value")} for f in each.findall(NS + "filter")]
    put(one, "filter", filters)
    return one


def value_set(resource: ET.Element) -> dict[str, Any]:
    one: dict[str, Any] = {"resourceType": "ValueSet"}
    for name in ("url", "name", "version"):
        put(one, name, text(resource, name))
    compose = resource.find(NS + "compose")
    if compose is not None:
        one["compose"] = {"include": [included(each) for each in compose.findall(NS + "include")]}
        put(one["compose"], "exclude", [included(each) for each in compose.findall(NS + "exclude")])
    return one


def kept(source: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: source[name] for name in names if source.get(name) not in (None, [], {})}


def newer(archive: zipfile.ZipFile) -> Iterator[str]:
    """The URLs of HL7's own extensions of R5; what they say changes from version to version, that they exist not."""
    with tarfile.open(fileobj=io.BytesIO(archive.read(PACK)), mode="r:gz") as pack:
        for member in pack.getnames():
            stream = pack.extractfile(member) if member.startswith("package/StructureDefinition-") else None
            if stream is not None and (source := json.loads(stream.read())).get("type") == "Extension":
                yield source["url"]


def search_parameters(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """R4's search parameters by canonical URL."""
    found = {}
    for entry in json.loads(archive.read(BASE + SEARCH))["entry"]:
        source = entry["resource"]
        if source["resourceType"] == "SearchParameter":
            names = ("resourceType", "url", "code", "base", "type", "expression", "target", "derivedFrom")
            found[source["url"]] = kept(source, *names)
    return found


def gather(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """Everything by canonical URL; the first definition of a URL stands."""
    found: dict[str, dict[str, Any]] = {}
    for member in STRUCTURES:
        for resource in entries(archive, member):
            if resource.tag == NS + "StructureDefinition":
                one = structure(resource)
                found.setdefault(one["url"], one)
    for member in VOCABULARY:
        for resource in entries(archive, member):
            if resource.tag == NS + "CodeSystem":
                one = code_system(resource)
                kept = found.get(one["url"])
                if kept is None or ("concept" in one and "concept" not in kept):
                    found[one["url"]] = one
            elif resource.tag == NS + "ValueSet":
                one = value_set(resource)
                # a code system and the value set of all its codes may share a name, never a URL
                found.setdefault(one["url"], one)
    return found


def write(found: dict[str, dict[str, Any]], search: dict[str, dict[str, Any]], later: list[str], out: Path) -> None:
    index: dict[str, Any] = {
        "fhirVersion": "4.0.1",
        "source": f"ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:{VERSION}",
        "newer": f"hl7.fhir.uv.extensions {PACK_VERSION} in ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r5:"
        f"{NEWER_VERSION}",
        "licence": "HL7 FHIR R4, CC0 1.0 (https://hl7.org/fhir/R4/license.html)",
        "members": {},
    }
    members: dict[str, bytes] = {}
    for number, url in enumerate(sorted(found)):
        one = found[url]
        kind = {"StructureDefinition": "s", "CodeSystem": "c", "ValueSet": "v"}[one["resourceType"]]
        if kind == "s" and one.get("type") == "Extension" and one.get("derivation") == "constraint":
            kind = "x"
        elif kind == "s" and one.get("derivation") == "constraint":
            kind = "p"
        name = f"{kind}{number}"
        index["members"][url] = name
        members[name] = dumps(one)
    members["search"] = dumps(search)
    members["later"] = dumps(later)
    body = bytearray()
    index["places"] = {}
    for name, data in members.items():
        packed = zlib.compress(data, 9)
        index["places"][name] = [len(body), len(packed)]
        body += packed
    head = zlib.compress(dumps(index), 9)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(b"%d\n" % len(head) + head + body)


def dumps(found: Any) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def main(arguments: list[str]) -> None:
    given = [Path(each) for each in arguments]
    jar, added, out = given + [JAR, NEWER, OUT][len(given) :]
    with zipfile.ZipFile(jar) as archive, zipfile.ZipFile(added) as other:
        found = gather(archive)
        search = search_parameters(archive)
        later = sorted(set(newer(other)) - found.keys())
    write(found, search, later, out)
    sys.stderr.write(f"{len(found)} definitions, {out.stat().st_size} bytes in {out}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
