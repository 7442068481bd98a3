//! Reading inputs: what a text is, within its limits.
//!
//! An input is read no further than its limit, and lines one at a time.

use std::io::{BufRead, BufReader, Read};

use super::bundle::{self, Found};
use super::import::{ImportError, ImportLimits};
use crate::codec::json::{Json, JsonError, JsonLimits, Object};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// FHIR nests a few levels; questionnaires and extensions somewhat more.
const DEPTH: usize = 128;

/// One input, read: its bytes outside of resources, and the resources.
pub(super) struct Input {
    pub(super) pieces: Vec<InputPiece>,
    pub(super) bundle_id: Option<String>,
}

pub(super) enum InputPiece {
    Gap(Vec<u8>),
    Resource(Box<Found>),
}

/// Reads one input.
pub(super) fn read(reader: impl Read, limits: ImportLimits) -> Result<Input, ImportError> {
    let mut reader = BufReader::new(reader.take(limits.input_bytes.saturating_add(1)));
    let start = Start::read(&mut reader, limits)?;
    refuse_by_name(start.first_line())?;
    // A first line that is an object by itself, with more behind it, is NDJSON.
    if !reader.fill_buf()?.is_empty() && is_whole_object(start.first_line(), limits) {
        return read_lines(start, reader, limits);
    }
    let mut text = start.text;
    reader.read_to_end(&mut text)?;
    if text.len() as u64 > limits.input_bytes {
        return Err(ImportError::TooLarge { limit: limits.input_bytes });
    }
    read_one(&text, start.mark, limits)
}

/// An input as far as its first line that is not blank.
struct Start {
    text: Vec<u8>,
    /// Length of the byte order mark.
    mark: usize,
    /// Where the first line that is not blank begins, behind the mark.
    begin: usize,
    lines: usize,
}

impl Start {
    fn read(reader: &mut impl BufRead, limits: ImportLimits) -> Result<Self, ImportError> {
        let mut start = Self { text: Vec::new(), mark: 0, begin: 0, lines: 0 };
        loop {
            let mut total = start.text.len() as u64;
            let line = read_line(reader, limits.input_bytes, limits, &mut total)?;
            if start.lines == 0 && line.starts_with(BYTE_ORDER_MARK) {
                start.mark = BYTE_ORDER_MARK.len();
            }
            start.begin = start.text.len().max(start.mark);
            start.lines += 1;
            start.text.extend_from_slice(&line);
            if line.is_empty() || !start.first_line().trim_ascii().is_empty() {
                return Ok(start);
            }
        }
    }

    fn first_line(&self) -> &[u8] {
        self.text.get(self.begin..).unwrap_or_default()
    }
}

/// Reads a line with its end, refusing one over the limit.
fn read_line(
    reader: &mut impl BufRead,
    line_limit: u64,
    limits: ImportLimits,
    total: &mut u64,
) -> Result<Vec<u8>, ImportError> {
    let mut line = Vec::new();
    reader.take(line_limit.saturating_add(1)).read_until(b'\n', &mut line)?;
    let length = line.len() as u64;
    if length > line_limit {
        return Err(ImportError::TooLarge { limit: line_limit });
    }
    *total = total.saturating_add(length);
    if *total > limits.input_bytes {
        return Err(ImportError::TooLarge { limit: limits.input_bytes });
    }
    Ok(line)
}

fn read_lines(start: Start, mut reader: impl BufRead, limits: ImportLimits) -> Result<Input, ImportError> {
    let mut input = Input { pieces: Vec::new(), bundle_id: None };
    let mut total = start.text.len() as u64;
    push_gap(&mut input.pieces, start.text.get(..start.begin).unwrap_or_default());
    let (mut line, mut number) = (start.first_line().to_owned(), start.lines);
    while !line.is_empty() {
        if line.len() as u64 > limits.line_bytes {
            return Err(ImportError::TooLarge { limit: limits.line_bytes });
        }
        if line.trim_ascii().is_empty() {
            input.pieces.push(InputPiece::Gap(line));
        } else {
            let json = parse(&line, limits).map_err(|source| ImportError::Line { number, source })?;
            let object = json.as_object().ok_or(ImportError::NotFhir)?;
            input.pieces.extend(cut(&line, 0, object, limits)?);
        }
        number += 1;
        line = read_line(&mut reader, limits.line_bytes, limits, &mut total)?;
    }
    Ok(input)
}

fn read_one(text: &[u8], mark: usize, limits: ImportLimits) -> Result<Input, ImportError> {
    let json = parse(text.get(mark..).unwrap_or_default(), limits)?;
    let object = json.as_object().ok_or(ImportError::NotFhir)?;
    let bundle_id = bundle::id_of_bundle(object);
    Ok(Input { pieces: cut(text, mark, object, limits)?, bundle_id })
}

/// Cuts a text into resources and what is between them. Spans count from `mark`.
fn cut(
    text: &[u8],
    mark: usize,
    object: &Object,
    limits: ImportLimits,
) -> Result<Vec<InputPiece>, ImportError> {
    let mut pieces = Vec::new();
    let mut position = 0;
    for mut found in bundle::resources(object, limits)? {
        let (start, end) = (found.span.start + mark, found.span.end + mark);
        push_gap(&mut pieces, text.get(position..start).unwrap_or_default());
        found.bytes = text.get(start..end).unwrap_or_default().to_owned();
        position = end;
        pieces.push(InputPiece::Resource(Box::new(found)));
    }
    push_gap(&mut pieces, text.get(position..).unwrap_or_default());
    Ok(pieces)
}

fn push_gap(pieces: &mut Vec<InputPiece>, bytes: &[u8]) {
    if !bytes.is_empty() {
        pieces.push(InputPiece::Gap(bytes.to_owned()));
    }
}

/// Parses a text within the limits of an import.
pub(super) fn parse(text: &[u8], limits: ImportLimits) -> Result<Json, JsonError> {
    let bytes = usize::try_from(limits.input_bytes).unwrap_or(usize::MAX);
    Json::parse(text, JsonLimits { bytes, depth: DEPTH, values: limits.values })
}

/// Refuses what is known and not read here, with its name.
fn refuse_by_name(start: &[u8]) -> Result<(), ImportError> {
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || start.get(1) == Some(&0) {
        return Err(ImportError::Utf16);
    }
    if start.trim_ascii_start().starts_with(b"<") {
        return Err(ImportError::FhirXml);
    }
    Ok(())
}

/// Whether the line is an object by itself; a bundle over several lines is not.
fn is_whole_object(line: &[u8], limits: ImportLimits) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || (line.starts_with(b"{") && line.ends_with(b"}") && parse(line, limits).is_ok())
}
