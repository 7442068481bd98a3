"""Root blocks, which of them is the state (section 6), and places (section 7)."""

import struct
from typing import NamedTuple, Optional

from areas import no_state
from boxes import PLACE, ROOT, BoxError, context, open_committed
from errors import Refused, damaged, require
from header import APPEND
from primitives import BLOCK, blake3, sha256

OFFSETS = (61440, 77824)
READER = 1
LONG_SEGMENT = 1048576
RECORD, CUSTODY, GENERAL, NOTES, SUBSTANCE, SEALED = range(6)
NAMES = ("record", "custody", "general", "psychotherapy-notes", "substance-use", "sealed", "spare-a", "spare-b")
HOLD_ENTRIES = (GENERAL, NOTES, SUBSTANCE, SEALED)


class Root(NamedTuple):
    epoch: int
    previous: bytes
    generation: int
    area: bytes
    start: int
    end: int
    parts: int
    digest: bytes
    places: tuple
    block: bytes
    keys: dict
    opened: object


class Ref(NamedTuple):
    """A keyed reference (section 6)."""
    key: bytes
    reference: bytes
    length: int
    digest: bytes


class Place(NamedTuple):
    epoch: int
    page: Optional[Ref]
    rows: int
    head_epoch: int
    head: bytes
    live: int
    erase: Optional[Ref]


def choose_root(data, header, opened, others):
    """Section 6: the state among the candidates. Returns (root, dropped, clean)."""
    blocks = [bytes(data[at:at + BLOCK]) for at in OFFSETS]
    plain = [open_block(block, header, opened) for block in blocks]
    for found in plain:
        if found is not None and found[0][64:96] in {o.digest for o in opened} \
                and int.from_bytes(found[0][96:98], "little") > READER:
            raise Refused("newer-version", "6: least reader version of a root")
    candidates = [parse_root(block, *found) for block, found in zip(blocks, plain) if found is not None]
    candidates = [root for root in candidates if root is not None]
    if not candidates:
        raise no_state(others)
    if blocks[0] == blocks[1]:
        return checked_state(candidates[0], data), None, True
    if len(candidates) == 2 and candidates[0].epoch == candidates[1].epoch:
        raise Refused("forked", "6: two candidates of one epoch")
    candidates.sort(key=lambda root: root.epoch, reverse=True)
    newest = candidates[0]
    if has_segment(newest, data):
        before = len(candidates) == 2 and sha256(candidates[1].block) == newest.previous
        return checked_state(newest, data), None, before
    if len(candidates) == 1:
        raise no_state(others)
    require(sha256(candidates[1].block) == newest.previous,
            "6: the other candidate is the one that the newest names as the previous")
    return checked_state(candidates[1], data), newest.epoch, True


def open_block(block, header, opened):
    """The plaintext of a root block and the area that it belongs to, or None.

    One vault root key may belong to both areas: the one whose digest the root has comes first.
    """
    found = None
    for area in opened:
        try:
            plain = open_committed(area.root_key, block, context(header.digest, header.vault_id, ROOT, schema=1))
        except BoxError:
            continue
        if len(plain) == 4024 and (found is None or plain[64:96] == area.digest):
            found = plain, area
    return found


def parse_root(block, plain, area):
    """Section 6: a candidate, or None for a root that is damaged or has another area's digest."""
    epoch, _, previous, generation, digest, _, start, end, parts, segment = \
        struct.unpack("<Q16s32sQ32sHQQQ32s", plain[:154])
    sound = (epoch >= 1 and not any(plain[3034:])
             and start % BLOCK == end % BLOCK == parts % BLOCK == 0 and start + parts <= end
             and (epoch > 1 or not any(previous)))
    if not sound or digest != area.digest or generation != area.generation:
        return None
    places = tuple(plain[154 + i * 360:154 + (i + 1) * 360] for i in range(8))
    return Root(epoch, previous, generation, digest, start, end, parts, segment, places, block, area.keys, area)


def has_segment(root, data):
    """Section 6, point 3: whether the root's segment is there."""
    if not APPEND <= root.start <= root.end <= len(data):
        return False
    if root.end - root.start > LONG_SEGMENT:
        return True
    middle = root.start + root.parts
    return blake3(data[middle:root.end], data[root.start:middle]) == root.digest


def checked_state(root, data):
    """Section 6: the state's append end."""
    require(APPEND <= root.end <= len(data), "6: append end of the state")
    return root


def parse_reference(raw):
    """A keyed reference; None if it is all zeros."""
    if not any(raw):
        return None
    return Ref(raw[:32], raw[32:48], int.from_bytes(raw[48:56], "little"), raw[56:])


def open_place(root, header, place):
    """Section 7: a place whose key is held."""
    try:
        plain = open_committed(root.keys[place], root.places[place],
                               context(header.digest, header.vault_id, PLACE, place, schema=1))
    except BoxError as error:
        raise damaged(f"7: place {place}: {error}") from None
    require(len(plain) == 288, "7: length of a place")
    if int.from_bytes(plain[153:155], "little") > READER:
        raise Refused("newer-compartment", f"7: least reader version of {NAMES[place]}")
    epoch, flag, page, rows, head_epoch, head, live, _, erase = struct.unpack("<QB88sQQ32sQH88s", plain[:243])
    require(not any(plain[243:]), "7: zeros of a place")
    require(flag in (0, 1), "7: flag of a place")
    require(epoch <= root.epoch, "7: epoch of a place")
    require((flag == 1) == (rows > 0) == any(page), "7: an empty trie has no page and no rows")
    require((rows > 0) == (live > 0), "7: live bytes of an empty trie")
    require((head_epoch > 0) == any(head) and head_epoch <= root.epoch, "7: ledger head")
    require(place != RECORD or head_epoch == root.epoch, "7: the head of record is the last link")
    return Place(epoch, parse_reference(page), rows, head_epoch, head, live, parse_reference(erase))
