//! Whatever the claims are, each text in them is shown.

use proptest::prelude::*;

use serde_json::Value;

use super::*;

/// Names that some shape knows, so that shapes are met in part.
const NAMES: [&str; 22] = [
    "date",
    "year",
    "codings",
    "text",
    "system",
    "version",
    "code",
    "display",
    "value",
    "unit",
    "comparator",
    "name",
    "role",
    "given",
    "family",
    "purpose",
    "identifiers",
    "contact",
    "title",
    "created",
    "lines",
    "x",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        // Of no alphabet that is described instead of shown, and never a known system.
        "[a-z]{1,4}-[a-z\u{202e}\u{1b}\u{9b}\u{200b}\n]{1,6}".prop_map(Value::from),
        Just(Value::from("2019-03-04")),
        Just(Value::from("2019")),
        any::<bool>().prop_map(Value::from),
        (0..9999_u32).prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let name = proptest::sample::select(&NAMES[..]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..4).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn parsed(text: &str) -> Json {
    let limits = subrosa_base::codec::json::JsonLimits { bytes: 1 << 20, depth: 32, values: 4096 };
    Json::parse(text.as_bytes(), limits).unwrap()
}

fn texts<'a>(json: &'a Json, out: &mut Vec<&'a str>) {
    match json {
        Json::String(text) | Json::Number(text) => out.push(text),
        Json::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Json::Object(object) => object.members().iter().for_each(|(_, value)| texts(value, out)),
        Json::Null | Json::Bool(_) => {}
    }
}

/// Bytes of what content an entry shows.
fn said(shown: &ShownEntry) -> usize {
    let title = shown.heading.split_once(": ").map_or(0, |(_, rest)| rest.len());
    title + shown.lines.iter().map(|line| line.label.len() + line.text.len()).sum::<usize>()
}

/// A kind and one of its fields, or one that it does not have.
fn field() -> impl Strategy<Value = (Kind, &'static str)> {
    proptest::sample::select(Kind::all()).prop_flat_map(|kind| {
        let names = kind.schema().iter().map(|schema| schema.name).chain(["unheard-of"]);
        (Just(kind), proptest::sample::select(names.collect::<Vec<_>>()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_text_that_is_disclosed_is_shown((kind, name) in field(), value in value(), below in any::<bool>()) {
        let value = parsed(&value.to_string());
        let one = Object::new(vec![(name.to_owned(), value.clone())]);
        let two = Object::new(vec![("provider".to_owned(), value.clone()), ("more".to_owned(), value.clone())]);
        let none = Object::default();
        let (fields, provenance) = if below { (&one, &none) } else { (&none, &two) };
        let claims =
            Claims { kind: kind.name(), fields, provenance, negation: None, not_understood: &[], is_changed: false, words_withheld: false, bars: &[], perhaps_same: None };
        let Shown { entry: shown, bytes } = show(&claims, usize::MAX);
        prop_assert!(bytes.is_ok_and(|bytes| bytes >= said(&shown)) || bytes.is_err(), "{bytes:?}");
        if let Ok(room) = bytes {
            prop_assert_eq!(show(&claims, room).bytes, bytes);
            let within = show(&claims, room - 1);
            prop_assert!(within.bytes == Err(Unsound::TooMuch) && said(&within.entry) < room);
        }
        let lines: Vec<&str> = shown.lines.iter().map(|line| line.text.as_str()).collect();
        let lines = lines.join("\n");
        let mut disclosed = Vec::new();
        texts(&value, &mut disclosed);
        for text in disclosed {
            let spelt = subrosa_base::codec::spell::spell_lines(text);
            let in_one_line = subrosa_base::codec::spell::spell(text);
            let date = text.parse().map_or(spelt.clone(), |date: subrosa_base::PartialDate| date.in_words());
            let ways = [spelt, in_one_line, date];
            prop_assert!(ways.iter().any(|way| lines.contains(way)), "{text:?} is not in {lines:?}");
        }
    }
}

#[test]
fn known_shapes_read_as_people_write_them() {
    let parse = |text: &str| {
        let Json::Object(object) = parsed(text) else { panic!("an object") };
        object
    };
    let shown = |kind: &str, fields: &str| {
        let (fields, provenance) = (parse(fields), Object::default());
        let claims = Claims {
            kind,
            fields: &fields,
            provenance: &provenance,
            negation: None,
            not_understood: &[],
            is_changed: false,
            words_withheld: false,
            perhaps_same: None,
            bars: &["notes"],
        };
        let Shown { entry: shown, bytes } = show(&claims, usize::MAX);
        assert!(bytes.is_ok());
        let line = |line: &ShownLine| format!("{}|{}|{}", line.depth, line.label, line.text);
        (shown.heading.clone(), shown.lines.iter().map(line).collect::<Vec<_>>())
    };
    let (heading, lines) = shown(
        "observation",
        r#"{"code":{"codings":[{"system":"http://loinc.org","code":"2339-0","display":"Glucose"}],"text":"sugar"},
            "quantity":{"value":"6.1000","comparator":"<","unit":"mmol/L","system":"http://unitsofmeasure.org",
            "code":"mmol/L"},"start":{"date":"2021-05-06T10:00:00Z"}}"#,
    );
    assert_eq!(heading, "Result: Glucose");
    let expected =
        ["0|Coded as|sugar", "1|Coded as|Glucose (LOINC 2339-0)", "0|Start|6 May 2021, 10:00:00 UTC"];
    assert!(expected.iter().all(|line| lines.contains(&(*line).to_owned())), "{lines:?}");
    assert!(lines.contains(&"0|Quantity|< 6.1000 mmol/L (UCUM)".to_owned()), "{lines:?}");
    assert!(lines.contains(&"0|Notes|".to_owned()), "{lines:?}");
    // What a file holds is shown, and never said to be withheld.
    let (_, lines) = shown(
        "note",
        r#"{"attachments":[{"content_type":"text/plain","data":"U2V2ZXJlIGFueGlldHk="},{"content_type":"image/png","size":3,"data":"AAEC"}]}"#,
    );
    let expected =
        ["1|The whole file|Severe anxiety", "1|The whole file|3 bytes, all of them in this excerpt"];
    assert!(expected.iter().all(|line| lines.contains(&(*line).to_owned())), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("nothing of it")), "{lines:?}");
    let (_, lines) = shown("diagnosis", r#"{"asserter":{"identifiers":[{"value":"7"}]}}"#);
    assert!(lines.iter().all(|line| !line.contains("nothing of it")), "{lines:?}");
    let (_, lines) = shown("diagnosis", r#"{"code":{"codings":[{"system":"SNOMED CT","code":"1"}]}}"#);
    assert_eq!(lines[0], "0|Coded as|“SNOMED CT” 1");
}

#[test]
fn names_below_a_field_are_names_too() {
    let sound = |value: &str| {
        let fields = Object::new(vec![("unheard-of".to_owned(), parsed(value))]);
        let claims = Claims {
            kind: "diagnosis",
            fields: &fields,
            provenance: &Object::default(),
            negation: None,
            not_understood: &[],
            is_changed: false,
            words_withheld: false,
            perhaps_same: None,
            bars: &[],
        };
        show(&claims, usize::MAX).bytes
    };
    assert!(sound(r#"[{"a":[{"b_2":"C D"}]}]"#).is_ok());
    for name in ["", "A", "a b", "a\\n", &"a".repeat(MAX_NAME + 1)] {
        assert_eq!(sound(&format!(r#"[{{"a":[{{"{name}":[1,1]}}]}}]"#)), Err(Unsound::Malformed), "{name}");
    }
}

#[test]
fn words_that_would_pass_for_a_code_are_in_quotes() {
    let line = |code: &str| {
        let fields = Object::new(vec![("code".to_owned(), parsed(code))]);
        let claims = Claims {
            kind: "diagnosis",
            fields: &fields,
            provenance: &Object::default(),
            negation: None,
            not_understood: &[],
            is_changed: false,
            words_withheld: false,
            perhaps_same: None,
            bars: &[],
        };
        show(&claims, usize::MAX).entry.lines[0].text.clone()
    };
    assert_eq!(line(r#"{"text":"HIV (ICD-10-CM B20)"}"#), "“HIV (ICD-10-CM B20)”");
    assert_eq!(line(r#"{"codings":[{"display":"HIV (ICD-10-CM B20)"}]}"#), "“HIV (ICD-10-CM B20)”");
    assert_eq!(
        line(r#"{"codings":[{"system":"LOINC 94500-6 official://","code":"x","display":"SARS"}]}"#),
        "SARS (“LOINC 94500-6 official://” x)"
    );
}
