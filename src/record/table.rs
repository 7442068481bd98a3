//! The macro behind the table of kinds: one declaration gives the struct, the
//! schema, and the way to fields and back.
//!
//! Numbers and tags are the ones stored in vaults: they are never reused.

/// Declares the kinds. Each reads
///
/// ```text
/// /// What it is.
/// NUMBER "name" "Label" Variant Struct (code: [members], start: [members], end: [members], span, title: [members]) {
///     /// What the field means.
///     TAG member "Label": Option<T> or Vec<T>;
/// }
/// ```
///
/// `code`, `start`, `end` and `title` list the members that listing looks at, in
/// order; `span` is `open` when a missing end means "still so, or not known", and
/// `point` when it means "the same moment".
macro_rules! kinds {
    ($(
        $(#[doc = $kind_doc:literal])+
        $number:literal $kind_name:literal $kind_label:literal $variant:ident $kind:ident (
            code: [$($code:ident)*], start: [$($start:ident)*], end: [$($end:ident)*], $span:ident,
            provider: [$($provider:ident)*], title: [$($title:ident)*]
        ) {
            $($(#[doc = $field_doc:literal])+ $tag:literal $field:ident $label:literal: $type:ty;)+
        }
    )+) => {
        /// The kinds of record. Names and numbers never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {$(
            $(#[doc = $kind_doc])+
            $variant,
        )+}

        impl Kind {
            /// Every kind, by number.
            #[must_use]
            pub fn all() -> &'static [Kind] {
                &[$(Self::$variant),+]
            }

            /// The name, such as `diagnosis`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind_name,)+
                }
            }

            /// The name for people, such as `Substance use`: the one that a page shows.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind_label,)+
                }
            }

            /// The number that stands for the kind in a vault.
            #[must_use]
            pub fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $number,)+
                }
            }

            /// What the kind is, in a sentence or two.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($kind_doc),+).trim_ascii(),)+
                }
            }

            /// What fields a record of this kind may have, by tag.
            #[must_use]
            pub fn schema(self) -> &'static [FieldSchema] {
                match self {
                    $(Self::$variant => const { &[$(
                        FieldSchema {
                            tag: $tag,
                            name: stringify!($field),
                            label: $label,
                            field_type: <$type as Member>::TYPE,
                            repeats: <$type as Member>::REPEATS,
                            doc: concat!($($field_doc),+).trim_ascii(),
                        },
                    )+] },)+
                }
            }
        }

        $(
            $(#[doc = $kind_doc])+
            #[derive(Clone, PartialEq, Eq, Default)]
            #[non_exhaustive]
            pub struct $kind {$(
                $(#[doc = $field_doc])+
                pub $field: $type,
            )+}

            redacted_debug!($kind);

            impl $kind {
                /// The values, sorted by tag and index.
                pub(crate) fn values(&self) -> Vec<FieldRef<'_>> {
                    let mut values = Vec::new();
                    $(Member::lend(&self.$field, $tag, &mut values);)+
                    values
                }

                pub(super) fn accept(&mut self, tag: u16, index: u16, value: Value) -> Option<Result<(), Refusal>> {
                    match tag {
                        $($tag => Some(Member::accept(&mut self.$field, index, value)),)+
                        _ => None,
                    }
                }
            }

            impl From<$kind> for Record {
                fn from(record: $kind) -> Self {
                    Self::$variant(Box::new(record))
                }
            }
        )+

        /// What an entry says: one record of one kind.
        #[derive(Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Record {$(
            $(#[doc = $kind_doc])+
            $variant(Box<$kind>),
        )+}

        impl Record {
            /// The kind of the record.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$variant(_) => Kind::$variant,)+
                }
            }

            /// The record's values, sorted by tag and index.
            #[must_use]
            pub fn into_fields(self) -> Vec<Field> {
                let mut fields = Vec::new();
                match self {
                    $(Self::$variant(record) => {
                        $(record.$field.give($tag, stringify!($field), &mut fields);)+
                    })+
                }
                fields
            }

            /// The record's values, as [`Record::into_fields`] gives them.
            pub(crate) fn values(&self) -> Vec<FieldRef<'_>> {
                match self {
                    $(Self::$variant(record) => record.values(),)+
                }
            }

            /// An empty record of this kind.
            #[must_use]
            pub fn empty(kind: Kind) -> Self {
                match kind {
                    $(Kind::$variant => Self::$variant(Box::default()),)+
                }
            }

            pub(super) fn accept(&mut self, tag: u16, index: u16, value: Value) -> Option<Result<(), Refusal>> {
                match self {
                    $(Self::$variant(record) => record.accept(tag, index, value),)+
                }
            }

            /// The main code: what the record is about.
            #[must_use]
            pub fn code(&self) -> Option<&Concept> {
                match self {
                    $(Self::$variant(_record) => None$(.or_else(|| Member::concept(&_record.$code)))*,)+
                }
            }

            pub(super) fn first_date(&self) -> Option<&PartialDate> {
                match self {
                    $(Self::$variant(_record) => None$(.or_else(|| Member::date(&_record.$start)))*,)+
                }
            }

            pub(super) fn last_date(&self) -> Option<&PartialDate> {
                match self {
                    $(Self::$variant(_record) => None$(.or_else(|| Member::date(&_record.$end)))*,)+
                }
            }

            pub(super) fn span(&self) -> Span {
                match self {
                    $(Self::$variant(_) => kinds!(@span $span),)+
                }
            }

            pub(super) fn own_title(&self) -> Option<String> {
                match self {
                    $(Self::$variant(_record) => None$(.or_else(|| Member::title(&_record.$title)))*,)+
                }
            }

            pub(super) fn provider_title(&self) -> Option<String> {
                match self {
                    $(Self::$variant(_record) => None$(.or_else(|| Member::title(&_record.$provider)))*,)+
                }
            }

            pub(super) fn matches(&self, needle: &Needle) -> bool {
                match self {
                    $(Self::$variant(record) => false $(|| Member::matches(&record.$field, needle))+,)+
                }
            }
        }

        /// Hands the struct and the variant of every kind to a macro.
        #[cfg(feature = "serde")]
        macro_rules! each_kind {
            ($then:ident) => {
                $then! { $($kind $variant;)+ }
            };
        }
        #[cfg(feature = "serde")]
        pub(crate) use each_kind;
    };
    (@span open) => { Span::Open };
    (@span point) => { Span::Point };
}
pub(super) use kinds;

/// What a missing end of a record's dates means.
pub(super) enum Span {
    /// Still so, or not known.
    Open,
    /// The same moment as the start.
    Point,
}
