//! XML as a tree of elements that know where they stand in the document.
//!
//! One pass of `quick-xml` builds it, within limits: no document type, no entities but the
//! five of XML, no depth, number of elements or attributes that a document of a person's
//! record does not have. Nothing here recurses, so no input overflows the stack.

mod encoding;
mod fault;
mod tree;

pub(crate) use encoding::{declares_utf_16, to_text};
pub use fault::{XmlError, XmlFault};
pub(crate) use tree::{El, Inside, Space, Tree};

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use quick_xml::{Error, XmlVersion};

use self::tree::{Builder, space_of};

/// Most levels of elements. C-CDA has about 30.
const DEPTH: usize = 200;
/// Most elements and texts. The largest documents in the field have some 40 000.
const NODES: usize = 400_000;
/// Most attributes of one element.
const ATTRIBUTES_OF_ONE: usize = 256;
/// Most attributes.
const ATTRIBUTES: usize = 500_000;
/// Most namespaces that are in scope at one place.
const BINDINGS: usize = 64;

/// The tree of a document.
///
/// # Errors
/// [`XmlError`] for what is not well-formed, has a document type, or exceeds a limit.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut parsing = Parsing {
        text,
        builder: Builder::new(
            text,
            (text.len() / 8).min(NODES + 2),
            (text.len() / 8).min(ATTRIBUTES + ATTRIBUTES_OF_ONE),
        ),
        bindings: Vec::new(),
        open: Vec::new(),
    };
    loop {
        let at = position(reader.buffer_position());
        let event = reader.read_event();
        let end = position(reader.buffer_position());
        match event {
            Ok(Event::Eof) => return parsing.finish(),
            Ok(event) => parsing.take(event, at, end)?,
            Err(error) => {
                let at = position(reader.error_position()).max(at);
                return Err(parsing.not_well_formed(&error, at));
            }
        }
    }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

struct Parsing<'a> {
    text: &'a str,
    builder: Builder<'a>,
    /// Prefixes with what they stand for, and the depth at which that was said.
    bindings: Vec<(usize, &'a str, Space)>,
    /// The elements that are open.
    open: Vec<u32>,
}

impl<'a> Parsing<'a> {
    fn fault(&self, fault: XmlFault, at: usize) -> XmlError {
        XmlError::at(self.text, at, fault)
    }

    fn not_well_formed(&self, error: &Error, at: usize) -> XmlError {
        let is_cut = match error {
            Error::Syntax(_) => true,
            Error::IllFormed(fault) => matches!(fault, quick_xml::errors::IllFormedError::MissingEndTag(_)),
            _ => false,
        };
        match is_cut {
            true => self.fault(XmlFault::CutOff, self.text.len()),
            false => self.fault(XmlFault::NotWellFormed, at),
        }
    }

    fn take(&mut self, event: Event<'_>, at: usize, end: usize) -> Result<(), XmlError> {
        match event {
            Event::Start(start) => {
                let node = self.element(&start, at, end)?;
                self.open.push(node);
            }
            Event::Empty(start) => {
                self.element(&start, at, end)?;
                self.leave();
            }
            Event::End(_) => {
                if let Some(node) = self.open.pop() {
                    self.builder.close(node, end);
                }
                self.leave();
            }
            Event::Text(text) => {
                let said = text.xml10_content();
                self.words(&said, at)?;
            }
            Event::CData(text) => {
                let said = text.xml10_content();
                self.words(&said, at)?;
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character.to_string()),
                    Ok(None) => quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned),
                    Err(_) => None,
                };
                let said = resolved.ok_or_else(|| self.fault(XmlFault::Entity, at))?;
                self.words(&said, at)?;
            }
            Event::DocType(_) => return Err(self.fault(XmlFault::DocumentType, at)),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::Eof => {}
        }
        Ok(())
    }

    /// Forgets what the element that ends here said of prefixes.
    fn leave(&mut self) {
        let depth = self.open.len();
        while self.bindings.last().is_some_and(|(at, _, _)| *at >= depth) {
            self.bindings.pop();
        }
    }

    /// Takes words, as a part of the document where they stand in it.
    fn words(&mut self, said: &str, at: usize) -> Result<(), XmlError> {
        let Some(parent) = self.open.last() else {
            let is_blank = said.chars().all(|c| c.is_whitespace() || c == '\u{feff}');
            return if is_blank { Ok(()) } else { Err(self.fault(XmlFault::NotWellFormed, at)) };
        };
        let said = self.lent(said).map_or_else(|| Cow::Owned(said.to_owned()), Cow::Borrowed);
        match self.builder.words(*parent, said, at) {
            true if self.builder.len() > NODES => Err(self.fault(XmlFault::TooMany, at)),
            _ => Ok(()),
        }
    }

    fn element(&mut self, start: &BytesStart<'_>, at: usize, end: usize) -> Result<u32, XmlError> {
        if self.open.len() >= DEPTH {
            return Err(self.fault(XmlFault::TooDeep, at));
        }
        if self.open.is_empty() && self.builder.len() > 0 {
            return Err(self.fault(XmlFault::NotWellFormed, at));
        }
        let mut attributes = Vec::new();
        for found in start.attributes() {
            let found = found.map_err(|_| self.fault(XmlFault::NotWellFormed, at))?;
            if attributes.len() >= ATTRIBUTES_OF_ONE {
                return Err(self.fault(XmlFault::TooManyAttributes, at));
            }
            let value = found
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| self.fault(XmlFault::Entity, at))?;
            let value = match value {
                Cow::Borrowed(part) => self.lent(part).map_or_else(|| part.to_owned().into(), Cow::Borrowed),
                Cow::Owned(text) => Cow::Owned(text),
            };
            let key = found.key;
            let key: &'a str = self.lent(key.as_ref()).unwrap_or_default();
            attributes.push((key, value));
        }
        let depth = self.open.len();
        for (key, value) in &attributes {
            let prefix = if *key == "xmlns" { Some("") } else { key.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                self.bindings.push((depth, prefix, space_of(value)));
                if self.bindings.len() > BINDINGS {
                    return Err(self.fault(XmlFault::TooManyAttributes, at));
                }
            }
        }
        let name = start.name();
        let name: &'a str = self.lent(name.as_ref()).unwrap_or_default();
        let (prefix, name) = name.split_once(':').unwrap_or(("", name));
        let space = self.bound(prefix);
        let node = self.builder.element(self.open.last().copied(), (space, name), at, end);
        for (key, value) in attributes {
            let (space, key) = match key.split_once(':') {
                Some((prefix, key)) => (self.bound(prefix), key),
                None => (Space::None, key),
            };
            self.builder.attribute(node, (space, key), value);
        }
        if self.builder.len() > NODES || self.builder.attributes() > ATTRIBUTES {
            return Err(self.fault(XmlFault::TooMany, at));
        }
        Ok(node)
    }

    fn bound(&self, prefix: &str) -> Space {
        if matches!(prefix, "xmlns" | "xml") {
            return Space::Other;
        }
        let found = self.bindings.iter().rev().find(|(_, known, _)| *known == prefix);
        found.map_or(if prefix.is_empty() { Space::None } else { Space::Other }, |(_, _, space)| *space)
    }

    /// The part of the document that this text is.
    fn lent(&self, part: &str) -> Option<&'a str> {
        let start = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        self.text.get(start..start.checked_add(part.len())?)
    }

    fn finish(self) -> Result<Tree<'a>, XmlError> {
        if !self.open.is_empty() {
            return Err(self.fault(XmlFault::CutOff, self.text.len()));
        }
        match self.builder.len() {
            0 => Err(self.fault(XmlFault::NotWellFormed, 0)),
            _ => Ok(self.builder.finish()),
        }
    }
}

#[cfg(test)]
mod tests;
