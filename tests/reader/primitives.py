"""Boxes, slots and derivations of suite 1 (docs/format.md, sections 2, 3 and 5).

No plaintext leaves a box of which any chunk fails.
"""

import hashlib
import hmac
import struct
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from outcome import Damaged, require

CHUNK = 16384
TAG = 16
PADDING_FLOOR = 256
BLAKE3_FROM = 4096
SUITE = 1
FORMAT_VERSION = 1
CASCADE_LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"
X_WING_LABEL = bytes.fromhex("5c2e2f2f5e5c")


class Purpose:
    """What a box holds; the numbers of section 3.3."""

    OWN_BOX = 1
    GRANTED_BOX = 2
    ROOT = 3
    PLACE = 4
    PAGE = 5
    ENTRY = 6
    LEDGER = 7
    VAULT_RECORD = 8
    DIRECTORY = 9
    ERASE_LIST = 10
    SLICE = 12
    CONTENT = 13
    UPLOAD = 14
    SHORTCUT = 15
    STORY = 16
    ACCOUNTING = 17
    IDENTITY_KEY = 18
    IMPORT = 19
    TOMBSTONE = 20


def sha256(*parts):
    """SHA-256 of the concatenation."""
    return hashlib.sha256(b"".join(parts)).digest()


def object_digest(stored):
    """The digest of an object's stored bytes: its length says which."""
    return sha256(stored) if len(stored) < BLAKE3_FROM else blake3(stored).digest()


def context(header_digest, vault_id, purpose, place=0, object_id=bytes(16), revision=0, schema=1):
    """The 82 bytes that bind a box to what it is and where it belongs."""
    return (
        struct.pack("<HH", SUITE, FORMAT_VERSION)
        + header_digest
        + bytes([purpose])
        + vault_id
        + bytes([place])
        + object_id
        + struct.pack("<QHH", revision, schema, 0)
    )


def open_committed(key, bound, box, what):
    """Decrypt a committed box, or None if it is not under this key."""
    schedule = committed_schedule(key, bound, box, what)
    if schedule is None:
        return None
    content_key, nonce = schedule
    return decrypt_chunks(content_key, nonce, b"", box[56:], what)


def committed_schedule(key, bound, box, what):
    """The content key and base nonce of a committed box, if it commits to the key."""
    require(len(box) >= 72, f"{what}: too short for a committed box")
    salt, commitment = box[:24], box[24:56]
    output = HKDFExpand(hashes.SHA512(), 76, CASCADE_LABEL + salt + bound).derive(key)
    if not hmac.compare_digest(output[44:], commitment):
        return None
    return output[:32], output[32:44]


def open_once(key, bound, box, what):
    """Decrypt a single-use box and take its padding off."""
    return unpad(decrypt_chunks(key, bytes(12), bound, box, what), what)


def decrypt_chunks(key, base_nonce, associated, stored, what):
    """Decrypt every chunk; the last is always shorter than the others."""
    full = len(stored) // (CHUNK + TAG)
    require(len(stored) - full * (CHUNK + TAG) >= TAG, f"{what}: the last chunk is missing")
    cipher = AESGCM(key)
    base = int.from_bytes(base_nonce, "big")
    plaintext = []
    for number in range(full + 1):
        chunk = stored[number * (CHUNK + TAG):(number + 1) * (CHUNK + TAG)]
        nonce = (base ^ number).to_bytes(12, "big")
        try:
            plaintext.append(cipher.decrypt(nonce, chunk, associated))
        except InvalidTag:
            raise Damaged(f"{what}: a chunk does not authenticate") from None
    return b"".join(plaintext)


def padded_length(length):
    """Padmé with a floor of 256 bytes."""
    if length <= PADDING_FLOOR:
        return PADDING_FLOOR
    exponent = length.bit_length() - 1
    significant = exponent.bit_length()
    step = 1 << (exponent - significant)
    return (length + step - 1) // step * step


def unpad(plaintext, what):
    """The content of a padded plaintext."""
    require(len(plaintext) >= 8, f"{what}: no room for the length of the content")
    length = int.from_bytes(plaintext[:8], "little")
    require(length <= len(plaintext) - 8, f"{what}: the content is longer than its box")
    require(len(plaintext) == padded_length(8 + length), f"{what}: padded to a wrong size")
    require(not any(plaintext[8 + length:]), f"{what}: the padding is not zero")
    return plaintext[8:8 + length]


def decapsulate(seed, encapsulation):
    """The X-Wing shared secret of a slot."""
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    curve = X25519PrivateKey.from_private_bytes(expanded[64:])
    ciphertext, ephemeral = encapsulation[:1088], encapsulation[1088:]
    public = curve.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    try:
        agreed = curve.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    except ValueError:
        raise Damaged("slot: the encapsulation names a point of low order") from None
    secret = lattice.decapsulate(ciphertext)
    return hashlib.sha3_256(secret + agreed + ephemeral + public + X_WING_LABEL).digest()


def expand(key, label, rest):
    """A key that another one derives."""
    return HKDFExpand(hashes.SHA256(), 32, label + rest).derive(key)


def stretch_password(password, parameters):
    """The unlock key of a password; its cost must have been checked."""
    return hash_secret_raw(
        unicodedata.normalize("NFC", password).encode(),
        parameters.salt,
        time_cost=parameters.passes,
        memory_cost=parameters.memory,
        parallelism=parameters.lanes,
        hash_len=32,
        type=Type.ID,
        version=0x13,
    )


def stretch_key(key, label, vault_id):
    """The unlock key of a recovery key or a raw key."""
    return HKDF(hashes.SHA256(), 32, vault_id, label).derive(key)
