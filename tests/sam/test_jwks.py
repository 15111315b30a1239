"""The authorizer as it is built for an identity provider's tokens: what the documentation says is enough."""

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

from .conftest import NEWEST, POLYMICRO, ROOT, output

EVENT = {"version": "2.0", "headers": {"authorization": "Bearer {}"}}
RUN = """
import json, sys
from handlers.authorizer import handler
print(json.dumps(handler(json.load(sys.stdin), None)))
"""


def test_it_takes_tokens_by_public_keys(tmp_path: Path) -> None:
    """In the image of the runtime, and without a network."""
    (requirement,) = re.findall(r"--requirement '(.*?)'", (ROOT / "docs" / "deploying.md").read_text())
    own = ["--python", NEWEST, "--architecture", "x86_64", "--handler", "handlers.authorizer.handler"]
    output(POLYMICRO, "build", *own, "--requirement", requirement, "--out", tmp_path)
    mine, other = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    public = ECAlgorithm.to_jwk(mine.public_key(), as_dict=True) | {"kid": "k", "use": "sig"}
    assert answer(tmp_path, public, mine)["context"]["uuid"] == "alice"
    assert answer(tmp_path, public, other) == {"isAuthorized": False}


def answer(artifact: Path, public: dict[str, Any], key: Any) -> dict[str, Any]:
    """What the artifact says of a token that the key signs."""
    claims = {"sub": "alice", "exp": time.time() + 600, "iss": "issuer", "aud": "api"}
    token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "k"})
    settings = {"JWT_JWKS": json.dumps({"keys": [public]}), "JWT_ISSUER": "issuer", "JWT_AUDIENCE": "api"}
    run = ["docker", "run", "--rm", "--interactive", "--network=none", f"--volume={artifact}:/var/task:ro"]
    run += [f"--env={name}={value}" for name, value in settings.items()]
    run += [f"polymicro-python{NEWEST}:local", f"/var/lang/bin/python{NEWEST}", "-c", RUN]
    event = json.dumps(EVENT).replace("{}", token)
    done = subprocess.run(run, input=event.encode(), capture_output=True, timeout=60, env=os.environ)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result
