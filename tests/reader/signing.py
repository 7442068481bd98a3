"""The signing keys of a slot, and how their public halves are named (sections 5 and 9.3)."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outcome import Damaged
from primitives import expand

ES256, ED25519 = 1, 2
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def public_halves(seed, vault_id):
    """What the directory lists for the slot of this seed."""
    signing_seed = expand(seed, b"subrosa/v1 signing", vault_id)
    point = ec.derive_private_key(scalar(signing_seed), ec.SECP256R1()).public_key().public_numbers()
    edwards = Ed25519PrivateKey.from_private_bytes(candidate(signing_seed, b"subrosa/v1 Ed25519", 0))
    return {
        "es256_x": point.x.to_bytes(32, "big"),
        "es256_y": point.y.to_bytes(32, "big"),
        "ed25519": edwards.public_key().public_bytes_raw(),
    }


def candidate(signing_seed, label, number):
    """32 bytes that may be a key."""
    return expand(signing_seed, label, bytes([number]))


def scalar(signing_seed):
    """The first candidate that is a scalar of P-256."""
    for number in range(256):
        value = int.from_bytes(candidate(signing_seed, b"subrosa/v1 ES256", number), "big")
        if 0 < value < ORDER:
            return value
    raise Damaged("signing keys: no candidate is a scalar")


def fingerprint(listed, algorithm):
    """The JWK thumbprint (RFC 7638) that names a key, in sixteen groups; None of an unknown algorithm."""
    text = {name: base64.urlsafe_b64encode(half).rstrip(b"=").decode() for name, half in listed.items()}
    if algorithm == ES256:
        members = f'{{"crv":"P-256","kty":"EC","x":"{text["es256_x"]}","y":"{text["es256_y"]}"}}'
    elif algorithm == ED25519:
        members = f'{{"crv":"Ed25519","kty":"OKP","x":"{text["ed25519"]}"}}'
    else:
        return None
    digest = hashlib.sha256(members.encode()).hexdigest()
    return " ".join(digest[at:at + 4] for at in range(0, 64, 4))
