//! What a file is that is no FHIR as JSON: by its first bytes, never by its name.

use std::fmt;

use crate::format::header::MAGIC;

/// Bytes from the start of an input that are looked at.
pub(crate) const LOOKED_AT: usize = 8 * 1024;

/// What an input is instead of FHIR as JSON, as its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignFormat {
    /// A ZIP archive.
    Zip,
    /// Compressed or packed otherwise: gzip, bzip2, xz, 7z, RAR, tar, Zstandard.
    Archive,
    /// A document of Word, Excel, LibreOffice or the like.
    Office,
    /// PDF.
    Pdf,
    /// A picture.
    Image,
    /// A medical image or a set of them (DICOM).
    Dicom,
    /// Rich Text Format.
    Rtf,
    /// HL7 version 2 messages.
    Hl7V2,
    /// A document of HL7 version 3 (XML). C-CDA documents are read; others are not.
    Cda,
    /// A web page.
    Html,
    /// An excerpt that Subrosa issued, as a page or as JSON.
    Excerpt,
    /// A table of values with a separator (CSV).
    Csv,
    /// A Subrosa vault.
    Vault,
    /// A file of bytes that are no text.
    Binary,
}

/// How files of these formats begin.
const BEGINNINGS: [(&[u8], ForeignFormat); 26] = [
    (b"PK\x03\x04", ForeignFormat::Zip),
    (b"PK\x05\x06", ForeignFormat::Zip),
    (b"PK\x07\x08", ForeignFormat::Zip),
    (b"\x1f\x8b", ForeignFormat::Archive),
    (b"7z\xbc\xaf\x27\x1c", ForeignFormat::Archive),
    (b"BZh", ForeignFormat::Archive),
    (b"\xfd7zXZ\0", ForeignFormat::Archive),
    (b"Rar!\x1a\x07", ForeignFormat::Archive),
    (b"\x28\xb5\x2f\xfd", ForeignFormat::Archive),
    (b"\x1f\x9d", ForeignFormat::Archive),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ForeignFormat::Office),
    (b"%PDF-", ForeignFormat::Pdf),
    (b"\x89PNG", ForeignFormat::Image),
    (b"\xff\xd8\xff", ForeignFormat::Image),
    (b"GIF8", ForeignFormat::Image),
    (b"II*\0", ForeignFormat::Image),
    (b"MM\0*", ForeignFormat::Image),
    (b"{\\rtf", ForeignFormat::Rtf),
    (b"MSH|", ForeignFormat::Hl7V2),
    (b"FHS|", ForeignFormat::Hl7V2),
    (b"BHS|", ForeignFormat::Hl7V2),
    (b"\x0bMSH|", ForeignFormat::Hl7V2),
    (b"MSH^", ForeignFormat::Hl7V2),
    (b"{\"subrosa_excerpt\":", ForeignFormat::Excerpt),
    (&MAGIC, ForeignFormat::Vault),
    // The text of a vault's mark, as some transfer made it.
    (b"\x93SUBROSA VLT", ForeignFormat::Vault),
];

/// Where the parts of a ZIP archive begin whose names tell an Office document.
const OFFICE_PARTS: [&[u8]; 6] = [
    b"[Content_Types].xml",
    b"word/",
    b"xl/",
    b"ppt/",
    b"mimetypeapplication/vnd.oasis.opendocument",
    b"mimetypeapplication/epub",
];

impl ForeignFormat {
    /// The format, as far as the first bytes of a file tell it.
    ///
    /// ```
    /// use subrosa::interop::ForeignFormat;
    ///
    /// assert_eq!(ForeignFormat::of(b"%PDF-1.7\n"), Some(ForeignFormat::Pdf));
    /// assert_eq!(ForeignFormat::of(br#"{"resourceType":"Patient"}"#), None);
    /// ```
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Self> {
        let start = start.get(..LOOKED_AT).unwrap_or(start);
        let text = without_mark(start);
        let begins = |bytes: &[u8]| start.starts_with(bytes) || text.starts_with(bytes);
        let known = BEGINNINGS.iter().find(|(bytes, _)| begins(bytes)).map(|(_, format)| *format);
        match known {
            Some(Self::Zip) if OFFICE_PARTS.iter().any(|part| holds(start, part)) => Some(Self::Office),
            Some(format) => Some(format),
            None if is_picture(start) => Some(Self::Image),
            None if start.get(128..132) == Some(b"DICM") => Some(Self::Dicom),
            None if start.get(257..262) == Some(b"ustar") => Some(Self::Archive),
            None if text.starts_with(b"<") => of_markup(text),
            // PDF readers take a mark within the first KiB.
            None if holds(start.get(..1024).unwrap_or(start), b"%PDF-") => Some(Self::Pdf),
            None if is_utf_16(start) => None,
            None if start.contains(&0) => Some(Self::Binary),
            None if is_table(text) => Some(Self::Csv),
            None => None,
        }
    }

    /// What to do with such a file.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Zip | Self::Archive => "unpack it first, then import the files in it",
            Self::Office | Self::Pdf | Self::Image | Self::Dicom | Self::Rtf | Self::Binary => {
                "it can be kept as an attachment; for entries, ask for the records as FHIR JSON"
            }
            Self::Hl7V2 | Self::Cda | Self::Csv => {
                "ask for the records as FHIR JSON; it can be kept as an attachment meanwhile"
            }
            Self::Html => "ask for the records as FHIR JSON, or download the file itself instead of its page",
            Self::Excerpt => "verify it instead; it can be kept as an attachment",
            Self::Vault => "open it with what opens it, and export from it what is to be imported here",
        }
    }
}

impl fmt::Display for ForeignFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "a ZIP archive",
            Self::Archive => "a compressed or packed archive",
            Self::Office => "an Office document",
            Self::Pdf => "a PDF document",
            Self::Image => "a picture",
            Self::Dicom => "a medical image (DICOM)",
            Self::Rtf => "a formatted text (RTF)",
            Self::Hl7V2 => "a file of HL7 version 2 messages",
            Self::Cda => "a document of HL7 version 3 (XML) that is no C-CDA",
            Self::Html => "a web page",
            Self::Excerpt => "an excerpt that Subrosa issued",
            Self::Csv => "a table (CSV)",
            Self::Vault => "a Subrosa vault",
            Self::Binary => "a binary file",
        })
    }
}

/// What a text that begins with `<` is; `None` for XML that may be FHIR.
fn of_markup(text: &[u8]) -> Option<ForeignFormat> {
    let lower = text.to_ascii_lowercase();
    let is_page = holds(&lower, b"<!doctype html") || holds(&lower, b"<html") || lower.starts_with(b"<head");
    let is_excerpt = holds(text, b"name=\"subrosa-renderer\"") || holds(text, b"id=\"subrosa-excerpt\"");
    let is_cda = holds(text, b"urn:hl7-org:v3") || holds(text, b"ClinicalDocument");
    match () {
        () if is_excerpt => Some(ForeignFormat::Excerpt),
        () if is_cda => Some(ForeignFormat::Cda),
        () if is_page => Some(ForeignFormat::Html),
        () if holds(&lower, b"<svg") => Some(ForeignFormat::Image),
        () => None,
    }
}

/// WebP, HEIC, AVIF and the video files that begin in their way, and bitmaps.
fn is_picture(start: &[u8]) -> bool {
    let is_riff = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    let is_bitmap = start.starts_with(b"BM") && start.get(6..10) == Some(&[0; 4]);
    is_riff || is_bitmap || start.get(4..8) == Some(b"ftyp")
}

fn is_utf_16(start: &[u8]) -> bool {
    start.starts_with(b"\xff\xfe")
        || start.starts_with(b"\xfe\xff")
        || matches!(start, [0, b'{' | b'[' | b'<', ..] | [b'{' | b'[' | b'<', 0, ..])
}

/// Whether a text is of lines that have the same separator equally often. JSON is none.
fn is_table(text: &[u8]) -> bool {
    if matches!(text.first(), Some(b'{' | b'[') | None)
        || std::str::from_utf8(text).is_err_and(|e| e.error_len().is_some())
    {
        return false;
    }
    let lines: Vec<&[u8]> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let (Some(first), Some(second)) = (lines.first(), lines.get(1)) else { return false };
    [b',', b';', b'\t', b'|'].into_iter().any(|separator| {
        let count = |line: &[u8]| line.iter().filter(|byte| **byte == separator).count();
        let (first, second) = (count(first), count(second));
        // Quoted fields may hold the separator too.
        first > 0 && second >= first
    })
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes.trim_ascii_start();
    while let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        bytes = rest.trim_ascii_start();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::ForeignFormat as Format;
    use super::*;

    #[test]
    fn a_format_is_known_by_its_first_bytes() {
        let dicom = [&[0; 128][..], b"DICM\x02\0"].concat();
        let tar = [&b"records.json"[..], &[0; 245], b"ustar\x0000"].concat();
        let cases: [(&[u8], Format); 27] = [
            (b"PK\x03\x04\x14\0\0\0\x08\0records.json", Format::Zip),
            (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml", Format::Office),
            (b"PK\x03\x04\x14\0\0\0\0\0mimetypeapplication/vnd.oasis.opendocument.text", Format::Office),
            (b"\x1f\x8b\x08\0", Format::Archive),
            (b"7z\xbc\xaf\x27\x1c\0\x04", Format::Archive),
            (&tar, Format::Archive),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", Format::Office),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", Format::Pdf),
            (b"\n  %PDF-1.4", Format::Pdf),
            (b"\x89PNG\r\n\x1a\n", Format::Image),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Format::Image),
            (b"\0\0\0\x18ftypheic", Format::Image),
            (b"II*\0\x08\0\0\0", Format::Image),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Format::Image),
            (&dicom, Format::Dicom),
            (b"{\\rtf1\\ansi", Format::Rtf),
            (b"MSH|^~\\&|LAB|", Format::Hl7V2),
            (b"\x0bMSH|^~\\&|LAB|", Format::Hl7V2),
            (b"<?xml version=\"1.0\"?>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\">", Format::Cda),
            (b"\xef\xbb\xbf<!DOCTYPE html><html>", Format::Html),
            (b"<HTML><head>", Format::Html),
            (b"<!doctype html><meta name=\"subrosa-renderer\" content=\"1\">", Format::Excerpt),
            (b"{\"subrosa_excerpt\":1,", Format::Excerpt),
            (b"Date,Test,Result\r\n2024-01-02,Glucose,6.1\r\n", Format::Csv),
            (b"Datum;Test;Wert\n2.1.2024;Glucose;6,1\n", Format::Csv),
            (&MAGIC, Format::Vault),
            (b"\x01\x02\0\x03", Format::Binary),
        ];
        for (start, format) in cases {
            assert_eq!(Format::of(start), Some(format), "{:?}", String::from_utf8_lossy(start));
        }
    }

    #[test]
    fn what_may_be_fhir_is_no_other_format() {
        for start in [
            &b""[..],
            b"{\"resourceType\":\"Patient\"}",
            b"\xef\xbb\xbf\n{\"resourceType\":\"Patient\"}",
            b"[{\"a\":1,\n\"b\":2,\n\"c\":3}]",
            b"\xef\xbb\xbf\n\xef\xbb\xbf{\"a\":1,\n\"b\":2,\n\"c\":3}",
            b"<Patient xmlns=\"http://hl7.org/fhir\"/>",
            b"\xff\xfe{\0\"\0",
            b"{\0\"\0",
            b"not json, but words\nand no table",
        ] {
            assert_eq!(Format::of(start), None, "{:?}", String::from_utf8_lossy(start));
        }
    }
}
