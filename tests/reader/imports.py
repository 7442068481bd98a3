"""Imports and tombstones (section 9.7)."""

from catalogue import read
from errors import require
from trie import IMPORT, TOMBSTONE, row_content


def check_imports(vault, rows, entries):
    """The documents of an import are those that the revisions of its epoch name, with true counts."""
    for row in rows:
        if row.row_class != IMPORT:
            continue
        content = read("ImportV1", row_content(vault, row))
        counts = {}
        for revisions in entries.values():
            for name in {entry["provenance"]["document"] for r, entry in revisions if r.epoch == row.epoch}:
                counts[name] = counts.get(name, 0) + 1
        names = [document["name"] for document in content["documents"]]
        require(names, "9.7: an import has a document")
        order = [(name is not None, (name or "").encode()) for name in names]
        require(all(a < b for a, b in zip(order, order[1:])), "9.7: documents ascend")
        require({d["name"]: d["entries"] for d in content["documents"]} == counts, "9.7: counts of an import are true")
        require(content["unnamed"] is None or len(content["unnamed"]["identities"]) <= 16, "9.7: at most 16 references")


def check_tombstones(vault, rows):
    """Digests ascend, and there is at least one."""
    for row in rows:
        if row.row_class == TOMBSTONE:
            digests = read("TombstoneV1", row_content(vault, row))["digests"]
            require(digests and all(a < b for a, b in zip(digests, digests[1:])), "9.7: digests of a tombstone ascend")
