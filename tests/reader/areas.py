"""Credential areas (section 5)."""

import struct
from typing import NamedTuple

from boxes import GRANTED, OWN, SHORTCUT, BoxError, commits, context, open_committed
from credentials import (area_key, record_key, root_key, selector, shortcut_key, unlock_keys)
from errors import Refused, damaged, require
from primitives import hmac, object_digest, same, sha256, xwing_decapsulate

OFFSETS = (4096, 32768)
LENGTH = 28672
SLOTS = 16
SLOT = 1569
MAC_AT = 26944
DIGEST_AT = 26976
SHORTCUTS_AT = 27008


class Opened(NamedTuple):
    """An intact area that the credential opens."""
    digest: bytes
    generation: int
    slot: int
    seed: bytes
    grant: int
    root_key: bytes
    keys: dict  # place -> key of the compartments that are granted


def intact_areas(data):
    """The areas whose digest is right and whose zeros are zero, as bytes, A first."""
    found = []
    for offset in OFFSETS:
        area = bytes(data[offset:offset + LENGTH])
        if len(area) == LENGTH and same(object_digest(area[:DIGEST_AT]), area[DIGEST_AT:SHORTCUTS_AT]) \
                and not any(area[25200:MAC_AT]):
            found.append(area)
    require(found, "5: no area is intact")
    return found


def kdf_generations(area):
    """Both KDF generations of an area, as (memory, passes, lanes, salt)."""
    return [struct.unpack("<III32s", area[at:at + 44]) for at in (8, 52)]


def open_areas(data, header, credential):
    """Section 5: the intact areas that the credential opens, and whether there is one with a right digest
    of which no slot commits to it.

    Two areas of one digest count once; shortcuts, which no digest covers, come from the first.
    """
    areas = list({area[DIGEST_AT:SHORTCUTS_AT]: area for area in reversed(intact_areas(data))}.values())[::-1]
    keys = unlock_keys(credential, header.vault_id, [kdf_generations(area) for area in areas])
    opened, committed = [], set()
    for area, area_keys in zip(areas, keys):
        found = find_slot(area, header, area_keys)
        if found is None:
            continue
        committed.add(area[DIGEST_AT:SHORTCUTS_AT])
        try:
            opened.append(open_slot(area, header, *found))
        except (BoxError, ValueError):
            pass
    if not committed:
        raise Refused("wrong-credential", "5: no slot of any area commits")
    others = len(areas) > len(committed)
    if not opened:
        raise no_state(others)
    return opened, others


def no_state(others):
    """Section 6, point 5: the refusal where no state is left."""
    if others:
        return Refused("wrong-credential", "6: the roots may belong to an area that no slot commits to")
    return damaged("6: no state is left")


def find_slot(area, header, keys):
    """The first slot whose selector fits and whose own box commits: (index, unlock key) or None."""
    ctx = context(header.digest, header.vault_id, OWN)
    found = None
    for key in keys:
        for index in range(SLOTS):
            slot = area[96 + index * SLOT:96 + (index + 1) * SLOT]
            fits = same(selector(key, header.vault_id, slot[16:120]), slot[:16])
            if fits and found is None and commits(key, slot[16:120], ctx):
                found = index, key
    return found


def open_slot(area, header, index, key):
    """Section 5: from the own box to the keys, and the area's MAC. Raises BoxError."""
    vault, digest = header.vault_id, header.digest
    slot = area[96 + index * SLOT:96 + (index + 1) * SLOT]
    seed = open_committed(key, slot[16:120], context(digest, vault, OWN))
    if len(seed) != 32:
        raise BoxError("length of a seed")
    grants = open_granted(area, header, index, slot, seed)
    if len(grants) != 257 or not grants[32] & 1:
        raise BoxError("granted box")
    vault_root_key, mask = grants[:32], grants[32]
    mac = hmac(area_key(vault_root_key, vault), object_digest(area[:MAC_AT]))
    if not same(mac, area[MAC_AT:DIGEST_AT]):
        raise BoxError("MAC of the area")
    keys = {0: record_key(vault_root_key, vault)}
    for place in range(1, 8):
        if mask >> place & 1:
            keys[place] = grants[33 + (place - 1) * 32:33 + place * 32]
    generation = int.from_bytes(area[:8], "little")
    return Opened(area[DIGEST_AT:SHORTCUTS_AT], generation, index, seed, mask,
                  root_key(vault_root_key, vault), keys)


def open_granted(area, header, index, slot, seed):
    """The granted box under the shortcut's secret, or under that of the encapsulation."""
    encapsulation, granted = slot[120:1240], slot[1240:]
    ctx = context(header.digest, header.vault_id, GRANTED)
    shortcut = area[SHORTCUTS_AT + index * 104:SHORTCUTS_AT + (index + 1) * 104]
    leads_to = sha256(encapsulation, granted)[:16]
    try:
        secret = open_committed(shortcut_key(seed, header.vault_id), shortcut,
                                context(header.digest, header.vault_id, SHORTCUT, object_id=leads_to))
        return open_committed(secret, granted, ctx)
    except BoxError:
        return open_committed(xwing_decapsulate(seed, encapsulation), granted, ctx)
