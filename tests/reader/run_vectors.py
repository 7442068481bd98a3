"""Run golden vectors in one process: what each gives, as one JSON document.

    python3 run_vectors.py FOLDER

FOLDER holds vectors.json and the files that it names. Prints, by vector, the
outcome and what was read.
"""

import json
import sys
from pathlib import Path

from outcome import Refused
from subrosa_reader import parse_credential, read_vault


def patched(folder, vectors, vector):
    """The file that a vector describes: patches of a golden file, or of another vector's."""
    if "on" in vector:
        file = bytearray(patched(folder, vectors, vectors[vector["on"]]))
    else:
        file = bytearray((folder / vector["file"]).read_bytes())
    if "truncate" in vector:
        del file[vector["truncate"]:]
    for patch in vector["patches"]:
        fresh = bytes.fromhex(patch["bytes"])
        for offset in patch["offsets"]:
            file.extend(bytes(max(0, offset - len(file))))
            file[offset:offset + len(fresh)] = fresh
    return bytes(file)


def run(folder, vectors, vector):
    """The outcome of one vector and what was read."""
    ((sort, secret),) = vector["credential"].items()
    try:
        shown = read_vault(patched(folder, vectors, vector), parse_credential(sort, secret))
    except Refused as refusal:
        return {"outcome": refusal.name, "rule": str(refusal), "content": None}
    repaired, dropped = shown.pop("needs_recovery"), shown.pop("dropped")
    outcome = "dropped" if dropped else "repaired" if repaired else "ok"
    return {"outcome": outcome, "rule": None, "content": shown}


def main():
    """Run every vector of a folder."""
    folder = Path(sys.argv[1])
    vectors = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
    named = {vector["name"]: vector for vector in vectors}
    print(json.dumps({name: run(folder, named, vector) for name, vector in named.items()}))


if __name__ == "__main__":
    main()
