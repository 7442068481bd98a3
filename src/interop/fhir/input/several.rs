//! Telling documents apart that stand one after another in a text, as `cat` of files
//! leaves them. Braces are counted; what is between them is not looked at.

use std::ops::Range;

/// Where the JSON objects of a text begin and end, each with what stands before it and
/// the last with what stands behind it. Empty where something else than white space and
/// byte order marks stands between two.
pub(super) fn documents(text: &[u8]) -> Vec<Range<usize>> {
    let mut documents: Vec<Range<usize>> = Vec::new();
    let mut scan = Scan::default();
    let mut start = 0;
    for (at, byte) in text.iter().enumerate() {
        match scan.next(*byte) {
            Step::Inside => {}
            Step::Between if byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte) => {}
            Step::Between => return Vec::new(),
            Step::End => {
                documents.push(start..at + 1);
                start = at + 1;
            }
        }
    }
    match documents.last_mut() {
        // What follows the last whole one is a document that was cut off, or its end.
        Some(_) if scan.depth > 0 => documents.push(start..text.len()),
        Some(last) => last.end = text.len(),
        None => {}
    }
    documents
}

enum Step {
    Inside,
    Between,
    End,
}

/// Where in a text a byte stands.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn next(&mut self, byte: u8) -> Step {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' if self.depth > 0 => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' => self.depth += 1,
            b'}' if self.depth > 0 => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::End;
                }
            }
            _ if self.depth == 0 => return Step::Between,
            _ => {}
        }
        Step::Inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        documents(text.as_bytes()).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn objects_that_stand_one_after_another_are_told_apart() {
        assert_eq!(parts("{\"a\":{}}{\"b\":1}"), ["{\"a\":{}}", "{\"b\":1}"]);
        assert_eq!(parts("{}\n\u{feff}{\n}\n"), ["{}", "\n\u{feff}{\n}\n"]);
        assert_eq!(parts("{\"}\\\"}\":1} {}"), ["{\"}\\\"}\":1}", " {}"]);
    }

    #[test]
    fn one_that_is_cut_off_at_the_end_is_one_of_its_own() {
        assert_eq!(parts("{}{\"a\":\"}"), ["{}", "{\"a\":\"}"]);
    }

    #[test]
    fn other_things_between_objects_are_no_documents() {
        for text in ["", "[{}]", "{},{}", "{} x {}", "x{}"] {
            assert!(documents(text.as_bytes()).is_empty(), "{text}");
        }
    }
}
