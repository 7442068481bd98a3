//! Names of fields for programs and for people, over all kinds.
//!
//! A label is of one name, so that whoever reads it can say which field they mean. The
//! other way round a name has one label among the kinds, and may have another one as a
//! part of the provenance.

use std::fmt;

use super::Kind;

/// What every entry has beside the fields of its kind, as policies and excerpts name it.
pub const PROVENANCE: [FieldName; 7] = [
    FieldName { name: "origin", label: "Origin" },
    FieldName { name: "provider", label: "Provided by" },
    FieldName { name: "recorded", label: "Last changed" },
    FieldName { name: "document", label: "From the document" },
    FieldName { name: "identity", label: "Identity in the source" },
    FieldName { name: "labels", label: "Security labels" },
    FieldName { name: "source", label: "Original document" },
];

/// A field by its two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct FieldName {
    /// For programs, such as `onset`: masks and JSON use it.
    pub name: &'static str,
    /// For people, such as `Began`: previews, pages and verifiers show it.
    pub label: &'static str,
}

/// The name for programs, and that for people where it is another word: `onset (Began)`.
impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.label.to_lowercase() == self.name.replace('_', " ") {
            true => Ok(()),
            false => write!(f, " ({})", self.label),
        }
    }
}

impl FieldName {
    /// Every field that entries may have, sorted: those of all kinds, and those of the
    /// provenance. `recorded` is there twice, once as each.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let fields = Kind::all().iter().flat_map(|kind| kind.schema());
        let fields = fields.map(|field| Self { name: field.name, label: field.label });
        let mut all: Vec<Self> = fields.chain(PROVENANCE).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The field that is meant by a name or a label, in whatever case:
    ///
    /// ```
    /// # use subrosa_base::FieldName;
    /// assert_eq!(FieldName::find("began").map(|field| field.name), Some("onset"));
    /// assert_eq!(FieldName::find("onset").map(|field| field.label), Some("Began"));
    /// assert_eq!(FieldName::find("beginning"), None);
    /// ```
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let all = Self::all();
        let named = all.iter().find(|field| field.name == text);
        named.or_else(|| all.iter().find(|field| field.label.to_lowercase() == text)).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_label_is_of_one_name_and_a_name_has_one_label_among_the_kinds() {
        let mut names = BTreeMap::new();
        for field in FieldName::all() {
            let label = field.label.to_lowercase();
            assert_eq!(names.insert(label.clone(), field.name), None, "{label}");
            assert_eq!(FieldName::find(&label).map(|found| found.name), Some(field.name));
            assert_eq!(FieldName::find(field.name).map(|found| found.name), Some(field.name));
        }
        let mut labels = BTreeMap::new();
        for field in Kind::all().iter().flat_map(|kind| kind.schema()) {
            assert_eq!(*labels.entry(field.name).or_insert(field.label), field.label, "{}", field.name);
        }
    }
}
