"""A Bundle's digital signature: verified with the certificate it carries."""

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from casefhir.conformance.findings import Report
from casefhir.conformance.signatures import canonical_json
from casefhir.conformance.validator import Validator

WHEN = "2024-05-01T10:00:00Z"
Json = dict[str, Any]


@cache
def signer() -> tuple[ec.EllipticCurvePrivateKey, str]:
    """A key and its own certificate, as base64 of its DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Somebody")])
    start = datetime(2024, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=900))
        .sign(key, hashes.SHA256())
    )
    return key, base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def bundle() -> Json:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "ferritin 'grün' <5"},
        "valueQuantity": {"value": Decimal("1.00"), "unit": "ng/mL"},
    }
    return {"resourceType": "Bundle", "type": "collection", "id": "b", "entry": [{"resource": observation}]}


def signed(
    given: Json, *, algorithm: str = "ES256", when: str = WHEN, left_out: tuple[str, ...] = (), **more: Any
) -> Json:
    """`given` with a signature of its canonical JSON."""
    key, certificate = signer()
    header = {"alg": algorithm, "sigT": WHEN, "x5c": [certificate], **more}
    head = encoded(json.dumps({name: each for name, each in header.items() if each is not None}).encode())
    content = encoded(canonical_json(given, left_out))
    signature = jwt.get_algorithm_by_name("ES256").sign(head + b"." + content, key)
    data = base64.b64encode(head + b".." + encoded(signature)).decode()
    code = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
    who = {"display": "Somebody"}
    return given | {
        "signature": {"type": [code], "when": when, "who": who, "sigFormat": "application/jose", "data": data}
    }


def found(given: Json) -> list[tuple[str, str]]:
    report = Report()
    Validator().check(given, report)
    return [(each.severity, each.rule) for each in report.findings if "signature" in each.rule]


def test_a_signature_of_the_content_verifies():
    assert found(signed(bundle())) == []


def test_canonical_json_keeps_numbers_as_written_and_orders_keys():
    given = {"b": [Decimal("1.00"), True, None], "a": "grün", "signature": {}}
    assert canonical_json(given, ("signature",)).decode() == '{"a":"grün","b":[1.00,true,null]}'


@pytest.mark.parametrize("value", [Decimal("1.0"), Decimal("2.00")])
def test_changed_content_does_not_verify(value):
    given = signed(bundle())
    given["entry"][0]["resource"]["valueQuantity"]["value"] = value
    assert found(given) == [("error", "structure.signature")]


def test_a_document_may_get_another_id_after_it_was_signed():
    form = "http://hl7.org/fhir/canonicalization/json#document"
    given = signed(bundle(), left_out=("id", "meta"), canon=form)
    assert found(given | {"id": "another"}) == []
    assert found(signed(bundle()) | {"id": "another"}) == [("error", "structure.signature")]


def test_the_time_signed_is_the_time_said():
    assert found(signed(bundle(), when="2024-05-01T12:00:00+02:00")) == []
    assert found(signed(bundle(), when="2024-05-02T10:00:00Z")) == [("error", "structure.signature")]


@pytest.mark.parametrize(
    ("header", "severity"),
    [({"x5c": None}, "warning"), ({"algorithm": "none"}, "warning"), ({"algorithm": "HS256"}, "warning")],
)
def test_what_cannot_be_verified_is_told(header, severity):
    assert found(signed(bundle(), **header)) == [(severity, "structure.signature-unchecked")]


@pytest.mark.parametrize("data", ["????", base64.b64encode(b"one.two").decode(), base64.b64encode(b"a.b.c").decode()])
def test_what_is_no_signature_is_refused(data):
    given = signed(bundle())
    given["signature"]["data"] = data
    assert ("error", "structure.signature") in found(given)


def test_a_picture_of_a_signature_is_none():
    given = signed(bundle())
    given["signature"] |= {"sigFormat": "image/png", "data": "aGk="}
    assert found(given) == []
