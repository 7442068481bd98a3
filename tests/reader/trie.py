"""Objects, tries and rows (section 8)."""

from typing import NamedTuple

import boxes
from boxes import context, open_single_use
from catalogue import read
from errors import require
from header import APPEND
from primitives import object_digest, same
from roots import CUSTODY, HOLD_ENTRIES, RECORD, SEALED, Ref
from rowkeys import row_key

ENTRY, EARLIER, LINK, LEDGER, VAULT_RECORD, DIRECTORY, SOURCE, SLICE, CONTENT, UPLOAD, STORY, ACCOUNTING, \
    IDENTITY, IMPORT, DOCUMENTS, TOMBSTONE = range(1, 17)
LEAF_ROWS = 32

# Class: (purpose, where its object's context takes the object id from, places).
CLASSES = {
    ENTRY: (boxes.ENTRY, "id", HOLD_ENTRIES),
    EARLIER: (boxes.ENTRY, "id", HOLD_ENTRIES),
    LINK: (None, None, (RECORD,)),
    LEDGER: (boxes.LEDGER, "key", range(8)),
    VAULT_RECORD: (boxes.RECORD, "key", (RECORD,)),
    DIRECTORY: (boxes.DIRECTORY, "key", (CUSTODY,)),
    SLICE: (boxes.SLICE, "id", HOLD_ENTRIES),
    CONTENT: (boxes.CONTENT, "key", HOLD_ENTRIES),
    UPLOAD: (boxes.UPLOAD, "key", HOLD_ENTRIES),
    STORY: (boxes.STORY, "id", HOLD_ENTRIES),
    ACCOUNTING: (boxes.ACCOUNTING, "key", (CUSTODY, *HOLD_ENTRIES)),
    IDENTITY: (boxes.IDENTITY, "key", HOLD_ENTRIES),
    IMPORT: (boxes.IMPORT, "key", HOLD_ENTRIES),
    SOURCE: (boxes.DOCUMENT, "id", HOLD_ENTRIES),
    DOCUMENTS: (boxes.DOCUMENTS, "key", HOLD_ENTRIES),
    TOMBSTONE: (boxes.TOMBSTONE, "id", (SEALED,)),
}
WITH_ID = (ENTRY, EARLIER, SLICE, CONTENT, UPLOAD, STORY, SOURCE, TOMBSTONE)
WITH_REVISION = (ENTRY, EARLIER, SLICE)


class Vault(NamedTuple):
    """What reading needs: the bytes, the header and the state's root."""
    data: bytes
    header: object
    root: object


class Row(NamedTuple):
    place: int
    key: bytes
    row_class: int
    id: bytes
    revision: int
    epoch: int
    object: Ref
    inline: bytes


def stored_bytes(vault, ref):
    """Sections 6 and 8: the bytes that a reference names, with the digest that it says."""
    offset = int.from_bytes(ref.reference[:8], "little")
    require(not any(ref.reference[8:]), "6: the rest of a reference is zero")
    require(offset >= APPEND and offset + ref.length <= vault.root.end, "6: an object lies in the append area")
    stored = vault.data[offset:offset + ref.length]
    require(same(object_digest(stored), ref.digest), "8: digest of the stored bytes")
    return stored


def read_object(vault, ref, purpose, place, object_id=boxes.ZERO_ID, revision=0, schema=1):
    """The content of the object that a keyed reference names."""
    stored = stored_bytes(vault, ref)
    ctx = context(vault.header.digest, vault.header.vault_id, purpose, place, object_id, revision, schema)
    return open_single_use(ref.key, stored, ctx)


def as_ref(value):
    """An ObjectV1 as a keyed reference."""
    return Ref(value["key"], value["reference"], value["length"], value["digest"])


def prefix_id(nibbles):
    """Section 8: a prefix, followed by zero bits."""
    return bytes.fromhex("".join(f"{n:x}" for n in nibbles).ljust(32, "0"))


def walk(vault, place_number, place):
    """Section 8: all rows of a compartment in ascending order, every page and row checked.

    Neither pages nor rows may name more bytes than the place says, and in the end not fewer.
    """
    rows, live = [], 0

    def spend(length):
        nonlocal live
        live += length
        require(live <= place.live, "8: more bytes than the live bytes of the place")

    def page(ref, nibbles, count):
        spend(ref.length)
        content = read_object(vault, ref, boxes.PAGE, place_number, prefix_id(nibbles), len(nibbles))
        form, items = read("PageV1", content)
        if form == "Leaf":
            leaf(items, nibbles, count)
        else:
            inner(items, nibbles, count)

    def leaf(items, nibbles, count):
        require(1 <= len(items) <= LEAF_ROWS, "8: a leaf has 1 to 32 rows")
        require(len(items) == count, "8: a page has as many rows as its parent says")
        prefix = "".join(f"{n:x}" for n in nibbles)
        last = b""
        for item in items:
            require(item["key"].hex().startswith(prefix), "8: the rows of a leaf have its prefix")
            require(item["key"] > last, "8: keys ascend strictly")
            last = item["key"]
            row = Row(place_number, item["key"], item["class"], item["id"], item["revision"], item["epoch"],
                      None if item["object"] is None else as_ref(item["object"]), item["inline"])
            check_row(vault, row)
            if row.object:
                spend(row.object.length)
            rows.append(row)

    def inner(items, nibbles, count):
        require(count > LEAF_ROWS, "8: an inner page has more than 32 rows below it")
        require(sum(item["rows"] for item in items) == count, "8: a page has as many rows as its parent says")
        require(len(nibbles) < 32, "8: a prefix is a part of a key")
        last = -1
        for item in items:
            require(last < item["nibble"] < 16, "8: nibbles ascend strictly and are less than 16")
            last = item["nibble"]
            page(as_ref(item["object"]), nibbles + [item["nibble"]], item["rows"])

    if place.page:
        page(place.page, [], place.rows)
    require(len(rows) == place.rows, "8: number of rows of the place")
    require(live == place.live, "8: live bytes of the place")
    return rows


def check_row(vault, row):
    """Section 8: key, id, revision, epoch, object, inline bytes and compartment are what the class prescribes."""
    require(row.row_class in CLASSES, "8: a class that is not known")
    purpose, _, places = CLASSES[row.row_class]
    require(row.place in places, "8: compartment of a row")
    require(1 <= row.epoch <= vault.root.epoch, "9.1: epoch of a row")
    require((row.object is None) == (purpose is None), "8: a link has no object, every other row has one")
    require(len(row.inline) <= 300, "9.1: inline bytes")
    require(bool(row.inline) == (row.row_class in (ENTRY, LINK)), "8: inline bytes of a row")
    require(row.row_class in WITH_ID or not any(row.id), "8: id of a row")
    require(row.row_class in WITH_REVISION or row.revision == 0, "8: revision of a row")
    require(row.row_class not in (ENTRY, EARLIER) or row.revision >= 1, "8: revisions are counted from 1")
    if row.row_class != CONTENT:
        expected = row_key(row.row_class, vault.header.vault_id, row.id, row.revision, row.epoch)
        require(row.key == expected, "8: key of a row")


def row_content(vault, row):
    """The content of a row's object."""
    purpose, source, _ = CLASSES[row.row_class]
    object_id = row.id if source == "id" else row.key
    revision = row.revision if row.row_class in WITH_REVISION else 0
    return read_object(vault, row.object, purpose, row.place, object_id, revision)
