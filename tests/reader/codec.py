"""Content encoding (section 9): a decoder and an encoder that are driven by the catalogue."""

import re

from errors import require

WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}
TOKEN = re.compile(r"\w+|[\[\](){}<>;,:|]")


class _Parser:
    """Reads the notation of the catalogue into nested tuples."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.tokens[self.at]
        assert expected in (None, token), (token, expected)
        self.at += 1
        return token

    def type(self):
        token = self.take()
        if token == "[":
            item, _, count, _ = self.type(), self.take(";"), int(self.take()), self.take("]")
            return ("fixed", count) if item == "u8" else ("array", item, count)
        if token == "(":
            items = [self.type()]
            while self.peek() == ",":
                self.take()
                items.append(self.type())
            self.take(")")
            return "tuple", items
        if token in ("Vec", "Option"):
            self.take("<")
            item = self.type()
            self.take(">")
            return "Bytes" if token == "Vec" and item == "u8" else (token, item)
        return token

    def struct(self):
        fields, names = [], []
        while self.peek():
            names.append(self.take())
            if self.peek() == ":":
                self.take()
                kind = self.type()
                fields += [(name, kind) for name in names]
                names = []
            if self.peek() == "each":
                self.take()
            if self.peek() == ",":
                self.take()
        return "struct", fields

    def enum(self):
        variants = []
        while self.peek():
            name, kind = self.take(), None
            if self.peek() == "(":
                self.take()
                kind = self.type()
                self.take(")")
            variants.append((name, kind))
            if self.peek():
                self.take("|")
        return "enum", variants


def parse_catalogue(text):
    """Definitions `Name = …`, one a line (continued lines are indented), to a dict of types."""
    types = {}
    for line in re.sub(r"\n\s+", " ", text.strip()).splitlines():
        name, body = (part.strip() for part in line.split("=", 1))
        types[name] = _Parser(body).struct() if ":" in body else _Parser(body).enum()
    return types


class _Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, length):
        require(length <= len(self.data) - self.at, "9: a value is missing")
        self.at += length
        return self.data[self.at - length:self.at]

    def number(self, kind):
        return int.from_bytes(self.take(WIDTHS[kind]), "little", signed=kind[0] == "i")


def decode(types, name, data, limit=None):
    """Decode all of `data` as type `name`: no bytes left over, no second spelling, within the limit."""
    require(limit is None or len(data) <= limit, f"9: content over the limit of {name}")
    reader = _Reader(data)
    value = _decode(types, name, reader)
    require(reader.at == len(data), f"9: bytes left over behind {name}")
    return value


def _decode(types, kind, reader):
    if isinstance(kind, str):
        if kind in WIDTHS:
            return reader.number(kind)
        if kind == "bool":
            value = reader.number("u8")
            require(value < 2, "9: a boolean is 0 or 1")
            return value == 1
        if kind == "Bytes":
            return reader.take(reader.number("u64"))
        if kind == "String":
            try:
                return reader.take(reader.number("u64")).decode("utf-8")
            except UnicodeDecodeError:
                require(False, "9: text is UTF-8")
        return _decode(types, types[kind], reader)
    form, what = kind[0], kind[1]
    if form == "fixed":
        return reader.take(what)
    if form == "array":
        return [_decode(types, what, reader) for _ in range(kind[2])]
    if form == "tuple":
        return tuple(_decode(types, item, reader) for item in what)
    if form == "Vec":
        count = reader.number("u64")
        require(count <= len(reader.data) - reader.at, "9: a count that its bytes cannot hold")
        return [_decode(types, what, reader) for _ in range(count)]
    if form == "Option":
        tag = reader.number("u8")
        require(tag < 2, "9: an option is 0 or 1")
        return _decode(types, what, reader) if tag else None
    if form == "struct":
        return {name: _decode(types, item, reader) for name, item in what}
    variant = reader.number("u32")
    require(variant < len(what), "9: unknown variant")
    name, item = what[variant]
    return name if item is None else (name, _decode(types, item, reader))


def encode(types, kind, value):
    """The bytes of a value, in the shape that `decode` returns."""
    if isinstance(kind, str):
        if kind in WIDTHS:
            return value.to_bytes(WIDTHS[kind], "little", signed=kind[0] == "i")
        if kind == "bool":
            return bytes([value])
        if kind in ("Bytes", "String"):
            raw = value.encode() if kind == "String" else value
            return len(raw).to_bytes(8, "little") + raw
        return encode(types, types[kind], value)
    form, what = kind[0], kind[1]
    if form == "fixed":
        return value
    if form == "array":
        return b"".join(encode(types, what, item) for item in value)
    if form == "tuple":
        return b"".join(encode(types, kind_, item) for kind_, item in zip(what, value))
    if form == "Vec":
        return len(value).to_bytes(8, "little") + b"".join(encode(types, what, item) for item in value)
    if form == "Option":
        return b"\0" if value is None else b"\1" + encode(types, what, value)
    if form == "struct":
        return b"".join(encode(types, item, value[name]) for name, item in what)
    name, item = (value, None) if isinstance(value, str) else value
    variant = [v for v, _ in what].index(name)
    body = b"" if item is None else encode(types, what[variant][1], item)
    return variant.to_bytes(4, "little") + body
