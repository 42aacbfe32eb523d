"""The tokens by which this service tells others who it is: JWTs for one service each, and soon too old."""

import time
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from jwt.algorithms import OKPAlgorithm

ALGORITHM = "EdDSA"
# Seconds.
LIFETIME = 60


def load(text: str) -> tuple[str, Ed25519PrivateKey]:
    """Return the id of a private key, which is a hash of the public one, and the key."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    return sha256(key.public_key().public_bytes_raw()).hexdigest()[:16], key


def sign(audience: str) -> str:
    """Return a token for another service."""
    kid, key = load(settings.SERVICE_KEYS[0])
    now = int(time.time())
    claims = {"iss": settings.SERVICE_NAME, "aud": audience, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, key, ALGORITHM, headers={"kid": kid})


def published() -> dict[str, Any]:
    """Return the public keys as a JSON Web Key Set, RFC 7517."""
    return {
        "keys": [
            {
                **OKPAlgorithm.to_jwk(key.public_key(), as_dict=True),
                "alg": ALGORITHM,
                "kid": kid,
                "use": "sig",
            }
            for kid, key in map(load, settings.SERVICE_KEYS)
        ]
    }
