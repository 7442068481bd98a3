//! Reading inputs: what a text is, within its limits.
//!
//! An input is read no further than its limit, and lines one at a time. A line that
//! cannot be read is left out and named; the others come in. Every byte of an input is
//! in a piece.

mod several;

use std::io::{BufRead, BufReader, Read};

use super::bundle;
use super::found::{Found, type_of};
use crate::codec::fhir_xml::{is_fhir_xml, is_xml, to_json};
use crate::codec::json::{Json, JsonError, JsonLimits};
use crate::codec::xml::{declares_utf_16, to_text};
use crate::interop::finding::FindingReason;
use crate::interop::foreign::{ForeignFormat, LOOKED_AT};
use crate::interop::options::{ImportError, ImportLimits, RESOURCE_LIMIT};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// FHIR nests a few levels; questionnaires and extensions somewhat more.
const DEPTH: usize = 128;

/// One input, read: its bytes outside of resources, and the resources.
#[derive(Default)]
pub(crate) struct Input {
    pub(crate) pieces: Vec<InputPiece>,
    /// What could not be read, and where, such as `line 31`.
    pub(crate) unread: Vec<(String, FindingReason)>,
    /// What stands in wrappers and is no resource.
    pub(crate) beside: Vec<(String, FindingReason)>,
    /// What history bundles delete; see [`bundle::Contents`].
    pub(crate) deleted: Vec<(String, Option<String>)>,
    /// How many texts were read.
    texts: usize,
    /// The whole input, if it is a C-CDA document.
    pub(crate) cda: Option<Vec<u8>>,
}

pub(crate) enum InputPiece {
    Gap(Vec<u8>),
    Resource(Box<Found>),
}

/// Reads one input.
pub(crate) fn read(reader: impl Read, limits: ImportLimits) -> Result<Input, ImportError> {
    read_any(reader, limits).map_err(|fault| match fault {
        ImportError::Json(JsonError::Empty) => ImportError::Empty,
        ImportError::Json(JsonError::CutOff { offset }) => ImportError::CutOff { offset },
        other => other,
    })
}

fn read_any(reader: impl Read, limits: ImportLimits) -> Result<Input, ImportError> {
    let mut reader = BufReader::new(reader.take(limits.input_bytes.saturating_add(1)));
    let start = Start::read(&mut reader, limits)?;
    let next = reader.fill_buf()?;
    if is_fhir_xml(&beginning(&start, next)) {
        return read_xml(start, reader, limits);
    }
    if declares_utf_16(start.first_line()) || is_cda(&start, next) {
        let mut text = start.text;
        reader.read_to_end(&mut text)?;
        if text.len() as u64 > limits.input_bytes {
            return Err(ImportError::TooLarge { limit: limits.input_bytes });
        }
        return Ok(Input { cda: Some(text), ..Input::default() });
    }
    refuse_by_name(&start, next)?;
    // A first line that is an object by itself, with more behind it, is NDJSON.
    if !reader.fill_buf()?.is_empty() && is_whole_object(start.first_line(), limits) {
        return Lines::new(limits).read(start, reader);
    }
    let mut text = start.text;
    reader.read_to_end(&mut text)?;
    if text.len() as u64 > limits.input_bytes {
        return Err(ImportError::TooLarge { limit: limits.input_bytes });
    }
    let mut input = Input::default();
    match read_document(&text, limits, &mut input) {
        Ok(()) => Ok(input),
        Err(fault) => read_parts(&text, limits, fault),
    }
}

/// Reads a text that is not one document: several, one after another, or lines the
/// first of which is damaged.
fn read_parts(text: &[u8], limits: ImportLimits, fault: ImportError) -> Result<Input, ImportError> {
    if !is_of_text(&fault) {
        return Err(fault);
    }
    let documents = several::documents(text);
    if documents.len() > 1 {
        let mut input = Input::default();
        read_several(text, documents, 1, limits, &mut input)?;
        return if input.has_resource() { Ok(input) } else { Err(fault) };
    }
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    if !without_mark(text).starts_with(b"{") || !lines.any(|line| is_resource(line, limits)) {
        return Err(fault);
    }
    let mut reader = text;
    let start = Start::read(&mut reader, limits)?;
    Lines::new(limits).read(start, reader)
}

impl Input {
    fn has_resource(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, InputPiece::Resource(_)))
    }

    fn push_gap(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.pieces.push(InputPiece::Gap(bytes.to_owned()));
        }
    }
}

/// An input as far as its first line that is not blank.
struct Start {
    text: Vec<u8>,
    /// Where the first line that is not blank begins.
    begin: usize,
    lines: usize,
}

impl Start {
    fn read(reader: &mut impl BufRead, limits: ImportLimits) -> Result<Self, ImportError> {
        let mut start = Self { text: Vec::new(), begin: 0, lines: 0 };
        loop {
            let mut total = start.text.len() as u64;
            start.begin = start.text.len();
            start.lines += 1;
            let line = read_line(reader, start.lines, limits.input_bytes, limits, &mut total)?;
            start.text.extend_from_slice(&line);
            if line.is_empty() || !without_mark(start.first_line()).is_empty() {
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
    number: usize,
    line_limit: u64,
    limits: ImportLimits,
    total: &mut u64,
) -> Result<Vec<u8>, ImportError> {
    let mut line = Vec::new();
    reader.take(line_limit.saturating_add(1)).read_until(b'\n', &mut line)?;
    let length = line.len() as u64;
    *total = total.saturating_add(length);
    if *total > limits.input_bytes {
        return Err(ImportError::TooLarge { limit: limits.input_bytes });
    }
    if length > line_limit {
        return Err(ImportError::LineTooLong { number, limit: line_limit });
    }
    Ok(line)
}

/// NDJSON being read.
struct Lines {
    limits: ImportLimits,
    input: Input,
    /// Why the first line that was left out was.
    first_fault: Option<ImportError>,
}

impl Lines {
    fn new(limits: ImportLimits) -> Self {
        Self { limits, input: Input::default(), first_fault: None }
    }

    fn read(mut self, start: Start, mut reader: impl BufRead) -> Result<Input, ImportError> {
        let mut total = start.text.len() as u64;
        self.input.push_gap(start.text.get(..start.begin).unwrap_or_default());
        let (mut line, mut number) = (start.first_line().to_owned(), start.lines);
        drop(start);
        while !line.is_empty() {
            if line.len() as u64 > self.limits.line_bytes {
                return Err(ImportError::LineTooLong { number, limit: self.limits.line_bytes });
            }
            self.take(&line, number)?;
            number += 1;
            line = read_line(&mut reader, number, self.limits.line_bytes, self.limits, &mut total)?;
        }
        match self.first_fault {
            Some(fault) if !self.input.has_resource() => Err(fault),
            _ => Ok(self.input),
        }
    }

    fn take(&mut self, line: &[u8], number: usize) -> Result<(), ImportError> {
        if without_mark(line).is_empty() {
            self.input.push_gap(line);
            return Ok(());
        }
        let fault = match read_document(line, self.limits, &mut self.input) {
            Err(fault) if is_of_text(&fault) => fault,
            done => return done,
        };
        let documents = several::documents(line);
        if documents.len() > 1 {
            return read_several(line, documents, number, self.limits, &mut self.input);
        }
        leave_out(line, number, &fault, &mut self.input);
        self.first_fault.get_or_insert(match fault {
            ImportError::Json(reason) => ImportError::Line { number, reason },
            other => other,
        });
        Ok(())
    }
}

/// Reads documents that stand one after another, the first of them on line `number`.
fn read_several(
    text: &[u8],
    documents: Vec<std::ops::Range<usize>>,
    mut number: usize,
    limits: ImportLimits,
    input: &mut Input,
) -> Result<(), ImportError> {
    for document in documents {
        let document = text.get(document).unwrap_or_default();
        let blank = document.len() - without_mark_at_start(document).len();
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let at = number + lines(document.get(..blank).unwrap_or_default());
        match read_document(document, limits, input) {
            Err(fault) if is_of_text(&fault) => leave_out(document, at, &fault, input),
            done => done?,
        }
        number += lines(document);
    }
    Ok(())
}

/// Keeps the bytes of what could not be read, and says where it stands.
fn leave_out(text: &[u8], number: usize, fault: &ImportError, input: &mut Input) {
    input.push_gap(text);
    let reason = match fault {
        ImportError::Json(JsonError::LoneSurrogate { .. }) => FindingReason::LoneSurrogate,
        ImportError::Json(JsonError::CutOff { .. }) => FindingReason::CutOff,
        ImportError::Json(_) => FindingReason::NotJson,
        _ => FindingReason::NotAResource,
    };
    input.unread.push((format!("line {number}"), reason));
}

/// Whether a fault is that of a text, not that of a limit or of the reader.
fn is_of_text(fault: &ImportError) -> bool {
    match fault {
        ImportError::Json(JsonError::TooLong { .. } | JsonError::TooMany { .. }) => false,
        ImportError::Json(_) | ImportError::NotFhir => true,
        _ => false,
    }
}

/// Cuts a text into resources and what is between them.
fn read_document(text: &[u8], limits: ImportLimits, input: &mut Input) -> Result<(), ImportError> {
    let mark = text.len() - without_mark_at_start(text).len();
    let json = parse(without_mark(text), limits)?;
    let contents = bundle::contents(&json, limits)?;
    drop(json);
    let mut position = 0;
    for mut found in contents.found {
        let (start, end) = (found.span.start + mark, found.span.end + mark);
        if end - start > RESOURCE_LIMIT {
            let what = found.resource_type.unwrap_or_else(|| "Resource".to_owned());
            input.unread.push((what, FindingReason::ResourceTooLarge));
            continue;
        }
        input.push_gap(text.get(position..start).unwrap_or_default());
        found.bytes = text.get(start..end).unwrap_or_default().to_owned();
        found.text = input.texts;
        position = end;
        input.pieces.push(InputPiece::Resource(Box::new(found)));
    }
    input.push_gap(text.get(position..).unwrap_or_default());
    input.beside.extend(contents.beside);
    input.deleted.extend(contents.deleted);
    input.texts += 1;
    Ok(())
}

/// A text without the byte order marks and white space around it: files that were
/// joined have marks in their middle.
fn without_mark(text: &[u8]) -> &[u8] {
    let mut text = without_mark_at_start(text).trim_ascii_end();
    while let Some(rest) = text.strip_suffix(BYTE_ORDER_MARK) {
        text = rest.trim_ascii_end();
    }
    text
}

fn without_mark_at_start(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii_start();
    while let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
        text = rest.trim_ascii_start();
    }
    text
}

/// Parses a text within the limits of an import.
///
/// # Errors
/// [`ImportError`] for what is neither JSON nor XML, or exceeds a limit.
pub(crate) fn parse(text: &[u8], limits: ImportLimits) -> Result<Json, ImportError> {
    if is_xml(text) {
        let text = str::from_utf8(text).map_err(|_| ImportError::NotFhir)?;
        return Ok(to_json(text)?);
    }
    let bytes = usize::try_from(limits.input_bytes).unwrap_or(usize::MAX);
    Ok(Json::parse(text, JsonLimits { bytes, depth: DEPTH, values: limits.values })?)
}

/// Whether an input is a document of HL7 version 3, as its first bytes say.
fn is_cda(start: &Start, next: &[u8]) -> bool {
    ForeignFormat::of(&beginning(start, next)) == Some(ForeignFormat::Cda)
}

/// The first bytes of an input, of which the first line was read. `next` is what stands behind it.
fn beginning(start: &Start, next: &[u8]) -> Vec<u8> {
    let begin = start.text.get(..LOOKED_AT).unwrap_or(&start.text);
    [begin, next.get(..LOOKED_AT - begin.len()).unwrap_or(next)].concat()
}

/// Reads FHIR as XML. Originals are in UTF-8, in whatever encoding the input is.
fn read_xml(start: Start, mut reader: impl BufRead, limits: ImportLimits) -> Result<Input, ImportError> {
    let mut text = start.text;
    reader.read_to_end(&mut text)?;
    if text.len() as u64 > limits.input_bytes {
        return Err(ImportError::TooLarge { limit: limits.input_bytes });
    }
    let (text, recoded) = to_text(text)?;
    let mut input = Input::default();
    if recoded.is_some() {
        input.beside.push(("Resource".to_owned(), FindingReason::Recoded));
    }
    read_document(text.as_bytes(), limits, &mut input)?;
    Ok(input)
}

/// Refuses what is known and not read here, with its name. `next` is what stands behind the
/// first line.
fn refuse_by_name(start: &Start, next: &[u8]) -> Result<(), ImportError> {
    if let Some(format) = ForeignFormat::of(&beginning(start, next)) {
        return Err(ImportError::Foreign { format });
    }
    let start = start.first_line();
    if start.starts_with(b"\xff\xfe")
        || start.starts_with(b"\xfe\xff")
        || start.get(..2).is_some_and(|two| two.contains(&0))
    {
        return Err(ImportError::Utf16);
    }
    if without_mark(start).starts_with(b"<") {
        return Err(ImportError::FhirXml);
    }
    Ok(())
}

/// Whether the line is an object by itself; a bundle over several lines is not.
fn is_whole_object(line: &[u8], limits: ImportLimits) -> bool {
    let line = without_mark(line);
    line.is_empty() || (line.starts_with(b"{") && line.ends_with(b"}") && parse(line, limits).is_ok())
}

/// Whether the line is a resource by itself.
fn is_resource(line: &[u8], limits: ImportLimits) -> bool {
    let line = without_mark(line);
    let is_type = |json: Json| json.as_object().is_some_and(|object| type_of(object).is_some());
    line.starts_with(b"{") && line.ends_with(b"}") && parse(line, limits).is_ok_and(is_type)
}
