//! From the bytes of an XML document to its text.

use super::fault::{XmlError, XmlFault};

/// Bytes at the start in which a declaration names the encoding.
const LOOKED_AT: usize = 256;

/// Characters of Windows-1252 for 0x80 to 0x9F. What is declared as ISO 8859-1 is mostly
/// that, as the WHATWG Encoding Standard has it.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Whether a document is in UTF-16: by its mark, or by how `<` is written.
pub(crate) fn declares_utf_16(start: &[u8]) -> bool {
    utf_16(start).is_some()
}

/// Whether the first of two bytes is the high one, and how long the mark is.
fn utf_16(start: &[u8]) -> Option<(bool, usize)> {
    match start.get(..2)? {
        [0xff, 0xfe] => Some((false, 2)),
        [0xfe, 0xff] => Some((true, 2)),
        [b'<', 0] => Some((false, 0)),
        [0, b'<'] => Some((true, 0)),
        _ => None,
    }
}

/// The text of a document, and its bytes where they are in another encoding than UTF-8.
///
/// # Errors
/// [`XmlError`] if it is in an encoding that is not read, or not in its own.
pub(crate) fn to_text(bytes: Vec<u8>) -> Result<(String, Option<Vec<u8>>), XmlError> {
    if let Some((is_big, mark)) = utf_16(&bytes) {
        let text = of_utf_16(&bytes, is_big, mark)?;
        return Ok((text, Some(bytes)));
    }
    let has_mark = bytes.starts_with(b"\xef\xbb\xbf");
    let declared = declared(&bytes).unwrap_or_default();
    match declared.as_str() {
        // A text that a program stored as UTF-8 may still say UTF-16.
        "" | "utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16" => {}
        _ if has_mark => {}
        "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252" => {
            let text = bytes.iter().map(|byte| of_windows_1252(*byte)).collect();
            return Ok((text, Some(bytes)));
        }
        _ => return Err(XmlError::in_bytes(&bytes, 0, XmlFault::UnknownEncoding)),
    }
    String::from_utf8(bytes).map(|text| (text, None)).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        XmlError::in_bytes(error.as_bytes(), at, XmlFault::NotInItsEncoding)
    })
}

fn of_windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => {
            WINDOWS_1252.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::from(byte),
    }
}

fn of_utf_16(bytes: &[u8], is_big: bool, mark: usize) -> Result<String, XmlError> {
    let body = bytes.get(mark..).unwrap_or_default();
    let (pairs, rest) = body.as_chunks::<2>();
    let fault = |at: usize| XmlError::in_bytes(bytes, at, XmlFault::NotInItsEncoding);
    if !rest.is_empty() {
        return Err(fault(bytes.len()));
    }
    let units = pairs.iter().map(|pair| match is_big {
        true => u16::from_be_bytes(*pair),
        false => u16::from_le_bytes(*pair),
    });
    let mut text = String::with_capacity(pairs.len());
    let mut at = mark;
    for character in char::decode_utf16(units) {
        let character = character.map_err(|_| fault(at))?;
        at += character.len_utf16() * 2;
        text.push(character);
    }
    Ok(text)
}

/// The encoding that the declaration names, in lower case.
fn declared(bytes: &[u8]) -> Option<String> {
    let start = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    let declaration = text.strip_prefix("<?xml")?.split("?>").next()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(rest.get(1..)?.split(quote).next()?.trim().to_ascii_lowercase())
}
