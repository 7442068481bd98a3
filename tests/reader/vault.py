"""Reading a whole vault (section 11), and every check of a reader that checks it."""

from typing import NamedTuple

import boxes
from areas import LENGTH, OFFSETS, open_areas
from attachments import check_attachments, find_content
from catalogue import read
from custody import check_identity_keys, read_directory, read_vault_record
from dump import dump
from entries import read_entries
from errors import Refused, damaged, require
from header import APPEND, read_header
from history import read_accounts, read_ledger, read_links, read_stories
from documents import check_documents
from imports import check_imports, check_tombstones
from roots import CUSTODY, HOLD_ENTRIES, RECORD, choose_root, open_place
from trie import Vault, read_object, walk


class Compartment:
    """What a compartment holds, as far as it was read."""

    def __init__(self, place, rows):
        self.place = place
        self.rows = rows
        self.entries, self.stories, self.accounts, self.ledger = {}, {}, {}, {}


class Reading(NamedTuple):
    """A vault whose tries were walked."""
    vault: Vault
    compartments: dict
    dropped: int  # the epoch of the commit that was dropped, or None
    clean: bool   # whether the other root block is the state's, or the one before it
    newer: Refused  # the refusal of a compartment for a newer reader, or None


def open_vault(data, credential):
    """Section 11, up to step 8: everything that the credential opens, down to the rows."""
    header = read_header(data)
    opened, others = open_areas(data, header, credential)
    root, dropped, clean = choose_root(data, header, opened, others)
    vault = Vault(data, header, root)
    places, newer = open_places(vault)
    require(sum(place.live for place in places.values()) <= root.end - APPEND, "6: live bytes of all places")
    compartments = {}
    for number, place in places.items():
        check_erase_list(vault, number, place)
        compartments[number] = Compartment(place, walk(vault, number, place))
    return Reading(vault, compartments, dropped, clean, newer)


def read_vault(data, credential):
    """Read and check everything that the credential opens. Returns (outcome, rule, dumped vault)."""
    reading = open_vault(data, credential)
    content = check(reading.vault, reading.compartments)
    if reading.newer:
        raise reading.newer
    if reading.dropped is not None:
        return "dropped", f"6: the commit of epoch {reading.dropped} was dropped", content
    first, second = (data[at:at + LENGTH] for at in OFFSETS)
    if first != second or not reading.clean:
        return "repaired", "R4: areas or roots are not as a writer leaves them", content
    return "ok", None, content


def read_attachment(data, credential, digest):
    """The bytes of the content with this digest, a slice at a time, each once it was checked."""
    reading = open_vault(data, credential)
    for held in reading.compartments.values():
        parts = find_content(reading.vault, held.rows, digest)
        if parts is not None:
            return parts
    raise damaged("8.1: no content has this digest")


def open_places(vault):
    """Section 7: the places that are granted, and the refusal of one for a newer reader, if any."""
    places, newer = {}, None
    for number in vault.root.keys:
        try:
            places[number] = open_place(vault.root, vault.header, number)
        except Refused as refusal:
            if refusal.outcome != "newer-compartment" or number == RECORD:
                raise
            newer = refusal
    return places, newer


def check_erase_list(vault, number, place):
    """Section 7: the erase list names what commits before this one put."""
    if place.erase is None:
        return
    content = read_object(vault, place.erase, boxes.ERASE, number, schema=0)
    start, total = vault.root.start, 0
    for reference, length in read("EraseListV1", content)["objects"]:
        offset = int.from_bytes(reference[:8], "little")
        require(not any(reference[8:]), "6: the rest of a reference is zero")
        require(APPEND <= offset and offset + length <= start, "7: what is erased lies before the root's segment")
        total += length
    require(total <= start - APPEND, "7: what is erased is longer than what there was")


def check(vault, compartments):
    """Sections 8 and 9: everything in the compartments, and the dump."""
    record = compartments[RECORD]
    links = read_links(vault, record.rows)
    vault_record = read_vault_record(vault, record.rows)
    directory = read_directory(vault, compartments[CUSTODY].rows) if CUSTODY in compartments else None
    for number, held in compartments.items():
        held.ledger = read_ledger(vault, held.rows, number, held.place, links)
        held.entries = read_entries(vault, held.rows)
        held.stories = read_stories(vault, held.rows, held.entries)
        held.accounts = read_accounts(vault, held.rows, held.stories)
        check_identity_keys(vault, held.rows)
        check_tombstones(vault, held.rows)
        if number in HOLD_ENTRIES:
            check_attachments(vault, held.rows, held.entries)
            check_imports(vault, held.rows, held.entries)
            check_documents(vault, held.rows, held.entries)
    return dump(vault, vault_record, directory, links, compartments)
