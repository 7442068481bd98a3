"""Read a Subrosa vault of format 1 and print what it holds as JSON.

Written from docs/format.md alone, to show that the document is enough. It
never writes to the vault. The credential comes from standard input or, with
--credential-variable, from the environment; never from an argument, where
shell history and the process list would keep it.

    printf %s "$PASSWORD" | python3 subrosa_reader.py VAULT --password

Exit codes: 0 read, 2 usage, 3 wrong credential, 4 damaged, 5 the file cannot be
read, 6 a newer version, 7 not a vault, 8 KDF parameters refused.
"""

import argparse
import json
import os
import re
import sys
from hashlib import sha256

import wire
from catalogue import (
    CURRENT, CUSTODY, DIRECTORY, EARLIER, IDENTITY_KEY, LEDGER, RECORD, VAULT_RECORD, Objects, check_head,
    check_row, read_chain, read_entry, read_ledger, read_object, read_rows,
)
from contents import Contents, stored_digests
from imports import Imports
from kinds import KINDS
from outcome import Damaged, Refused, WrongCredential, require
from outer import (
    APPEND_START, SLOTS, Header, Password, RandomKey, checked_reference, needs_recovery, newest_pair, open_place, read_areas, unlock,
)
from primitives import Purpose
from signing import fingerprint, public_halves
from stories import RELEASED, Stories, details

COMPARTMENTS = (
    "record", "custody", "general", "psychotherapy-notes", "substance-use", "sealed",
    "spare-a", "spare-b",
)
ACTIONS = (
    None, "created", "added", "imported", "amended", "retracted", "expunged", "released",
    "password changed", "exported", "backed up", "compacted", "access granted",
    "access revoked", "import undone", "answers forgotten", "changed", "access changed", "renewed",
    "moved",
)
ROLES = (None, "owner", "member", "subrosa")
ACCESS_KINDS = (None, "password", "recovery key", "raw key")
PUBLIC_LENGTH = 1216
DETAILS = (None, "recipient", "purpose", "policy", "excerpt", "name", "checkpoint", "signer", "import")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RECOVERY_LABEL, RAW_LABEL = b"subrosa/v1 recovery key", b"subrosa/v1 raw key"


def open_vault(file, credential):
    """Header, root, objects, and the rows of every compartment that a credential opens, checked."""
    header = Header(file)
    areas = read_areas(file)
    root, keys = newest_pair(header, file, areas, unlock(header, areas, credential))
    objects = Objects(header, root, file)
    places = {
        number: open_place(header, root, number, key)
        for number, key in sorted(keys.compartments.items())
    }
    for number, place in places.items():
        check_erase_list(objects, number, place)
    live = sum(place.live for place in places.values())
    require(live <= root.append_end - APPEND_START, "places: live bytes")
    rows = {number: read_rows(objects, number, place) for number, place in places.items()}
    for number, some in rows.items():
        for row in some:
            check_row(row, number, header, root)
    links = read_chain(rows[RECORD], root)
    for number, place in places.items():
        check_head(number, place, rows[number], links)
    read_vault_record(objects, rows)
    check_identity_keys(objects, rows)
    return header, (root, links, keys), objects, rows


def read_vault(file, credential):
    """Everything that a credential can read in the bytes of a vault."""
    header, (root, links, keys), objects, rows = open_vault(file, credential)
    return {
        "vault": header.vault_id.hex(),
        "epoch": root.epoch,
        "needs_recovery": needs_recovery(file, root),
        "dropped": root.dropped,
        "access": all_access(objects, rows, keys),
        "entries": all_entries(objects, rows, open_contents(objects, rows)),
        "ledger": all_lines(objects, rows, links),
    }


def check_erase_list(objects, number, place):
    """Open the erase list of a place, if there is one."""
    if place.erase_list is None:
        return
    content = objects.open(place.erase_list, "erase list", Purpose.ERASE_LIST, place=number, schema=0)
    listed = wire.decode(wire.ERASE_LIST, content, "erase list", wire.ERASE_LIST_LIMIT)
    ends = [checked_reference(reference, length, "erase list")[0] + length for reference, length in listed]
    end = objects.root.append_end
    require(all(each <= end for each in ends), "erase list: behind the append end")
    require(sum(length for _, length in listed) <= end, "erase list: longer than the file")


def read_record(objects, rows, number, row_class, purpose, shape, limit, what):
    """The content of the only row of its class."""
    found = [row for row in rows[number] if row["row_class"] == row_class]
    require(len(found) == 1, f"{what}: missing")
    return read_object(objects, number, found[0], purpose, shape, limit, what)


def read_vault_record(objects, rows):
    """The vault record."""
    return read_record(
        objects, rows, RECORD, VAULT_RECORD, Purpose.VAULT_RECORD,
        wire.VAULT_RECORD, wire.VAULT_RECORD_LIMIT, "vault record",
    )


def check_identity_keys(objects, rows):
    """The identity key of every compartment that has one reads."""
    for number, some in rows.items():
        for row in some:
            if row["row_class"] == IDENTITY_KEY:
                read_object(
                    objects, number, row, Purpose.IDENTITY_KEY,
                    wire.IDENTITY_KEY, wire.IDENTITY_KEY_LIMIT, "identity key",
                )


def all_access(objects, rows, keys):
    """The ways in that the directory lists, or None if it is not granted."""
    if CUSTODY not in rows:
        return None
    slots = read_record(
        objects, rows, CUSTODY, DIRECTORY, Purpose.DIRECTORY,
        wire.DIRECTORY, wire.DIRECTORY_LIMIT, "directory",
    )
    require(len(slots) == SLOTS, "directory: number of slots")
    require(all(len(slot["public"]) == PUBLIC_LENGTH for slot in slots), "directory: public halves")
    for slot in slots:
        allowed = (1, 2) if name_of(ACCESS_KINDS, slot["kind"]) == "password" else (0,)
        require(slot["generation"] in allowed, "directory: generation of a password")
        require((slot["signing"] is None) == (slot["kind"] == 0), "directory: signing keys")
    own = public_halves(keys.seed, objects.header.vault_id)
    require(slots[keys.slot]["signing"] == own, "directory: other signing keys than the slot's own")
    algorithm = read_vault_record(objects, rows)["signing_algorithm"]
    return [
        {
            "name": slot["name"], "kind": ACCESS_KINDS[slot["kind"]], "created": slot["created"],
            "signer": fingerprint(slot["signing"], algorithm),
        }
        for slot in slots
        if name_of(ACCESS_KINDS, slot["kind"])
    ]


def open_contents(objects, rows):
    """The contents of every compartment."""
    return {number: Contents(objects, number, some) for number, some in rows.items()}


def all_entries(objects, rows, contents):
    """Every entry with its earlier revisions, by id; every content is read and checked."""
    entries, used = {}, {number: {} for number in rows}
    written = {number: {} for number in rows}
    for number, some in rows.items():
        for row in some:
            if row["row_class"] in (CURRENT, EARLIER):
                entry = read_entry(objects, number, row)
                for digest in stored_digests(entry):
                    used[number].setdefault(digest, set()).add(row["id"])
                made_of = row["epoch"], entry["provenance"]["document"]
                written[number].setdefault(made_of, set()).add(row["id"])
                shown = show_revision(number, row, entry)
                current, earlier = entries.setdefault((number, row["id"]), ([], []))
                (current if row["row_class"] == CURRENT else earlier).append(shown)
    for number, some in contents.items():
        some.check(used[number])
        Imports(objects, number, rows[number]).check(written[number])
    shown = []
    for (_, identifier), (current, earlier) in sorted(entries.items(), key=lambda item: item[0][1]):
        require(len(current) == 1, "entry: earlier revisions without a current one")
        earlier.sort(key=lambda revision: revision["revision"])
        numbers = [revision["revision"] for revision in earlier + current]
        require(numbers == list(range(1, len(numbers) + 1)), "entry: a revision is missing")
        shown.append({"id": identifier.hex(), **current[0], "earlier": earlier})
    return shown


def show_revision(number, row, entry):
    """One revision as JSON."""
    kind = entry["kind"]
    return {
        "compartment": COMPARTMENTS[number],
        "revision": row["revision"],
        "epoch": row["epoch"],
        "kind": {"number": kind, "name": KINDS[kind][0]},
        "fields": [
            {"tag": field["tag"], "index": field["index"], "value": show_variant(field["value"])}
            for field in entry["fields"]
        ],
        "provenance": {**entry["provenance"], "origin": entry["provenance"]["origin"][0]},
        "not_understood": entry["not_understood"],
        "source": show_source(entry["source"]),
        "marks": {**entry["marks"], "disputes": [entry.hex() for entry in entry["marks"]["disputes"]]},
    }


def name_of(names, number):
    """The name of a number, if the document has one."""
    return names[number] if 0 < number < len(names) else None


def show_variant(variant):
    """A value with the name of its type."""
    if variant is None:
        return None
    name, value = variant
    if name == "Component":
        value = {"code": value["code"], "value": show_variant(value["value"])}
    if name == "FhirJson":
        value, _ = value
    if name == "Attachment":
        value = {**value, "location": show_variant(value["location"])}
    if isinstance(value, bytes):
        value = value.hex() if name == "Stored" else show_bytes(value)
    return {name: value}


def show_source(source):
    """The original's format, length and digest; never its bytes."""
    return source and {"format": show_variant(source["format"]), **show_bytes(source["bytes"])}


def show_bytes(content):
    """Bytes by length and digest."""
    return {"length": len(content), "sha256": sha256(content).hexdigest()}


def all_lines(objects, rows, links):
    """Every line of the ledger, by epoch and compartment, with the entries that it is about."""
    lines, told = {}, {}
    for number, some in rows.items():
        told[number] = Stories(objects, number, some)
        told[number].check()
        for row in some:
            if row["row_class"] == LEDGER:
                lines[row["epoch"], number] = read_ledger(objects, number, row, links)
    shown = []
    for epoch, link in sorted(links.items()):
        here = [(number, lines[epoch, number]) for number in rows if (epoch, number) in lines]
        for number, some in here or [(RECORD, [common(link)])]:
            shown += [show_line(number, link, line, lines, told[number]) for line in some]
        kept = told[CUSTODY].accounts.get(epoch) if CUSTODY in told else None
        if kept is not None:
            line = {"action": RELEASED, "actor": kept["actor"], "reason": None, "details": []}
            shown.append(show_line(CUSTODY, link, line, lines, told[CUSTODY]))
    return shown


def common(link):
    """What every credential reads of a commit, as a line."""
    return {
        "action": link["action"], "actor": name_of(ROLES, link["role"]) or "unknown", "reason": None,
        "details": [],
    }


def show_line(number, link, line, lines, told):
    """A ledger line as JSON."""
    actions = {
        epoch: [other["action"] for other in some] for (epoch, place), some in lines.items() if place == number
    }
    about = told.concerned(actions).get((link["epoch"], line["action"]), set())
    shown = {str(name_of(DETAILS, name) or name): value for name, value in line["details"]}
    if line["action"] == RELEASED and link["epoch"] in told.accounts:
        shown.update(details(told.accounts[link["epoch"]]))
    return {
        "epoch": link["epoch"],
        "time": link["time"],
        "compartment": COMPARTMENTS[number],
        "action": name_of(ACTIONS, line["action"]),
        "actor": line["actor"],
        "reason": line["reason"],
        "entries": [identifier.hex() for identifier in sorted(about)],
        "details": shown,
    }


def parse_credential(sort, given):
    """A credential from the text that the user gave."""
    if sort == "password":
        return Password(given)
    if sort == "recovery-key":
        return RandomKey(parse_recovery_key(given), RECOVERY_LABEL)
    key = decode_hex(given.strip())
    return RandomKey(key, RAW_LABEL)


def decode_hex(given):
    """The 32 bytes of a raw key."""
    if not re.fullmatch("[0-9a-fA-F]{64}", given):
        raise WrongCredential("a raw key is 64 hexadecimal digits")
    return bytes.fromhex(given)


def parse_recovery_key(given):
    """The 32 bytes of a recovery key, written as 24 words or as 8 groups."""
    words = given.split()
    if len(words) == 24:
        return parse_words(words)
    digits = re.sub(r"[\s-]", "", given).upper().translate(str.maketrans("ILO", "110"))
    if len(digits) != 56 or any(digit not in CROCKFORD for digit in digits):
        raise WrongCredential("a recovery key is 24 words or 8 groups of 7 digits")
    number = 0
    for digit in digits:
        number = number << 5 | CROCKFORD.index(digit)
    key, check = number.to_bytes(35, "big")[:32], number.to_bytes(35, "big")[32:]
    if sha256(b"subrosa/v1 recovery checksum" + key).digest()[:3] != check:
        raise WrongCredential("the recovery key's checksum")
    return key


def parse_words(words):
    """The entropy of 24 words of BIP-39."""
    from mnemonic import Mnemonic  # only this form of the key needs the list of words

    try:
        return bytes(Mnemonic("english").to_entropy(" ".join(words).lower()))
    except (LookupError, ValueError):
        raise WrongCredential("the recovery key's words") from None


def to_json(shown):
    """The canonical text: sorted names, two blanks of indent, a line feed at the end."""
    return json.dumps(shown, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vault", help="the vault file")
    sort = parser.add_mutually_exclusive_group(required=True)
    for name in ("password", "recovery-key", "raw-key-hex"):
        sort.add_argument(f"--{name}", dest="sort", action="store_const", const=name)
    parser.add_argument("--credential-variable", metavar="NAME",
                        help="take the credential from this environment variable, not standard input")
    parser.add_argument("--attachment", metavar="SHA256",
                        help="write the bytes of the stored attachment with this digest instead")
    return parser.parse_args()


def write_attachment(file, credential, digest):
    """Write the bytes of a stored attachment to standard output, each slice once it is checked."""
    _, _, objects, rows = open_vault(file, credential)
    for contents in open_contents(objects, rows).values():
        if bytes.fromhex(digest) in contents.heads:
            for part in contents.stream(bytes.fromhex(digest)):
                sys.stdout.buffer.write(part)
            return
    raise Damaged("no attachment has this digest")


def given_credential(options):
    """The credential's text, less one line end."""
    if options.credential_variable:
        return os.environ[options.credential_variable]
    return re.sub("\r?\n$", "", sys.stdin.read())


def main():
    """Print the vault, or the rule that it breaks."""
    options = arguments()
    credential = given_credential(options)
    try:
        with open(options.vault, "rb") as file:
            content = file.read()
    except OSError as error:
        print(f"unreadable: {error.strerror}", file=sys.stderr)
        return 5
    try:
        parsed = parse_credential(options.sort, credential)
        if options.attachment:
            write_attachment(content, parsed, options.attachment)
        else:
            shown = read_vault(content, parsed)
    except Refused as refusal:
        print(f"{refusal.name}: {refusal}", file=sys.stderr)
        return refusal.code
    except BrokenPipeError:
        return 5
    if options.attachment:
        return 0
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(to_json(shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
