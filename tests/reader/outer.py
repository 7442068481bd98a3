"""The fixed parts of a vault file: header, credential areas, roots, places (sections 4 to 7).

Before a key is known nothing but the header and the areas is looked at.
"""

import hmac
import struct
from dataclasses import dataclass, replace

from blake3 import blake3

from outcome import (
    CostlyKdf, Damaged, Forked, InvalidKdf, NewerCompartment, NewerVersion, NotAVault, WeakKdf, WrongCredential,
    require,
)
from primitives import (
    Purpose, committed_schedule, context, decapsulate, decrypt_chunks, expand, object_digest,
    open_committed, sha256, stretch_key, stretch_password,
)
from wire import Cursor, boolean, u16, u64

MAGIC = bytes.fromhex("93535542524f534120564c540d0a1a00")
HEADER_LENGTH = 4096
AREA_OFFSETS = (4096, 32768)
AREA_LENGTH = 28672
ROOT_OFFSETS = (61440, 77824)
ROOT_LENGTH = 4096
APPEND_START = 81920
BLOCK = 4096
LONGEST_COMPARED = 1048576
LEAST_READER_OF_PLACE = 153
GEOMETRY = (4096, 32768, 28672, 61440, 77824, 4096, 81920)
SLOTS, SLOT_LENGTH = 16, 1569
SHORTCUT_LENGTH = 104
MAC_OFFSET, DIGEST_OFFSET, SHORTCUTS_OFFSET = 26944, 26976, 27008
PLACES, PLACE_LENGTH = 8, 360
READER_VERSION = 1
HEADING = 64  # of a root: the area digest, then the least reader version

KIB_PER_MIB = 1024
MEMORY_FLOOR, MEMORY_CEILING = 19 * KIB_PER_MIB, 1024 * KIB_PER_MIB
PASSES_FLOOR, PASSES_CEILING = 2, 16
LANES_CEILING = 16
TOTAL_CEILING = 4 * 1024 * KIB_PER_MIB


@dataclass(frozen=True)
class KdfParameters:
    """Cost and salt of one generation of passwords; memory in KiB."""

    memory: int
    passes: int
    lanes: int
    salt: bytes


@dataclass(frozen=True)
class Area:
    """A credential area whose unkeyed digest is right."""

    generation: int
    kdf: tuple
    slots: tuple
    mac: bytes
    authenticated: bytes
    digest: bytes


@dataclass(frozen=True)
class Slot:
    """A way in as stored."""

    selector: bytes
    own_box: bytes
    encapsulation: bytes
    granted_box: bytes
    shortcut: bytes


@dataclass(frozen=True)
class Keys:
    """What a slot gives: the keys by compartment, and those of roots and areas."""

    root: bytes
    area: bytes
    compartments: dict
    slot: int
    seed: bytes


@dataclass(frozen=True)
class Encrypted:
    """A keyed reference: where it is, its key and the digest of its stored bytes."""

    key: bytes
    offset: int
    length: int
    digest: bytes


@dataclass(frozen=True)
class Root:
    """The decrypted root of a commit."""

    epoch: int
    previous: bytes
    area_digest: bytes
    start: int
    append_end: int
    parts: int
    body_digest: bytes
    places: tuple
    block: bytes
    dropped: bool


@dataclass(frozen=True)
class Place:
    """The decrypted seat of a compartment."""

    epoch: int
    page: Encrypted
    rows: int
    head_epoch: int
    head_digest: bytes
    live: int
    erase_list: Encrypted


class Header:
    """The checked header, and the contexts that it binds."""

    def __init__(self, file):
        require_magic(file)
        block = file[:HEADER_LENGTH]
        require(len(block) == HEADER_LENGTH, "header: truncated")
        require(sha256(block[:4064]) == block[4064:], "header: digest")
        version, suite = struct.unpack_from("<HH", block, 16)
        require(version == 1, "header: format version")
        require(suite == 1, "header: suite")
        require(struct.unpack_from("<7Q", block, 36) == GEOMETRY, "header: geometry")
        require(not any(block[92:4064]), "header: reserved bytes")
        self.vault_id = block[20:36]
        self.digest = sha256(block)

    def context(self, purpose, **where):
        """The context of a box of this vault."""
        return context(self.digest, self.vault_id, purpose, **where)


def require_magic(file):
    """Tell what is no vault, and a vault of a newer version, before anything else."""
    if file[:16] != MAGIC:
        raise NotAVault("header: magic")
    require(len(file) >= 18, "header: truncated")
    if struct.unpack_from("<H", file, 16)[0] > 1:
        raise NewerVersion("header: format version")


def read_areas(file):
    """The areas whose digest is right."""
    areas = [area for area in (parse_area(file, offset) for offset in AREA_OFFSETS) if area]
    require(areas, "both credential areas: digest")
    return areas


def parse_area(file, offset):
    """One area, or None if its digest or its reserved bytes are wrong."""
    block = file[offset:offset + AREA_LENGTH]
    if len(block) != AREA_LENGTH:
        return None
    digest = block[DIGEST_OFFSET:SHORTCUTS_OFFSET]
    if object_digest(block[:DIGEST_OFFSET]) != digest:
        return None
    if any(block[96 + SLOTS * SLOT_LENGTH:MAC_OFFSET]):
        return None
    kdf = tuple(
        KdfParameters(*struct.unpack_from("<III", block, at), block[at + 12:at + 44])
        for at in (8, 52)
    )
    slots = tuple(parse_slot(block, number) for number in range(SLOTS))
    generation = struct.unpack_from("<Q", block)[0]
    mac = block[MAC_OFFSET:DIGEST_OFFSET]
    return Area(generation, kdf, slots, mac, object_digest(block[:MAC_OFFSET]), digest)


def parse_slot(block, number):
    """The parts of a slot; its shortcut stands with the others at the end of the area."""
    cursor = Cursor(block[96 + number * SLOT_LENGTH:96 + (number + 1) * SLOT_LENGTH], "slot")
    at = SHORTCUTS_OFFSET + number * SHORTCUT_LENGTH
    parts = (cursor.take(length) for length in (16, 104, 1120, 329))
    return Slot(*parts, block[at:at + SHORTCUT_LENGTH])


def distinct_runs(areas):
    """Every distinct (salt, parameters) of all areas, in order."""
    return list(dict.fromkeys(parameters for area in areas for parameters in area.kdf))


def check_cost(runs):
    """Refuse hostile or careless KDF parameters before any memory is allocated."""
    total = 0
    for run in runs:
        total += run.memory * run.passes
        ceilings = run.memory > MEMORY_CEILING or run.passes > PASSES_CEILING or run.lanes > LANES_CEILING
        if ceilings or total > TOTAL_CEILING:
            raise CostlyKdf("KDF parameters: over a ceiling")
        if run.passes < 1 or run.lanes < 1 or run.memory < 8 * run.lanes:
            raise InvalidKdf("KDF parameters: not those of Argon2")
        if run.memory < MEMORY_FLOOR or run.passes < PASSES_FLOOR:
            raise WeakKdf("KDF parameters: under a floor")


class Password:
    """A password: one unlock key for each distinct generation."""

    def __init__(self, password):
        self.password = password

    def unlock_keys(self, areas, _vault_id):
        """Every key that may open a slot."""
        runs = distinct_runs(areas)
        check_cost(runs)
        return [stretch_password(self.password, run) for run in runs]


class RandomKey:
    """A recovery key or a raw key."""

    def __init__(self, key, label):
        self.key, self.label = key, label

    def unlock_keys(self, _areas, vault_id):
        """The one key that may open a slot."""
        return [stretch_key(self.key, self.label, vault_id)]


def unlock(header, areas, credential):
    """Every (area, keys) whose slot commits to the credential; no keys if the rest is damaged."""
    unlock_keys = credential.unlock_keys(areas, header.vault_id)
    opened = []
    for area in areas:
        committed = find_slot(header, area, unlock_keys)
        if committed is not None:
            opened.append((area, open_slot(header, area, *committed)))
    if not opened:
        raise WrongCredential("no slot commits to the credential")
    return opened


def find_slot(header, area, unlock_keys):
    """The slot that commits to one of the keys, with its position and the schedule of its own box."""
    bound = header.context(Purpose.OWN_BOX, schema=0)
    for unlock_key in unlock_keys:
        selector_key = expand(unlock_key, b"subrosa/v1 selector", header.vault_id)
        for number, slot in enumerate(area.slots):
            selector = hmac.digest(selector_key, slot.own_box[:24], "sha256")[:16]
            if not hmac.compare_digest(selector, slot.selector):
                continue
            schedule = committed_schedule(unlock_key, bound, slot.own_box, "own box")
            if schedule is not None:
                return number, slot, schedule
    return None


def open_slot(header, area, number, slot, schedule):
    """The keys that a slot grants under a right MAC, else None."""
    try:
        seed = decrypt_chunks(*schedule, b"", slot.own_box[56:], "own box")
        require(len(seed) == 32, "own box: length")
        keys = take_keys(header, open_granted(header, seed, slot), number, seed)
    except Damaged:
        return None
    tag = hmac.digest(keys.area, area.authenticated, "sha256")
    return keys if hmac.compare_digest(tag, area.mac) else None


def open_granted(header, seed, slot):
    """The plaintext of a slot's granted box: by the shortcut if it leads there, else by X-Wing."""
    bound = header.context(Purpose.GRANTED_BOX, schema=0)
    granted = None
    try:
        secret = open_shortcut(header, seed, slot)
        if secret is not None:
            granted = open_committed(secret, bound, slot.granted_box, "granted box")
    except Damaged:
        granted = None
    if granted is None:
        secret = decapsulate(seed, slot.encapsulation)
        granted = open_committed(secret, bound, slot.granted_box, "granted box")
    require(granted is not None, "granted box: commitment")
    return granted


def open_shortcut(header, seed, slot):
    """The shared secret in a slot's shortcut, or None if it is not under the seed's key."""
    key = expand(seed, b"subrosa/v1 shortcut", header.vault_id)
    leads_to = sha256(slot.encapsulation, slot.granted_box)[:16]
    bound = header.context(Purpose.SHORTCUT, object_id=leads_to, schema=0)
    return open_committed(key, bound, slot.shortcut, "shortcut")


def take_keys(header, granted, slot, seed):
    """The keys in the plaintext of a granted box."""
    vault_root, mask = granted[:32], granted[32]
    require(mask & 1, "granted box: the record compartment is not granted")
    vault_id = header.vault_id
    compartments = {0: expand(vault_root, b"subrosa/v1 record", vault_id)}
    for number in range(1, PLACES):
        if mask >> number & 1:
            compartments[number] = granted[33 + 32 * (number - 1):33 + 32 * number]
    return Keys(
        expand(vault_root, b"subrosa/v1 root", vault_id),
        expand(vault_root, b"subrosa/v1 area", vault_id),
        compartments,
        slot,
        seed,
    )


def newest_pair(header, file, areas, opened):
    """The state: a root that names an intact area which the credential opens, and its keys."""
    blocks = [file[at:at + ROOT_LENGTH] for at in ROOT_OFFSETS]
    pairs = {}
    for area, keys in opened:
        for block in blocks if keys else ():
            root = root_naming(area, open_root(header, keys.root, block), block)
            if root:
                pairs[block] = (root, keys)
    pairs = list(pairs.values())
    pairs.sort(key=lambda pair: -pair[0].epoch)
    chosen = choose(file, blocks, pairs)
    if chosen is None:
        other_is_intact = len({area.digest for area in areas}) > 1
        refusal = WrongCredential if other_is_intact else Damaged
        raise refusal("no root belongs to an area that the credential opens")
    root, keys = chosen
    require(APPEND_START <= root.append_end <= len(file), "root: append end")
    return root, keys


def choose(file, blocks, pairs):
    """Of two roots the newer one if its segment is there, else the one that it names."""
    if not pairs:
        return None
    newer, older = pairs[0], pairs[1] if len(pairs) > 1 else None
    if older and older[0].epoch == newer[0].epoch:
        raise Forked("roots: two of one epoch")
    if blocks[0] == blocks[1] or holds_segment(file, newer[0]):
        return newer
    if older is None:
        return None
    root, keys = older
    require(sha256(root.block) == newer[0].previous, "roots: the one before is another one")
    return replace(root, dropped=True), keys


def holds_segment(file, root):
    """Whether the bytes that a commit appended are there: long ones were before their root."""
    within = APPEND_START <= root.start <= root.append_end <= len(file)
    if root.append_end - root.start > LONGEST_COMPARED:
        return within
    behind = root.start + root.parts
    digested = file[behind:root.append_end] + file[root.start:behind]
    return within and blake3(digested).digest() == root.body_digest


def root_naming(area, plaintext, block):
    """The root of a plaintext, if it names the area and keeps the rules of this version.

    The fields up to the least reader version stand where they do in every
    version, and are looked at before the rest.
    """
    if plaintext is None or plaintext[HEADING:HEADING + 32] != area.digest:
        return None
    (least_reader,) = struct.unpack_from("<H", plaintext, HEADING + 32)
    if least_reader > READER_VERSION:
        raise NewerVersion("root: least reader version")
    try:
        return parse_root(plaintext, block)
    except Damaged:
        return None


def open_root(header, key, block):
    """A root's plaintext, or None if its block does not open."""
    if len(block) != ROOT_LENGTH:
        return None
    try:
        return open_committed(key, header.context(Purpose.ROOT), block, "root")
    except Damaged:
        return None


def parse_root(plaintext, block):
    """The fields of a root."""
    cursor = Cursor(plaintext, "root")
    epoch, _commit, previous = u64(cursor), cursor.take(16), cursor.take(32)
    _generation, area_digest = u64(cursor), cursor.take(32)
    _least_reader, start, append_end, parts = u16(cursor), u64(cursor), u64(cursor), u64(cursor)
    body_digest = cursor.take(32)
    places = tuple(cursor.take(PLACE_LENGTH) for _ in range(PLACES))
    require(not any(cursor.take(cursor.left())), "root: reserved bytes")
    require(start % BLOCK == append_end % BLOCK == parts % BLOCK == 0, "root: segment")
    require(start + parts <= append_end, "root: segment")
    return Root(epoch, previous, area_digest, start, append_end, parts, body_digest, places, block, False)


def parse_optional_keyed_ref(cursor):
    """A flag and a keyed reference, zeros if there is none."""
    if boolean(cursor):
        key = cursor.take(32)
        offset, length = parse_reference(cursor)
        return Encrypted(key, offset, length, cursor.take(32))
    require(not any(cursor.take(88)), f"{cursor.what}: an absent object is not zero")
    return None


def parse_keyed_ref_or_zeros(cursor):
    """A keyed reference, zeros if there is none."""
    fields = cursor.take(88)
    if not any(fields):
        return None
    cursor = Cursor(fields, cursor.what)
    key = cursor.take(32)
    offset, length = parse_reference(cursor)
    return Encrypted(key, offset, length, cursor.take(32))


def parse_reference(cursor):
    """Offset and length of an object, inside the append area."""
    return checked_reference(cursor.take(16), u64(cursor), cursor.what)


def checked_reference(opaque, length, what):
    """The offset in an opaque reference."""
    offset = int.from_bytes(opaque[:8], "little")
    require(not any(opaque[8:]), f"{what}: a reference's reserved bytes")
    require(offset >= APPEND_START, f"{what}: a reference below the append area")
    return offset, length


def open_place(header, root, number, key):
    """A compartment's place."""
    what = f"place {number}"
    bound = header.context(Purpose.PLACE, place=number)
    plaintext = open_committed(key, bound, root.places[number], what)
    require(plaintext is not None, f"{what}: commitment")
    (least_reader,) = struct.unpack_from("<H", plaintext, LEAST_READER_OF_PLACE)
    if least_reader > READER_VERSION:
        raise NewerCompartment(f"{what}: least reader version")
    cursor = Cursor(plaintext, what)
    epoch = u64(cursor)
    page = parse_optional_keyed_ref(cursor)
    rows, head_epoch, head_digest, live = u64(cursor), u64(cursor), cursor.take(32), u64(cursor)
    _least_reader, erase_list = u16(cursor), parse_keyed_ref_or_zeros(cursor)
    place = Place(epoch, page, rows, head_epoch, head_digest, live, erase_list)
    require(not any(cursor.take(cursor.left())), f"{what}: reserved bytes")
    require((page is None) == (place.rows == 0), f"{what}: number of rows")
    return place


def needs_recovery(file, root):
    """Whether the copies are not as a writer leaves them that is not at work."""
    first, second = (file[at:at + AREA_LENGTH] for at in AREA_OFFSETS)
    blocks = [file[at:at + ROOT_LENGTH] for at in ROOT_OFFSETS]
    own_or_previous = (block == root.block or sha256(block) == root.previous for block in blocks)
    return first != second or not all(own_or_previous)
