//! What the program prints and writes.
//!
//! Texts out of records are made harmless for the terminal first; files are
//! new, and readable by their owner only.

mod file;
mod widths;

pub(crate) use file::{NewFile, create_private};
pub(crate) use widths::Shape;

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::SystemTime;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde_json::Value;
use subrosa::release::{ShownEntry, columns, spell_block, spell_json, spell_lines};

use self::widths::Fitted;
use crate::failure::Failure;

/// The narrowest terminal, in columns, that tables are made to fit.
const NARROWEST: u16 = 60;

/// Bytes of JSON that are spelt at once.
const AT_ONCE: usize = 64 * 1024;

/// Prints a text and ends the line. No character of it acts on a terminal.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = Stream::new();
    out.say(text)?;
    out.finish()
}

/// Prints a line of JSON in which no character acts on a terminal.
pub(crate) fn say_json(text: &str) -> Result<(), Failure> {
    bytes(format!("{}\n", spell_json(text)).as_bytes())
}

/// A text whose lines are broken between words where they are wider than the terminal.
pub(crate) fn wrapped(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from).filter(|width| *width >= 20) else { return text.to_owned() };
    text.split('\n').map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let margin: String = line.chars().take_while(|c| *c == ' ').collect();
    // Only where the program begins a line is there nothing before it.
    let indent = if margin.is_empty() { "  ".to_owned() } else { margin.clone() };
    let (mut broken, mut column) = (margin.clone(), margin.len());
    let mut start = margin.len();
    for word in line.trim_start().split(' ') {
        let length = columns(word);
        if column + length + 1 > width && column > start {
            broken.truncate(broken.trim_end().len());
            broken.push('\n');
            broken.push_str(&indent);
            (column, start) = (indent.len(), indent.len());
        } else if column > start {
            broken.push(' ');
            column += 1;
        }
        broken.push_str(word);
        column += length;
    }
    broken
}

/// How wide the terminal is that questions and notes go to.
pub(crate) fn width_of_notes() -> Option<u16> {
    let mut table = Table::new();
    io::stderr().is_terminal().then(|| table.use_stderr().width()).flatten()
}

/// Prints bytes as they are, for what reads them: a terminal would obey them.
pub(crate) fn bytes(content: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(content).and_then(|()| out.flush()))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
        _ => Failure::file("the output cannot be written", &error),
    })
}

/// Standard output, written part by part, where the whole would take memory.
pub(crate) struct Stream {
    out: io::BufWriter<io::Stdout>,
    width: Option<u16>,
}

impl Stream {
    pub(crate) fn new() -> Self {
        let width = io::stdout().is_terminal().then(|| Table::new().width()).flatten();
        Self { out: io::BufWriter::new(io::stdout()), width }
    }

    /// Prints a text and ends the line. No character of it acts on a terminal.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        let text = wrapped(&printable_lines(text), self.width);
        written(writeln!(self.out, "{text}"))
    }

    /// Prints an entry, line by line.
    pub(crate) fn entry(&mut self, shown: &ShownEntry) -> Result<(), Failure> {
        let mut lines = Lines { out: &mut self.out, result: Ok(()) };
        // What went wrong is in the result.
        let _ = write_entry(&mut lines, shown);
        written(lines.result)
    }

    /// Prints a part of JSON, which ends between two tokens, harmless for a terminal.
    pub(crate) fn json(&mut self, part: &str) -> Result<(), Failure> {
        let mut rest = part;
        while !rest.is_empty() {
            let ends = (1..=rest.len().min(AT_ONCE)).rev();
            let end = ends.into_iter().find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
            let (chunk, behind) = rest.split_at(end);
            written(self.out.write_all(spell_json(chunk).as_bytes()))?;
            rest = behind;
        }
        Ok(())
    }

    /// Hands on what is still held back.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        written(self.out.flush())
    }
}

/// What is written as text goes to an output that may fail.
struct Lines<'a> {
    out: &'a mut io::BufWriter<io::Stdout>,
    result: io::Result<()>,
}

impl fmt::Write for Lines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.result = self.out.write_all(text.as_bytes());
        if self.result.is_ok() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Prints JSON in which no character acts on a terminal.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    bytes(format!("{}\n", spell_json(&format!("{value:#}"))).as_bytes())
}

/// A JSON object with these members behind its own, whose texts are JSON and stay as they
/// are: a number in them keeps every digit.
pub(crate) fn with_members(object: &Value, members: &[(&str, &str)]) -> String {
    let mut text = format!("{object:#}").trim_end_matches('}').trim_end().to_owned();
    for (name, value) in members {
        text.push_str(&format!(",\n  \"{name}\": {}", value.replace('\n', "\n  ")));
    }
    text + "\n}"
}

/// A JSON array of items whose texts stay as they are.
pub(crate) fn array_of(items: &[String]) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let items: Vec<String> = items.iter().map(|item| item.replace('\n', "\n  ")).collect();
    format!("[\n  {}\n]", items.join(",\n  "))
}

/// Says something beside the output, on standard error. No character of it acts on a
/// terminal.
pub(crate) fn note(text: &str) {
    // Where stderr is closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{}", wrapped(&printable_lines(text), width_of_notes()));
}

/// A text in one line that cannot move the cursor, change colours, reverse the
/// direction of writing or hide a part of itself: a record must not forge what is seen.
pub(crate) fn printable(text: &str) -> String {
    subrosa::release::spell(text)
}

/// The same for a text of several lines.
pub(crate) fn printable_lines(text: &str) -> String {
    spell_lines(text)
}

/// Columns of a line of content: it must not reach a terminal's edge, where it would
/// go on at the place of the program's own lines.
const COLUMNS: usize = 78;
/// Fewest columns in which words can stand beside their label.
const BESIDE: usize = 24;

/// Columns that a line of content may take: on a narrow terminal fewer.
fn line_columns() -> usize {
    let out = io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    let width = out.or_else(width_of_notes).map(|width| usize::from(width).saturating_sub(2));
    width.map_or(COLUMNS, |width| width.clamp(20, COLUMNS))
}

/// Columns of the labels of an entry.
const LABEL: usize = 22;

/// An entry as its reader sees it, every line further in than the program's own.
pub(crate) fn entry(shown: &ShownEntry) -> String {
    in_memory(|out| write_entry(out, shown)).trim_end().to_owned()
}

/// A line of an entry: what it says something of, and what it says.
pub(crate) fn labelled(label: &str, text: &str) -> String {
    in_memory(|out| write_labelled(out, label, text))
}

/// A text of others behind a beginning, broken between words, and further lines below its
/// start: none begins at the edge.
pub(crate) fn indented(beginning: &str, text: &str) -> String {
    in_memory(|out| spell_block(out, beginning, text, line_columns()))
}

fn in_memory(write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) -> String {
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = write(&mut text);
    text
}

/// Each line ends with a line break.
fn write_entry(out: &mut dyn fmt::Write, shown: &ShownEntry) -> fmt::Result {
    let columns = line_columns();
    spell_block(out, "  ", &shown.heading, columns)?;
    for warning in &shown.warnings {
        out.write_char('\n')?;
        spell_block(out, "    ! ", warning, columns)?;
    }
    for line in &shown.lines {
        out.write_char('\n')?;
        let label = format!("{}{}", "  ".repeat(line.depth.min(8)), line.label);
        write_labelled(out, &label, if line.withheld { "███ withheld" } else { &line.text })?;
    }
    out.write_char('\n')
}

fn write_labelled(out: &mut dyn fmt::Write, label: &str, text: &str) -> fmt::Result {
    let width = line_columns();
    let is_beside = width.saturating_sub(LABEL + 5) >= BESIDE;
    if is_beside && columns(label) < LABEL {
        let gap = " ".repeat(LABEL - columns(label));
        return spell_block(out, &format!("    {label}{gap} "), text, width);
    }
    let (label, margin) = if is_beside { (label.to_owned(), LABEL + 5) } else { (format!("{label}:"), 6) };
    spell_block(out, "    ", &label, width)?;
    out.write_char('\n')?;
    spell_block(out, &" ".repeat(margin), text, width)
}

/// A table as wide as the terminal; elsewhere, as wide as its content. The first and
/// the last column, dates and ids, are never broken.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    match stacked_if_narrow(header, &rows) {
        Some(lines) => lines,
        None => as_wide_as_may_be(header, &spelt(&rows)),
    }
}

/// The same for a list of this shape, whose words stay whole on a terminal of any usual width.
pub(crate) fn list(header: &[&str], rows: Vec<Vec<String>>, shape: &Shape) -> String {
    let room = io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    let Some(room) = room.filter(|width| *width >= NARROWEST) else { return table(header, rows) };
    let Fitted { header, rows, widths } = Fitted::of(header, spelt(&rows), shape, usize::from(room));
    let Some(widths) = widths else { return as_wide_as_may_be(&header, &rows) };
    let mut table = plain(&header, &rows);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    for (column, width) in widths.into_iter().enumerate() {
        if let (Some(column), Ok(width)) = (table.column_mut(column), u16::try_from(width)) {
            // With a space at each side.
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width.saturating_add(2))));
        }
    }
    lines_of(&table)
}

/// No text of a record begins a line of its cell.
fn spelt(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect()
}

fn as_wide_as_may_be(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = plain(header, rows);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        for column in [0, header.len().saturating_sub(1)] {
            if let Some(column) = table.column_mut(column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
    lines_of(&table)
}

fn plain(header: &[&str], rows: &[Vec<String>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    table
}

fn lines_of(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn stacked_if_narrow(header: &[&str], rows: &[Vec<String>]) -> Option<String> {
    let is_narrow = io::stdout().is_terminal() && Table::new().width().is_some_and(|width| width < NARROWEST);
    is_narrow.then(|| rows.iter().map(|row| stacked(header, row)).collect::<Vec<_>>().join("\n\n"))
}

/// A row as lines, each with its header: where a terminal is too narrow for a table.
fn stacked(header: &[&str], row: &[String]) -> String {
    let cells = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    let lines = cells.enumerate().map(|(number, (header, cell))| {
        let margin = if number == 0 { "" } else { "  " };
        let name = if header.is_empty() { String::new() } else { format!("{header}: ") };
        indented(&format!("{margin}{name}"), cell)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What clap says, with its lines broken where the terminal is narrower.
pub(crate) fn explain(said: &str, is_error: bool) {
    let width = match is_error {
        true => width_of_notes(),
        false => io::stdout().is_terminal().then(|| Table::new().width()).flatten(),
    };
    let text = wrapped(&printable_lines(said.trim_end()), width);
    // Where nobody reads there is nobody left to tell.
    let _ = match is_error {
        true => writeln!(io::stderr(), "{text}"),
        false => writeln!(io::stdout(), "{text}"),
    };
}

/// `1 byte`, `2 bytes`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `1 entry`, `2 entries`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The text, cut where it is longer than this many characters.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A moment as people read it. One that no calendar has, from the year 10000 on, is not said to
/// be of another year.
pub(crate) fn moment(time: SystemTime) -> String {
    let in_words = |time: jiff::Timestamp| time.strftime("%-d %B %Y, %H:%M UTC").to_string();
    timestamp(time).map_or_else(|| format!("{} (seconds since 1970; no date)", seconds(time)), in_words)
}

/// A moment as programs read it: RFC 3339, or `@` and the seconds since 1970.
pub(crate) fn moment_for_programs(time: SystemTime) -> String {
    timestamp(time).map_or_else(|| seconds(time), |time| time.to_string())
}

/// The moment to the millisecond, which is what a vault keeps.
fn timestamp(time: SystemTime) -> Option<jiff::Timestamp> {
    let exact = jiff::Timestamp::try_from(time).ok()?;
    jiff::Timestamp::from_millisecond(exact.as_millisecond()).ok()
}

fn seconds(time: SystemTime) -> String {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => format!("@{}", since.as_secs()),
        Err(before) => format!("@-{}", before.duration().as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_that_no_calendar_has_is_not_said_to_be_in_1970() {
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(300_000_000_000);
        assert_eq!(moment(late), "@300000000000 (seconds since 1970; no date)");
        assert_eq!(moment_for_programs(late), "@300000000000");
        assert_eq!(moment(SystemTime::UNIX_EPOCH), "1 January 1970, 00:00 UTC");
        assert_eq!(moment_for_programs(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }
}
