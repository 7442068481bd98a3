"""Boxes, contexts and padding (section 3)."""

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from errors import require
from primitives import expand_sha512, padme, same

CHUNK = 16384
TAG = 16
LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
ZERO_ID = bytes(16)

# Purposes of section 3.3.
OWN, GRANTED, ROOT, PLACE, PAGE, ENTRY, LEDGER, RECORD, DIRECTORY, ERASE = range(1, 11)
DOCUMENT, SLICE, CONTENT, UPLOAD, SHORTCUT, STORY, ACCOUNTING, IDENTITY, IMPORT, TOMBSTONE, DOCUMENTS = range(11, 22)


class BoxError(Exception):
    """A box that does not open."""


def context(header_digest, vault_id, purpose, place=0, object_id=ZERO_ID, revision=0, schema=0):
    """Section 3.3: the 82 bytes that bind a box to what it is."""
    return struct.pack("<HH32sB16sB16sQHH", 1, 1, header_digest, purpose, vault_id, place,
                       object_id, revision, schema, 0)


def _open_chunks(key, base_nonce, stored, aad):
    """Section 3: decrypt all chunks, or release nothing."""
    if len(stored) % (CHUNK + TAG) < TAG:
        raise BoxError("the last chunk is not shorter than the others")
    cipher = AESGCM(key)
    base = int.from_bytes(base_nonce, "big")
    out = []
    try:
        for i, at in enumerate(range(0, len(stored), CHUNK + TAG)):
            nonce = (base ^ i).to_bytes(12, "big")
            out.append(cipher.decrypt(nonce, bytes(stored[at:at + CHUNK + TAG]), aad))
    except InvalidTag:
        raise BoxError("a chunk fails") from None
    return b"".join(out)


def _schedule(key, salt, ctx):
    """Section 3.1: key, base nonce and commitment of a committed box."""
    out = expand_sha512(key, LABEL + salt + ctx, 76)
    return out[:32], out[32:44], out[44:]


def commits(key, box, ctx):
    """Whether a committed box commits to this key."""
    return same(_schedule(key, box[:24], ctx)[2], box[24:56])


def open_committed(key, box, ctx):
    """Section 3.1: open a committed box."""
    box_key, nonce, commitment = _schedule(key, box[:24], ctx)
    if not same(commitment, box[24:56]):
        raise BoxError("the box commits to another key")
    return _open_chunks(box_key, nonce, box[56:], b"")


def open_single_use(key, stored, ctx):
    """Sections 3.2 and 3.4: open a single-use box and take the padding off."""
    try:
        plain = _open_chunks(key, bytes(12), stored, ctx)
    except BoxError as error:
        require(False, f"3.2: {error}")
    require(len(plain) >= 8, "3.4: no length")
    length = int.from_bytes(plain[:8], "little")
    require(len(plain) == padme(8 + length), "3.4: the plaintext has exactly the padded size")
    require(not any(plain[8 + length:]), "3.4: the padding is zero")
    return plain[8:8 + length]
