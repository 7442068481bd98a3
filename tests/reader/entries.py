"""Entries and cards (sections 9.4 and 9.5)."""

import calendar
import re

from catalogue import KINDS, TYPES, read
from errors import require
from trie import EARLIER, ENTRY, row_content

DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-](\d\d):(\d\d))?)?)?)?",
                  re.ASCII)
SHORT = 1024
LONG = 8388608
ALL_FLAGS, MORE_CODINGS = 511, 16
SYSTEMS = (
    "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-9-cm", "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/cvx", "http://hl7.org/fhir/sid/ndc", "http://www.ama-assn.org/go/cpt",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "http://www.cms.gov/Medicare/Coding/ICD10",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode", "http://www.whocc.no/atc", "http://www.ada.org/cdt",
    "http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.238",
)


def check_date(text):
    """Section 9.4: a date as FHIR writes it."""
    match = DATE.fullmatch(text)
    require(match and len(text) <= 40, "9.4: a date")
    year, month, day, hour, minute, second, off_hour, off_minute = (int(g) if g else None for g in match.groups())
    require(year >= 1 and (month is None or 1 <= month <= 12), "9.4: a date of the calendar")
    require(day is None or 1 <= day <= calendar.monthrange(year, month)[1], "9.4: a day of the calendar")
    require((hour or 0) < 24 and (minute or 0) < 60 and (second or 0) <= 60, "9.4: a time of the day")
    require((off_minute or 0) < 60 and (off_hour or 0) * 60 + (off_minute or 0) <= 14 * 60, "9.4: an offset")


def check_text(text, limit=SHORT):
    """Section 9.4: every text is 1 to 1024 bytes."""
    require(1 <= len(text.encode()) <= limit, "9.4: length of a text")


DATES = {("AttachmentV1", "created"), ("ProvenanceV1", "recorded"), ("MarksV1", "expires"),
         ("LegalHoldV1", "until"), ("ValueV1", "Date"), ("ScalarV1", "Date"), ("CardV1", "start"), ("EndV1", "At")}
LONGS = {("ValueV1", "Narrative"), ("ScalarV1", "Text"), ("LegalHoldV1", "reason")}


def check_texts(kind, value, where=None):
    """Section 9.4: walk a decoded value and check the length and the form of every text."""
    if kind == "String":
        check_text(value, LONG if where in LONGS else SHORT)
        if where in DATES:
            check_date(value)
        return
    if isinstance(kind, str) and kind in TYPES:
        form, parts = TYPES[kind]
        if form == "struct":
            for name, item in parts:
                check_texts(item, value[name], (kind, name))
        elif not isinstance(value, str):
            check_texts(dict(parts)[value[0]], value[1], (kind, value[0]))
    elif isinstance(kind, tuple) and kind[0] == "Option" and value is not None:
        check_texts(kind[1], value, where)
    elif isinstance(kind, tuple) and kind[0] == "Vec":
        for item in value:
            check_texts(kind[1], item, where)


def check_entry(entry):
    """Section 9.4 and the appendix: kind, tags, types, order and indexes of the fields, and all texts."""
    require(entry["kind"] in KINDS, "9.4: kind of an entry")
    fields = KINDS[entry["kind"]][1]
    tag, index = -1, 0
    for field in entry["fields"]:
        if field["tag"] == tag:
            require(field["index"] == index + 1, "9.4: values are indexed without a gap")
        else:
            require(field["tag"] > tag and field["index"] == 0, "9.4: fields ascend, and values from 0")
        tag, index = field["tag"], field["index"]
        require(tag in fields, "9.4: a tag of the appendix")
        kind, repeats = fields[tag]
        require(field["value"][0] == kind, "9.4: the type of a field")
        require(repeats or index == 0, "9.4: a field that does not repeat")
    source = entry["source"]
    require(not source or source["format"][0] != "FhirJsonWithFiles" or source["format"][1]["files"],
            "9.4: the files of a source, at least one")
    check_texts("EntryV1", entry)


def check_card(card, entry):
    """Section 9.5: the card of a current entry."""
    require(card["kind"] == entry["kind"], "9.5: the kind of a card is that of its entry")
    require(card["flags"] <= ALL_FLAGS, "9.5: flags of a card")
    require(card["flags"] & ~MORE_CODINGS == flags_of(entry), "9.5: flags are true to the entry")
    system = card["system"]
    require(system == "Absent" or system[0] != "Known" or 1 <= system[1] <= len(SYSTEMS), "9.5: a known system")
    require(system == "Absent" or system[1] not in SYSTEMS, "9.5: a system of the table has its number")
    require(card["end"] != ("At", card["start"]), "9.5: the end is said to be the start where it is")
    require(card["end"] != "SameAsStart" or card["start"] is not None, "9.5: a start that is the end")
    check_texts("CardV1", card)


def attachments(entry):
    """All attachments of an entry's fields."""
    return [field["value"][1] for field in entry["fields"] if field["value"][0] == "Attachment"]


def flags_of(entry):
    """Section 9.5: the flags of an entry's card, but for *more codings*."""
    marks = entry["marks"]
    where = [attachment["location"][0] for attachment in attachments(entry) if attachment["location"]]
    flags = {1: marks["retracted"], 2: marks["legal_holds"], 4: marks["disputes"],
             8: any(location != "External" for location in where), 32: marks["expires"] is not None,
             64: entry["not_understood"], 128: "External" in where,
             256: entry["provenance"]["origin"] == "ImportedAndChanged"}
    return sum(flag for flag, is_set in flags.items() if is_set)


def read_entries(vault, rows):
    """Section 8: {entry id: [(row, entry), …]} from the first revision to the current one."""
    entries = {}
    for row in rows:
        if row.row_class in (ENTRY, EARLIER):
            entry = read("EntryV1", row_content(vault, row))
            check_entry(entry)
            if row.row_class == ENTRY:
                check_card(read("CardV1", row.inline), entry)
            entries.setdefault(row.id, []).append((row, entry))
    for revisions in entries.values():
        revisions.sort(key=lambda pair: pair[0].revision)
        require([row.revision for row, _ in revisions] == list(range(1, len(revisions) + 1)),
                "8: revisions are counted from 1 without a gap")
        require([row.row_class for row, _ in revisions] == [EARLIER] * (len(revisions) - 1) + [ENTRY],
                "8: the last revision is the current one, and no other")
    return entries


def stored_locations(entry):
    """The content digests that a revision names in `Stored` locations."""
    locations = [attachment["location"] for attachment in attachments(entry)]
    return {location[1] for location in locations if location and location[0] == "Stored"}
