"""Contents, slices and uploads (sections 8.1 and 9.6)."""

from blake3 import blake3

from catalogue import read
from entries import stored_locations
from errors import require
from primitives import same
from rowkeys import content_key
from trie import CONTENT, SLICE, UPLOAD, row_content

SLICE_BYTES = 1048568


def check_attachments(vault, rows, entries):
    """Section 8.1: every slice of every content and upload, the users of each head, a head for each location."""
    slices = {(row.id, row.revision): row for row in rows if row.row_class == SLICE}
    users = {}
    for entry_id, revisions in entries.items():
        for _, entry in revisions:
            for digest in stored_locations(entry):
                users.setdefault(digest, set()).add(entry_id)
    heads = set()
    for row in rows:
        if row.row_class == CONTENT:
            head = read_head(vault, row)
            for _ in stream(vault, head, slices):
                pass
            require(head["users"] == sorted(users.get(head["digest"], ())) and head["users"],
                    "8.1: the users of a head are the entries that name it")
            heads.add(head["digest"])
        elif row.row_class == UPLOAD:
            check_upload(vault, row, slices)
    require(heads == set(users), "8.1: a head for every stored location")
    require(not slices, "8.1: every slice is accounted for by one head or upload")


def read_head(vault, row):
    """The head of a content."""
    head = read("ContentV1", row_content(vault, row))
    require(row.key == content_key(head["digest"]), "8: key of the head of a content")
    require(row.id == head["content"], "8.1: content id of the head")
    require(head["slices"] == -(-head["size"] // SLICE_BYTES), "8.1: number of slices")
    return head


def stream(vault, head, slices):
    """The bytes of a content, a slice at a time, which are taken out of `slices`; the digest comes last."""
    state = blake3()
    for index in range(head["slices"]):
        part = take_slice(vault, head["content"], index, slices)
        require(len(part) == min(SLICE_BYTES, head["size"] - index * SLICE_BYTES), "8.1: length of a slice")
        state.update(part)
        yield part
    require(same(state.digest(), head["digest"]), "8.1: content digest")


def find_content(vault, rows, digest):
    """The bytes of the content with this digest, a slice at a time, or None if there is no such content."""
    slices = {(row.id, row.revision): row for row in rows if row.row_class == SLICE}
    for row in rows:
        if row.row_class == CONTENT and row.key == content_key(digest):
            return stream(vault, read_head(vault, row), slices)
    return None


def check_upload(vault, row, slices):
    """An unfinished content: its first slices, all of them whole."""
    upload = read("UploadV1", row_content(vault, row))
    require(upload["content"] == row.id, "8.1: content id of an upload")
    require(upload["slices"] >= 1, "9.6: an upload has at least one slice")
    require(len(upload["title"].encode()) <= 1024, "9.6: title of an upload")
    for index in range(upload["slices"]):
        require(len(take_slice(vault, row.id, index, slices)) == SLICE_BYTES, "8.1: slices of an upload are whole")


def take_slice(vault, content_id, index, slices):
    """The bytes of a slice, which nobody else may name."""
    row = slices.pop((content_id, index), None)
    require(row is not None, "8.1: a slice is missing or named twice")
    return row_content(vault, row)
