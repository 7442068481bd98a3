"""Keys of rows (section 8)."""

from primitives import sha256


def u64(value):
    return value.to_bytes(8, "little")


def row_key(row_class, vault_id, row_id, revision, epoch):
    """The key that a class prescribes; None for the head of a content (`content_key`) and unknown classes."""
    label = b"subrosa/v1 "
    if row_class == 1:
        return row_id
    parts = {
        2: lambda: (label + b"revision", row_id, u64(revision)),
        3: lambda: (vault_id, u64(epoch)),
        4: lambda: (label + b"ledger", vault_id, u64(epoch)),
        5: lambda: (label + b"row", b"vault record"),
        6: lambda: (label + b"row", b"directory"),
        7: lambda: (label + b"document", row_id),
        8: lambda: (label + b"slice", row_id, u64(revision)),
        10: lambda: (label + b"upload", row_id),
        11: lambda: (label + b"story", row_id),
        12: lambda: (label + b"accounting", vault_id, u64(epoch)),
        13: lambda: (label + b"row", b"identity key"),
        14: lambda: (label + b"import", vault_id, u64(epoch)),
        15: lambda: (label + b"row", b"documents"),
        16: lambda: (label + b"tombstone", row_id),
    }.get(row_class)
    return sha256(*parts())[:16] if parts else None


def content_key(digest):
    """The key of the head of a content."""
    return sha256(b"subrosa/v1 content", digest)[:16]
