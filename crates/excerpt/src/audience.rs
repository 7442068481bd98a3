//! For whom an excerpt is.

/// For whom a release is. It decides what leaves unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Audience {
    /// Insurers, employers, schools, authorities: the date of birth, words beside codes
    /// and entries whose meaning was not understood stay, unless they are asked for.
    #[default]
    ThirdParty,
    /// Those who treat the patient: they get these too, marked.
    Treatment,
    /// The patient's own copy: as for treatment.
    Patient,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 3] = [Self::ThirdParty, Self::Treatment, Self::Patient];

    /// The name, such as `third-party`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ThirdParty => "third-party",
            Self::Treatment => "treatment",
            Self::Patient => "patient",
        }
    }

    /// The audience of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_has_a_name() {
        for audience in Audience::ALL {
            assert_eq!(Audience::from_name(audience.name()), Some(audience));
        }
        assert_eq!(Audience::from_name("anybody"), None);
    }
}
