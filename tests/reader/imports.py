"""What a compartment remembers of imports, and of entries that are to stay away (docs/format.md,
section 9.7).
"""

import wire
from catalogue import IMPORT, TOMBSTONE, ascends, read_object
from outcome import require
from primitives import Purpose


class Imports:
    """What the rows of one compartment say of the imports that brought its entries."""

    def __init__(self, objects, number, rows):
        self.number = number
        self.documents = {
            row["epoch"]: self._documents(objects, row) for row in rows if row["row_class"] == IMPORT
        }
        for row in rows:
            if row["row_class"] == TOMBSTONE:
                self._check_tombstone(objects, row)

    def _documents(self, objects, row):
        what = f"import of place {self.number}"
        brought = read_object(
            objects, self.number, row, Purpose.IMPORT, wire.IMPORT, wire.IMPORT_LIMIT, what,
        )["documents"]
        names = [(each["name"] is not None, each["name"] or "") for each in brought]
        names = [(named, name.encode()) for named, name in names]
        require(names and ascends(names), f"{what}: its documents")
        return {each["name"]: each["entries"] for each in brought}

    def _check_tombstone(self, objects, row):
        what = f"tombstone of place {self.number}"
        digests = read_object(
            objects, self.number, row, Purpose.TOMBSTONE, wire.TOMBSTONE, wire.TOMBSTONE_LIMIT, what,
            object_id=row["id"],
        )
        require(digests and ascends(digests), f"{what}: its digests")

    def check(self, written):
        """Every import counts the entries that it brought: written is of (epoch, document)."""
        for epoch, documents in self.documents.items():
            found = {name: len(ids) for (at, name), ids in written.items() if at == epoch}
            require(documents == found, f"import of place {self.number}: its counts")
