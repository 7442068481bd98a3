"""Vault record, identity keys and the directory of credentials (section 9.3)."""

from catalogue import read
from credentials import signing_keys
from errors import require
from primitives import xwing_public
from trie import DIRECTORY, IDENTITY, VAULT_RECORD, row_content

UNUSED, PASSWORD = 0, 1
KIND_NAMES = {1: "password", 2: "recovery key", 3: "raw key"}


def read_vault_record(vault, rows):
    """The one vault record, in `record`."""
    found = [row for row in rows if row.row_class == VAULT_RECORD]
    require(len(found) == 1, "8: there is one vault record")
    record = read("VaultRecordV1", row_content(vault, found[0]))
    require(1 <= record["holder_role"] <= 6, "9.3: holder role")
    return record


def read_directory(vault, rows):
    """The one directory, in `custody`."""
    found = [row for row in rows if row.row_class == DIRECTORY]
    require(len(found) == 1, "8: there is one directory")
    slots = read("DirectoryV1", row_content(vault, found[0]))["slots"]
    require(len(slots) == 16, "9.3: the directory lists 16 slots")
    for slot in slots:
        require(len(slot["public"]) == 1216, "9.3: length of a public half")
        require(slot["kind"] <= 3, "9.3: kind of a slot")
        require(slot["grant"] & 1 == (slot["kind"] != UNUSED), "9.3: every slot in use is granted record")
        require(slot["kind"] != UNUSED or (slot["grant"], slot["name"], slot["created"]) == (0, "", 0),
                "9.3: an unused slot has no grant, no name and no time")
        require(len(slot["name"].encode()) <= 256, "9.3: name of a slot")
        allowed = (1, 2) if slot["kind"] == PASSWORD else (0,)
        require(slot["generation"] in allowed, "9.3: generation of a slot")
        require((slot["signing"] is not None) == (slot["kind"] != UNUSED), "9.3: signing keys of slots in use alone")
    opened = vault.root.opened
    own = slots[opened.slot]
    require(own["signing"] == signing_keys(opened.seed, vault.header.vault_id),
            "9.3: signing keys of the slot that opened")
    require(own["public"] == xwing_public(opened.seed), "9.3: public half of the slot that opened")
    require(own["grant"] == opened.grant, "9.3: grant of the slot that opened")
    return slots


def check_identity_keys(vault, rows):
    """Identity keys decode; their row key allows one in each compartment."""
    for row in rows:
        if row.row_class == IDENTITY:
            read("IdentityKeyV1", row_content(vault, row))
