"""Read every golden vector in one process: what each gives, as one JSON document.

    python3 run_vectors.py FOLDER [NAME …]

FOLDER holds vectors.json and the files that it names (section 12). Prints, by vector, the outcome, the
rule that was broken, and what was read.
"""

import json
import pathlib
import sys

from errors import Refused
from vault import read_vault


def vector_bytes(folder, vectors, vector):
    """The bytes of a vector: of its file or the vector it stands on, cut, then patched."""
    if vector.get("on"):
        data = bytearray(vector_bytes(folder, vectors, vectors[vector["on"]]))
    else:
        data = bytearray((folder / vector["file"]).read_bytes())
    if vector.get("truncate") is not None:
        del data[vector["truncate"]:]
    for patch in vector["patches"]:
        new = bytes.fromhex(patch["bytes"])
        for offset in patch["offsets"]:
            data.extend(bytes(max(0, offset + len(new) - len(data))))
            data[offset:offset + len(new)] = new
    return bytes(data)


def run(folder, names=()):
    """{name: {outcome, rule, content}} of all vectors, or of those that are named."""
    folder = pathlib.Path(folder)
    vectors = {vector["name"]: vector for vector in json.loads((folder / "vectors.json").read_text("utf-8"))}
    out = {}
    for name in names or vectors:
        vector = vectors[name]
        try:
            outcome, rule, content = read_vault(vector_bytes(folder, vectors, vector), vector["credential"])
        except Refused as refusal:
            outcome, rule, content = refusal.outcome, refusal.rule, None
        out[name] = {"outcome": outcome, "rule": rule, "content": content}
    return out


if __name__ == "__main__":
    json.dump(run(sys.argv[1], sys.argv[2:]), sys.stdout)
