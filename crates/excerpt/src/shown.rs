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

pub use line::ShownLine;
pub use names::{code_system, kind_label, label};

use std::fmt;

use self::names::{field_label, provenance_label, title};
use self::value::Writer;
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::codec::spell::spell;
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

subrosa_base::redacted_debug!(ShownEntry);

/// The heading, the warnings and the lines, each line of content indented: nothing that a
/// record says begins at the edge.
impl fmt::Display for ShownEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.heading)?;
        for warning in &self.warnings {
            writeln!(f, "    ! {warning}")?;
        }
        for line in &self.lines {
            let text = line.text.replace('\n', "\n        ");
            let text = if line.withheld { "(withheld)" } else { text.as_str() };
            writeln!(f, "    {:indent$}{}: {text}", "", line.label, indent = 2 * line.depth)?;
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

/// What is shown, and whether every known field has the shape of its type.
pub fn show(claims: &Claims<'_>) -> (ShownEntry, bool) {
    let kind = Kind::from_name(claims.kind);
    let mut writer = Writer::default();
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
    let shown = ShownEntry { heading: heading(claims), warnings: warnings(claims), lines: writer.lines };
    (shown, writer.is_sound && (claims.negation.is_some() || !denies(kind, claims.fields)))
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

fn heading(claims: &Claims<'_>) -> String {
    let mut heading = kind_label(claims.kind);
    let negation = claims.negation.map(|words| spell(words).to_uppercase());
    for part in negation.into_iter().chain(title(claims.fields)) {
        heading.push_str(": ");
        heading.push_str(&part);
    }
    heading
}

fn warnings(claims: &Claims<'_>) -> Vec<String> {
    let paths = claims.not_understood.iter().map(|path| spell(path)).collect::<Vec<_>>().join(", ");
    let warning = format!(
        "Part of this record changes its meaning and was not understood: {paths}. Do not rely on the rest \
         without asking its author."
    );
    let mut warnings = if paths.is_empty() { Vec::new() } else { vec![warning] };
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

/// The claims of an object of disclosed claims: `None` where it is no entry's.
pub fn show_disclosed(
    disclosed: &Object,
    bars: &[&str],
    perhaps_same: Option<usize>,
) -> Option<(ShownEntry, bool)> {
    let member = |name| disclosed.member(name);
    let paths = member(super::claims::NOT_UNDERSTOOD).and_then(Json::as_array).unwrap_or_default();
    let paths: Vec<String> = paths.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    Some(show(&Claims {
        kind: member("kind")?.as_str()?,
        fields: member("fields")?.as_object()?,
        provenance: member("provenance")?.as_object()?,
        negation: member(super::claims::NEGATION).and_then(Json::as_str),
        not_understood: &paths,
        is_changed: member(super::claims::CHANGED).is_some(),
        words_withheld: member(super::claims::WORDS_WITHHELD).is_some(),
        bars,
        perhaps_same,
    }))
}
