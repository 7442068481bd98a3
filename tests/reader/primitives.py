"""Primitives of suite 1 (section 2), and sizes (sections 1, 3.4 and R7)."""

import hashlib
import hmac as _hmac

from argon2.low_level import Type, hash_secret_raw
from blake3 import blake3 as _blake3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

XWING_LABEL = bytes.fromhex("5c2e2f2f5e5c")
BLOCK = 4096


def sha256(*parts):
    """SHA-256 of the concatenation of `parts`."""
    return hashlib.sha256(b"".join(parts)).digest()


def blake3(*parts):
    """BLAKE3 with 32 bytes of output."""
    state = _blake3()
    for part in parts:
        state.update(part)
    return state.digest()


def object_digest(stored):
    """Section 2: SHA-256 below 4096 bytes, BLAKE3 from there on."""
    return sha256(stored) if len(stored) < 4096 else blake3(stored)


def hmac(key, message):
    """HMAC-SHA-256."""
    return _hmac.new(key, message, hashlib.sha256).digest()


def same(a, b):
    """Compare in constant time."""
    return _hmac.compare_digest(a, b)


def expand(key, info, length=32):
    """HKDF-Expand-SHA-256."""
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def expand_sha512(key, info, length):
    """HKDF-Expand-SHA-512, of committed boxes (section 3.1)."""
    return HKDFExpand(hashes.SHA512(), length, info).derive(key)


def hkdf(salt, key, info):
    """HKDF-SHA-256, extract and expand, 32 bytes."""
    return HKDF(hashes.SHA256(), 32, salt, info).derive(key)


def argon2id(password, salt, memory, passes, lanes):
    """Argon2id version 0x13, 32 bytes; memory in KiB."""
    return hash_secret_raw(password, salt, passes, memory, lanes, 32, Type.ID, 0x13)


def xwing_expand(seed):
    """Section 2: the ML-KEM and X25519 secrets of an X-Wing seed."""
    stream = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(stream[:64]), X25519PrivateKey.from_private_bytes(stream[64:])


def _raw(public):
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def xwing_public(seed):
    """Section 2: the public half, 1216 bytes."""
    kem, x25519 = xwing_expand(seed)
    return _raw(kem.public_key()) + _raw(x25519.public_key())


def xwing_decapsulate(seed, encapsulation):
    """Section 2: the shared secret of an encapsulation of 1120 bytes."""
    kem, x25519 = xwing_expand(seed)
    ephemeral = encapsulation[1088:]
    first = kem.decapsulate(encapsulation[:1088])
    second = x25519.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    return hashlib.sha3_256(first + second + ephemeral + _raw(x25519.public_key()) + XWING_LABEL).digest()


def padme(length):
    """Section 3.4: the padded size of `length` bytes, at least 256."""
    if length <= 256:
        return 256
    e = length.bit_length() - 1
    s = e.bit_length()
    unit = 1 << (e - s)
    return -(-length // unit) * unit


def segment_class(length):
    """Section 1: the size class of a segment."""
    return max(32768, -(-padme(length) // BLOCK) * BLOCK)


def compacted_length(everyday, others):
    """R7 step 2: the segment's length in a compacted file."""
    length = segment_class(everyday + max(65536, everyday // 16))
    return length if everyday + others <= length else segment_class(everyday + others)
