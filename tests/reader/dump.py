"""The dump of a vault, in the shape of the golden JSON files."""

import hashlib

from catalogue import KINDS
from credentials import fingerprint
from custody import KIND_NAMES
from history import ACTIONS, DETAILS, EXPORTED, MOVED, RELEASED, ROLES
from roots import NAMES


def plain(value):
    """A decoded value as JSON: variants as {name: value}, digests and ids as hexadecimal."""
    if isinstance(value, tuple):
        name, item = value
        if name == "Inline":
            return {name: {"length": len(item), "sha256": hashlib.sha256(item).hexdigest()}}
        return {name: plain(item)}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


def digested(data):
    """Bytes as their length and digest."""
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def dump_revision(row, entry):
    """One revision of an entry."""
    out = {"compartment": NAMES[row.place], "revision": row.revision, "epoch": row.epoch}
    out.update(plain(entry))
    out["kind"] = {"number": entry["kind"], "name": KINDS[entry["kind"]][0]}
    if entry["source"]:
        source = entry["source"]
        form, value = source["format"]
        if form == "CdaXml":
            shown, files = "CdaXml", value
        else:
            version = value if form == "FhirJson" else value["version"]
            name = "FhirXml" if form == "FhirXml" else "FhirJson"
            shown, files = {name: plain(version)}, [] if form == "FhirJson" else value["files"]
        out["source"] = {**digested(source["bytes"]), "format": shown}
        if files:
            out["source"]["files"] = [{**digested(file["bytes"]), "address": file["address"]}
                                      for file in files]
    return out


def dump_entries(compartments):
    """All current entries in the order of their ids, each with its earlier revisions."""
    out = []
    for held in compartments.values():
        for entry_id, revisions in held.entries.items():
            item = dump_revision(*revisions[-1])
            item["id"] = entry_id.hex()
            item["earlier"] = [dump_revision(*pair) for pair in revisions[:-1]]
            out.append(item)
    return sorted(out, key=lambda item: item["id"])


def action_of(revisions, index):
    """Which action made a revision, as far as the revisions themselves tell."""
    if index == 0:
        return ("added", "imported")
    newly = revisions[index][1]["marks"]["retracted"] and not revisions[index - 1][1]["marks"]["retracted"]
    return ("retracted",) if newly else ("amended",)


def told(held, entry_id, action):
    """The epochs of the acts of this action that made no revision of the entry."""
    acts = held.stories.get(entry_id, ())
    return [act["epoch"] for act in acts if act["revision"] == 0 and act["action"] == action]


def actions_in(held, epoch):
    """What the lines of a commit say in a compartment."""
    return [line["action"] for line in held.ledger.get(epoch, ())]


def is_about(held, entry_id, epoch, action):
    """Whether a line of the entry's compartment is about it (9.2)."""
    revisions = held.entries[entry_id]
    moved = max(told(held, entry_id, MOVED), default=0)
    if action == "released":
        return epoch in told(held, entry_id, RELEASED)
    if action == "exported":
        here = EXPORTED in actions_in(held, epoch) and epoch > (moved or revisions[0][0].epoch)
        return here or epoch in told(held, entry_id, EXPORTED)
    if action == "moved":
        return epoch == moved
    return any(row.epoch == epoch and epoch >= moved and action in action_of(revisions, i)
               for i, (row, _) in enumerate(revisions))


def concerned(held, epoch, action):
    """The ids of the entries that a line is about."""
    return [entry_id.hex() for entry_id in sorted(held.entries) if is_about(held, entry_id, epoch, action)]


def dump_line(epoch, link, number, held, line):
    """One line of the ledger; what a release was for is in its accounting row."""
    action = ACTIONS.get(line["action"], "unknown")
    details = {DETAILS.get(n, "unknown"): text for n, text in line["details"]}
    if action == "released" and epoch in held.accounts:
        account = held.accounts[epoch]
        for name in ("recipient", "purpose", "policy", "excerpt", "signer"):
            if account[name] is not None:
                details[name] = account[name]
    return {"epoch": epoch, "time": link["time"], "compartment": NAMES[number], "action": action,
            "actor": line["actor"], "reason": line["reason"], "entries": concerned(held, epoch, action),
            "details": details}


def without_line(epoch, link, compartments):
    """Releases and exports of which a compartment tells without a line: what was moved to it brought them."""
    for number, held in sorted(compartments.items()):
        if epoch in held.accounts and RELEASED not in actions_in(held, epoch):
            yield number, held, RELEASED, held.accounts[epoch]["actor"]
    for number, held in sorted(compartments.items()):
        is_told = any(epoch in told(held, entry_id, EXPORTED) for entry_id in held.stories)
        if is_told and EXPORTED not in actions_in(held, epoch):
            yield number, held, EXPORTED, ROLES.get(link["role"], "unknown")


def dump_ledger(links, compartments):
    """All lines that can be read; of a commit of which none can, what its link says."""
    out = []
    for epoch, (link, _) in links.items():
        lines = [dump_line(epoch, link, number, held, line) for number, held in sorted(compartments.items())
                 for line in held.ledger.get(epoch, ())]
        out += lines or [{"epoch": epoch, "time": link["time"], "compartment": NAMES[0],
                          "action": ACTIONS.get(link["action"], "unknown"), "actor": ROLES.get(link["role"], "unknown"), "reason": None,
                          "entries": [], "details": {}}]
        for number, held, action, actor in without_line(epoch, link, compartments):
            line = {"action": action, "actor": actor, "reason": None, "details": ()}
            out.append(dump_line(epoch, link, number, held, line))
    return out


def dump(vault, vault_record, directory, links, compartments):
    """The whole dump."""
    access = None
    if directory is not None:
        access = [{"name": slot["name"], "kind": KIND_NAMES[slot["kind"]], "created": slot["created"],
                   "signer": fingerprint(slot["signing"], vault_record["signing_algorithm"])}
                  for slot in directory if slot["kind"]]
    return {"vault": vault.header.vault_id.hex(), "epoch": vault.root.epoch, "access": access,
            "entries": dump_entries(compartments), "ledger": dump_ledger(links, compartments)}
