//! What was found, in a few words: the line of a list has no room for more.

use super::kinds::Record;
use super::value::{Component, Concept, Quantity, Scalar};

impl Quantity {
    /// The amount in one line, as it was written: `< 6.10 mmol/L`.
    #[must_use]
    pub fn to_line(&self) -> Option<String> {
        let unit = self.unit.as_ref().or(self.code.as_ref());
        let parts = [self.comparator.as_ref(), self.value.as_ref(), unit];
        let parts: Vec<&str> = parts.into_iter().flatten().map(|part| part.as_str()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

impl Record {
    /// What was found, in a few words: the value with its unit, or why there is none; in
    /// brackets what it means. `None` where there is no result, and of kinds that have none.
    #[must_use]
    pub fn result(&self) -> Option<String> {
        let (found, meaning): (Vec<Option<String>>, &[Concept]) = match self {
            Self::Observation(item) => {
                let mut found = vec![
                    item.quantity.as_ref().and_then(Quantity::to_line),
                    item.concept.as_ref().and_then(words),
                    item.text.as_ref().map(|text| text.as_str().to_owned()),
                    item.date.as_ref().map(super::PartialDate::in_words),
                    item.boolean.map(yes_or_no),
                ];
                found.extend(item.components.iter().map(part));
                let absent = item.absent_reason.as_ref().and_then(words);
                found.push(absent.map(|why| format!("no result: {why}")));
                (found, &item.interpretations)
            }
            Self::Assessment(item) => (
                vec![
                    item.score.as_ref().and_then(Quantity::to_line),
                    item.score_text.as_ref().map(|text| text.as_str().to_owned()),
                ],
                &item.interpretations,
            ),
            Self::SubstanceUse(item) => (
                vec![
                    item.finding.as_ref().and_then(words),
                    item.amount.as_ref().and_then(Quantity::to_line),
                    item.text.as_ref().map(|text| text.as_str().to_owned()),
                ],
                &[],
            ),
            _ => return None,
        };
        let found = found.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let meaning = meaning.iter().filter_map(words).collect::<Vec<_>>().join(", ");
        match (found.is_empty(), meaning.is_empty()) {
            (true, true) => None,
            (false, true) => Some(found),
            (true, false) => Some(format!("({meaning})")),
            (false, false) => Some(format!("{found} ({meaning})")),
        }
    }
}

fn words(concept: &Concept) -> Option<String> {
    concept.title().map(str::to_owned)
}

fn part(component: &Component) -> Option<String> {
    let answer = match component.value.as_ref()? {
        Scalar::Concept(value) => words(value)?,
        Scalar::Quantity(value) => value.to_line()?,
        Scalar::Date(value) => value.in_words(),
        Scalar::Text(value) => value.as_str().to_owned(),
        Scalar::Boolean(value) => yes_or_no(*value),
    };
    Some(match component.code.title() {
        Some(asked) => format!("{asked} {answer}"),
        None => answer,
    })
}

fn yes_or_no(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Diagnosis, Observation, Token};

    fn token(text: &str) -> Option<Token> {
        Token::new(text).ok()
    }

    fn amount(comparator: &str, value: &str, unit: &str) -> Quantity {
        Quantity {
            value: token(value),
            comparator: token(comparator),
            unit: token(unit),
            ..Quantity::default()
        }
    }

    fn concept(text: &str) -> Concept {
        Concept::from_text(Token::new(text).unwrap())
    }

    #[test]
    fn a_result_keeps_its_bound_its_unit_and_its_meaning() {
        let observation = Observation {
            quantity: Some(amount("<", "6.10", "mmol/L")),
            interpretations: vec![concept("Low")],
            ..Observation::default()
        };
        assert_eq!(Record::from(observation).result().as_deref(), Some("< 6.10 mmol/L (Low)"));
    }

    #[test]
    fn parts_and_a_missing_result_are_said() {
        let part = |name: &str, value: &str| Component {
            code: concept(name),
            value: Some(Scalar::Quantity(amount("", value, "mmHg"))),
        };
        let pressure = Observation {
            components: vec![part("Systolic", "120"), part("Diastolic", "80")],
            ..Observation::default()
        };
        assert_eq!(Record::from(pressure).result().as_deref(), Some("Systolic 120 mmHg; Diastolic 80 mmHg"));
        let absent = Observation { absent_reason: Some(concept("clotted")), ..Observation::default() };
        assert_eq!(Record::from(absent).result().as_deref(), Some("no result: clotted"));
        assert_eq!(Record::from(Observation::default()).result(), None);
        assert_eq!(Record::from(Diagnosis::default()).result(), None);
    }
}
