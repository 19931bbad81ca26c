"""A Bundle's digital signature (JSON Web Signature in Signature.data): does its certificate's key verify it."""

import base64
import binascii
import json
import re
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from casefhir import exactjson
from casefhir.conformance.definitions import Json
from casefhir.conformance.fhirpath.values import moment, order
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_JOSE = "application/jose"
_CANONICAL = "http://hl7.org/fhir/canonicalization/json"
_LEFT_OUT = {_CANONICAL: ("signature",), _CANONICAL + "#document": ("signature", "id", "meta")}
_ALGORITHMS = frozenset(kind + size for kind in ("RS", "PS", "ES") for size in ("256", "384", "512"))


class Broken(Exception):
    """A signature that cannot be read."""


class Signatures:
    """Checks the signature of Bundle nodes."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def _tell(self, severity: str, node: Node, message: str, mend: str, rule: str = "structure.signature") -> None:
        self.tell(severity, rule, node, message, mend)

    def check(self, bundle: Node) -> None:
        """Check the signature of `bundle`, where it has one."""
        node = bundle.first("signature")
        if node is None or not isinstance(node.get("data"), str):
            return
        if str(node.get("sigFormat")).startswith("image/"):
            return  # a picture of one
        if node.get("sigFormat") not in (None, _JOSE):
            self._unchecked(node, f"signatures of the format {node.get('sigFormat')} are not read here")
            return
        try:
            header, payload, signature, signed = _read(node.get("data"))
        except Broken as error:
            if node.get("sigFormat") == _JOSE:
                self._tell("error", node, f"The signature cannot be read: {error}.", "Sign the Bundle again.")
            return
        self._time(node, header)
        if payload:
            self._tell("warning", node, "The signature holds its own copy of the content.", "Detach it.")
        key = self._key(node, header)
        if key is None:
            return
        canonical = header.get("canon") or _canonicalization(node.get("targetFormat"))
        if canonical is None:
            canonical = _CANONICAL + ("#document" if bundle.get("type") == "document" else "")
        if canonical not in _LEFT_OUT:
            self._unchecked(node, f"the canonical form {canonical} is not built here")
            return
        content = canonical_json(bundle.value, _LEFT_OUT[str(canonical)])
        if not self._verifies(str(header.get("alg")), key, signed + _encoded(content), signature):
            self._tell(
                "error",
                node,
                "The signature does not verify against its certificate: the content was changed after it was signed.",
                "Sign the Bundle again, or find out who changed it.",
            )

    def _unchecked(self, node: Node, why: str) -> None:
        said = f"The signature was not verified: {why}."
        self._tell("warning", node, said, "Verify it by other means.", "structure.signature-unchecked")

    def _time(self, node: Node, header: Json) -> None:
        said, when = header.get("sigT", header.get("iat")), node.first("when")
        if said is None:
            self._tell("warning", node, "The signature does not say when it was made.", "Sign with sigT.")
            return
        if isinstance(said, int | Decimal):
            said = datetime.fromtimestamp(int(said), UTC).isoformat().replace("+00:00", "Z")
        signed = moment(str(said), "dateTime")
        if when is not None and signed is not None and order(when, signed) not in (0, None):
            self._tell("error", node, f"It was signed at {said}, not at {when.value}.", "Correct Signature.when.")

    def _key(self, node: Node, header: Json) -> Any:
        """The public key of the first certificate in the header; tells and gives None where there is none."""
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.x509 import load_der_x509_certificate

        chain = header.get("x5c")
        if not isinstance(chain, list) or not chain:
            self._unchecked(node, "it carries no certificate (x5c)")
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of serial numbers, which do not matter to the key
                key = load_der_x509_certificate(base64.b64decode(str(chain[0]))).public_key()
        except ValueError as error:
            self._tell("error", node, f"The signature's certificate cannot be read: {error}.", "Sign with another.")
            return None
        algorithm = str(header.get("alg"))
        kinds = {"RS": RSAPublicKey, "PS": RSAPublicKey, "ES": EllipticCurvePublicKey}  # none and HMAC prove nothing
        if algorithm not in _ALGORITHMS or not isinstance(key, kinds[algorithm[:2]]):
            self._unchecked(node, f"the algorithm {algorithm} does not go with the certificate's key")
            return None
        return key

    def _verifies(self, algorithm: str, key: Any, signed: bytes, signature: bytes) -> bool:
        import jwt

        return bool(jwt.get_algorithm_by_name(algorithm).verify(signed, key, signature))


def _read(data: str) -> tuple[Json, bytes, bytes, bytes]:
    """(header, payload, signature, what is signed up to the payload) of a compact JWS in base64."""
    try:
        parts = base64.b64decode("".join(data.split()), validate=True).split(b".")
    except (binascii.Error, ValueError) as error:
        raise Broken("data is not base64") from error
    if len(parts) != 3:
        raise Broken("data is not a JSON Web Signature of three parts")
    try:
        header = exactjson.read(_decoded(parts[0]))
        payload, signature = _decoded(parts[1]), _decoded(parts[2])
    except ValueError as error:
        raise Broken("its parts are not base64url") from error
    if not isinstance(header, dict):
        raise Broken("its header is not a JSON object")
    return header, payload, signature, parts[0] + b"."


def _decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _canonicalization(target: Any) -> str | None:
    match = re.search(r";\s*canonicalization=([^;\s]+)", target) if isinstance(target, str) else None
    return match[1] if match else None


def canonical_json(resource: Json, left_out: tuple[str, ...]) -> bytes:
    """FHIR's canonical JSON: no white space, keys in order, numbers as written, without `left_out` at the top."""
    return _canonical({key: value for key, value in resource.items() if key not in left_out}).encode()


def _canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
