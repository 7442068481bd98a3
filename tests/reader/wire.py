"""Content: bytes to plain Python data and nothing else (docs/format.md, section 9).

A shape is a function that takes a Cursor. Bytes that would encode differently,
or that are left over, are refused.
"""

import datetime
import re
import struct

from outcome import Damaged, require

MEBIBYTES_64 = 67108864


class Cursor:
    """A position in authenticated bytes."""

    def __init__(self, content, what):
        self.content, self.position, self.what = content, 0, what

    def take(self, length):
        """The next bytes."""
        end = self.position + length
        require(end <= len(self.content), f"{self.what}: ends inside a value")
        taken = self.content[self.position:end]
        self.position = end
        return taken

    def left(self):
        """How many bytes follow."""
        return len(self.content) - self.position


def decode(shape, content, what, limit):
    """Read one value that is all of the content."""
    require(len(content) <= limit, f"{what}: over its limit")
    cursor = Cursor(content, what)
    value = shape(cursor)
    require(cursor.left() == 0, f"{what}: bytes are left over")
    return value


def integer(form):
    """A little-endian integer."""
    size = struct.calcsize(form)
    return lambda cursor: struct.unpack(form, cursor.take(size))[0]


u8, u16, u32, u64, i64 = (integer("<" + form) for form in "BHIQq")


def boolean(cursor):
    """0 or 1."""
    value = u8(cursor)
    require(value <= 1, f"{cursor.what}: a boolean is neither 0 nor 1")
    return value == 1


def array(length):
    """So many bytes, as they are."""
    return lambda cursor: cursor.take(length)


def byte_string(cursor):
    """A counted byte string."""
    return cursor.take(u64(cursor))


def text(cursor):
    """A counted UTF-8 string."""
    try:
        return byte_string(cursor).decode("utf-8")
    except UnicodeDecodeError:
        raise Damaged(f"{cursor.what}: text is not UTF-8") from None


def bounded(limit):
    """Text that is not empty and at most so many bytes long."""

    def shape(cursor):
        value = text(cursor)
        require(1 <= len(value.encode()) <= limit, f"{cursor.what}: length of a text")
        return value

    return shape


DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
CLOCK = re.compile(
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]+)?)?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
)
DATE_LIMIT = 40


def date(cursor):
    """A date of the calendar, as precise as its source wrote it."""
    value = text(cursor)
    day = DAY.match(value)
    require(day and len(value) <= DATE_LIMIT, f"{cursor.what}: a date's form")
    clock = value[day.end():]
    whole = not clock or (day[3] and CLOCK.fullmatch(clock))
    require(whole, f"{cursor.what}: a date's form")
    try:
        datetime.date(*(int(part or "1") for part in day.groups()))
    except ValueError:
        raise Damaged(f"{cursor.what}: a date that is not in the calendar") from None
    return value


def vector(item):
    """A counted sequence; each item takes at least one byte."""

    def shape(cursor):
        count = u64(cursor)
        require(count <= cursor.left(), f"{cursor.what}: more items than bytes")
        return [item(cursor) for _ in range(count)]

    return shape


def optional(item):
    """Nothing, or a value."""
    return lambda cursor: item(cursor) if boolean(cursor) else None


def together(*items):
    """A tuple."""
    return lambda cursor: tuple(item(cursor) for item in items)


def struct_of(**fields):
    """A struct as a dictionary."""
    return lambda cursor: {name: shape(cursor) for name, shape in fields.items()}


def one_of(*variants):
    """An enum as (name of the variant, value)."""

    def shape(cursor):
        number = u32(cursor)
        require(number < len(variants), f"{cursor.what}: an unknown variant")
        name, inner = variants[number]
        return name, inner(cursor) if inner else None

    return shape


SHORT, LONG = bounded(1024), bounded(8388608)
OPTIONAL_TEXT, OPTIONAL_DATE = optional(SHORT), optional(date)
TEXTS = vector(SHORT)
DIGEST = array(32)
IDENTIFIER = array(16)


def optional_texts(*names):
    """A struct whose fields are all optional text."""
    return {name: OPTIONAL_TEXT for name in names}


# Section 9.1
OBJECT = struct_of(key=DIGEST, reference=IDENTIFIER, length=u64, digest=DIGEST)
ROW = struct_of(
    key=IDENTIFIER, row_class=u8, id=IDENTIFIER, revision=u64, epoch=u64,
    object=optional(OBJECT), inline=vector(u8),
)
CHILD = struct_of(nibble=u8, rows=u64, object=OBJECT)
PAGE = one_of(("Leaf", vector(ROW)), ("Inner", vector(CHILD)))
ERASE_LIST = vector(together(IDENTIFIER, u64))
PAGE_LIMIT = 15360
ERASE_LIST_LIMIT = MEBIBYTES_64

# Section 9.2
SPAN = struct_of(start=u64, end=u64, parts=u64, digest=DIGEST)
LINK = struct_of(
    epoch=u64, time=i64, action=u16, role=u16, previous_link=DIGEST, previous_root=DIGEST, leaves=DIGEST,
    segment=SPAN,
)
LINE = struct_of(action=u16, actor=text, reason=optional(text), details=vector(together(u16, text)))
LEAF = struct_of(salt=IDENTIFIER, lines=vector(LINE))


def encoded_leaf(cursor):
    """A leaf, with the bytes that its digest is taken over."""
    start = cursor.position
    leaf = LEAF(cursor)
    return leaf, cursor.content[start:cursor.position]


LEDGER = struct_of(epoch=u64, leaf=encoded_leaf, path=together(DIGEST, DIGEST, DIGEST))
ACT = struct_of(epoch=u64, action=u16, revision=u64, reason=optional(text))
STORY = vector(ACT)
ACCOUNTING = struct_of(
    epoch=u64, actor=text, recipient=text, purpose=text, policy=optional(text), excerpt=text,
    signer=text, entries=u64,
)
LINK_LIMIT = 172
LEDGER_LIMIT = MEBIBYTES_64
STORY_LIMIT = MEBIBYTES_64
ACCOUNTING_LIMIT = 65536

# Section 9.3
VAULT_RECORD = struct_of(
    created=i64, holder_role=u16, holder_name=text, jurisdiction=text,
    signing_algorithm=u16,
)
IDENTITY_KEY = struct_of(key=DIGEST)
SIGNING = struct_of(es256_x=DIGEST, es256_y=DIGEST, ed25519=DIGEST)
DIRECTORY_SLOT = struct_of(
    public=byte_string, kind=u8, generation=u8, grant=u8, name=text, created=i64,
    signing=optional(SIGNING),
)
DIRECTORY = vector(DIRECTORY_SLOT)
VAULT_RECORD_LIMIT = 16384
IDENTITY_KEY_LIMIT = 32
DIRECTORY_LIMIT = 32768

# Section 9.4
CODING = struct_of(**optional_texts("system", "version", "code", "display"))
CONCEPT = struct_of(codings=vector(CODING), text=OPTIONAL_TEXT)
QUANTITY = struct_of(**optional_texts("value", "comparator", "unit", "system", "code"))
TELECOM = struct_of(**optional_texts("system", "value", "purpose"))
IDENTIFIER_VALUE = struct_of(**optional_texts("system", "value", "sort"))
PARTY = struct_of(
    **optional_texts("name", "role", "reference"),
    identifiers=vector(IDENTIFIER_VALUE), contact=vector(TELECOM),
)
NAME = struct_of(
    **optional_texts("purpose", "text", "family"), given=TEXTS, prefix=TEXTS, suffix=TEXTS,
)
ADDRESS = struct_of(
    **optional_texts("purpose", "text"), lines=TEXTS,
    **optional_texts("city", "district", "state", "postal_code", "country"),
)
LOCATION = one_of(("Inline", byte_string), ("InSource", SHORT), ("External", SHORT), ("Stored", DIGEST))
ATTACHMENT = struct_of(
    **optional_texts("content_type", "title"), created=OPTIONAL_DATE,
    size=optional(u64), location=optional(LOCATION),
)
SCALAR = one_of(
    ("Concept", CONCEPT), ("Quantity", QUANTITY), ("Date", date), ("Text", LONG), ("Boolean", boolean),
)
COMPONENT = struct_of(code=CONCEPT, value=optional(SCALAR))
VALUE = one_of(
    ("Concept", CONCEPT), ("Date", date), ("Token", SHORT), ("Narrative", LONG),
    ("Quantity", QUANTITY), ("Boolean", boolean), ("Party", PARTY), ("Name", NAME),
    ("Address", ADDRESS), ("Telecom", TELECOM), ("Identifier", IDENTIFIER_VALUE),
    ("Attachment", ATTACHMENT), ("Component", COMPONENT),
)
FIELD = struct_of(tag=u16, index=u16, value=VALUE)
ORIGIN = one_of(
    ("Imported", None), ("EnteredByOwner", None), ("EnteredByProvider", None),
    ("ImportedAndChanged", None),
)
PROVENANCE = struct_of(
    provider=optional(PARTY), document=OPTIONAL_TEXT, recorded=OPTIONAL_DATE,
    origin=ORIGIN, **optional_texts("identity", "address"), labels=vector(CODING),
)
FHIR_VERSION = one_of(("Dstu2", None), ("Stu3", None), ("R4", None), ("R4B", None), ("R5", None))
SOURCE = struct_of(format=one_of(("FhirJson", FHIR_VERSION)), bytes=byte_string)
LEGAL_HOLD = struct_of(reason=LONG, until=OPTIONAL_DATE)
MARKS = struct_of(
    retracted=boolean, expires=OPTIONAL_DATE,
    legal_holds=vector(LEGAL_HOLD), disputes=vector(IDENTIFIER), same_person=boolean,
)
ENTRY = struct_of(
    kind=u16, fields=vector(FIELD), provenance=PROVENANCE, not_understood=TEXTS,
    source=optional(SOURCE), marks=MARKS,
)
ENTRY_LIMIT = MEBIBYTES_64

# Section 9.6
CONTENT = struct_of(
    content=IDENTIFIER, size=u64, digest=DIGEST, slices=u64, users=vector(IDENTIFIER),
)
UPLOAD = struct_of(content=IDENTIFIER, slices=u64, title=text, started=i64)
CONTENT_LIMIT = MEBIBYTES_64
UPLOAD_LIMIT = 2048

# Section 9.7
IMPORTED_DOCUMENT = struct_of(name=optional(text), scope=IDENTIFIER, entries=u64)
ANSWER = struct_of(epoch=u64, is_of_person=boolean, digest=IDENTIFIER)
UNNAMED = struct_of(answer=IDENTIFIER, identities=vector(IDENTIFIER))
IMPORT = struct_of(
    documents=vector(IMPORTED_DOCUMENT), answers=vector(ANSWER), unnamed=optional(UNNAMED),
)
TOMBSTONE = vector(IDENTIFIER)
IMPORT_LIMIT = MEBIBYTES_64
TOMBSTONE_LIMIT = MEBIBYTES_64

# Section 9.5
CARD = struct_of(
    kind=u16, flags=u16, complete=boolean, start=OPTIONAL_DATE,
    end=one_of(("Open", None), ("SameAsStart", None), ("At", date)),
    system=one_of(("Absent", None), ("Known", u16), ("Named", SHORT)),
    **optional_texts("code", "display", "provider"),
)
CARD_LIMIT = 300
