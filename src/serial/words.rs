//! What is one word: origins, versions, compartments.

use serde::ser::{Serialize, Serializer};
use subrosa_base::serial::error::Fault;
use subrosa_base::serial::node::Node;
use subrosa_base::serial::shape::Read;
use subrosa_base::{deserialize_by_serde as deserialize, words_by_serde as words};

use crate::format::place::Compartment;
use crate::record::{FhirVersion, Origin, PersonDetail};

words! {
    Origin {
        "imported" Imported,
        "entered-by-owner" EnteredByOwner,
        "entered-by-provider" EnteredByProvider,
        "imported-and-changed" ImportedAndChanged,
    }
    FhirVersion { "DSTU2" Dstu2, "STU3" Stu3, "R4" R4, "R4B" R4B, "R5" R5 }
    PersonDetail { "name" Name, "birth-date" BirthDate, "gender" Gender, "identifier" Identifier }
}

impl Serialize for Compartment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Read for Compartment {
    fn read(node: Node) -> Result<Self, Fault> {
        let text = node.into_text()?;
        let found = Self::ALL.into_iter().find(|one| one.name() == text);
        found.ok_or_else(|| Fault::word(&Self::ALL.map(Self::name)))
    }
}

deserialize!(Compartment);
