"""FHIRPath's functions that ask what surrounds the resource: other resources, value sets, profiles."""

from casefhir.conformance.fhirpath.evaluation import Env, Failed, Items, Step, boolean, single
from casefhir.conformance.fhirpath.values import unwrap
from casefhir.conformance.tree import Node

ASKING = ("extension", "memberOf", "conformsTo")
"""Functions that take one argument."""


def asking(name: str, argument: Step) -> Step:
    """Function `name` of `ASKING`; it fails where the host cannot answer, for that is no "no"."""
    if name == "extension":
        return lambda focus, env: [
            each
            for item in focus
            if isinstance(item, Node)
            for each in item.children.get("extension", ())
            if each.get("url") == single(argument(focus, env))
        ]

    def ask(focus: Items, env: Env) -> Items:
        question = env.member_of if name == "memberOf" else env.conforms
        wanted = single(argument(focus, env))
        if not focus or wanted is None:
            return []
        if question is None or len(focus) > 1 or not isinstance(focus[0], Node):
            raise Failed(f"{name}() needs one element and a host that can answer")
        answer = question(str(wanted), focus[0])
        if answer is None and name == "conformsTo":
            raise Failed(f"profile {wanted} is not known")
        return boolean(answer)

    return ask


def resolve(focus: Items, env: Env) -> Items:
    """The resources that references, or their addresses, lead to; what leads nowhere is left out."""
    found: Items = []
    for item in focus:
        text = item.get("reference") if isinstance(item, Node) and item.type == "Reference" else unwrap(item)
        if isinstance(text, str) and env.resolve is not None:
            target = env.resolve(text, item if isinstance(item, Node) else env.resource)
            if target is not None:
                found.append(target)
    return found
