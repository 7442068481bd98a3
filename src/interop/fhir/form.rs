//! Questionnaires: what they ask, for responses that only give answers.

use std::collections::HashMap;

use crate::codec::json::{Json, Object};
use crate::record::{Coding, Token};

/// Most questions of a form, and most levels of them.
const MOST: usize = 4096;
const DEPTH: usize = 16;

/// What a questionnaire asks.
pub(crate) struct Form {
    pub(crate) url: Option<String>,
    version: Option<String>,
    pub(crate) title: Option<Token>,
    pub(crate) codings: Vec<Coding>,
    /// By `linkId`; `None` for one that two questions have.
    questions: HashMap<String, Option<Question>>,
}

/// One question.
pub(crate) struct Question {
    pub(crate) text: Option<Token>,
    pub(crate) codings: Vec<Coding>,
}

impl Form {
    /// The form of a FHIR `Questionnaire`.
    pub(crate) fn of(object: &Object) -> Self {
        let text = |name: &str| object.member(name).and_then(Json::as_str);
        let mut form = Self {
            url: text("url").map(str::to_owned),
            version: text("version").map(str::to_owned),
            title: text("title").or(text("name")).and_then(|title| Token::new(title).ok()),
            codings: codings(object, "code"),
            questions: HashMap::new(),
        };
        let mut open: Vec<(&Object, usize)> = vec![(object, 0)];
        while let Some((within, depth)) = open.pop() {
            let items = items_of(within, "item");
            for item in items.iter().filter_map(Json::as_object) {
                if form.questions.len() >= MOST || depth >= DEPTH {
                    return form;
                }
                form.add(item);
                open.push((item, depth + 1));
            }
        }
        form
    }

    fn add(&mut self, item: &Object) {
        let text = |name: &str| item.member(name).and_then(Json::as_str);
        let Some(link) = text("linkId") else { return };
        let question = Question {
            text: text("text").and_then(|text| Token::new(text).ok()),
            codings: codings(item, "code"),
        };
        let known = self.questions.entry(link.to_owned());
        known.and_modify(|known| *known = None).or_insert(Some(question));
    }

    /// The question that a response answers under this `linkId`.
    pub(crate) fn question(&self, link: &str) -> Option<&Question> {
        self.questions.get(link)?.as_ref()
    }

    /// Whether a response to this version is to this form.
    pub(crate) fn is_of_version(&self, version: Option<&str>) -> bool {
        version.zip(self.version.as_deref()).is_none_or(|(said, own)| said == own)
    }
}

/// The items of a list, or the one value in its place.
fn items_of<'a>(object: &'a Object, name: &str) -> &'a [Json] {
    let value = object.member(name);
    value.and_then(Json::as_array).or(value.map(std::slice::from_ref)).unwrap_or_default()
}

fn codings(object: &Object, name: &str) -> Vec<Coding> {
    let items = items_of(object, name);
    let token = |item: &Json, name: &str| Token::new(item.member(name)?.as_str()?).ok();
    let read = |item: &Json| Coding {
        system: token(item, "system"),
        version: token(item, "version"),
        code: token(item, "code"),
        display: token(item, "display"),
    };
    items.iter().map(read).filter(|coding| coding.code.is_some()).collect()
}
