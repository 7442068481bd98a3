//! What a ledger line says in numbers: acts, and facts about them.
//!
//! Numbers are never reused and never change their meaning.

/// An enum whose variants have a number in the vault and a name for people.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $word:literal;)* }
        unknown $(#[$unknown_doc:meta])*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            $(#[$unknown_doc])*
            Unknown(u16),
        }

        impl $name {
            /// A word or two for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(_) => "unknown",
                }
            }

            pub(super) fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Unknown(number) => number,
                }
            }

            pub(crate) fn from_number(number: u16) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    number => Self::Unknown(number),
                }
            }
        }
    };
}

numbered! {
    /// What was done.
    Action {
        /// The vault was created.
        Created = 1, "created";
        /// An entry was added.
        Added = 2, "added";
        /// Entries were imported.
        Imported = 3, "imported";
        /// An entry got a new revision.
        Amended = 4, "amended";
        /// An entry was withdrawn.
        Retracted = 5, "retracted";
        /// An entry was destroyed.
        Expunged = 6, "expunged";
        /// An excerpt was released.
        Released = 7, "released";
        /// A password was changed.
        PasswordChanged = 8, "password changed";
        /// Everything was exported in readable form.
        Exported = 9, "exported";
        /// The vault was copied to a backup.
        BackedUp = 10, "backed up";
        /// The vault's file was rewritten without what is no longer part of it.
        Compacted = 11, "compacted";
        /// A way into the vault was added.
        AccessGranted = 12, "access granted";
        /// A way into the vault was taken away.
        AccessRevoked = 13, "access revoked";
        /// An import was undone.
        ImportUndone = 14, "import undone";
        /// The answers that were given to imports were taken back.
        AnswersForgotten = 15, "answers forgotten";
        /// Entries were moved to another compartment.
        Moved = 19, "moved";
        /// Entries were added, amended, retracted, moved or destroyed: what those are told who
        /// do not see which.
        Changed = 16, "changed";
        /// Ways into the vault, or a password, were changed.
        AccessChanged = 17, "access changed";
        /// The vault was written anew: nothing changed that everybody who opens it sees.
        Renewed = 18, "renewed";
    }
    unknown
    /// An act that this version does not know.
}

numbered! {
    /// A further fact in a ledger line.
    Detail {
        /// Who received an excerpt.
        Recipient = 1, "recipient";
        /// What for.
        Purpose = 2, "purpose";
        /// What was selected and masked, as long as all that the release held is in the vault.
        Policy = 3, "policy";
        /// The id of the excerpt's copy, as its envelope has it.
        Excerpt = 4, "excerpt";
        /// What the owner calls a way in or a backup.
        Name = 5, "name";
        /// The checkpoint of a backup.
        Checkpoint = 6, "checkpoint";
        /// The fingerprint of the key that signed an excerpt, or that a way in signs with.
        Signer = 7, "signer";
        /// The number of an import that was undone.
        Import = 8, "import";
    }
    unknown
    /// A fact that this version does not know.
}

/// Who acted, as everybody who opens the vault is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The owner of the vault.
    Owner,
    /// Somebody else who has a way in.
    Member,
    /// The library, by a rule.
    Software,
    /// A role that this version does not know.
    Unknown,
}

impl Role {
    const KNOWN: [(Self, u16, &str); 3] =
        [(Self::Owner, 1, "owner"), (Self::Member, 2, "member"), (Self::Software, 3, "subrosa")];

    pub(super) fn number(self) -> u16 {
        Self::KNOWN.iter().find(|(role, ..)| *role == self).map_or(0, |(_, number, _)| *number)
    }

    pub(super) fn from_number(number: u16) -> Self {
        Self::KNOWN.iter().find(|(_, known, _)| *known == number).map_or(Self::Unknown, |(role, ..)| *role)
    }

    pub(super) fn name(self) -> &'static str {
        Self::KNOWN.iter().find(|(role, ..)| *role == self).map_or("unknown", |(.., name)| name)
    }
}

#[cfg(feature = "serde")]
crate::serial::written_as!(Action, |action| match action {
    Self::Unknown(number) => format!("unknown-{number}"),
    known => known.name().replace(' ', "-"),
});

#[cfg(feature = "serde")]
crate::serial::written_as!(Detail, |detail| match detail {
    Self::Unknown(number) => format!("unknown-{number}"),
    known => known.name().to_owned(),
});
