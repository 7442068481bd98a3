//! What the program prints and writes.
//!
//! Texts out of records are made harmless for the terminal first; files are
//! new, and readable by their owner only.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde_json::Value;

use crate::failure::Failure;

/// The narrowest terminal, in columns, that tables are made to fit.
const NARROWEST: u16 = 60;

/// Prints a text and ends the line.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let width = io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    bytes(format!("{}\n", wrapped(text, width)).as_bytes())
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
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let (mut broken, mut column) = (indent.clone(), indent.len());
    for word in line.trim_start().split(' ') {
        let length = columns(word);
        if column + length + 1 > width && column > indent.len() {
            broken.truncate(broken.trim_end().len());
            broken.push('\n');
            broken.push_str(&indent);
            column = indent.len();
        } else if column > indent.len() {
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

/// Prints bytes as they are.
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

    /// Prints a text and ends the line.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        let text = wrapped(text, self.width);
        written(writeln!(self.out, "{text}"))
    }

    /// Prints a part of JSON, which ends between two tokens, harmless for a terminal.
    pub(crate) fn json(&mut self, part: &str) -> Result<(), Failure> {
        written(self.out.write_all(subrosa::release::spell_json(part).as_bytes()))
    }

    /// Hands on what is still held back.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        written(self.out.flush())
    }
}

/// Prints JSON in which no character acts on a terminal.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    bytes(format!("{}\n", subrosa::release::spell_json(&format!("{value:#}"))).as_bytes())
}

/// Says something beside the output, on standard error.
pub(crate) fn note(text: &str) {
    // Where stderr is closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{}", wrapped(text, width_of_notes()));
}

/// A text in one line that cannot move the cursor, change colours, reverse the
/// direction of writing or hide a part of itself: a record must not forge what is seen.
pub(crate) fn printable(text: &str) -> String {
    subrosa::release::spell(text)
}

/// The same for a text of several lines.
pub(crate) fn printable_lines(text: &str) -> String {
    subrosa::release::spell_lines(text)
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
pub(crate) fn entry(shown: &subrosa::release::ShownEntry) -> String {
    let mut lines = vec![indented("  ", &shown.heading)];
    lines.extend(shown.warnings.iter().map(|warning| indented("    ! ", warning)));
    for line in &shown.lines {
        let label = format!("{}{}", "  ".repeat(line.depth.min(8)), line.label);
        lines.push(labelled(&label, if line.withheld { "███ withheld" } else { &line.text }));
    }
    lines.join("\n")
}

/// A line of an entry: what it says something of, and what it says.
pub(crate) fn labelled(label: &str, text: &str) -> String {
    let has_room = line_columns().saturating_sub(LABEL + 5) >= BESIDE;
    if !has_room {
        return format!("{}\n{}", indented("    ", &format!("{label}:")), indented("      ", text));
    }
    match columns(label) < LABEL {
        true => indented(&format!("    {label}{} ", " ".repeat(LABEL - columns(label))), text),
        false => format!("{}\n{}", indented("    ", label), indented(&" ".repeat(LABEL + 5), text)),
    }
}

/// A text behind a beginning, broken between words, and further lines below its start.
pub(crate) fn indented(beginning: &str, text: &str) -> String {
    let margin = columns(beginning);
    let room = line_columns().saturating_sub(margin).max(16);
    let lines = text.lines().flat_map(|line| broken(&printable(line), room)).collect::<Vec<_>>();
    let between = format!("\n{}", " ".repeat(margin));
    format!("{beginning}{}", lines.join(&between)).trim_end().to_owned()
}

/// The line in parts of no more than this many columns.
fn broken(line: &str, room: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        if used > 0 && used + columns(word.trim_end()) > room {
            parts.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            let width = width(character);
            if used + width > room {
                parts.push(String::new());
                used = 0;
            }
            if let Some(part) = parts.last_mut() {
                part.push(character);
            }
            used += width;
        }
    }
    parts
}

/// Columns that a text takes at most.
fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// One column for what Latin, Greek and Cyrillic write, two for anything that may be wide.
fn width(character: char) -> usize {
    if u32::from(character) < 0x1100 || ('\u{2000}'..='\u{2bff}').contains(&character) { 1 } else { 2 }
}

/// A table as wide as the terminal; elsewhere, as wide as its content. The first and
/// the last column, dates and ids, are never broken.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table_of(header, rows, &[])
}

/// The same; on a terminal, these columns are no wider than this.
pub(crate) fn table_of(header: &[&str], rows: Vec<Vec<String>>, bounds: &[(usize, u16)]) -> String {
    let mut table = Table::new();
    if io::stdout().is_terminal() && table.width().is_some_and(|width| width < NARROWEST) {
        return rows.iter().map(|row| stacked(header, row)).collect::<Vec<_>>().join("\n\n");
    }
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        for column in [0, header.len().saturating_sub(1)] {
            if let Some(column) = table.column_mut(column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        for (column, bound) in bounds {
            if let Some(column) = table.column_mut(*column) {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(*bound)));
            }
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
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
    let text = wrapped(said.trim_end(), width);
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

/// A file that was not there before, which only its owner may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new private file, kept only if everything that is to be in it gets there.
pub(crate) struct NewFile<'a> {
    path: &'a Path,
    file: File,
    whole: bool,
}

impl<'a> NewFile<'a> {
    /// Creates the file, empty.
    pub(crate) fn create(path: &'a Path) -> Result<Self, Failure> {
        let file = create_private(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::refused("there is a file of the output's name already; choose another name")
            }
            _ => Failure::creating(path, &error),
        })?;
        Ok(Self { path, file, whole: false })
    }

    /// Writes a part.
    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(content)
            .map_err(|error| Failure::file("the output file cannot be written", &error))
    }

    /// Takes room for this many bytes, so that a full disk shows before anything is done that
    /// cannot be undone. What is written goes there; the rest is given back.
    pub(crate) fn reserve(&mut self, length: u64) -> Result<(), Failure> {
        let zeros = io::repeat(0).take(length);
        let taken =
            io::copy(&mut io::BufReader::new(zeros), &mut self.file).and_then(|_| self.file.sync_all());
        taken
            .and_then(|()| self.file.rewind())
            .map_err(|error| Failure::file("the output file cannot be written", &error))
    }

    /// Makes what is written durable, before something is done that needs it.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        let durable = self.file.sync_all();
        durable.map_err(|error| Failure::file("the output file cannot be written", &error))
    }

    /// Makes the file durable and gives it another name, never another file's.
    pub(crate) fn finish_as(self, name: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::refused("there is a file of the output's name already; choose another name")
            }
            _ => Failure::file("the output file cannot be written", &error),
        };
        self.file.sync_all().map_err(failed)?;
        match std::fs::hard_link(self.path, name) {
            // Where there are no hard links: reserve the name first.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) =>
            {
                create_private(name).map_err(failed)?;
                std::fs::rename(self.path, name).map_err(failed)
            }
            // Dropping takes the temporary name away.
            result => result.map_err(failed),
        }
    }

    /// Makes the file durable and keeps it.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let cut = self.file.stream_position().and_then(|end| self.file.set_len(end));
        cut.map_err(|error| Failure::file("the output file cannot be written", &error))?;
        self.sync()?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.whole {
            // Half a file helps nobody; what cannot be removed stays, 0600.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

/// A moment as people read it.
pub(crate) fn moment(time: SystemTime) -> String {
    timestamp(time).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// A moment as programs read it (RFC 3339).
pub(crate) fn moment_for_programs(time: SystemTime) -> String {
    timestamp(time).to_string()
}

/// The moment to the millisecond, which is what a vault keeps.
fn timestamp(time: SystemTime) -> jiff::Timestamp {
    let exact = jiff::Timestamp::try_from(time).map(jiff::Timestamp::as_millisecond);
    exact.and_then(jiff::Timestamp::from_millisecond).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
