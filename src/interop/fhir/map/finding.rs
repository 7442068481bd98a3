//! Observation: a measurement, a history of substance use, or
//! an assessment.

use super::super::element::Element;
use super::clinical::{period_in_words, quantity_in_words, range_in_words};
use super::words::{is_titled, word};
use crate::classify::codes;
use crate::record::{
    Assessment, Component, Concept, Kind, Narrative, Observation, PartialDate, Quantity, Record, Scalar,
    SubstanceUse, Token, denies,
};

const STATUS: [&str; 8] =
    ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown", "partial"];

pub(super) fn observation(root: &Element<'_>) -> Record {
    refuse_contradiction(root);
    refuse_unread_words(root);
    let value = Answer::read(root);
    let code = root.concept("code");
    let codings = code.as_ref().map(|code| code.codings.as_slice()).unwrap_or_default();
    if codes::is_substance_use(codings) {
        return substance_use(root, code, value);
    }
    if codes::is_instrument(codings) || is_scored_survey(root, code.as_ref(), &value) {
        return assessment(root, code, value);
    }
    measurement(root, code, value)
}

fn measurement(root: &Element<'_>, code: Option<Concept>, value: Answer) -> Record {
    let (start, end) = effective(root);
    Observation {
        code,
        status: root.status("status", &STATUS),
        categories: root.concepts("category"),
        start,
        end,
        issued: root.date("issued"),
        quantity: value.quantity,
        concept: value.concept,
        text: value.text,
        date: value.date,
        boolean: value.boolean,
        components: components(root),
        interpretations: root.concepts_beside("interpretation"),
        reference_ranges: reference_ranges(root),
        performers: root.parties("performer"),
        method: root.concept("method"),
        body_site: root.concept("bodySite"),
        absent_reason: root.concept("dataAbsentReason"),
        encounter: root.encounter(),
        notes: root.notes_beside(),
        ..Observation::default()
    }
    .into()
}

fn substance_use(root: &Element<'_>, code: Option<Concept>, value: Answer) -> Record {
    let (start, end) = effective(root);
    let status = root.status("status", &STATUS);
    let is_withdrawn = |status: &Token| denies(Kind::Observation, "status", status.as_str());
    let known =
        value.concept.as_ref().and_then(|finding| codes::status_of_use(&finding.codings)).and_then(word);
    let answer = value.boolean.and_then(yes_or_no).map(Concept::from_text);
    SubstanceUse {
        code,
        status: status.filter(is_withdrawn).or(known),
        finding: value.concept.or(answer),
        amount: value.quantity,
        start: start.or(value.date),
        end,
        recorded: root.date("issued"),
        performers: root.parties("performer"),
        details: components(root),
        text: value.text,
        encounter: root.encounter(),
        notes: root.notes_beside(),
        categories: root.concepts("category"),
        ..SubstanceUse::default()
    }
    .into()
}

/// Marks a result that says two things: a value beside why there is none (FHIR R4
/// constraint obs-6), or two values.
fn refuse_contradiction(item: &Element<'_>) {
    let values = item.members_that_begin("value");
    if values > 1 {
        item.not_understood("value[x]");
    }
    if values > 0 && item.has("dataAbsentReason") {
        item.not_understood("dataAbsentReason");
    }
}

/// Most levels of extensions in extensions.
const DEPTH: usize = 16;

/// Elements of a result whose extensions may hold words about it.
const ABOUT_A_RESULT: [&str; 8] = [
    "valueCodeableConcept",
    "valueQuantity",
    "valueRange",
    "valueRatio",
    "interpretation",
    "dataAbsentReason",
    "component",
    "note",
];

/// Marks a result that says more in words that no field carries: a text that its author calls
/// additional to the rest, or an extension in words. They may take it back as a note may.
pub(super) fn refuse_unread_words(root: &Element<'_>) {
    if root.child("text").is_some_and(|text| text.plain("status") == Some("additional")) {
        root.not_understood("text");
    }
    refuse_words_of_extensions(root, DEPTH);
    for name in ABOUT_A_RESULT {
        root.elements(name).iter().for_each(|item| refuse_words_of_extensions(item, DEPTH));
    }
}

fn refuse_words_of_extensions(item: &Element<'_>, depth: usize) {
    for extension in item.elements("extension") {
        let is_in_words =
            ["valueString", "valueMarkdown", "valueAnnotation"].iter().any(|name| extension.has(name));
        if is_in_words || depth == 0 {
            extension.not_understood("");
        } else {
            refuse_words_of_extensions(&extension, depth - 1);
        }
    }
}

/// An answer in a word, for the fields that hold no flag.
fn yes_or_no(flag: bool) -> Option<Token> {
    word(if flag { "yes" } else { "no" })
}

fn assessment(root: &Element<'_>, instrument: Option<Concept>, value: Answer) -> Record {
    let (date, end) = effective(root);
    let mut interpretations = root.concepts_beside("interpretation");
    interpretations.extend(value.concept);
    Assessment {
        instrument,
        status: root.status("status", &STATUS),
        date: date.or(value.date),
        end,
        score: value.quantity,
        score_text: value.text.or_else(|| {
            value.boolean.and_then(yes_or_no).and_then(|word| Narrative::new(word.as_str()).ok())
        }),
        interpretations,
        items: components(root),
        performers: root.parties("performer"),
        categories: root.concepts("category"),
        encounter: root.encounter(),
        notes: root.notes_beside(),
        recorded: root.date("issued"),
        ..Assessment::default()
    }
    .into()
}

/// A survey's result that is called a score by its unit or by its name.
fn is_scored_survey(root: &Element<'_>, code: Option<&Concept>, value: &Answer) -> bool {
    let survey = |category: &Concept| {
        category.codings.iter().any(|coding| coding.code.as_ref().map(Token::as_str) == Some("survey"))
    };
    let Some(quantity) = &value.quantity else {
        return false;
    };
    let says_score = |text: &Token| is_titled(text, &["score"]);
    let unit = [&quantity.unit, &quantity.code].into_iter().flatten().any(says_score);
    let named = code
        .into_iter()
        .flat_map(|code| code.codings.iter().filter_map(|coding| coding.display.as_ref()).chain(&code.text));
    root.concepts("category").iter().any(survey) && (unit || named.into_iter().any(says_score))
}

/// `effective[x]` as start and end.
pub(super) fn effective(root: &Element<'_>) -> (Option<PartialDate>, Option<PartialDate>) {
    let (start, end) = root.period("effectivePeriod");
    let moment = root.date("effectiveDateTime").or_else(|| root.date("effectiveInstant"));
    (moment.or(start), end)
}

/// The parts of a result. What an interpretation says of a part answers the same question
/// once more.
fn components(root: &Element<'_>) -> Vec<Component> {
    let read = |item: &Element<'_>| {
        refuse_contradiction(item);
        let code = item.concept("code").unwrap_or_default();
        let value = Answer::read(item).into_scalar();
        let absent = || item.concept("dataAbsentReason").map(Scalar::Concept);
        let value = value.or_else(absent);
        let interpretations = item.concepts_beside("interpretation").into_iter().map(Scalar::Concept);
        let more = interpretations.map(|said| Component { code: code.clone(), value: Some(said) });
        std::iter::once(Component { code: code.clone(), value }).chain(more).collect::<Vec<_>>()
    };
    root.elements("component").iter().flat_map(read).collect()
}

fn reference_ranges(root: &Element<'_>) -> Vec<Narrative> {
    root.elements("referenceRange").iter().filter_map(reference_range).collect()
}

/// A range, with whom it applies to: a range for children is none for their mother.
fn reference_range(range: &Element<'_>) -> Option<Narrative> {
    let parts = [range.narrative("text"), range_in_words(range)].into_iter().flatten();
    let body = parts.map(|part| part.as_str().to_owned()).collect::<Vec<_>>().join("; ");
    let kinds = range.concepts("type").into_iter().chain(range.concepts("appliesTo"));
    let mut whose: Vec<String> = kinds.filter_map(|kind| kind.title().map(str::to_owned)).collect();
    let age = range.child("age").and_then(|age| range_in_words(&age));
    whose.extend(age.map(|age| format!("age {}", age.as_str())));
    let words = if whose.is_empty() { body } else { format!("{}: {body}", whose.join(", ")) };
    Narrative::new(words).ok()
}

/// A `value[x]`, whichever it is.
#[derive(Default)]
pub(super) struct Answer {
    quantity: Option<Quantity>,
    concept: Option<Concept>,
    text: Option<Narrative>,
    date: Option<PartialDate>,
    boolean: Option<bool>,
}

impl Answer {
    pub(super) fn read(item: &Element<'_>) -> Self {
        let number = |name: &str| {
            item.number(name).map(|value| Quantity { value: Some(value), ..Quantity::default() })
        };
        let coding = || item.codings("valueCoding").into_iter().next().map(Concept::from_coding);
        let reference =
            || item.child("valueReference").and_then(|reference| reference.as_referenced_concept());
        let range = || item.child("valueRange").and_then(|range| range_in_words(&range));
        let (period_start, period_end) = item.period("valuePeriod");
        let period = || period_in_words(period_start.as_ref(), period_end.as_ref());
        Self {
            quantity: item
                .quantity("valueQuantity")
                .or_else(|| number("valueInteger"))
                .or_else(|| number("valueDecimal")),
            concept: item.concept("valueCodeableConcept").or_else(coding).or_else(reference),
            text: ["valueString", "valueTime", "valueUri"]
                .into_iter()
                .find_map(|name| item.narrative(name))
                .or_else(|| ratio_in_words(item))
                .or_else(range)
                .or_else(period),
            date: item.date("valueDateTime").or_else(|| item.date("valueDate")).or(period_start.clone()),
            boolean: item.boolean("valueBoolean"),
        }
    }

    pub(super) fn into_scalar(self) -> Option<Scalar> {
        let concept = self.concept.map(Scalar::Concept);
        let quantity = || self.quantity.map(Scalar::Quantity);
        let date = || self.date.map(Scalar::Date);
        let text = || self.text.map(Scalar::Text);
        concept.or_else(quantity).or_else(text).or_else(date).or(self.boolean.map(Scalar::Boolean))
    }
}

/// A ratio such as a titre, `1 : 128`.
fn ratio_in_words(item: &Element<'_>) -> Option<Narrative> {
    let ratio = item.child("valueRatio")?;
    let part = |name: &str| ratio.quantity(name).and_then(|quantity| quantity_in_words(&quantity));
    let (numerator, denominator) = (part("numerator"), part("denominator"));
    if numerator.is_none() && denominator.is_none() {
        return None;
    }
    let said = |part: Option<String>| part.unwrap_or_else(|| "(not said)".to_owned());
    Narrative::new(format!("{} : {}", said(numerator), said(denominator))).ok()
}
