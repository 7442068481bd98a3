"""Source documents (section 9.8)."""

from catalogue import read
from errors import require
from trie import DOCUMENTS, SOURCE, row_content


def check_documents(vault, rows, entries):
    """Every entry of a document is there, with the revisions that it names, and the list is true."""
    there, listed = [], []
    for row in rows:
        if row.row_class == SOURCE:
            there.append(row.id)
            check_document(read("SourceDocumentV1", row_content(vault, row)), entries)
        elif row.row_class == DOCUMENTS:
            listed = read("DocumentListV1", row_content(vault, row))["scopes"]
            require(listed, "9.8: a list names a document")
            require(all(a < b for a, b in zip(listed, listed[1:])), "9.8: scopes ascend")
    require(sorted(there) == listed, "9.8: the list names every document, and no others")


def check_document(document, entries):
    """What one document says."""
    ids, ranges = document["entries"], document["ranges"]
    require(ids, "9.8: a document has an entry")
    require(all(a < b for a, b in zip(ids, ids[1:])), "9.8: the entries of a document ascend")
    require(all(entry in entries for entry in ids), "9.8: every entry of a document is there")
    here, before = 0, None
    for form, value in ranges:
        if form == "Here":
            require(len(value) > 0, "9.8: a range has a byte")
            require(before != "Here", "9.8: no range stands beside another that is here")
            here += len(value)
        else:
            require(value["length"] > 0, "9.8: a range has a byte")
            require(value["entry"] in ids, "9.8: a range names an entry of the document")
            revisions = {row.revision for row, _ in entries[value["entry"]]}
            require(value["revision"] in revisions, "9.8: the revision that a range names is there")
        before = form
    require(here <= document["size"], "9.8: what is here is no longer than the document")


def source_document(document, entries):
    """The bytes of a document."""
    parts = []
    for form, value in document["ranges"]:
        if form == "Here":
            parts.append(bytes(value))
            continue
        found = [entry for row, entry in entries[value["entry"]] if row.revision == value["revision"]]
        require(found and found[0]["source"] is not None, "9.8: the original of a range is there")
        original, start = bytes(found[0]["source"]["bytes"]), value["start"]
        require(start + value["length"] <= len(original), "9.8: a range lies in the original")
        parts.append(original[start:start + value["length"]])
    data = b"".join(parts)
    require(len(data) == document["size"], "9.8: size of a document")
    return data
