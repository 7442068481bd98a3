//! Values in words, by the shapes of `docs/excerpt.md` section 5.

use super::line::{NOTHING, ShownLine, Unsound};
use super::names::{code_system, in_one_line, is_name, quoted, seems_coded};
use super::parts::Parts;
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::Json;
use subrosa_base::codec::spell::{spell, spell_lines_within, spell_within};
use subrosa_base::date::PartialDate;
use subrosa_base::schema::FieldType;

/// Writes lines, and notes why they are not all there or not to be believed.
pub(super) struct Writer {
    lines: Vec<ShownLine>,
    fault: Option<Unsound>,
    /// Bytes that may still be written.
    room: usize,
    /// The field of the next lines, spelt.
    field: String,
}

impl Writer {
    /// Writes no more than this many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { lines: Vec::new(), fault: None, room, field: String::new() }
    }

    /// The lines, and the bytes of the room that were written.
    pub(super) fn finish(self, room: usize) -> (Vec<ShownLine>, Result<usize, Unsound>) {
        (self.lines, self.fault.map_or(Ok(room - self.room), Err))
    }

    /// Notes why this is not to be believed.
    pub(super) fn refuse(&mut self, fault: Unsound) {
        self.fault = self.fault.or(Some(fault));
    }

    /// The next lines are of this field.
    pub(super) fn begin(&mut self, field: &str) {
        self.field = spell(field);
    }

    /// Words in one line, if there is room for them.
    pub(super) fn words(&mut self, text: &str) -> Option<String> {
        let words = spell_within(text, self.room);
        self.spend(words.as_ref().map(String::len));
        words
    }

    fn spend(&mut self, bytes: Option<usize>) {
        match bytes.and_then(|bytes| self.room.checked_sub(bytes)) {
            Some(room) => self.room = room,
            None => {
                self.room = 0;
                self.refuse(Unsound::TooMuch);
            }
        }
    }

    /// A field of a known type.
    pub(super) fn field(&mut self, label: &str, value: &Json, field_type: FieldType, repeats: bool) {
        match (value, repeats) {
            (Json::Array(items), true) => {
                self.items(0, label, items, |writer, label, item| writer.one(0, label, item, field_type));
            }
            (Json::Array(_), false) | (_, true) => self.malformed(0, label, value),
            (value, false) => self.one(0, label, value, field_type),
        }
    }

    /// A list of codings.
    pub(super) fn codings(&mut self, label: &str, value: &Json) {
        match value.as_array() {
            Some(items) => self.items(0, label, items, |writer, label, item| match coding(item) {
                Some(words) => writer.line(0, label, &words),
                None => writer.malformed(0, label, item),
            }),
            None => self.malformed(0, label, value),
        }
    }

    /// A bar in the place of what is withheld of a field.
    pub(super) fn bar(&mut self, label: &str) {
        self.spend(Some(label.len()));
        let (field, label) = (self.field.clone(), label.to_owned());
        self.lines.push(ShownLine { field, depth: 0, label, text: String::new(), withheld: true });
    }

    /// A value of whatever form, member by member.
    pub(super) fn unknown(&mut self, depth: usize, label: &str, value: &Json) {
        match value {
            Json::Null => self.line(depth, label, "null"),
            Json::Bool(value) => self.line(depth, label, yes_or_no(*value)),
            Json::Number(number) => self.line(depth, label, number),
            Json::String(text) => self.line(depth, label, text),
            Json::Array(items) => {
                self.items(depth, label, items, |writer, label, item| writer.unknown(depth, label, item));
            }
            Json::Object(object) if object.members().is_empty() => self.line(depth, label, NOTHING),
            Json::Object(object) => {
                self.line(depth, label, "");
                for (name, value) in object.members() {
                    if !is_name(name) {
                        return self.refuse(Unsound::Malformed);
                    }
                    self.unknown(depth + 1, &quoted(name), value);
                }
            }
        }
    }

    /// How an entry came into the vault, in words; a word that is not known, as it is.
    pub(super) fn origin(&mut self, label: &str, value: &Json) {
        let words = value.as_str().map(|word| match word {
            "imported" => "imported",
            "imported-and-changed" => "imported, and changed since",
            "entered-by-owner" => "entered by the owner of the record",
            "entered-by-provider" => "entered by a provider",
            other => other,
        });
        match words {
            Some(words) => self.line(0, label, words),
            None => self.malformed(0, label, value),
        }
    }

    fn malformed(&mut self, depth: usize, label: &str, value: &Json) {
        self.refuse(Unsound::Malformed);
        self.unknown(depth, label, value);
    }

    fn items(
        &mut self,
        depth: usize,
        label: &str,
        items: &[Json],
        mut write: impl FnMut(&mut Self, &str, &Json),
    ) {
        match items {
            [] => self.line(depth, label, NOTHING),
            [only] => write(self, label, only),
            several => {
                for (index, item) in several.iter().enumerate() {
                    write(self, &format!("{label} ({} of {})", index + 1, several.len()), item);
                }
            }
        }
    }

    fn line(&mut self, depth: usize, label: &str, text: &str) {
        let text = self.room.checked_sub(label.len()).and_then(|room| spell_lines_within(text, room));
        self.spend(text.as_ref().map(|text| text.len() + label.len()));
        let Some(text) = text else { return };
        let (field, label) = (self.field.clone(), label.to_owned());
        self.lines.push(ShownLine { field, depth, label, text, withheld: false });
    }

    /// The first of these lines below the label, the others further in.
    fn lines(&mut self, depth: usize, label: &str, further: &str, lines: Vec<String>) {
        let mut lines = lines.into_iter().filter(|line| !line.is_empty());
        self.line(depth, label, &lines.next().unwrap_or_else(|| NOTHING.to_owned()));
        lines.for_each(|line| self.line(depth + 1, further, &line));
    }

    fn part(&mut self, depth: usize, label: &str, text: Option<&str>) {
        text.into_iter().for_each(|text| self.line(depth, label, text));
    }

    fn one(&mut self, depth: usize, label: &str, value: &Json, field_type: FieldType) {
        let before = self.lines.len();
        let known = match field_type {
            FieldType::Concept => self.concept(depth, label, value),
            FieldType::Date => self.date(depth, label, value),
            FieldType::Token | FieldType::Narrative => self.text(depth, label, value),
            FieldType::Quantity => self.quantity(depth, label, value),
            FieldType::Boolean => value.as_bool().map(|value| self.line(depth, label, yes_or_no(value))),
            FieldType::Party => self.party(depth, label, value),
            FieldType::Name => self.name(depth, label, value),
            FieldType::Address => self.address(depth, label, value),
            FieldType::Telecom => self.telecom(depth, label, value),
            FieldType::Identifier => self.identifier(depth, label, value),
            FieldType::Attachment => self.attachment(depth, label, value),
            FieldType::Component => self.component(depth, label, value),
            // A type that this verifier does not know is not shown by halves.
            _ => None,
        };
        if known.is_none() {
            self.lines.truncate(before);
            self.malformed(depth, label, value);
        }
        // The first line has no words of its own where only parts below it were disclosed.
        let has_parts = self.lines.len() > before + 1;
        if let Some(first) = self.lines.get_mut(before).filter(|first| has_parts && first.text == NOTHING) {
            first.text = String::new();
        }
    }

    fn text(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        self.line(depth, label, value.as_str()?);
        Some(())
    }

    fn date(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["date", "year"], &[], &[])?;
        let words = match (parts.text("date"), parts.text("year")) {
            (Some(date), None) => date.parse::<PartialDate>().ok()?.in_words(),
            (None, Some(year)) if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{year} (year only)")
            }
            (None, None) => NOTHING.to_owned(),
            _ => return None,
        };
        self.line(depth, label, &words);
        Some(())
    }

    fn concept(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["text"], &[], &["codings"])?;
        let codings = parts.member("codings").map_or(Some([].as_slice()), Json::as_array)?;
        let names: Vec<_> = codings.iter().filter_map(|coding| coding.member("display")?.as_str()).collect();
        // Not said twice where it is the very name of a code.
        let text = parts.text("text").filter(|text| !names.contains(text));
        let mut lines: Vec<String> = text.map(bare).into_iter().collect();
        for item in codings {
            lines.push(coding(item)?);
        }
        self.lines(depth, label, "Coded as", lines);
        Some(())
    }

    fn quantity(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["comparator", "value", "unit", "system", "code"], &[], &[])?;
        let unit = if parts.text("unit").is_some() { "unit" } else { "code" };
        let mut words = parts.joined(&["comparator", "value", unit], " ");
        let code = parts.text("code").filter(|code| unit == "unit" && parts.text("unit") != Some(*code));
        let system = parts.text("system").map(code_system);
        let code: Vec<&str> = system.as_deref().into_iter().chain(code).collect();
        if !code.is_empty() {
            words.push_str(&format!(" ({})", code.join(" ")));
        }
        self.lines(depth, label, "", vec![words]);
        Some(())
    }

    fn component(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &[], &[], &["code", "value"])?;
        match parts.member("code") {
            Some(code) => self.concept(depth, label, code)?,
            None => self.line(depth, label, NOTHING),
        }
        let Some(value) = parts.member("value") else { return Some(()) };
        let (depth, label) = (depth + 1, "Result");
        if value.as_str().is_some() {
            return self.text(depth, label, value);
        }
        if let Some(value) = value.as_bool() {
            self.line(depth, label, yes_or_no(value));
            return Some(());
        }
        let has = |name| value.member(name).is_some();
        if has("date") || has("year") {
            self.date(depth, label, value)
        } else if has("codings") || has("text") {
            self.concept(depth, label, value)
        } else {
            self.quantity(depth, label, value)
        }
    }

    fn name(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["purpose", "text", "family"], &["given", "prefix", "suffix"], &[])?;
        let line = parts.joined(&["prefix", "given", "family", "suffix"], " ");
        self.spelt_out(depth, label, &parts, line);
        Some(())
    }

    fn address(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let texts = ["purpose", "text", "city", "district", "state", "postal_code", "country"];
        let parts = Parts::of(value, &texts, &["lines"], &[])?;
        let line = parts.joined(&["lines", "district", "city", "state", "postal_code", "country"], ", ");
        self.spelt_out(depth, label, &parts, line);
        Some(())
    }

    /// A name or an address: its text, its parts where they say something else, its use.
    fn spelt_out(&mut self, depth: usize, label: &str, parts: &Parts<'_>, line: String) {
        let text = parts.text("text").filter(|text| *text != line);
        self.lines(depth, label, "In parts", text.map(str::to_owned).into_iter().chain([line]).collect());
        self.part(depth + 1, "Use", parts.text("purpose"));
    }

    fn telecom(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["system", "value", "purpose"], &[], &[])?;
        self.lines(depth, label, "", vec![parts.joined(&["system", "value"], ": ")]);
        self.part(depth + 1, "Use", parts.text("purpose"));
        Some(())
    }

    fn identifier(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["system", "value", "sort"], &[], &[])?;
        self.lines(depth, label, "", vec![parts.joined(&["value"], " ")]);
        self.part(depth + 1, "Given by", parts.text("system"));
        self.part(depth + 1, "Sort", parts.text("sort"));
        Some(())
    }

    fn party(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let parts = Parts::of(value, &["name", "role", "reference"], &[], &["identifiers", "contact"])?;
        self.lines(depth, label, "", vec![parts.joined(&["name"], " ")]);
        self.part(depth + 1, "Role", parts.text("role"));
        self.part(depth + 1, "Reference", parts.text("reference"));
        for (name, label) in [("identifiers", "Number"), ("contact", "Contact")] {
            let Some(items) = parts.member(name) else { continue };
            let mut all_known = true;
            self.items(depth + 1, label, items.as_array()?, |writer, label, item| {
                all_known &= match name {
                    "contact" => writer.telecom(depth + 1, label, item),
                    _ => writer.identifier(depth + 1, label, item),
                }
                .is_some();
            });
            all_known.then_some(())?;
        }
        Some(())
    }

    fn attachment(&mut self, depth: usize, label: &str, value: &Json) -> Option<()> {
        let texts = ["content_type", "title", "url", "data", "sha256"];
        let parts = Parts::of(value, &texts, &[], &["created", "size"])?;
        self.lines(depth, label, "", vec![parts.joined(&["title"], " ")]);
        let depth = depth + 1;
        self.part(depth, "Sort of file", parts.text("content_type"));
        if let Some(created) = parts.member("created") {
            self.date(depth, "Made", created)?;
        }
        if let Some(size) = parts.member("size") {
            self.line(depth, "Size in bytes", size.as_number()?);
        }
        self.part(depth, "Address", parts.text("url"));
        self.part(depth, "SHA-256", parts.text("sha256"));
        if let Some(data) = parts.text("data") {
            let bytes = base64url::decode_padded(data).ok()?;
            let is_text = parts.text("content_type").is_some_and(is_plain_text);
            match std::str::from_utf8(&bytes).ok().filter(|_| is_text) {
                Some(text) => self.line(depth, "The whole file", text),
                None => self.line(depth, "The whole file", &size_words(bytes.len())),
            }
        }
        Some(())
    }
}

/// Whether a file of this sort is its own words.
fn is_plain_text(content_type: &str) -> bool {
    let sort = content_type.split(';').next().unwrap_or_default().trim();
    sort.eq_ignore_ascii_case("text/plain")
}

/// The one value that is described and not shown: bytes that are no words.
fn size_words(bytes: usize) -> String {
    format!("{bytes} bytes, all of them in this excerpt")
}

/// Words beside which no code stands: in quotes where they would pass for a code.
fn bare(words: &str) -> String {
    if seems_coded(words) { format!("“{words}”") } else { words.to_owned() }
}

/// A code from a code system.
fn coding(json: &Json) -> Option<String> {
    let parts = Parts::of(json, &["system", "version", "code", "display"], &[], &[])?;
    let version = parts.text("version").map(|version| format!("version {version}"));
    let system = parts.text("system").map(code_system);
    let code = [system.as_deref(), version.as_deref(), parts.text("code")];
    let code = in_one_line(&code.into_iter().flatten().collect::<Vec<_>>().join(" "));
    Some(match parts.text("display") {
        Some(display) if code.is_empty() => bare(display),
        Some(display) => format!("{display} ({code})"),
        None if code.is_empty() => NOTHING.to_owned(),
        None => code,
    })
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
