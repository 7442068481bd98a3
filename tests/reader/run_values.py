"""Answer the known questions about single rules.

    python3 run_values.py FOLDER

FOLDER holds values.json (section 12). Prints what each rule gives, in the order of the questions, as one
JSON document.
"""

import json
import pathlib
import sys

import primitives as p
from boxes import context
from catalogue import TYPES
from codec import decode, encode
from credentials import (area_key, derived_key, fingerprint, record_key, recovery_key, selector, shortcut_key,
                         signing_keys)
from history import ACTIONS, DETAILS, link_digest, tree_root
from roots import NAMES
from rowkeys import content_key, row_key

H = bytes.fromhex


def counted(length):
    """Section 12: so many bytes 0, 1, 2, … 255, 0, …"""
    return bytes(i & 255 for i in range(length))


def unhexed(value):
    """Hexadecimal texts of a value's ids and digests as bytes."""
    if isinstance(value, dict):
        hexed = ("previous_link", "previous_root", "leaves", "digest", "reference")
        return {k: H(v) if k in hexed else unhexed(v) for k, v in value.items()}
    return value


RULES = {
    "padme": p.padme,
    "segment class": p.segment_class,
    "compacted length": lambda v: p.compacted_length(v["everyday"], v["others"]),
    "row key": lambda v: row_key(v["class"], H(v["vault"]), H(v["id"]), v["revision"], v["epoch"]).hex(),
    "row key of a content": lambda v: content_key(p.blake3(H(v))).hex(),
    "object digest": lambda v: p.object_digest(counted(v)).hex(),
    "mark of a replaced file": lambda v: p.sha256(b"subrosa/v1 replaced by", counted(v)).hex(),
    "context": lambda v: context(H(v["header"]), H(v["vault"]), v["purpose"], v["place"], H(v["object"]),
                                 v["revision"], v["schema"]).hex(),
    "selector": lambda v: selector(derived_key(H(v["key"]), v["sort"], H(v["vault"])), H(v["vault"]),
                                   H(v["salt"])).hex(),
    "shortcut key": lambda v: shortcut_key(H(v["seed"]), H(v["vault"])).hex(),
    "public half": lambda v: p.sha256(p.xwing_public(H(v))).hex(),
    "signing keys": lambda v: {k: x.hex() for k, x in signing_keys(H(v["seed"]), H(v["vault"])).items()},
    "ES256 fingerprint": lambda v: fingerprint(signing_keys(H(v["seed"]), H(v["vault"])), 1),
    "Ed25519 fingerprint": lambda v: fingerprint(signing_keys(H(v["seed"]), H(v["vault"])), 2),
    "key of record": lambda v: record_key(H(v["key"]), H(v["vault"])).hex(),
    "area MAC": lambda v: p.hmac(area_key(H(v["key"]), H(v["vault"])), H(v["digest"])).hex(),
    "recovery key": lambda v: recovery_key(v).hex(),
    "imported id": lambda v: p.hmac(H(v["key"]), H(v["name"]))[:16].hex(),
    "link": lambda v: encode(TYPES, "LinkV1", unhexed(v)).hex(),
    "digest of a link": lambda v: link_digest(H(v)).hex(),
    "leaves of a link": lambda v: tree_root(v["place"], H(v["leaf"]), [H(x) for x in v["path"]]).hex(),
    "action": lambda v: ACTIONS.get(v, "unknown"),
    "detail": lambda v: DETAILS.get(v, "unknown"),
    "compartment": lambda v: NAMES[v],
    "story": lambda v: encode(TYPES, "StoryV1", {"acts": v}).hex(),
    "accounting": lambda v: encode(TYPES, "AccountingV1", v).hex(),
    "erase list": lambda v: encode(TYPES, "EraseListV1",
                                   {"objects": [(H(o["reference"]), o["length"]) for o in v]}).hex(),
}
TYPE_OF = {"link": "LinkV1", "story": "StoryV1", "accounting": "AccountingV1", "erase list": "EraseListV1"}


def answer(item):
    """What a rule gives. What is encoded must come back from its bytes."""
    got = RULES[item["rule"]](item["in"])
    name = TYPE_OF.get(item["rule"])
    if name and encode(TYPES, name, decode(TYPES, name, H(got))).hex() != got:
        return "not what it decodes to"
    return got


if __name__ == "__main__":
    items = json.loads((pathlib.Path(sys.argv[1]) / "values.json").read_text("utf-8"))
    json.dump([answer(item) for item in items], sys.stdout)
