//! What is shown of an entry's disclosed claims: the one place that turns them into
//! words, for preview, verifier and page alike.
//!
//! Every member is shown or the entry is refused: what stands in a known field has the
//! shape of its type, and what is not known is shown member by member.

mod line;
mod names;
mod parts;
subrosa_base::redacted_debug!(Claims<'_>);

#[cfg(test)]
mod tests;
mod value;

pub use line::{ShownLine, Unsound};
pub use names::{MAX_NAME, code_system, is_name, kind_label, label};

use std::fmt;

use self::names::{field_label, provenance_label, title};
use self::value::Writer;
use subrosa_base::codec::block::spell_block;
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::schema::{FieldType, Kind, denies as denies_by_word, denies_by_flag};

/// An entry as its reader sees it. All texts are spelt, as [`spell`](crate::spell) does.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ShownEntry {
    /// The kind of record and what it is about, with the negation before it:
    /// `Immunization: NOT GIVEN: Influenza vaccine`.
    pub heading: String,
    /// What the reader must know before anything else of the entry.
    pub warnings: Vec<String>,
    /// The claims, in the order of the kind's fields, provenance behind.
    pub lines: Vec<ShownLine>,
}

subrosa_base::redacted_debug!(ShownEntry, Shown);

/// Columns of a printed entry, fewer than a terminal has.
const COLUMNS: usize = 78;
/// Most steps that a printed line stands further in.
const STEPS: usize = 8;

/// The heading, the warnings and the lines, for a terminal of 80 columns: nothing that a
/// record says begins at the edge.
impl fmt::Display for ShownEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut block = |beginning: &str, text: &str| {
            spell_block(f, beginning, text, COLUMNS)?;
            f.write_str("\n")
        };
        block("  ", &self.heading)?;
        for warning in &self.warnings {
            block("    ! ", warning)?;
        }
        for line in &self.lines {
            let text = if line.withheld { "(withheld)" } else { line.text.as_str() };
            let margin = "  ".repeat(line.depth.min(STEPS));
            block(&format!("    {margin}{}: ", line.label), text)?;
        }
        Ok(())
    }
}

/// The disclosed claims of an entry.
pub struct Claims<'a> {
    pub kind: &'a str,
    pub fields: &'a Object,
    pub provenance: &'a Object,
    pub negation: Option<&'a str>,
    pub not_understood: &'a [String],
    /// The holder of the record changed it after it was imported.
    pub is_changed: bool,
    /// Words stay that may take back what is disclosed.
    pub words_withheld: bool,
    pub bars: &'a [&'a str],
    /// The mark that all bear which may be one record.
    pub perhaps_same: Option<usize>,
}

/// Bytes of words that the entries of a document may have beyond those of their tokens:
/// labels, and what stands for characters that cannot be seen.
const MORE_WORDS: usize = 1 << 20;

/// Bytes that the words of all entries may take whose tokens have this many.
#[must_use]
pub fn room_for_words(tokens: usize) -> usize {
    tokens.saturating_add(MORE_WORDS)
}

/// What is shown of claims.
pub struct Shown {
    pub entry: ShownEntry,
    /// Bytes of its heading, warnings, labels and texts, or why they are not all there.
    pub bytes: Result<usize, Unsound>,
}

/// What is shown in no more than so many bytes, and whether every known field has the shape
/// of its type.
pub fn show(claims: &Claims<'_>, room: usize) -> Shown {
    let kind = Kind::from_name(claims.kind);
    let mut writer = Writer::new(room);
    let heading = heading(claims, &mut writer);
    let warnings = warnings(claims, &mut writer);
    for name in field_order(kind, claims) {
        writer.begin(name);
        let label = field_label(kind, name);
        if let Some(value) = claims.fields.member(name) {
            match kind.and_then(|kind| kind.field(name)) {
                Some(schema) => writer.field(&label, value, schema.field_type, schema.repeats),
                None => writer.unknown(0, &label, value),
            }
        }
        if claims.bars.contains(&name) {
            writer.bar(&label);
        }
    }
    let mut provenance: Vec<_> = claims.provenance.members().iter().collect();
    provenance.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, value) in provenance {
        writer.begin(name);
        match provenance_type(name) {
            _ if name == "origin" => writer.origin(&provenance_label(name), value),
            Some((field_type, repeats)) => writer.field(&provenance_label(name), value, field_type, repeats),
            None if name == "labels" => writer.codings(&provenance_label(name), value),
            None => writer.unknown(0, &provenance_label(name), value),
        }
    }
    if claims.negation.is_none() && denies(kind, claims.fields) {
        writer.refuse(Unsound::Malformed);
    }
    let (lines, bytes) = writer.finish(room);
    Shown { entry: ShownEntry { heading, warnings, lines }, bytes }
}

/// Whether a field of a known kind denies what the record names: then the token must say
/// so too, since its title would say the opposite.
fn denies(kind: Option<Kind>, fields: &Object) -> bool {
    let says = |kind: Kind, (name, value): &(String, Json)| match value {
        Json::String(word) => denies_by_word(kind, name, word),
        Json::Bool(flag) => *flag && denies_by_flag(name),
        _ => false,
    };
    kind.is_some_and(|kind| fields.members().iter().any(|field| says(kind, field)))
}

fn heading(claims: &Claims<'_>, writer: &mut Writer) -> String {
    let mut heading = kind_label(claims.kind);
    let negation = claims.negation.and_then(|words| writer.words(words)).map(|words| words.to_uppercase());
    let title = title(claims.fields).and_then(|title| writer.words(&title));
    for part in negation.into_iter().chain(title) {
        heading.push_str(": ");
        heading.push_str(&part);
    }
    heading
}

fn warnings(claims: &Claims<'_>, writer: &mut Writer) -> Vec<String> {
    let paths: Vec<String> = claims.not_understood.iter().filter_map(|path| writer.words(path)).collect();
    let paths = paths.join(", ");
    let mut warnings = Vec::new();
    if !claims.not_understood.is_empty() {
        warnings.push(format!(
            "Part of this record changes its meaning and was not understood: {paths}. Do not rely on the rest \
             without asking its author."
        ));
    }
    if claims.words_withheld {
        warnings.push(
            "Words of the source that stand beside this were left out. They may limit what it says or take it \
             back: ask for them before you rely on it."
                .to_owned(),
        );
    }
    if claims.is_changed {
        warnings.push(
            "Whoever keeps this record changed it after it was imported: it is not what its source says."
                .to_owned(),
        );
    }
    if let Some(mark) = claims.perhaps_same {
        warnings.push(format!(
            "Perhaps one record, mark {mark}: this and every other record here with mark {mark} are about the same at \
             the same time and came from different sources. They may be one and the same, and may contradict each \
             other."
        ));
    }
    warnings
}

/// The fields to show, disclosed or withheld: in the order of the kind's schema,
/// unknown ones behind, by name.
fn field_order<'a>(kind: Option<Kind>, claims: &Claims<'a>) -> Vec<&'a str> {
    let disclosed = claims.fields.members().iter().map(|(name, _)| name.as_str());
    let mut names: Vec<&str> = disclosed.chain(claims.bars.iter().copied()).collect();
    let place = |name: &str| kind.and_then(|kind| kind.field(name)).map_or(u16::MAX, |schema| schema.tag);
    names.sort_by(|one, other| place(one).cmp(&place(other)).then_with(|| one.cmp(other)));
    names.dedup();
    names
}

fn provenance_type(name: &str) -> Option<(FieldType, bool)> {
    Some(match name {
        "origin" | "document" | "identity" => (FieldType::Token, false),
        "provider" => (FieldType::Party, false),
        "recorded" => (FieldType::Date, false),
        "source" => (FieldType::Narrative, false),
        _ => return None,
    })
}

/// What is shown of an object of disclosed claims: `None` where it is no entry's.
pub fn show_disclosed(disclosed: &Object, bars: &[&str], perhaps_same: Option<usize>) -> Option<Shown> {
    let member = |name| disclosed.member(name);
    let paths = member(super::claims::NOT_UNDERSTOOD).and_then(Json::as_array).unwrap_or_default();
    let paths: Vec<String> = paths.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    let claims = Claims {
        kind: member("kind")?.as_str()?,
        fields: member("fields")?.as_object()?,
        provenance: member("provenance")?.as_object()?,
        negation: member(super::claims::NEGATION).and_then(Json::as_str),
        not_understood: &paths,
        is_changed: member(super::claims::CHANGED).is_some(),
        words_withheld: member(super::claims::WORDS_WITHHELD).is_some(),
        bars,
        perhaps_same,
    };
    Some(show(&claims, usize::MAX))
}
