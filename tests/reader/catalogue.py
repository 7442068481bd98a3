"""Tries, objects and the history of a vault (docs/format.md, sections 8 and 9).

Every object's digest is compared before it is decrypted.
"""

import struct

import wire
from kinds import KINDS
from outcome import require
from outer import Encrypted, checked_reference
from primitives import Purpose, object_digest, open_once, sha256

LEAF_ROWS = 32
INLINE_LIMIT = 300
KEY_NIBBLES = 32
RECORD, CUSTODY = 0, 1
LINES_LIMIT, TEXT_LIMIT = 4096, 16384

CURRENT, EARLIER, LINK, LEDGER, VAULT_RECORD, DIRECTORY = range(1, 7)
SLICE, CONTENT, UPLOAD, STORY, ACCOUNTING, IDENTITY_KEY, IMPORT = range(8, 15)
TOMBSTONE = 16
SEALED = 5
HOLDING_ENTRIES = (2, 3, 4, 5)


class Objects:
    """The objects of one snapshot."""

    def __init__(self, header, root, file):
        self.header, self.root, self.file = header, root, file

    def open(self, encrypted, what, purpose, **where):
        """The content of an object."""
        stored = self.file[encrypted.offset:encrypted.offset + encrypted.length]
        require(len(stored) == encrypted.length, f"{what}: past the end of the file")
        require(object_digest(stored) == encrypted.digest, f"{what}: digest of the stored bytes")
        return open_once(encrypted.key, self.header.context(purpose, **where), stored, what)

    def encrypted(self, wired, what):
        """A keyed reference from its wire form."""
        offset, length = checked_reference(
            wired["reference"], wired["length"], what,
        )
        return Encrypted(wired["key"], offset, length, wired["digest"])


def read_rows(objects, number, place):
    """All rows of a compartment, by key."""
    if place.page is None:
        require(place.live == 0, f"place {number}: live bytes of no rows")
        return []
    rows, live = walk(objects, number, place.page, ())
    require(len(rows) == place.rows, f"place {number}: number of rows")
    live += sum(row["object"]["length"] for row in rows if row["object"] is not None)
    require(live == place.live, f"place {number}: live bytes")
    return rows


def walk(objects, number, page, prefix):
    """The rows under a prefix, and the stored length of its pages."""
    what = f"page of place {number}"
    content = objects.open(
        page, what, Purpose.PAGE, place=number, object_id=pack(prefix), revision=len(prefix),
    )
    variant, items = wire.decode(wire.PAGE, content, what, wire.PAGE_LIMIT)
    if variant == "Leaf":
        return checked_leaf(items, prefix, what), page.length
    require(len(prefix) < KEY_NIBBLES, f"{what}: deeper than a key")
    nibbles = [child["nibble"] for child in items]
    require(ascends(nibbles) and all(nibble < 16 for nibble in nibbles), f"{what}: nibbles")
    rows, stored = [], page.length
    for child in items:
        below, length = walk(objects, number, objects.encrypted(child["object"], what), prefix + (child["nibble"],))
        require(len(below) == child["rows"], f"{what}: number of rows")
        rows += below
        stored += length
    require(len(rows) > LEAF_ROWS, f"{what}: an inner page for rows that fit a leaf")
    return rows, stored


def checked_leaf(rows, prefix, what):
    """The rows of a leaf, whose keys have its prefix and ascend."""
    require(1 <= len(rows) <= LEAF_ROWS, f"{what}: rows in a leaf")
    require(ascends([row["key"] for row in rows]), f"{what}: keys do not ascend")
    for row in rows:
        require(nibbles_of(row["key"])[:len(prefix)] == prefix, f"{what}: a row outside its prefix")
        require(len(row["inline"]) <= INLINE_LIMIT, f"{what}: inline bytes")
        row["inline"] = bytes(row["inline"])
    return rows


def ascends(items):
    """Whether each item is greater than the one before."""
    return all(first < second for first, second in zip(items, items[1:]))


def nibbles_of(key):
    """The nibbles of a key, the high half of each byte first."""
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def pack(prefix):
    """A prefix as 16 bytes, zeros after it."""
    padded = prefix + (0,) * (KEY_NIBBLES - len(prefix))
    return bytes(high << 4 | low for high, low in zip(padded[::2], padded[1::2]))


def row_key(row, vault_id):
    """The key that a row's class prescribes."""
    row_class, label = row["row_class"], b"subrosa/v1 "
    if row_class == CURRENT:
        return row["id"]
    if row_class == EARLIER:
        return sha256(label + b"revision", row["id"], struct.pack("<Q", row["revision"]))[:16]
    epoch = struct.pack("<Q", row["epoch"])
    prescribed = {
        LINK: (vault_id, epoch),
        LEDGER: (label + b"ledger", vault_id, epoch),
        VAULT_RECORD: (label + b"row", b"vault record"),
        DIRECTORY: (label + b"row", b"directory"),
        IDENTITY_KEY: (label + b"row", b"identity key"),
        SLICE: (label + b"slice", row["id"], struct.pack("<Q", row["revision"])),
        UPLOAD: (label + b"upload", row["id"]),
        STORY: (label + b"story", row["id"]),
        ACCOUNTING: (label + b"accounting", vault_id, epoch),
        IMPORT: (label + b"import", vault_id, epoch),
        TOMBSTONE: (label + b"tombstone", row["id"]),
    }
    if row_class == CONTENT:
        return row["key"]  # of its digest: compared when it is opened
    require(row_class in prescribed, "row: unknown class")
    return sha256(*prescribed[row_class])[:16]


def check_row(row, number, header, root):
    """What holds for every row, whatever it says."""
    what = f"row of place {number}"
    require(row["key"] == row_key(row, header.vault_id), f"{what}: key")
    require(1 <= row["epoch"] <= root.epoch, f"{what}: epoch")
    if row["row_class"] in (CURRENT, EARLIER):
        require(row["revision"] >= 1, f"{what}: revision")
    elif row["row_class"] in (CONTENT, UPLOAD, STORY, TOMBSTONE):
        require(row["revision"] == 0, f"{what}: revision")
    elif row["row_class"] != SLICE:
        require(row["revision"] == 0 and not any(row["id"]), f"{what}: id and revision")
    if row["row_class"] in (CURRENT, EARLIER, SLICE, CONTENT, UPLOAD, STORY, IDENTITY_KEY, IMPORT):
        require(number in HOLDING_ENTRIES, f"{what}: class in a wrong compartment")
    if row["row_class"] == ACCOUNTING:
        require(number in (*HOLDING_ENTRIES, CUSTODY), f"{what}: class in a wrong compartment")
    require((row["object"] is None) == (row["row_class"] == LINK), f"{what}: object")
    inline = row["row_class"] in (CURRENT, LINK)
    require(bool(row["inline"]) == inline, f"{what}: inline bytes")
    only = {LINK: RECORD, VAULT_RECORD: RECORD, DIRECTORY: CUSTODY, TOMBSTONE: SEALED}
    only = only.get(row["row_class"], number)
    require(only == number, f"{what}: class in a wrong compartment")


def read_entry(objects, number, row):
    """One revision of an entry."""
    what = f"entry of place {number}"
    content = objects.open(
        objects.encrypted(row["object"], what), what, Purpose.ENTRY,
        place=number, object_id=row["id"], revision=row["revision"],
    )
    entry = wire.decode(wire.ENTRY, content, what, wire.ENTRY_LIMIT)
    check_fields(entry, what)
    if row["row_class"] == CURRENT:
        card = wire.decode(wire.CARD, row["inline"], "card", wire.CARD_LIMIT)
        require(card["kind"] == entry["kind"], f"{what}: kind of its card")
    return entry


def check_fields(entry, what):
    """The kind is known; its fields ascend, have its types, and are indexed from 0."""
    require(entry["kind"] in KINDS, f"{what}: unknown kind")
    _, schema = KINDS[entry["kind"]]
    expected = {}
    tags = [field["tag"] for field in entry["fields"]]
    require(tags == sorted(tags), f"{what}: fields do not ascend")
    for field in entry["fields"]:
        tag = field["tag"]
        require(tag in schema, f"{what}: unknown field")
        field_type, repeats = schema[tag]
        require(field["value"][0] == field_type, f"{what}: type of a field")
        require(field["index"] == expected.get(tag, 0), f"{what}: index of a field")
        require(repeats or field["index"] == 0, f"{what}: a field that does not repeat")
        expected[tag] = field["index"] + 1


def read_object(objects, number, row, purpose, shape, limit, what, object_id=None):
    """The content of a row that is no revision of an entry."""
    encrypted = objects.encrypted(row["object"], what)
    content = objects.open(encrypted, what, purpose, place=number, object_id=object_id or row["key"])
    return wire.decode(shape, content, what, limit)


def read_chain(rows, root):
    """The links of the history by epoch, each with its digest."""
    links, previous = {}, bytes(32)
    for row in sorted((row for row in rows if row["row_class"] == LINK), key=lambda row: row["epoch"]):
        link = wire.decode(wire.LINK, row["inline"], "link", wire.LINK_LIMIT)
        require(link["epoch"] == row["epoch"] == len(links) + 1, "history: an epoch is missing")
        require(link["previous_link"] == previous, "history: the chain is broken")
        previous = sha256(b"subrosa/v1 link", row["inline"])
        links[link["epoch"]] = {**link, "digest": previous}
    require(len(links) == root.epoch, "history: does not end with the root's epoch")
    require(links[1]["previous_root"] == bytes(32), "history: the first link has a root before it")
    require(links[root.epoch]["previous_root"] == root.previous, "history: previous root")
    return links


def read_ledger(objects, number, row, links):
    """The lines of one ledger row, checked against its link."""
    what = f"ledger of place {number}"
    ledger = read_object(
        objects, number, row, Purpose.LEDGER, wire.LEDGER, wire.LEDGER_LIMIT, what,
    )
    require(ledger["epoch"] == row["epoch"], f"{what}: epoch")
    leaf, encoded = ledger["leaf"]
    lines = leaf["lines"]
    distinct = {(line["action"], line["actor"], line["reason"], tuple(line["details"])) for line in lines}
    require(0 < len(lines) <= LINES_LIMIT and len(distinct) == len(lines), f"{what}: its lines")
    for line in lines:
        texts = [line["actor"], line["reason"] or "", *(text for _, text in line["details"])]
        require(all(len(text.encode()) <= TEXT_LIMIT for text in texts), f"{what}: a text is too long")
        require(ascends([name for name, _ in line["details"]]), f"{what}: details do not ascend")
    check_leaf(number, encoded, ledger["path"], links[ledger["epoch"]], what)
    return lines


def check_leaf(number, encoded, path, link, what):
    """Climb from a place's leaf to the root of its tree."""
    node = sha256(b"subrosa/v1 leaf", encoded)
    for level, sibling in enumerate(path):
        pair = (sibling, node) if number >> level & 1 else (node, sibling)
        node = sha256(b"subrosa/v1 node", *pair)
    require(node == link["leaves"], f"{what}: its leaf is not in its link")


def check_head(number, place, rows, links):
    """The ledger head names the last link with a leaf of the compartment; of `record`, the last."""
    wanted = LINK if number == RECORD else LEDGER
    last = max((row["epoch"] for row in rows if row["row_class"] == wanted), default=0)
    digest = links[last]["digest"] if last else bytes(32)
    require((place.head_epoch, place.head_digest) == (last, digest), f"place {number}: ledger head")
