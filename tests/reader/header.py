"""The header (section 4)."""

import struct
from typing import NamedTuple

from errors import Refused, require
from primitives import sha256

MAGIC = bytes.fromhex("93535542524f534120564c540d0a1a00")
GEOMETRY = (4096, 32768, 28672, 61440, 77824, 4096, 81920)
APPEND = 81920


class Header(NamedTuple):
    vault_id: bytes
    digest: bytes


def read_header(data):
    """Section 4: magic, then version, then digest and every field."""
    if data[:16] != MAGIC:
        raise Refused("not-a-vault", "4: magic")
    require(len(data) >= 18, "4: the version is missing")
    version = int.from_bytes(data[16:18], "little")
    if version > 1:
        raise Refused("newer-version", "4: format version")
    header = bytes(data[:4096])
    require(len(header) == 4096, "4: the header is cut")
    require(sha256(header[:4064]) == header[4064:], "4: digest of the header")
    require(version == 1, "4: format version")
    require(header[18:20] == b"\1\0", "4: suite")
    require(struct.unpack("<7Q", header[36:92]) == GEOMETRY, "4: geometry")
    require(not any(header[92:4064]), "4: zeros")
    return Header(header[20:36], sha256(header))
