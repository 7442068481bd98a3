"""Credentials and what is derived from them (section 5)."""

import base64
import hashlib
import json
import re
import unicodedata

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mnemonic import Mnemonic

from errors import Refused
from primitives import argon2id, expand, hkdf, hmac, sha256

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MIB = 1024


def recovery_key(text):
    """Section 5: the 32 bytes of a recovery key, written as 24 words or 8 groups."""
    words = text.split()
    if len(words) == 24:
        english = Mnemonic("english")
        try:
            return bytes(english.to_entropy(" ".join(words).lower()))
        except (ValueError, LookupError):
            raise Refused("wrong-credential", "5: words of BIP-39") from None
    digits = re.sub(r"[\s-]", "", text).upper().replace("I", "1").replace("L", "1").replace("O", "0")
    if len(digits) != 56 or any(d not in CROCKFORD for d in digits):
        raise Refused("wrong-credential", "5: groups of a recovery key")
    number = 0
    for digit in digits:
        number = number << 5 | CROCKFORD.index(digit)
    raw = number.to_bytes(35, "big")
    if sha256(b"subrosa/v1 recovery checksum", raw[:32])[:3] != raw[32:]:
        raise Refused("wrong-credential", "5: checksum of a recovery key")
    return raw[:32]


def raw_key(text):
    """The 32 bytes of a raw key, written as 64 hexadecimal digits."""
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise Refused("wrong-credential", "a raw key is 64 hexadecimal digits")
    return bytes.fromhex(text)


def check_kdf(generations):
    """Section 5: refuse weak, costly and impossible parameters before memory is allocated."""
    work = 0
    for memory, passes, lanes, _ in generations:
        work += memory * passes
        if memory > 1024 * MIB or passes > 16 or lanes > 16:
            raise Refused("costly-kdf", "5: ceiling of one run")
        if work > 4 * 1024 * MIB:
            raise Refused("costly-kdf", "5: all runs of one opening")
        if passes == 0 or lanes == 0:
            raise Refused("kdf", "5: no pass or no lane")
        if memory < 8 * lanes:
            raise Refused("kdf", "5: less than 8 KiB for each lane")
        if memory < 19 * MIB or passes < 2:
            raise Refused("weak-kdf", "5: floor of one run")


def unlock_keys(credential, vault_id, areas):
    """Section 5: for each area the unlock keys that this credential has there.

    `areas` lists, for each area, its KDF generations. Returns a list of lists of keys.
    """
    (kind, value), = credential.items()
    if kind == "password":
        distinct = list(dict.fromkeys(g for generations in areas for g in generations))
        check_kdf(distinct)
        password = unicodedata.normalize("NFC", value).encode()
        keys = {g: argon2id(password, g[3], g[0], g[1], g[2]) for g in distinct}
        return [[keys[g] for g in dict.fromkeys(generations)] for generations in areas]
    if kind == "recovery-key":
        key = derived_key(recovery_key(value), "recovery key", vault_id)
    elif kind == "raw-key-hex":
        key = derived_key(raw_key(value), "raw key", vault_id)
    else:
        raise ValueError(f"credential of kind {kind}")
    return [[key] for _ in areas]


def derived_key(raw, sort, vault_id):
    """Section 5: the unlock key of a recovery key or a raw key."""
    return hkdf(vault_id, raw, b"subrosa/v1 " + sort.encode())


def selector(unlock_key, vault_id, own_box):
    """Section 5: the selector of a slot."""
    return hmac(expand(unlock_key, b"subrosa/v1 selector" + vault_id), own_box[:24])[:16]


def shortcut_key(seed, vault_id):
    """Section 5: the key of a slot's shortcut."""
    return expand(seed, b"subrosa/v1 shortcut" + vault_id)


def root_key(vault_root_key, vault_id):
    """Section 5: the key of root blocks."""
    return expand(vault_root_key, b"subrosa/v1 root" + vault_id)


def area_key(vault_root_key, vault_id):
    """Section 5: the key of the areas' MACs."""
    return expand(vault_root_key, b"subrosa/v1 area" + vault_id)


def record_key(vault_root_key, vault_id):
    """Section 5: the key of compartment 0."""
    return expand(vault_root_key, b"subrosa/v1 record" + vault_id)


def signing_keys(seed, vault_id):
    """Section 5: the public halves that a slot's seed signs with, as SigningV1."""
    signing_seed = expand(seed, b"subrosa/v1 signing" + vault_id)
    for i in range(256):
        scalar = int.from_bytes(expand(signing_seed, b"subrosa/v1 ES256" + bytes([i])), "big")
        if 0 < scalar < P256_ORDER:
            break
    point = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(expand(signing_seed, b"subrosa/v1 Ed25519\0"))
    return {"es256_x": point.x.to_bytes(32, "big"), "es256_y": point.y.to_bytes(32, "big"),
            "ed25519": edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)}


def fingerprint(signing, algorithm):
    """Section 9.2: a JWK thumbprint in sixteen groups; None for an algorithm that is not known."""
    def b64(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    if algorithm == 1:
        jwk = {"crv": "P-256", "kty": "EC", "x": b64(signing["es256_x"]), "y": b64(signing["es256_y"])}
    elif algorithm == 2:
        jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64(signing["ed25519"])}
    else:
        return None
    text = hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).hexdigest()
    return " ".join(text[i:i + 4] for i in range(0, 64, 4))
