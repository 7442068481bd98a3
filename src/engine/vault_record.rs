//! The vault's own record: whose it is, and how it signs.

use crate::crypto::signature::SignatureAlgorithm;
use crate::payload::custody::VaultRecordV1;

/// Whose vault it is: with the jurisdiction it decides which law speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HolderRole {
    /// The person whom the records are about.
    Individual,
    /// A covered entity (45 CFR 160.103).
    CoveredEntity,
    /// A Part 2 program (42 CFR 2.11).
    Part2Program,
    /// A lawful holder of Part 2 records (42 CFR 2.11).
    LawfulHolder,
    /// A school (FERPA, 20 U.S.C. 1232g).
    School,
    /// An employer.
    Employer,
}

impl HolderRole {
    /// All roles; a role's number in the format is its position, from 1.
    const ALL: [Self; 6] = [
        Self::Individual,
        Self::CoveredEntity,
        Self::Part2Program,
        Self::LawfulHolder,
        Self::School,
        Self::Employer,
    ];

    pub(crate) fn number(self) -> u16 {
        (1..).zip(Self::ALL).find(|(_, role)| *role == self).map_or(0, |(number, _)| number)
    }

    pub(crate) fn from_number(number: u16) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// Whom a vault is named after, if it is an individual's.
pub(crate) fn holder_of(record: &VaultRecordV1) -> Option<&str> {
    let is_individual = HolderRole::from_number(record.holder_role) == Some(HolderRole::Individual);
    Some(record.holder_name.as_str()).filter(|name| is_individual && !name.is_empty())
}

/// The algorithms; an algorithm's number in the format is its position, from 1.
const ALGORITHMS: [SignatureAlgorithm; 2] = [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519];

/// An algorithm's number in the vault record.
pub(crate) fn algorithm_number(algorithm: SignatureAlgorithm) -> u16 {
    (1..).zip(ALGORITHMS).find(|(_, known)| *known == algorithm).map_or(0, |(number, _)| number)
}

/// What the vault's excerpts are signed with, if this version knows it.
pub(crate) fn signature_algorithm(record: &VaultRecordV1) -> Option<SignatureAlgorithm> {
    ALGORITHMS.get(usize::from(record.signing_algorithm).checked_sub(1)?).copied()
}
