"""Logging in: bearer token, client credentials, SMART Backend Services, mutual TLS; and secrets that stay secret."""

import base64
import datetime
import io
import ipaddress
import json
import logging
import ssl
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from casefhir.delivery import Auth, RetryPolicy, Secret, load_settings, upload
from casefhir.delivery.auth import assertion, check_token_url
from casefhir.delivery.errors import AuthError, NetworkError, UnfitSettings, UnsafeAnswer

from .conftest import Hapi
from .example import small_bundle
from .loopback import CAPABILITIES, Reply, Request, serving

ONCE = RetryPolicy(attempts=1)
CANARY = "canary-5f1e0c"


def private(kind: str) -> tuple[str, Any]:
    """A new private key as PEM, and its public key."""
    key = rsa.generate_private_key(65537, 2048) if kind == "RS384" else ec.generate_private_key(ec.SECP384R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode(), key.public_key()


def needs(token: Callable[[], str]) -> Callable[[Request], Reply | None]:
    """A FHIR server that demands the bearer token and holds nothing."""

    def answer(request: Request) -> Reply | None:
        if request.headers.get("authorization") != f"Bearer {token()}":
            return Reply(401)
        return Reply(body=CAPABILITIES) if request.path == "/fhir/metadata" else None

    return answer


def test_a_wrong_token_stops_the_upload_and_is_not_told() -> None:
    with serving(needs(lambda: "right")) as server:
        with pytest.raises(AuthError, match="did not accept") as caught:
            upload(small_bundle("alpha"), f"{server.url}/fhir", auth=Auth(token=Secret(CANARY)))
        assert CANARY not in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize("token", [f"{CANARY}\n", f"{CANARY} \u00e9", f"{CANARY}\r\nX-Other: 1"])
def test_a_token_that_no_header_can_carry_is_told_without_it(token: str) -> None:
    with pytest.raises(UnfitSettings, match="one line") as caught:
        Auth(token=Secret(token))
    assert CANARY not in str(caught.value)


def test_no_token_where_one_is_needed_is_said() -> None:
    with serving(needs(lambda: "right")) as server, pytest.raises(AuthError, match="asks for credentials"):
        upload(small_bundle("alpha"), f"{server.url}/fhir")


@pytest.mark.java
def test_an_expired_token_is_renewed_once_and_the_upload_goes_on(hapi: Hapi) -> None:
    """The server changes its token in the middle; the token endpoint gives the new one."""
    tokens = ["first", "second"]
    hapi.control(token="first")
    given: list[str] = []

    def endpoint(request: Request) -> Reply:
        given.append(tokens[min(len(given), 1)])
        return Reply(body={"access_token": given[-1], "token_type": "bearer", "expires_in": 300})

    def after_one(progress: Any) -> None:
        if progress.cases == 1 and progress.kind == "done":
            hapi.control(token="second")

    with serving(endpoint) as logins:
        auth = Auth(client_id="casefhir", client_secret=Secret(CANARY), token_url=f"{logins.url}/token")
        bundles = [small_bundle(key) for key in ("alpha", "beta", "gamma")]
        receipt = upload(bundles, hapi.base, auth=auth, jobs=1, verify=True, on_progress=after_one)
        basic = base64.b64encode(f"casefhir:{CANARY}".encode()).decode()
        assert logins.requests[0].headers["authorization"] == f"Basic {basic}"
        assert parse_qs(logins.requests[0].body.decode())["grant_type"] == ["client_credentials"]
    assert receipt.by_state == {"done": 3}
    assert given == ["first", "second"]


def test_a_token_that_stays_refused_is_renewed_once_only() -> None:
    with (
        serving(lambda request: Reply(body={"access_token": "stale", "expires_in": 300})) as logins,
        serving(needs(lambda: "other")) as server,
    ):
        auth = Auth(client_id="c", client_secret=Secret("s3cret"), token_url=f"{logins.url}/token")
        with pytest.raises(AuthError):
            upload(small_bundle("alpha"), f"{server.url}/fhir", auth=auth)
        assert len(logins.requests) == 2
        assert len(server.requests) == 2


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_smart_backend_services_by_discovery(algorithm: Any) -> None:
    pem, public = private(algorithm)
    seen: list[dict[str, Any]] = []

    def answer(request: Request) -> Reply | None:
        if request.path == "/fhir/.well-known/smart-configuration":
            assert "authorization" not in request.headers
            return Reply(body={"token_endpoint": f"{server.url}/token"})
        if request.path == "/token":
            form = parse_qs(request.body.decode())
            assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
            assert form["grant_type"] == ["client_credentials"]
            assert form["scope"] == ["system/*.cruds"]
            signed = form["client_assertion"][0]
            assert jwt.get_unverified_header(signed) == {"alg": algorithm, "typ": "JWT", "kid": "key-1"}
            claims = jwt.decode(signed, public, algorithms=[algorithm], audience=f"{server.url}/token")
            seen.append(claims)
            return Reply(body={"access_token": "granted", "token_type": "bearer", "expires_in": 300})
        return needs(lambda: "granted")(request)

    with serving(answer) as server:
        auth = Auth(client_id="casefhir", private_key=Secret(pem), key_id="key-1", algorithm=algorithm)
        receipt = upload(small_bundle("alpha"), f"{server.url}/fhir", auth=auth, retry=ONCE, dry_run=True)
    assert receipt.created == 9
    (claims,) = seen
    assert claims["iss"] == claims["sub"] == "casefhir"
    assert 0 < claims["exp"] - int(time.time()) <= 300
    assert claims["jti"]


def test_a_jwk_is_a_key_too_and_each_assertion_is_new() -> None:
    pem, public = private("RS384")
    key = serialization.load_pem_private_key(pem.encode(), None)
    jwk = json.dumps(jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True))
    auth = Auth(client_id="c", private_key=Secret(jwk))
    signed = [assertion(auth, "https://example.org/token") for _ in range(2)]
    ids = {jwt.decode(one, public, algorithms=["RS384"], audience="https://example.org/token")["jti"] for one in signed}
    assert len(ids) == 2


@pytest.mark.parametrize("key", [f"-----BEGIN {CANARY}", f'{{"kty": "{CANARY}"}}', "EC"])
def test_a_key_that_does_not_fit_is_told_without_the_key(key: str) -> None:
    text = private("ES384")[0] if key == "EC" else key
    with pytest.raises(UnfitSettings, match="no key for RS384") as caught:
        assertion(Auth(client_id="c", private_key=Secret(text)), "https://example.org/token")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_token_endpoint_that_refuses_is_explained() -> None:
    with serving(lambda request: Reply(400, body={"error": "invalid_client", "x": CANARY})) as logins:
        auth = Auth(client_id="c", client_secret=Secret(CANARY), token_url=f"{logins.url}/token")
        with pytest.raises(AuthError, match="400: invalid_client"):
            upload(small_bundle("alpha"), "http://127.0.0.1:9/fhir", auth=auth, retry=ONCE)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://auth.example.org/token", "https://example.org/fhir"),
        ("http://127.0.0.1/token", "https://192.0.2.1/fhir"),
        ("https://169.254.169.254/token", "https://8.8.8.8/fhir"),
        ("https://10.0.0.7/token", "https://8.8.8.8/fhir"),
        ("https://[::1]/token", "https://8.8.8.8/fhir"),
        ("https://localhost/token", "https://8.8.8.8/fhir"),
        ("https://user:word@8.8.4.4/token", "https://8.8.8.8/fhir"),
        ("file:///etc/passwd", "https://8.8.8.8/fhir"),
    ],
)
def test_credentials_are_not_sent_to_a_doubtful_token_endpoint(url: str, base: str) -> None:
    with pytest.raises(UnsafeAnswer):
        check_token_url(url, base)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://8.8.4.4/token", "https://8.8.8.8/fhir"),
        ("http://127.0.0.1:1/token", "http://127.0.0.1:2/fhir"),
        ("https://10.0.0.7/token", "https://10.0.0.8/fhir"),
    ],
)
def test_a_token_endpoint_beside_the_server_is_good(url: str, base: str) -> None:
    check_token_url(url, base)


def certificate(name: str, issuer: Any = None) -> tuple[Any, Any]:
    """(certificate, key): a CA when no issuer is given, else one for 127.0.0.1 signed by it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    build = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer[1] if issuer else key).public_key()),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, issuer is None, issuer is None, False, False),
            critical=True,
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return build.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def write_pair(folder: Path, name: str, pair: tuple[Any, Any]) -> tuple[Path, Path]:
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    certificate_file.write_bytes(pair[0].public_bytes(pem))
    key_file.write_bytes(pair[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return certificate_file, key_file


def test_mutual_tls_with_a_ca_of_our_own(tmp_path: Path) -> None:
    root = certificate("Test CA")
    ca, _ = write_pair(tmp_path, "ca", root)
    server_files = write_pair(tmp_path, "server", certificate("server", root))
    client_certificate, client_key = write_pair(tmp_path, "client", certificate("client", root))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_files)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED

    def answer(request: Request) -> Reply | None:
        return Reply(body=CAPABILITIES) if request.path == "/fhir/metadata" else None

    with serving(answer, context) as server:
        url = f"{server.url}/fhir"
        good = {"ca": ca, "client_certificate": client_certificate, "client_key": client_key}
        assert upload(small_bundle("alpha"), url, dry_run=True, retry=ONCE, **good).created == 9
        with pytest.raises(NetworkError, match="ca setting"):
            upload(small_bundle("alpha"), url, retry=ONCE)
        with pytest.raises(NetworkError):
            upload(small_bundle("alpha"), url, ca=ca, retry=ONCE)
    with pytest.raises(UnfitSettings, match="cannot be used"):
        upload(small_bundle("alpha"), "https://127.0.0.1/fhir", ca=tmp_path / "missing.pem")


def test_settings_come_from_flags_then_environment_then_file(tmp_path: Path) -> None:
    file = tmp_path / "casefhir.toml"
    file.write_text(f'[server]\nurl = "https://file.example.org/fhir"\njobs = 1\nrate = 2\ntoken = "{CANARY}"\n')
    environ = {"CASEFHIR_URL": "https://environment.example.org/fhir", "CASEFHIR_JOBS": "2", "CASEFHIR_VERIFY": "yes"}
    settings = load_settings({"jobs": 3, "rate": None}, environ, file)
    assert settings.url == "https://environment.example.org/fhir"
    assert (settings.jobs, settings.rate, settings.verify) == (3, 2.0, True)
    assert settings.auth is not None
    assert settings.auth.token is not None
    assert settings.auth.token.reveal() == CANARY
    assert CANARY not in repr(settings)


@pytest.mark.parametrize(
    ("flags", "environ", "text", "said"),
    [
        ({"token": CANARY}, {}, "", "by CASEFHIR_TOKEN or a file"),
        ({"colour": "red"}, {}, "", "no setting"),
        ({}, {"CASEFHIR_JOBS": "many"}, "", "jobs: 'many'"),
        ({}, {}, "[server]\ncolour = 1", "'colour'"),
        ({}, {}, f"[server]\ntoken = '{CANARY}", "not readable as TOML"),
        ({}, {"CASEFHIR_TOKEN": CANARY, "CASEFHIR_CLIENT_SECRET": "x"}, "", "one of"),
        ({}, {"CASEFHIR_CLIENT_SECRET": CANARY}, "", "client_id"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    flags: dict[str, str], environ: dict[str, str], text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "casefhir.toml"
    file.write_text(text)
    with pytest.raises(UnfitSettings, match=said) as caught:
        load_settings({"url": "https://example.org/fhir", **flags}, environ, file)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_secret_from_a_file_and_a_server_without_an_address(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\n")
    settings = load_settings({"url": "https://example.org/fhir", "token_file": tmp_path / "token"}, {})
    assert settings.auth is not None
    assert settings.auth.token is not None
    assert settings.auth.token.reveal() == CANARY
    with pytest.raises(UnfitSettings, match="No server given"):
        load_settings({}, {})


def test_a_canary_secret_is_in_no_output(tmp_path: Path) -> None:
    """Everything that leaves us, at the most talkative level: logs, errors, progress, receipt, outbox.

    The server echoes the secret in its answers, which is worse than any server should be.
    """
    spoken = io.StringIO()
    handler = logging.StreamHandler(spoken)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    outbox = tmp_path / "outbox.sqlite"
    pem, _ = private("RS384")
    told: list[str] = []

    def answer(request: Request) -> Reply | None:
        echo = f"you sent {request.headers.get('authorization')} {request.body[:4000].decode(errors='replace')}"
        if request.path == "/token":
            return Reply(body={"access_token": f"{CANARY}-granted", "expires_in": 300})
        if request.path == "/fhir/metadata":
            return Reply(body={**CAPABILITIES, "software": {"name": echo}})
        if request.method == "POST":
            issue = {"severity": "error", "code": "security", "diagnostics": echo, "expression": [echo]}
            return Reply(
                422, body={"resourceType": "OperationOutcome", "issue": [issue]}, headers={"X-Echo": echo[:200]}
            )
        return None

    try:
        with serving(answer) as server:
            for auth in (
                Auth(token=Secret(f"{CANARY}-fixed")),
                Auth(client_id="c", client_secret=Secret(f"{CANARY}-secret"), token_url=f"{server.url}/token"),
                Auth(client_id="c", private_key=Secret(pem), token_url=f"{server.url}/token"),
            ):
                receipt = upload(
                    small_bundle("alpha"), f"{server.url}/fhir", auth=auth, outbox=outbox, retry=ONCE,
                    on_progress=lambda progress: told.append(repr(progress)),
                )  # fmt: skip
                assert receipt.by_state == {"refused": 1}
                assert "you sent Bearer ***" in (receipt.cases[0].problem or "")
                told.extend([repr(receipt), json.dumps(receipt.as_json()), repr(auth), str(auth.token)])
            sent = b" ".join(request.body for request in server.requests) + repr(server.requests).encode()
            assert CANARY.encode() in sent  # it did go to the server
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    everything = spoken.getvalue() + "".join(told) + disk.decode(errors="replace")
    assert "127.0.0.1" in everything
    for secret in (CANARY, pem.splitlines()[2], base64.b64encode(f"c:{CANARY}-secret".encode()).decode()):
        assert secret not in everything
