//! What is wrong with an XML document, and where. Names no value of it.

use std::fmt;

use thiserror::Error;

/// Why an XML document cannot be read. Names no value of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}, byte {offset}: {fault}")]
#[non_exhaustive]
pub struct XmlError {
    /// What is wrong.
    pub fault: XmlFault,
    /// On which line, from 1.
    pub line: usize,
    /// At which byte of the document in UTF-8, from 0.
    pub offset: usize,
}

/// What is wrong with an XML document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum XmlFault {
    /// It breaks the rules of XML: tags that do not match, attributes twice, text outside.
    NotWellFormed,
    /// It ends before its elements do.
    CutOff,
    /// It has a document type (`<!DOCTYPE`), which may hold entities that multiply.
    DocumentType,
    /// It names an entity other than the five of XML, or a character that is none.
    Entity,
    /// Its elements are nested too deeply.
    TooDeep,
    /// It has too many elements or attributes.
    TooMany,
    /// An element has too many attributes, or too many namespaces are in scope.
    TooManyAttributes,
    /// It is not in the encoding that it has or declares.
    NotInItsEncoding,
    /// It declares an encoding that is not read.
    UnknownEncoding,
}

impl XmlError {
    /// A fault at a byte of a text.
    pub(super) fn at(text: &str, offset: usize, fault: XmlFault) -> Self {
        Self::in_bytes(text.as_bytes(), offset, fault)
    }

    pub(super) fn in_bytes(bytes: &[u8], offset: usize, fault: XmlFault) -> Self {
        let offset = offset.min(bytes.len());
        let before = bytes.get(..offset).unwrap_or(bytes);
        Self { fault, line: 1 + before.iter().filter(|byte| **byte == b'\n').count(), offset }
    }
}

impl fmt::Display for XmlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotWellFormed => "not well-formed XML: the file may be damaged; fetch it again",
            Self::CutOff => "the XML seems to be cut off here; fetch it again",
            Self::DocumentType => {
                "a document type (<!DOCTYPE), which is refused: it may hide what the document says"
            }
            Self::Entity => "an entity or a character that XML does not have",
            Self::TooDeep => "elements are nested deeper than 200 levels",
            Self::TooMany => "more elements or attributes than the record of a person has",
            Self::TooManyAttributes => "more attributes or namespaces than an element of a record has",
            Self::NotInItsEncoding => {
                "not in the encoding that the document declares: the file may be damaged; fetch it again"
            }
            Self::UnknownEncoding => "in an encoding that is not read; convert it to UTF-8",
        })
    }
}
