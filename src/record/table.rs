//! The macro that makes structs of the table of kinds: the struct, and the way to
//! fields and back.

/// Declares a struct for each kind of the table in `crates/base`.
macro_rules! records {
    ($(
        $(#[doc = $kind_doc:literal])+
        $number:literal $kind_name:literal $kind_label:literal $variant:ident $kind:ident (
            code: [$($code:ident)*], start: [$($start:ident)*], end: [$($end:ident)*], $span:ident,
            provider: [$($provider:ident)*], title: [$($title:ident)*]
        ) {
            $($(#[doc = $field_doc:literal])+ $tag:literal $field:ident $label:literal: $type:ty;)+
        }
    )+) => {
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
                    _ => unreachable!("one table has the kinds and the structs"),
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
                    $(Self::$variant(_) => records!(@span $span),)+
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

        /// The type of each field as its struct has it, and whether it repeats.
        #[cfg(test)]
        pub(super) fn types() -> Vec<(Kind, u16, subrosa_base::schema::FieldType, bool)> {
            vec![$($((Kind::$variant, $tag, <$type as Member>::TYPE, <$type as Member>::REPEATS),)+)+]
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
pub(super) use records;

/// What a missing end of a record's dates means.
pub(super) enum Span {
    /// Still so, or not known.
    Open,
    /// The same moment as the start.
    Point,
}
