"""Tokens that an identity provider signs: whose are taken, and how seldom its keys are asked for."""

import base64
import functools
import hashlib
import hmac
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from handlers import jwks
from handlers.authorizer import Identity, UnauthorizedError, handler, token, verify

ISSUER = "https://issuer.example"
SECRET = "a secret that is long enough for every hash: 64 bytes at the least"
ALICE = Identity("alice", (), ())
SETTINGS = ("JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_ALGORITHMS", "JWT_JWKS", "JWT_JWKS_URL")


@functools.cache
def private(kid: str) -> Any:
    """The private key of this id; made once, as RSA takes its time."""
    kinds: dict[str, Callable[[], Any]] = {
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed": ed25519.Ed25519PrivateKey.generate,
        "short": lambda: rsa.generate_private_key(65537, 1024),
    }
    make = kinds.get(kid.partition("-")[0], lambda: rsa.generate_private_key(65537, 2048))
    return make()


def public(kid: str, **members: Any) -> dict[str, Any]:
    """The public half as a JSON Web Key."""
    key = private(kid).public_key()
    kinds: dict[str, Any] = {
        "RSAPublicKey": RSAAlgorithm,
        "ECPublicKey": ECAlgorithm,
        "Ed25519PublicKey": OKPAlgorithm,
    }
    jwk: dict[str, Any] = kinds[type(key).__name__].to_jwk(key, as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"} | {"kid": kid} | members


def secret_key() -> dict[str, Any]:
    return {"kty": "oct", "kid": "shared", "k": encoded(SECRET.encode())}


def document(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})


@functools.cache
def provider() -> str:
    """A document with keys for signatures, and with others that are not for them."""
    strange = {"kty": "quantum", "kid": "quantum"}
    return document(
        strange,
        secret_key(),
        public("rsa", use="sig"),
        public("ec"),
        public("ec384"),
        public("ed", use="sig", key_ops=["verify"]),
        public("pss", alg="PS256"),
        public("short"),
        public("crypt", use="enc"),
        public("wrap", key_ops=["wrapKey"]),
        {name: value for name, value in public("nameless").items() if name != "kid"},
    )


def claims(**changed: Any) -> dict[str, Any]:
    """Good claims; None leaves one out."""
    good = {"sub": "alice", "iss": ISSUER, "aud": "todo", "exp": int(time.time()) + 60}
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(
    kid: str = "rsa", algorithm: str = "RS256", *, by: str = "", head: Any = None, **changed: Any
) -> str:
    """A token that names the key ``kid``, and is signed by the key ``by`` (the same unless said)."""
    key = jwt.PyJWK(secret_key()).key if kid == "shared" else private(by or kid)
    return jwt.encode(claims(**changed), key, algorithm, headers={"kid": kid} | (head or {}))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned(_: bytes) -> bytes:
    return b""


def by_hmac(key: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hmac.digest(key, text, hashlib.sha256)


def by_short_key(text: bytes) -> bytes:
    signature: bytes = private("short").sign(text, PKCS1v15(), hashes.SHA256())
    return signature


def handmade(head: dict[str, Any], sign: Callable[[bytes], bytes] = unsigned) -> str:
    """A token of any header and signature: PyJWT does not lend itself to all."""
    text = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims()))
    return f"{text}.{encoded(sign(text.encode()))}"


def pem(kid: str) -> bytes:
    key: bytes = private(kid).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key


def foreign_payload() -> str:
    """The signature of one token under the claims of another."""
    (head, _, signature), (_, other, _) = signed().split("."), signed(sub="bob").split(".")
    return f"{head}.{other}.{signature}"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("JWT_SECRET", SECRET)
    monkeypatch.setenv("JWT_ISSUER", ISSUER)
    monkeypatch.setenv("JWT_AUDIENCE", "todo")
    jwks.keys.cache_clear()
    return monkeypatch


@pytest.fixture
def configured(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("JWT_JWKS", provider())
    return environment


@pytest.mark.parametrize(
    ("kid", "algorithm", "chosen"),
    [
        ("rsa", "RS256", None),
        ("ec", "ES256", None),
        ("rsa", "RS256", ""),
        ("rsa", "RS256", "RS256"),
        ("pss", "PS256", "PS256,ES256"),
        ("ec384", "ES384", "ES256 ES384"),
        ("ed", "EdDSA", "EdDSA"),
    ],
)
def test_a_token_by_a_key_of_the_document_is_taken(
    kid: str, algorithm: str, chosen: str | None, configured: pytest.MonkeyPatch
) -> None:
    if chosen is not None:
        configured.setenv("JWT_ALGORITHMS", chosen)
    assert verify(signed(kid, algorithm)) == ALICE


def test_audience_may_be_one_of_several(configured: pytest.MonkeyPatch) -> None:
    assert verify(signed(aud=["other", "todo"])) == ALICE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            lambda: handmade({"alg": "HS256", "kid": "rsa"}, by_hmac(pem("rsa"))),
            id="HS256 with the public key",
        ),
        pytest.param(
            lambda: handmade({"alg": "HS256", "kid": "ec"}, by_hmac(pem("ec"))), id="HS256 with the EC key"
        ),
        pytest.param(
            lambda: handmade({"alg": "HS256", "kid": "rsa"}, by_hmac(json.dumps(public("rsa")).encode())),
            id="HS256 with the JSON key",
        ),
        pytest.param(lambda: signed("shared", "HS256"), id="HS256 with a secret in the document"),
        pytest.param(
            lambda: handmade({"alg": "HS256", "kid": "rsa"}, by_hmac(SECRET.encode())),
            id="HS256 with JWT_SECRET",
        ),
        pytest.param(lambda: handmade({"alg": "none", "kid": "rsa"}), id="alg none"),
        pytest.param(lambda: handmade({"alg": "NONE", "kid": "rsa"}), id="alg NONE"),
        pytest.param(lambda: handmade({"alg": "RS256", "kid": "rsa"}), id="no signature"),
        pytest.param(
            lambda: handmade({"alg": "ES256", "kid": "ec"}, by_hmac(b"k")), id="signature too short"
        ),
        pytest.param(lambda: handmade({"kid": "rsa"}), id="no alg"),
        pytest.param(lambda: handmade({"alg": ["RS256"], "kid": "rsa"}), id="alg no text"),
        pytest.param(lambda: signed("rsa", "RS512"), id="another hash"),
        pytest.param(lambda: signed("rsa", "PS256"), id="another padding"),
        pytest.param(lambda: signed("ec384", "ES384"), id="a curve that is not chosen"),
        pytest.param(lambda: signed("rsa", "ES256", by="ec"), id="another kind of key"),
        pytest.param(lambda: signed("rsa", by="rsa-evil"), id="another key"),
        pytest.param(lambda: signed("nameless"), id="kid of a key that has none"),
        pytest.param(lambda: handmade({"alg": "RS256", "kid": None}), id="kid null"),
        pytest.param(lambda: jwt.encode(claims(), private("rsa"), "RS256"), id="kid missing"),
        pytest.param(lambda: handmade({"alg": "RS256", "kid": 1}), id="kid no text"),
        pytest.param(lambda: handmade({"alg": "RS256", "kid": ["rsa"]}), id="kid a list"),
        pytest.param(lambda: signed("rsa", head={"kid": ""}), id="kid empty"),
        pytest.param(lambda: signed("rsa", head={"kid": "RSA"}), id="kid in capitals"),
        pytest.param(lambda: signed("unknown"), id="kid unknown"),
        pytest.param(lambda: signed("quantum"), id="kid of an unusable key"),
        pytest.param(lambda: signed("crypt"), id="key for encryption"),
        pytest.param(lambda: signed("wrap"), id="key for wrapping"),
        pytest.param(lambda: handmade({"alg": "RS256", "kid": "short"}, by_short_key), id="key of 1024 bits"),
        pytest.param(lambda: signed(by="rsa-evil", head={"jwk": public("rsa-evil")}), id="jwk"),
        pytest.param(lambda: signed("rsa-evil", head={"jwk": public("rsa-evil")}), id="jwk and its kid"),
        pytest.param(lambda: signed(head={"crit": ["exp"]}), id="crit"),
        pytest.param(foreign_payload, id="claims of another token"),
        pytest.param(lambda: signed() + "A", id="signature longer"),
        pytest.param(lambda: signed(iss="https://evil.example"), id="another issuer"),
        pytest.param(lambda: signed(iss=ISSUER + "/"), id="almost the issuer"),
        pytest.param(lambda: signed(iss=None), id="no issuer"),
        pytest.param(lambda: signed(aud="other"), id="another audience"),
        pytest.param(lambda: signed(aud=[]), id="audience empty"),
        pytest.param(lambda: signed(aud=None), id="no audience"),
        pytest.param(lambda: signed(exp=int(time.time()) - 11), id="expired"),
        pytest.param(lambda: signed(exp=None), id="for ever"),
        pytest.param(lambda: signed(nbf=int(time.time()) + 60), id="not yet valid"),
        pytest.param(lambda: signed(sub=None), id="nobody"),
    ],
)
def test_a_bad_token_is_refused(text: Callable[[], str], configured: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        verify(text())


GARBAGE = "^JWT_JWKS_URL or JWT_JWKS gives no usable keys"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"JWT_ISSUER": ""}, "^With public keys JWT_ISSUER must be set"),
        ({"JWT_AUDIENCE": ""}, "^With public keys JWT_AUDIENCE must be set"),
        ({"JWT_ISSUER": "", "JWT_AUDIENCE": ""}, "^With public keys JWT_ISSUER and JWT_AUDIENCE must be set"),
        ({"JWT_ALGORITHMS": "RS256 HS256"}, "^JWT_ALGORITHMS may name ES256, .*RS512[.]$"),
        ({"JWT_ALGORITHMS": "none"}, "^JWT_ALGORITHMS may name"),
        ({"JWT_JWKS": "{"}, GARBAGE),
        ({"JWT_JWKS": "[]"}, GARBAGE),
        ({"JWT_JWKS": "[" * 100_000}, GARBAGE),
        ({"JWT_JWKS": '{"keys": {}}'}, GARBAGE),
        ({"JWT_JWKS": '{"keys": ["rsa"]}'}, GARBAGE),
        ({"JWT_JWKS": '{"keys": [{"kty": "RSA", "kid": "rsa"}]}'}, GARBAGE),
        ({"JWT_JWKS": "", "JWT_JWKS_URL": "http://127.0.0.1/jwks"}, "^JWT_JWKS_URL must begin with https://"),
        ({"JWT_JWKS": "", "JWT_JWKS_URL": "file:///etc/keys"}, "^JWT_JWKS_URL must begin with https://"),
        ({"JWT_JWKS": "", "JWT_JWKS_URL": "https://"}, GARBAGE),
        ({"JWT_JWKS": "", "JWT_ALGORITHMS": "RS256"}, "^HS256 is not what JWT_ALGORITHMS"),
    ],
    ids=[
        "no issuer",
        "no audience",
        "neither",
        "HS256 chosen",
        "none chosen",
        "no JSON",
        "no object",
        "nested deep",
        "no list",
        "no key",
        "half a key",
        "http",
        "a file",
        "no host",
        "RS256 without keys",
    ],
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_with_bad_settings_nobody_gets_in(
    settings: dict[str, str], message: str, version: str, configured: pytest.MonkeyPatch
) -> None:
    """It is a 500 and no refusal: the operator sees it, and clients do not throw good tokens away."""
    for name, value in settings.items():
        configured.setenv(name, value)
    event = {"version": version, "headers": {"authorization": f"Bearer {signed()}"}}
    with pytest.raises(RuntimeError, match=message):
        handler(event, None)


def test_the_secret_signs_nothing_where_there_are_public_keys(configured: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match=r"^HS256 is not what"):
        token("alice")


WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None  # as if it were not installed
from handlers.authorizer import token, verify
assert verify(token("alice")).uuid == "alice"
assert "handlers.jwks" not in sys.modules
"""
KEYS_WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
from handlers.authorizer import verify
try:
    verify(sys.argv[1])
except RuntimeError as error:
    assert type(error.__cause__).__name__ == "MissingCryptographyError", repr(error.__cause__)
else:
    raise SystemExit("somebody got in")
"""


@pytest.mark.parametrize("keys", [False, True], ids=["HS256 works", "public keys say what is missing"])
def test_without_cryptography(keys: bool, environment: pytest.MonkeyPatch) -> None:
    script, extra = WITHOUT_CRYPTOGRAPHY, ""
    if keys:
        script, extra = KEYS_WITHOUT_CRYPTOGRAPHY, signed()
        environment.setenv("JWT_JWKS", provider())
    command = [sys.executable, "-c", script, extra]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@dataclass
class Provider:
    """An identity provider's server: what it answers, and which paths it was asked for."""

    url: str
    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    free: Event = field(default_factory=Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        self.free.wait(5)
        request.send_response(self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(self.body.encode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def server(certificate: Path, environment: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider by https, whose certificate is trusted as an operator would have it: by ``SSL_CERT_FILE``."""
    states: list[Provider] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            states[0].answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    web.socket = tls.wrap_socket(web.socket, server_side=True)
    state = Provider(f"https://127.0.0.1:{web.server_port}/jwks", document(public("rsa"), public("ec")))
    state.free.set()
    states.append(state)
    environment.setenv("SSL_CERT_FILE", str(certificate))
    environment.setenv("JWT_JWKS_URL", state.url)
    thread = Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.free.set()
    web.shutdown()
    thread.join()
    web.server_close()


def later(url: str, seconds: float) -> None:
    """Let time go by, for the keys of this address."""
    ring = jwks.keys(url, "")
    ring.read_at -= seconds
    ring.tried_at -= seconds


def said(text: str) -> str:
    """What a token gets: who it is, or a status."""
    try:
        return verify(text).uuid
    except UnauthorizedError:
        return "401"
    except RuntimeError:
        return "500"


def test_keys_are_asked_for_once(server: Provider) -> None:
    assert [said(signed(kid, alg)) for kid, alg in (("rsa", "RS256"), ("ec", "ES256"))] * 3 == ["alice"] * 6
    assert server.asked == ["/jwks"]


def test_keys_are_asked_for_again_when_they_are_old(server: Provider) -> None:
    """A key that the provider withdraws opens no longer than ``KEPT``."""
    assert said(signed()) == "alice"
    server.body = document(public("ec"))
    later(server.url, jwks.KEPT - 1)
    assert said(signed()) == "alice"
    later(server.url, 1)
    assert (said(signed()), said(signed("ec", "ES256"))) == ("401", "alice")
    assert len(server.asked) == 2


def test_unknown_keys_are_asked_for_now_and_then(server: Provider) -> None:
    """Whoever makes up ids of keys makes for one request in ``PAUSE``, not for one each."""
    made_up = [signed(by="rsa", kid=f"unknown{number}") for number in range(20)]
    for asked in (1, 2, 3):
        assert {said(text) for text in made_up} == {"401"}
        assert (said(signed()), len(server.asked)) == ("alice", asked)
        later(server.url, jwks.PAUSE)


def test_a_new_key_counts_after_the_pause(server: Provider) -> None:
    assert said(signed()) == "alice"
    server.body = document(public("rsa"), public("rsa-new"))
    assert (said(signed("rsa-new")), len(server.asked)) == ("401", 1)
    later(server.url, jwks.PAUSE)
    assert (said(signed("rsa-new")), len(server.asked)) == ("alice", 2)


@pytest.mark.parametrize(
    "text",
    [lambda: jwt.encode(claims(), private("rsa"), "RS256"), lambda: "a.b.c"],
    ids=["no kid", "garbage"],
)
def test_a_token_that_names_no_key_asks_for_none(text: Callable[[], str], server: Provider) -> None:
    assert (said(text()), server.asked) == ("401", [])


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_an_address_in_the_token_is_not_asked(name: str, server: Provider) -> None:
    evil = server.url.replace("/jwks", "/evil")
    text = signed("rsa-evil", head={name: evil})
    server.body = document(public("rsa"))
    assert (said(text), server.asked) == ("401", ["/jwks"])


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 500},
        {"status": 404, "body": "{}"},
        {"status": 302, "headers": {"Location": "/elsewhere"}},
        {"body": "<html>"},
        {"body": ""},
        {"body": "[]"},
        {"body": '{"keys": []}'},
        {"body": document(public("rsa", use="enc"))},
        {"headers": {"Content-Length": "100000"}},
    ],
    ids=["500", "404", "redirect", "HTML", "empty", "list", "no keys", "none for signatures", "cut off"],
)
def test_without_keys_nobody_gets_in(broken: dict[str, Any], server: Provider) -> None:
    """Not even a known key, once it is old; and a provider in need is left alone for ``PAUSE``."""
    assert said(signed()) == "alice"
    good = (server.body, server.status, server.headers)
    for name, value in broken.items():
        setattr(server, name, value)
    later(server.url, jwks.PAUSE)
    assert [said(signed("unknown")) for _ in range(3)] == ["500", "401", "401"]
    assert said(signed()) == "alice"
    later(server.url, jwks.KEPT)
    assert [said(signed()) for _ in range(3)] == ["500", "500", "500"]
    assert server.asked == ["/jwks"] * 3
    server.body, server.status, server.headers = good
    later(server.url, jwks.PAUSE)
    assert (said(signed()), server.asked) == ("alice", ["/jwks"] * 4)


def test_a_slow_provider_is_not_waited_for(server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT", 0.2)
    server.free.clear()
    began = time.monotonic()
    assert (said(signed()), said(signed())) == ("500", "500")
    assert time.monotonic() - began < 2


def test_an_untrusted_certificate_is_no_provider(server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert (said(signed()), server.asked) == ("500", [])


def test_nobody_at_the_address(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("JWT_JWKS_URL", "https://127.0.0.1:1/jwks")
    with pytest.raises(RuntimeError, match=GARBAGE):
        verify(signed())


def test_the_document_goes_before_the_address(server: Provider, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("JWT_JWKS", document(public("rsa-new")))
    assert (said(signed("rsa-new")), said(signed()), server.asked) == ("alice", "401", [])
