//! Strict JSON (RFC 8259): duplicate names are refused, depth, size and count
//! are bounded, and numbers keep the text they were written with.

use std::ops::Range;

use json_event_parser::{JsonEvent, LowLevelJsonParser, LowLevelJsonSerializer};
use thiserror::Error;

/// What a JSON text may cost before it is refused.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects.
    pub depth: usize,
    /// Most values (members and items, scalars included).
    pub values: usize,
}

/// Why a text is not the JSON that is accepted here. Holds positions, never content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is longer than the limit.
    #[error("the JSON text is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Arrays and objects are nested deeper than the limit.
    #[error("the JSON text nests deeper than {limit} levels")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// There are more values than the limit.
    #[error("the JSON text holds more than {limit} values")]
    TooMany {
        /// The limit in values.
        limit: usize,
    },
    /// The text is not UTF-8 (RFC 8259 section 8.1).
    #[error("the JSON text is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
    },
    /// There is no text: nothing, or white space.
    #[error("the JSON text is empty")]
    Empty,
    /// The text ends before its value does.
    #[error("the JSON text is cut off: it ends at byte {offset}, before it is complete")]
    CutOff {
        /// How long the text is.
        offset: usize,
    },
    /// The text is not JSON.
    #[error("not JSON at byte {offset}")]
    Syntax {
        /// Offset near the fault.
        offset: usize,
    },
    /// A string holds half of a character: a `\\u` escape of a surrogate without the other
    /// (RFC 8259 section 8.2).
    #[error(
        "the \\u escape at byte {offset} is half of a character; write the whole character, or \\ufffd, there"
    )]
    LoneSurrogate {
        /// Offset of the escape.
        offset: usize,
    },
    /// An object holds the same name twice (RFC 8259 section 4, RFC 7493 section 2.3).
    #[error("an object that ends at byte {offset} holds the same name twice")]
    DuplicateName {
        /// Offset just behind the object.
        offset: usize,
    },
}

/// A JSON value. Objects keep the order of their members.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as the text that was written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Object),
}

/// A JSON object: its members in order, and where it stood in the text.
#[derive(Clone, Default)]
pub struct Object {
    members: Vec<(String, Json)>,
    span: Range<usize>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members
    }
}

impl Object {
    /// An object of these members, in this order.
    pub fn new(members: Vec<(String, Json)>) -> Self {
        Self { members, span: 0..0 }
    }

    /// An object of these members, which stands at this place of another text, such as XML.
    #[must_use]
    pub fn at(members: Vec<(String, Json)>, span: Range<usize>) -> Self {
        Self { members, span }
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Json> {
        self.members.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The members in order.
    pub fn members(&self) -> &[(String, Json)] {
        &self.members
    }

    /// The members, owned.
    pub fn into_members(self) -> Vec<(String, Json)> {
        self.members
    }

    /// Adds a member at the end.
    pub fn push(&mut self, name: impl Into<String>, value: Json) {
        self.members.push((name.into(), value));
    }

    /// The JSON text, as that of [`Json::to_text`].
    pub fn to_text(&self) -> String {
        text_of(|serializer, out| self.write(serializer, out))
    }

    fn write(&self, serializer: &mut LowLevelJsonSerializer, out: &mut Vec<u8>) {
        put(serializer, out, JsonEvent::StartObject);
        for (name, value) in &self.members {
            put(serializer, out, JsonEvent::ObjectKey(name.as_str().into()));
            value.write(serializer, out);
        }
        put(serializer, out, JsonEvent::EndObject);
    }

    /// The bytes of the text that this object was parsed from, braces included.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl Json {
    /// Parses one JSON text.
    ///
    /// A UTF-8 byte order mark is refused, as RFC 8259 section 8.1 allows.
    pub fn parse(text: &[u8], limits: JsonLimits) -> Result<Self, JsonError> {
        if text.len() > limits.bytes {
            return Err(JsonError::TooLong { limit: limits.bytes });
        }
        if let Err(fault) = std::str::from_utf8(text) {
            return Err(match fault.error_len() {
                None => JsonError::CutOff { offset: text.len() },
                Some(_) => JsonError::NotUtf8 { offset: fault.valid_up_to() },
            });
        }
        if text.trim_ascii().is_empty() {
            return Err(JsonError::Empty);
        }
        if text.starts_with(b"\xef\xbb\xbf") {
            return Err(JsonError::Syntax { offset: 0 });
        }
        Builder::new(limits).run(text)
    }

    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// The member of this name, if this is an object that has it.
    pub fn member(&self, name: &str) -> Option<&Json> {
        self.as_object().and_then(|object| object.member(name))
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The items, if this is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of the number as written, if this is one.
    pub fn as_number(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The JSON text, without white space, members in order, numbers as written.
    pub fn to_text(&self) -> String {
        text_of(|serializer, out| self.write(serializer, out))
    }

    fn write(&self, serializer: &mut LowLevelJsonSerializer, out: &mut Vec<u8>) {
        match self {
            Self::Null => put(serializer, out, JsonEvent::Null),
            Self::Bool(value) => put(serializer, out, JsonEvent::Boolean(*value)),
            Self::Number(text) => put(serializer, out, JsonEvent::Number(text.as_str().into())),
            Self::String(text) => put(serializer, out, JsonEvent::String(text.as_str().into())),
            Self::Array(items) => {
                put(serializer, out, JsonEvent::StartArray);
                items.iter().for_each(|item| item.write(serializer, out));
                put(serializer, out, JsonEvent::EndArray);
            }
            Self::Object(object) => object.write(serializer, out),
        }
    }
}

fn text_of(write: impl FnOnce(&mut LowLevelJsonSerializer, &mut Vec<u8>)) -> String {
    let mut bytes = Vec::new();
    write(&mut LowLevelJsonSerializer::new(), &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

fn put(serializer: &mut LowLevelJsonSerializer, out: &mut Vec<u8>, event: JsonEvent<'_>) {
    serializer.serialize_event(event, out).expect("writing to memory in well-nested order does not fail");
}

/// An array or object that is still open while parsing.
enum Open {
    Array(Vec<Json>),
    Object { members: Vec<(String, Json)>, name: Option<String>, start: usize },
}

/// Builds the tree from the parser's events, without recursion.
struct Builder {
    limits: JsonLimits,
    open: Vec<Open>,
    values: usize,
    done: Option<Json>,
}

impl Builder {
    fn new(limits: JsonLimits) -> Self {
        Self { limits, open: Vec::new(), values: 0, done: None }
    }

    fn run(mut self, text: &[u8]) -> Result<Json, JsonError> {
        let mut parser =
            LowLevelJsonParser::new().with_max_stack_size(self.limits.depth.saturating_mul(2) + 2);
        // Behind white space the parser looks for no byte order mark.
        parser.parse_next(b"   ", false);
        let mut offset = 0;
        // What is wrong only once the text is known to end was right as far as it went.
        let mut is_end = false;
        loop {
            let rest = text.get(offset..).unwrap_or_default();
            let result = parser.parse_next(rest, is_end);
            offset += result.consumed_bytes;
            match result.event {
                Some(Ok(JsonEvent::Eof)) => break,
                Some(Ok(event)) => self.event(event, offset)?,
                Some(Err(_)) => {
                    return Err(match fault(text, offset) {
                        JsonError::Syntax { .. } if is_end && self.done.is_none() => {
                            JsonError::CutOff { offset: text.len() }
                        }
                        fault => fault,
                    });
                }
                None => is_end |= result.consumed_bytes == 0,
            }
        }
        self.done.ok_or(JsonError::Syntax { offset })
    }

    fn event(&mut self, event: JsonEvent<'_>, offset: usize) -> Result<(), JsonError> {
        match event {
            JsonEvent::String(text) => self.value(Json::String(text.into_owned())),
            JsonEvent::Number(text) => self.value(Json::Number(text.into_owned())),
            JsonEvent::Boolean(value) => self.value(Json::Bool(value)),
            JsonEvent::Null => self.value(Json::Null),
            JsonEvent::StartArray => self.start(Open::Array(Vec::new())),
            JsonEvent::StartObject => {
                self.start(Open::Object { members: Vec::new(), name: None, start: offset.saturating_sub(1) })
            }
            JsonEvent::ObjectKey(key) => {
                if let Some(Open::Object { name, .. }) = self.open.last_mut() {
                    *name = Some(key.into_owned());
                }
                Ok(())
            }
            JsonEvent::EndArray | JsonEvent::EndObject => self.end(offset),
            JsonEvent::Eof => Ok(()),
        }
    }

    fn start(&mut self, open: Open) -> Result<(), JsonError> {
        if self.open.len() >= self.limits.depth {
            return Err(JsonError::TooDeep { limit: self.limits.depth });
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, offset: usize) -> Result<(), JsonError> {
        match self.open.pop() {
            // What a vector has too much of would be most of what many small values take.
            Some(Open::Array(mut items)) => {
                items.shrink_to_fit();
                self.value(Json::Array(items))
            }
            Some(Open::Object { mut members, start, .. }) => {
                members.shrink_to_fit();
                if has_duplicate(&members) {
                    return Err(JsonError::DuplicateName { offset });
                }
                self.value(Json::Object(Object { members, span: start..offset }))
            }
            None => Err(JsonError::Syntax { offset }),
        }
    }

    fn value(&mut self, value: Json) -> Result<(), JsonError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(JsonError::TooMany { limit: self.limits.values });
        }
        match self.open.last_mut() {
            Some(Open::Array(items)) => items.push(value),
            Some(Open::Object { members, name, .. }) => {
                members.push((name.take().unwrap_or_default(), value));
            }
            None => self.done = Some(value),
        }
        Ok(())
    }
}

/// What is wrong with a text whose tokens are JSON as far as one that ends at `offset`
/// or begins there.
fn fault(text: &[u8], offset: usize) -> JsonError {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':');
    match lone_surrogate(text) {
        Some((string, escape))
            if text.get(offset..string).is_none_or(|between| between.iter().all(is_between)) =>
        {
            JsonError::LoneSurrogate { offset: escape }
        }
        _ => JsonError::Syntax { offset },
    }
}

/// The first string that holds an escape of a surrogate without the other half, and that
/// escape.
fn lone_surrogate(text: &[u8]) -> Option<(usize, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut at, mut string) = (0, None);
    loop {
        at += match (*text.get(at)?, string) {
            (b'"', None) => {
                string = Some(at);
                1
            }
            (b'"', Some(_)) => {
                string = None;
                1
            }
            (b'\\', Some(start)) => match unit(at) {
                Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
                Some(0xd800..=0xdfff) => return Some((start, at)),
                Some(_) => 6,
                None => 2,
            },
            _ => 1,
        };
    }
}

fn has_duplicate(members: &[(String, Json)]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

crate::redacted_debug!(Json, Object);

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 20, depth: 64, values: 1000 };

    fn parse(text: &str) -> Result<Json, JsonError> {
        Json::parse(text.as_bytes(), LIMITS)
    }

    #[test]
    fn numbers_keep_their_text() {
        let text = r#"{"a":6.1000,"b":[1e5,-0.0,12345678901234567890123]}"#;
        assert_eq!(parse(text).unwrap().to_text(), text);
    }

    #[test]
    fn object_spans_are_the_exact_bytes() {
        let text = r#" {"x": [ {"a" : "é\u00e9"} , {} ] } "#;
        let json = parse(text).unwrap();
        assert_eq!(&text[json.as_object().unwrap().span()], text.trim());
        let items = json.member("x").unwrap().as_array().unwrap();
        assert_eq!(&text[items[0].as_object().unwrap().span()], r#"{"a" : "é\u00e9"}"#);
        assert_eq!(&text[items[1].as_object().unwrap().span()], "{}");
    }

    #[test]
    fn duplicate_names_are_refused_at_any_depth() {
        assert!(matches!(parse(r#"{"a":1,"b":{"c":1,"c":2}}"#), Err(JsonError::DuplicateName { .. })));
        assert!(matches!(parse(r#"{"a":1,"\u0061":2}"#), Err(JsonError::DuplicateName { .. })));
    }

    #[test]
    fn depth_count_and_length_are_bounded() {
        let deep = "[".repeat(200_000);
        assert_eq!(parse(&deep).err(), Some(JsonError::TooDeep { limit: 64 }));
        let ok = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(parse(&ok).is_ok());
        let many = format!("[{}0]", "0,".repeat(1000));
        assert_eq!(parse(&many).err(), Some(JsonError::TooMany { limit: 1000 }));
        let limits = JsonLimits { bytes: 3, ..LIMITS };
        assert_eq!(Json::parse(b"[1,2]", limits).err(), Some(JsonError::TooLong { limit: 3 }));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "[1,]",
            "{\"a\":1,}",
            "01",
            ".5",
            "+1",
            "NaN",
            "nul]",
            "\"\u{1}\"",
            "\"\\x\"",
            "{'a':1}",
            "[1] 2",
            "{\"a\" 1}",
            "\u{feff}{}",
            "// c\n1",
        ] {
            assert!(matches!(parse(text), Err(JsonError::Syntax { .. })), "accepted {text:?}");
        }
        assert!(matches!(Json::parse(b"\"\xff\"", LIMITS), Err(JsonError::NotUtf8 { offset: 1 })));
    }

    #[test]
    fn a_text_that_ends_too_early_is_cut_off_wherever_that_is() {
        let text = r#"{"a":[1.5e3,"é\n\u00e9",true,null,{"b":{}}],"c":"x"}"#;
        assert!(parse(text).is_ok());
        for end in 1..text.len() {
            let cut = Json::parse(&text.as_bytes()[..end], LIMITS).err();
            assert_eq!(cut, Some(JsonError::CutOff { offset: end }), "cut at {end}");
        }
        for blank in ["", " ", "\n\t "] {
            assert_eq!(parse(blank).err(), Some(JsonError::Empty));
        }
        for text in ["1.", "nul", "\"abc", "[1,"] {
            assert_eq!(parse(text).err(), Some(JsonError::CutOff { offset: text.len() }));
        }
    }

    #[test]
    fn half_a_character_is_named_with_its_place() {
        for (text, offset) in [
            (r#""\ud83d""#, 1),
            (r#""\ude00""#, 1),
            (r#"{"a":"\\ud83d","b":"x\ud83d y"}"#, 21),
            (r#"["\ud83d\ude00","\ud83d\n"]"#, 17),
            (r#"{"\ud83d\ud83d":1}"#, 2),
        ] {
            assert_eq!(parse(text).err(), Some(JsonError::LoneSurrogate { offset }), "{text}");
        }
        // Only what was read so far is searched.
        assert!(matches!(parse(r#"[1 2, 3, "\ud83d"]"#), Err(JsonError::Syntax { .. })));
        assert!(parse(r#"["\ud83d\ude00", "\\ud83d"]"#).is_ok());
    }

    #[test]
    fn each_limit_is_the_most_that_is_accepted() {
        let limits = |bytes, depth, values| JsonLimits { bytes, depth, values };
        let text = b"[[1],2]";
        assert!(Json::parse(text, limits(7, 2, 4)).is_ok());
        let fault = |limits| Json::parse(text, limits).err();
        assert_eq!(fault(limits(6, 2, 4)), Some(JsonError::TooLong { limit: 6 }));
        assert_eq!(fault(limits(7, 1, 4)), Some(JsonError::TooDeep { limit: 1 }));
        assert_eq!(fault(limits(7, 2, 3)), Some(JsonError::TooMany { limit: 3 }));
        assert!(Json::parse(b"0", limits(1, 0, 1)).is_ok(), "a scalar has no depth");
    }

    #[test]
    fn a_value_is_of_one_kind_and_no_other() {
        let json = parse(r#"{"n":null,"b":true,"f":false,"i":1,"s":"x","a":[],"o":{}}"#).unwrap();
        let kinds = |name: &str| {
            let value = json.member(name).unwrap();
            let [object, array] = [value.as_object().is_some(), value.as_array().is_some()];
            [value.as_bool().is_some(), value.as_number().is_some(), value.as_str().is_some(), array, object]
        };
        assert_eq!(kinds("n"), [false, false, false, false, false]);
        assert_eq!(kinds("b"), [true, false, false, false, false]);
        assert_eq!(kinds("i"), [false, true, false, false, false]);
        assert_eq!(kinds("s"), [false, false, true, false, false]);
        assert_eq!(kinds("a"), [false, false, false, true, false]);
        assert_eq!(kinds("o"), [false, false, false, false, true]);
        let truth = |name: &str| json.member(name).unwrap().as_bool();
        assert_eq!((truth("b"), truth("f")), (Some(true), Some(false)));
        assert!(json.member("x").is_none() && json.member("s").unwrap().member("s").is_none());
        assert!(json == parse(&json.to_text()).unwrap() && json != parse("{}").unwrap());
    }

    #[test]
    fn an_end_without_a_beginning_is_refused() {
        let mut builder = Builder::new(LIMITS);
        assert_eq!(builder.end(7), Err(JsonError::Syntax { offset: 7 }));
        for text in ["]", "}", "[}", "{]", "[1}"] {
            assert!(matches!(parse(text), Err(JsonError::Syntax { .. })), "accepted {text:?}");
        }
    }
}
