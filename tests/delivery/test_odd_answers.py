"""A server that answers anything at all: a receipt or one of our errors, never a Python accident."""

import contextlib
import copy
import random
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from casefhir import exactjson
from casefhir.delivery import RetryPolicy, pull, remove, upload
from casefhir.errors import CasefhirError
from tests.thorough import examples

from .example import small_bundle
from .loopback import CAPABILITIES, Reply, Request, serving

QUICK = RetryPolicy(attempts=2, base=0.001)
_ODD: list[Any] = [None, True, 3, -1, 1.5, "", "x", [], {}, [None], ["x"], [[]], {"x": 1}, [{}]]


def twisted(value: Any, rng: random.Random) -> Any:
    """A copy of `value` in which one place holds something odd, is gone, or is doubled."""
    whole = [copy.deepcopy(value)]
    holder: Any = whole
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.85:
        holder = holder[key]
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    what = rng.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[key] = rng.choice(_ODD)
    return whole[0] if whole else None


def good_answer(request: Request) -> Any:
    """What a real server would say to the requests of an upload, a pull or a removal."""
    resources = {entry["request"]["url"]: entry["resource"] for entry in small_bundle("alpha")["entry"]}
    kind = request.path.removeprefix("/fhir/").partition("?")[0]
    if kind == "metadata":
        return CAPABILITIES
    if request.method == "POST" and b'"batch"' in request.body:
        rows = [{"response": {"status": "200 OK"}, "resource": resource} for resource in resources.values()][1:]
        return {"resourceType": "Bundle", "type": "batch-response", "entry": rows}
    if request.method == "POST":
        rows = [{"response": {"status": "201 Created", "etag": 'W/"1"', "location": f"{name}/_history/1"}}
                for name in resources]  # fmt: skip
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": rows}
    if kind in resources:
        return {**resources[kind], "meta": {"versionId": "1", **resources[kind]["meta"]}}
    rows = [
        {"resource": one, "search": {"mode": "match"}} for name, one in resources.items() if name.startswith(kind + "/")
    ]
    return {"resourceType": "Bundle", "type": "searchset", "entry": rows, "link": [{"relation": "self", "url": "x"}]}


@examples(30, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.sampled_from(["put", "conditional", "prune", "pull", "remove"]))
def test_odd_answers_end_in_a_receipt_or_in_one_of_our_errors(seed: int, work: str) -> None:
    rng = random.Random(seed)

    def answer(request: Request) -> Reply:
        body = good_answer(request)
        odd = rng.random() < 0.3
        status = rng.choice([200, 200, 200, 201, 204, 400, 404, 409, 500]) if odd else 200
        return Reply(status, exactjson.write(twisted(body, rng) if odd else body))

    with serving(answer) as server:
        url = f"{server.url}/fhir"
        with contextlib.suppress(CasefhirError):  # any other exception fails the test
            if work == "pull":
                pull("alpha", url, retry=QUICK)
            elif work == "remove":
                remove(url, retry=QUICK)
            else:
                strategy = "conditional" if work == "conditional" else "put"
                receipt = upload(
                    small_bundle("alpha"), url, strategy=strategy, verify=True, prune=work == "prune", retry=QUICK
                )  # fmt: skip
                assert sum(receipt.by_state.values()) == 1
