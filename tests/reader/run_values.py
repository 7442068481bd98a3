"""Answer the known questions about single rules of docs/format.md.

    python3 run_values.py FOLDER

FOLDER holds values.json. Prints what each rule gives, in the order of the questions, as one
JSON document.
"""

import hashlib
import hmac
import json
import struct
import sys
from pathlib import Path

from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from catalogue import row_key
from primitives import context, expand, object_digest, padded_length, sha256, stretch_key
from signing import ED25519, ES256, fingerprint, public_halves
from subrosa_reader import ACTIONS, COMPARTMENTS, DETAILS, RECOVERY_LABEL, RAW_LABEL, name_of, parse_recovery_key

BLOCK, LEAST, RESERVE = 4096, 32768, 65536
LABELS = {"recovery key": RECOVERY_LABEL, "raw key": RAW_LABEL}


def counted(length):
    """The bytes from 0 on, each one more than the one before."""
    return bytes(at % 256 for at in range(length))


def segment_class(length):
    """The length of a segment for so many bytes."""
    return max(LEAST, -(-padded_length(length) // BLOCK) * BLOCK)


def compacted_length(everyday, others):
    """The length of a compacted file's append area."""
    length = segment_class(everyday + max(RESERVE, everyday // 16))
    while length < everyday + others:
        length = segment_class(length + 1)
    return length


def key_of_row(asked):
    """The key of a row of this class."""
    row = {
        "row_class": asked["class"], "id": bytes.fromhex(asked["id"]), "revision": asked["revision"],
        "epoch": asked["epoch"],
    }
    return row_key(row, bytes.fromhex(asked["vault"])).hex()


def bound(asked):
    """The context of a box."""
    header, vault, identifier = (bytes.fromhex(asked[name]) for name in ("header", "vault", "object"))
    return context(
        header, vault, asked["purpose"], asked["place"], identifier, asked["revision"], asked["schema"],
    ).hex()


def selector(asked):
    """The selector of a slot whose own box has this salt."""
    key, vault, salt = (bytes.fromhex(asked[name]) for name in ("key", "vault", "salt"))
    unlock_key = stretch_key(key, LABELS[asked["sort"]], vault)
    return hmac.digest(expand(unlock_key, b"subrosa/v1 selector", vault), salt, "sha256")[:16].hex()


def public_half(seed):
    """SHA-256 of the X-Wing public half of a seed."""
    expanded = hashlib.shake_256(bytes.fromhex(seed)).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key()
    curve = X25519PrivateKey.from_private_bytes(expanded[64:]).public_key()
    return sha256(*(half.public_bytes(Encoding.Raw, PublicFormat.Raw) for half in (lattice, curve))).hex()


def halves(asked):
    """The public halves of a slot's signing keys."""
    return public_halves(bytes.fromhex(asked["seed"]), bytes.fromhex(asked["vault"]))


def of_vault_root(asked, label):
    """A key that the vault root key derives."""
    return expand(bytes.fromhex(asked["key"]), label, bytes.fromhex(asked["vault"]))


def area_mac(asked):
    """The MAC of an area with this digest."""
    return hmac.digest(of_vault_root(asked, b"subrosa/v1 area"), bytes.fromhex(asked["digest"]), "sha256").hex()


def imported_id(asked):
    """The id of an imported entry."""
    return hmac.digest(bytes.fromhex(asked["key"]), bytes.fromhex(asked["name"]), "sha256")[:16].hex()


def link(asked):
    """A link as it is encoded."""
    digests = b"".join(bytes.fromhex(asked[name]) for name in ("previous_link", "previous_root", "leaves"))
    span = asked["segment"]
    return (
        struct.pack("<QqHH", asked["epoch"], asked["time"], asked["action"], asked["role"]) + digests
        + struct.pack("<QQQ", span["start"], span["end"], span["parts"]) + bytes.fromhex(span["digest"])
    ).hex()


def leaves(asked):
    """The root of the tree that a leaf and its path lead to."""
    node = sha256(b"subrosa/v1 leaf", bytes.fromhex(asked["leaf"]))
    for level, sibling in enumerate(bytes.fromhex(sibling) for sibling in asked["path"]):
        pair = (sibling, node) if asked["place"] >> level & 1 else (node, sibling)
        node = sha256(b"subrosa/v1 node", *pair)
    return node.hex()


def text(given):
    """A string as it is encoded."""
    content = given.encode()
    return struct.pack("<Q", len(content)) + content


def optional(given):
    """An optional string."""
    return b"\0" if given is None else b"\1" + text(given)


def story(acts):
    """A story as it is encoded."""
    each = (
        struct.pack("<QHQ", act["epoch"], act["action"], act["revision"]) + optional(act["reason"]) for act in acts
    )
    return (struct.pack("<Q", len(acts)) + b"".join(each)).hex()


def accounting(account):
    """An accounting row as it is encoded."""
    named = b"".join(text(account[name]) for name in ("actor", "recipient", "purpose"))
    behind = text(account["excerpt"]) + text(account["signer"]) + struct.pack("<Q", account["entries"])
    return (struct.pack("<Q", account["epoch"]) + named + optional(account["policy"]) + behind).hex()


def erase_list(objects):
    """An erase list as it is encoded."""
    each = (bytes.fromhex(named["reference"]) + struct.pack("<Q", named["length"]) for named in objects)
    return (struct.pack("<Q", len(objects)) + b"".join(each)).hex()


RULES = {
    "padme": padded_length,
    "segment class": segment_class,
    "compacted length": lambda asked: compacted_length(asked["everyday"], asked["others"]),
    "row key": key_of_row,
    "row key of a content": lambda asked: sha256(
        b"subrosa/v1 content", blake3(bytes.fromhex(asked)).digest(),
    )[:16].hex(),
    "object digest": lambda length: object_digest(counted(length)).hex(),
    "mark of a replaced file": lambda length: sha256(b"subrosa/v1 replaced by", counted(length)).hex(),
    "context": bound,
    "selector": selector,
    "public half": public_half,
    "signing keys": lambda asked: {name: half.hex() for name, half in halves(asked).items()},
    "ES256 fingerprint": lambda asked: fingerprint(halves(asked), ES256),
    "Ed25519 fingerprint": lambda asked: fingerprint(halves(asked), ED25519),
    "key of record": lambda asked: of_vault_root(asked, b"subrosa/v1 record").hex(),
    "area MAC": area_mac,
    "recovery key": lambda given: parse_recovery_key(given).hex(),
    "imported id": imported_id,
    "link": link,
    "digest of a link": lambda encoded: sha256(b"subrosa/v1 link", bytes.fromhex(encoded)).hex(),
    "leaves of a link": leaves,
    "action": lambda number: name_of(ACTIONS, number) or "unknown",
    "detail": lambda number: name_of(DETAILS, number) or "unknown",
    "compartment": lambda number: COMPARTMENTS[number],
    "story": story,
    "accounting": accounting,
    "erase list": erase_list,
}


def main():
    """Answer every question of a folder."""
    values = json.loads((Path(sys.argv[1]) / "values.json").read_text(encoding="utf-8"))
    print(json.dumps([RULES[value["rule"]](value["in"]) for value in values]))


if __name__ == "__main__":
    main()
