//! Reading files and texts out of originals: what no field carries is found all the same.

use super::entry::{Source, SourceFormat};
use super::search::Needle;
use super::text::Token;
use crate::codec::base64url;
use crate::codec::fhir_xml::{is_xml, to_json};
use crate::codec::json::{Json, JsonLimits, Object};

/// Members of originals that hold addresses, or say of whom everything is.
const NOT_SEARCHED: [&str; 8] =
    ["subject", "patient", "reference", "system", "url", "fullUrl", "profile", "resourceType"];

/// Most of an original that is searched.
const LIMITS: JsonLimits = JsonLimits { bytes: 64 << 20, depth: 128, values: 4_000_000 };

impl Source {
    /// The bytes of the file at a place of the original ([`Location::InSource`]), if it is
    /// there in base64.
    ///
    /// [`Location::InSource`]: super::Location::InSource
    pub(crate) fn file_at(&self, place: &Token) -> Option<Vec<u8>> {
        let (number, pointer) = place.as_str().split_once('/')?;
        let bytes = match number {
            "" => &self.bytes,
            number => &self.files.get(number.parse::<usize>().ok()?)?.bytes,
        };
        let json = json_of(bytes, self.format)?;
        // In any spelling: sources break it into lines.
        base64url::decode_foreign(find(&json, pointer)?.as_str()?).ok()
    }

    /// Whether a text is found in an original: in any text of it, and in files of words
    /// that it holds (`data` beside a `contentType` of `text/…`).
    pub(super) fn matches(&self, needle: &Needle) -> bool {
        let mut all = [&self.bytes].into_iter().chain(self.files.iter().map(|file| &file.bytes));
        all.any(|bytes| is_in(bytes, self.format, needle))
    }
}

/// An original as JSON; what is FHIR as XML is read as that.
fn json_of(bytes: &[u8], format: SourceFormat) -> Option<Json> {
    match format {
        SourceFormat::FhirXml(_) if is_xml(bytes) => to_json(str::from_utf8(bytes).ok()?).ok(),
        _ => Json::parse(bytes, LIMITS).ok(),
    }
}

fn is_in(bytes: &[u8], format: SourceFormat, needle: &Needle) -> bool {
    let Some(json) = json_of(bytes, format) else {
        return needle.is_in(&String::from_utf8_lossy(bytes));
    };
    // Without recursion: input chooses the depth.
    let mut open = vec![&json];
    while let Some(json) = open.pop() {
        match json {
            Json::String(text) if needle.is_in(text) => return true,
            Json::Array(items) => open.extend(items),
            Json::Object(object) => {
                if file_of_words(object).is_some_and(|text| needle.is_in(&text)) {
                    return true;
                }
                let members = object.members().iter();
                let searched = members.filter(|(name, _)| !NOT_SEARCHED.contains(&name.as_str()));
                open.extend(searched.map(|(_, value)| value));
            }
            _ => {}
        }
    }
    false
}

/// The value at the steps of a JSON Pointer (RFC 6901).
fn find<'a>(json: &'a Json, steps: &str) -> Option<&'a Json> {
    steps.split('/').try_fold(json, |json, step| match json {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => json.member(&step.replace("~1", "/").replace("~0", "~")),
    })
}

/// The words of an attachment that is plain text, HTML, XML or the like.
fn file_of_words(object: &Object) -> Option<String> {
    let sort = object.member("contentType")?.as_str()?.trim().to_ascii_lowercase();
    let sort = sort.split(';').next().unwrap_or_default().trim_end();
    let is_markup = sort.ends_with("html") || sort.ends_with("/xml") || sort.ends_with("+xml");
    let is_words = is_markup || sort.starts_with("text/") || sort.ends_with("json");
    let data = object.member("data").filter(|_| is_words)?.as_str()?;
    let text = text_of(&base64url::decode_foreign(data).ok()?);
    let words = if is_markup { without_tags(&text) } else { String::new() };
    Some(text + "\n" + &words)
}

/// A text in UTF-8, or in UTF-16 where its mark says so.
fn text_of(bytes: &[u8]) -> String {
    let units = |bytes: &[u8], is_big: bool| -> Vec<u16> {
        let pairs = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
        pairs.map(|pair| if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => String::from_utf16_lossy(&units(rest, false)),
        [0xfe, 0xff, rest @ ..] => String::from_utf16_lossy(&units(rest, true)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Most characters between `&` and `;`.
const LONGEST_NAME: usize = 8;

/// The words between the tags of a markup: a tag within a word does not part it, and a
/// character that is written by its number or a common name counts as that character.
fn without_tags(markup: &str) -> String {
    let mut words = String::with_capacity(markup.len() / 2);
    let mut rest = markup;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        words.push_str(before);
        rest = match from.strip_prefix('<') {
            Some(tag) => {
                let (tag, behind) = tag.split_once('>').unwrap_or((tag, ""));
                if parts_words(tag) {
                    words.push(' ');
                }
                behind
            }
            None => match character(from) {
                Some((character, behind)) => {
                    words.push(character);
                    behind
                }
                None => {
                    words.push('&');
                    from.get(1..).unwrap_or_default()
                }
            },
        };
    }
    words + rest
}

/// Whether a tag stands between words: all but those that only change how letters look.
fn parts_words(tag: &str) -> bool {
    const WITHIN: [&str; 12] =
        ["a", "b", "em", "font", "i", "mark", "s", "span", "strong", "sub", "sup", "u"];
    let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next();
    !name.is_some_and(|name| WITHIN.iter().any(|within| name.eq_ignore_ascii_case(within)))
}

/// The character that a reference at the start of a text stands for, and what is behind it.
fn character(text: &str) -> Option<(char, &str)> {
    let (name, behind) = text.get(1..)?.split_once(';').filter(|(name, _)| name.len() <= LONGEST_NAME)?;
    let number = |text: &str, radix| u32::from_str_radix(text, radix).ok().and_then(char::from_u32);
    let character = match (name.strip_prefix("#x").or(name.strip_prefix("#X")), name.strip_prefix('#')) {
        (Some(hexadecimal), _) => number(hexadecimal, 16)?,
        (None, Some(decimal)) => number(decimal, 10)?,
        (None, None) => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "auml" => 'ä',
            "ouml" => 'ö',
            "uuml" => 'ü',
            "szlig" => 'ß',
            "eacute" => 'é',
            "egrave" => 'è',
            "ntilde" => 'ñ',
            "rsquo" => '’',
            "ndash" => '–',
            "mdash" => '—',
            _ => return None,
        },
    };
    Some((character, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FhirVersion;

    fn finds(sort: &str, bytes: &[u8], text: &str) -> bool {
        let data = base64url::encode_padded(bytes);
        let json = format!(r#"{{"resourceType":"Binary","contentType":"{sort}","data":"{data}"}}"#);
        Source::new(SourceFormat::FhirJson(FhirVersion::R4), json.into_bytes()).matches(&Needle::new(text))
    }

    #[test]
    fn words_of_any_file_of_text_are_found() {
        for sort in ["text/plain", "TEXT/HTML; charset=utf-8", "application/xml", "application/hl7-cda+xml"] {
            assert!(finds(sort, "Major depression".as_bytes(), "major DEPRESSION"), "{sort}");
        }
        assert!(!finds("application/pdf", b"Major depression", "depression"));
        let utf_16: Vec<u8> = "\u{feff}Größe".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(finds("text/plain", &utf_16, "größe"));
    }

    #[test]
    fn markup_parts_no_word_and_hides_none() {
        let page = b"<p>de<b>press</b>ion<br/>since&nbsp;Mai</p><p>Gr&ouml;&#223;e &amp; A&x; <i";
        for text in ["depression since Mai", "Größe & A&x;"] {
            assert!(finds("text/html", page, text), "{text}");
        }
        assert!(!finds("text/html", page, "depressionsince"));
    }
}
