//! Objects whose members are known: texts, lists of texts, and nothing else.

use subrosa_base::codec::json::Json;

/// The members of an object of which every one is known.
pub(super) struct Parts<'a> {
    members: &'a [(String, Json)],
}

impl<'a> Parts<'a> {
    /// The members, if each is one of `texts` and a text, one of `lists` and a list of
    /// texts, or one of `others`, of whatever form.
    pub(super) fn of(json: &'a Json, texts: &[&str], lists: &[&str], others: &[&str]) -> Option<Self> {
        let members = json.as_object()?.members();
        let is_list = |value: &Json| {
            value.as_array().is_some_and(|items| items.iter().all(|item| item.as_str().is_some()))
        };
        let is_known = |(name, value): &(String, Json)| {
            let name = name.as_str();
            (texts.contains(&name) && value.as_str().is_some())
                || (lists.contains(&name) && is_list(value))
                || others.contains(&name)
        };
        members.iter().all(is_known).then_some(Self { members })
    }

    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&'a Json> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of this name.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.member(name).and_then(Json::as_str)
    }

    /// The texts of this name, one or a list.
    pub(super) fn texts(&self, name: &str) -> Vec<&'a str> {
        match self.member(name) {
            Some(Json::String(text)) => vec![text],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The texts of these names in one line.
    pub(super) fn joined(&self, names: &[&str], between: &str) -> String {
        names.iter().flat_map(|name| self.texts(name)).collect::<Vec<_>>().join(between)
    }
}
