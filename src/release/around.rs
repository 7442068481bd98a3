//! What a recipient reads around the entries: who signs, how the selection was made, and
//! the sentences that explain it. The owner sees the same in the preview.

use subrosa_excerpt::attribution::who_will_sign;
use subrosa_excerpt::{Audience, IssuerRole};

use super::view::{Issuer, View};
use crate::codec::json::Json;

/// What the policy alone tells the reader, whatever the vault holds.
const NOTICE_WITH_WORDS: &str = "Free text other than the words that stand beside a result, attachments, identifiers, \
                                 contact details, references, what identifies relatives and original documents \
                                 are left out unless they are listed as kept in full.";
/// The same for third parties, who get no free text at all.
const NOTICE_DEFAULTS: &str = "Free text, attachments, identifiers, contact details, references, what \
                               identifies relatives and original documents are left out unless they are \
                               listed as kept in full.";
/// What a third party does not get on top of that.
const NOTICE_THIRD_PARTY: &str = "For third parties, the date of birth and words beside codes are left out too, \
                                  unless they are listed as kept in full; so are records entered in error, and, \
                                  unless they were asked for, records that were not understood and results \
                                  beside which words are left out.";
const NOTICE_CODES: &str = "Codes were compared as written: the same condition coded in another system, or \
                            in words only, is not included.";
const NOTICE_DATES: &str = "Only entries that certainly lie in the date range are included; entries without \
                            a date are not.";

impl View {
    /// The same view, which says who will sign it.
    pub(crate) fn signed_as(mut self, name: &str, role: IssuerRole) -> Self {
        self.issuer = Some(Issuer { name: name.to_owned(), role });
        self
    }

    /// What the recipient reads of who signs, in whole sentences: the name, whether a clinic
    /// vouches for the excerpt, and whether the patient who signs has another name than the
    /// patient of the records. How far the key is trusted is the recipient's to know. Empty
    /// for a view that no vault made, since nothing says then who signs.
    #[must_use]
    pub fn who_signs(&self) -> Vec<String> {
        let issuer = self.issuer.as_ref();
        issuer.map(|issuer| who_will_sign(&issuer.name, issuer.role, self.subject())).unwrap_or_default()
    }

    /// The sentence by which the recipient learns that the patient who signs has another name
    /// than the patient of the records.
    #[must_use]
    pub fn differing_names(&self) -> Option<String> {
        // It is the only one behind the name and the role.
        self.who_signs().into_iter().nth(2)
    }

    /// What the recipient reads of how the selection was made: what each line is about, and
    /// its words.
    #[must_use]
    pub fn selection(&self) -> Vec<(&'static str, String)> {
        let lines = subrosa_excerpt::selection::chosen(self.summary());
        lines.into_iter().map(|line| (line.heading, line.words)).collect()
    }

    /// The sentences about the selection that the excerpt carries as its signer's.
    #[must_use]
    pub fn notices_to_recipient(&self) -> Vec<&'static str> {
        let has = |name: &str| self.summary().member(name).is_some();
        let has_codes = self.summary().member("codes").and_then(|codes| codes.as_array());
        let audience = self.summary().member("audience").and_then(Json::as_str);
        let mut notices = match audience == Some(Audience::ThirdParty.name()) {
            true => vec![NOTICE_DEFAULTS, NOTICE_THIRD_PARTY],
            false => vec![NOTICE_WITH_WORDS],
        };
        if has_codes.is_some_and(|codes| !codes.is_empty()) {
            notices.push(NOTICE_CODES);
        }
        if has("since") || has("until") {
            notices.push(NOTICE_DATES);
        }
        notices
    }
}
