"""Contents of attachments (docs/format.md, section 8.1): slice by slice.

No more than one slice is in memory at a time.
"""

from blake3 import blake3

import wire
from catalogue import CONTENT, SLICE, UPLOAD, ascends, read_object
from outcome import require
from primitives import Purpose, sha256

SLICE_LENGTH = 1048568


class Contents:
    """The contents of one compartment."""

    def __init__(self, objects, number, rows):
        self.objects, self.number = objects, number
        self.slices = {
            (row["id"], row["revision"]): row for row in rows if row["row_class"] == SLICE
        }
        self.heads = {head["digest"]: head for head in self._read(rows, CONTENT, self._head)}
        self.uploads = self._read(rows, UPLOAD, self._upload)

    def _read(self, rows, row_class, read):
        return [read(row) for row in rows if row["row_class"] == row_class]

    def _head(self, row):
        what = f"content of place {self.number}"
        head = read_object(
            self.objects, self.number, row, Purpose.CONTENT, wire.CONTENT, wire.CONTENT_LIMIT, what,
        )
        require(head["content"] == row["id"], f"{what}: its id")
        require(row["key"] == sha256(b"subrosa/v1 content", head["digest"])[:16], f"{what}: its key")
        require(head["slices"] == -(-head["size"] // SLICE_LENGTH), f"{what}: number of slices")
        require(head["users"] and ascends(head["users"]), f"{what}: users do not ascend")
        return head

    def _upload(self, row):
        what = f"upload of place {self.number}"
        upload = read_object(
            self.objects, self.number, row, Purpose.UPLOAD, wire.UPLOAD, wire.UPLOAD_LIMIT, what,
        )
        require(upload["content"] == row["id"], f"{what}: its id")
        require(upload["slices"] > 0 and len(upload["title"].encode()) <= 1024, f"{what}: its form")
        return upload

    def stream(self, digest):
        """The bytes of a content, a slice at a time; the digest is checked at the end."""
        what = f"content of place {self.number}"
        require(digest in self.heads, f"{what}: missing")
        head, hashed = self.heads[digest], blake3()
        for index in range(head["slices"]):
            last = head["size"] - index * SLICE_LENGTH
            part = self.slice(head["content"], index)
            require(len(part) == min(last, SLICE_LENGTH), f"{what}: length of a slice")
            hashed.update(part)
            yield part
        require(hashed.digest() == digest, f"{what}: digest of the whole")

    def slice(self, content, index):
        """One slice."""
        what = f"slice of place {self.number}"
        row = self.slices.get((content, index))
        require(row is not None, f"{what}: missing")
        return self.objects.open(
            self.objects.encrypted(row["object"], what), what, Purpose.SLICE,
            place=self.number, object_id=content, revision=index,
        )

    def check(self, used):
        """Everything fits together; `used` has the users of each digest."""
        what = f"contents of place {self.number}"
        require(set(used) == set(self.heads), f"{what}: heads and entries")
        known = set()
        for digest, head in self.heads.items():
            require(sorted(used[digest]) == head["users"], f"{what}: users")
            for _ in self.stream(digest):
                pass
            own = {(head["content"], index) for index in range(head["slices"])}
            require(not known & own, f"{what}: a slice of two contents")
            known |= own
        for upload in self.uploads:
            for index in range(upload["slices"]):
                part = self.slice(upload["content"], index)
                require(len(part) == SLICE_LENGTH, f"{what}: a slice of an upload")
                require((upload["content"], index) not in known, f"{what}: a slice of two contents")
                known.add((upload["content"], index))
        require(known == set(self.slices), f"{what}: slices that nothing names")


def stored_digests(entry):
    """The contents that an entry uses."""
    for field in entry["fields"]:
        name, value = field["value"]
        if name == "Attachment" and value["location"] and value["location"][0] == "Stored":
            yield value["location"][1]
