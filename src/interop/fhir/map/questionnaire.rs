//! QuestionnaireResponse: the answers, the points and the score as its source says them. None
//! is computed.

use std::sync::Arc;

use super::super::element::{Context, Element};
use super::super::form::Form;
use super::super::index::contained;
use super::finding::Answer;
use super::words::{is_titled, word};
use crate::classify::codes::{self, LOINC};
use crate::codec::json::Json;
use crate::interop::finding::FindingReason;
use crate::record::{Assessment, Coding, Component, Concept, Quantity, Record, Scalar, Token};

const RESPONSE_STATUS: [&str; 5] = ["in-progress", "completed", "amended", "stopped", "cancelled"];

pub(super) fn questionnaire_response(root: &Element<'_>) -> Record {
    let asked = root.plain("questionnaire");
    let named = root.child_unless_plain("questionnaire");
    let reference = asked.or_else(|| named.as_ref()?.plain("reference"));
    let form = reference.and_then(|reference| form_of(reference, root.context));
    let form = form.as_deref();
    let mut items = Vec::new();
    for item in questions(root) {
        answers(&item, 0, form, &mut items);
    }
    let score = items.iter().find_map(total_score);
    let title = if asked.is_some() { root.token("questionnaire") } else { None };
    Assessment {
        instrument: instrument(root, reference, form),
        status: root.status("status", &RESPONSE_STATUS),
        date: root.date("authored"),
        score,
        items,
        performers: root.party("author").into_iter().collect(),
        encounter: root.encounter(),
        title: title.or_else(|| named.as_ref()?.token("reference")),
        ..Assessment::default()
    }
    .into()
}

/// The form that a canonical address or a reference names: contained in the resource, or in
/// the input.
fn form_of(reference: &str, context: &Context<'_>) -> Option<Arc<Form>> {
    if reference.starts_with('#') {
        let object = contained(context.resource, reference)?;
        let is_form = object.member("resourceType").and_then(Json::as_str) == Some("Questionnaire");
        return is_form.then(|| Arc::new(Form::of(object)));
    }
    let (url, version) = match reference.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (reference, None),
    };
    let form = context.index.form(url, context.from)?;
    form.is_of_version(version).then(|| Arc::clone(form))
}

/// Items nest in items and in answers; deeper than this they stay in the original.
const DEPTH: usize = 16;

/// The items of an item; DSTU2 has groups and questions.
fn questions<'a>(item: &Element<'a>) -> Vec<Element<'a>> {
    ["item", "group", "question"].into_iter().flat_map(|name| item.elements(name)).collect()
}

fn answers(item: &Element<'_>, depth: usize, form: Option<&Form>, out: &mut Vec<Component>) {
    if depth == DEPTH {
        item.report("item", FindingReason::TooLarge);
        return;
    }
    let code = question_of(item, form);
    let found = item.elements("answer");
    for answer in &found {
        out.push(Component { code: code.clone(), value: Answer::read(answer).into_scalar() });
        let points = points_of(answer).map(|points| Component { code: code.clone(), value: Some(points) });
        out.extend(points);
        for nested in questions(answer) {
            answers(&nested, depth + 1, form, out);
        }
    }
    let nested = questions(item);
    if found.is_empty() && nested.is_empty() {
        out.push(Component { code, value: None });
    }
    for nested in nested {
        answers(&nested, depth + 1, form, out);
    }
}

/// What an item asks: in its own words, else in those of the form; with the codes of both.
fn question_of(item: &Element<'_>, form: Option<&Form>) -> Concept {
    let mut codings: Vec<Coding> = link_code(item).into_iter().chain(item.codings("concept")).collect();
    let question = form.zip(item.plain("linkId")).and_then(|(form, link)| form.question(link));
    for coding in question.iter().flat_map(|question| &question.codings) {
        let is_known = |known: &Coding| known.code == coding.code && known.system == coding.system;
        if !codings.iter().any(is_known) {
            codings.push(coding.clone());
        }
    }
    let text = item.token("text").or_else(|| item.token("title"));
    Concept { codings, text: text.or_else(|| question?.text.clone()) }
}

/// The points that an answer gives, as its source says them (FHIR `ordinalValue`, `itemWeight`).
fn points_of(answer: &Element<'_>) -> Option<Scalar> {
    const URLS: [&str; 2] = ["/StructureDefinition/ordinalValue", "/StructureDefinition/itemWeight"];
    let extensions = answer.child("valueCoding")?.elements("extension");
    let mut points = extensions.iter().filter(|extension| {
        extension.plain("url").is_some_and(|url| URLS.iter().any(|end| url.ends_with(end)))
    });
    let value = points.next()?.number("valueDecimal")?;
    Some(Scalar::Quantity(Quantity { value: Some(value), ..Quantity::default() }))
}

/// A link id that is a LOINC code, as many questionnaires have it: `/44250-9`.
fn link_code(item: &Element<'_>) -> Option<Coding> {
    let link = item.plain("linkId")?;
    let code = link.rsplit('/').next()?;
    let (number, check) = code.rsplit_once('-')?;
    let is_loinc = (1..=7).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && check.len() == 1
        && check.bytes().all(|byte| byte.is_ascii_digit());
    let coding = |system, code: &str| Coding {
        system: word(system),
        code: Token::new(code).ok(),
        ..Coding::default()
    };
    is_loinc.then(|| coding(LOINC, code))
}

/// The answer to an item that is an instrument's total score, or says that it is.
fn total_score(item: &Component) -> Option<Quantity> {
    let says = |text: &Token| is_titled(text, &["total", "score"]);
    let is_total = codes::is_instrument(&item.code.codings) || item.code.text.as_ref().is_some_and(says);
    match &item.value {
        Some(Scalar::Quantity(quantity)) if is_total => Some(quantity.clone()),
        _ => None,
    }
}

/// The questionnaire by its title, where the response gives one, else as the form calls itself,
/// else by its address.
fn instrument(root: &Element<'_>, reference: Option<&str>, form: Option<&Form>) -> Option<Concept> {
    let titled = root.child_unless_plain("_questionnaire").and_then(|element| {
        let extensions = element.elements("extension");
        extensions.iter().find_map(|extension| extension.token("valueString"))
    });
    let shown = || root.child_unless_plain("questionnaire")?.token("display");
    let own = || form?.title.clone();
    let last = || Token::new(reference?.split('|').next()?.rsplit('/').next()?).ok();
    let text = titled.or_else(shown).or_else(own).or_else(last);
    let codings = form.map(|form| form.codings.clone()).unwrap_or_default();
    let concept = Concept { codings, text };
    (concept != Concept::default()).then_some(concept)
}
