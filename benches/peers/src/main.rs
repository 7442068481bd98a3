//! Subrosa beside its peers, in one run; prints the table that benches/README.md shows.

mod attachments;
mod bare;
mod counting;
mod excerpts;
mod keepass;
mod large;
mod measure;
mod records;
mod small;
mod sqlite;

use std::path::PathBuf;

use measure::{Bench, Sizes};

#[global_allocator]
static ALLOCATOR: counting::Allocator = counting::Allocator;

const HELP: &str = "Subrosa beside its peers

    cargo run --release --manifest-path benches/peers/Cargo.toml -- [OPTIONS] [PART …]

PART      bare, commit, large, small, attachments, excerpts, keepass; all if none is named
--quick   a tenth of the entries and short samples: about two minutes
--entries N      entries of the large vault (100000)
--many N         entries of the vault for the cost per commit (1000000)
--folder PATH    where the files are put (a temporary folder)";

fn main() {
    let mut sizes = Sizes { entries: 100_000, many: 1_000_000, quick: false };
    let (mut only, mut folder) = (Vec::new(), None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value\n\n{HELP}"));
        let number = |text: String| text.parse().unwrap_or_else(|_| panic!("{text} is no number\n\n{HELP}"));
        match argument.as_str() {
            "--quick" => sizes = Sizes { entries: 10_000, many: 100_000, quick: true },
            "--entries" => sizes.entries = number(value()),
            "--many" => sizes.many = number(value()),
            "--folder" => folder = Some(PathBuf::from(value())),
            "--help" | "-h" => return println!("{HELP}"),
            part if !part.starts_with('-') => only.push(part.to_owned()),
            other => panic!("{other} is not known\n\n{HELP}"),
        }
    }
    let parent = folder.unwrap_or_else(std::env::temp_dir);
    let temporary = tempfile::tempdir_in(parent).expect("a folder can be made");
    let path = temporary.path();
    let mut bench = Bench::new(path.join("criterion"), sizes, only);
    if bench.wants("bare") {
        bare::content(&mut bench);
        bare::unlock(&mut bench, path);
    }
    if bench.wants("commit") {
        bare::commit(&mut bench, path);
        large::cost_per_commit(&mut bench, path);
    }
    if bench.wants("large") {
        large::all(&mut bench, path);
    }
    if bench.wants("small") {
        small::all(&mut bench, path);
    }
    if bench.wants("attachments") {
        attachments::all(&mut bench, path);
    }
    if bench.wants("excerpts") {
        excerpts::all(&mut bench);
    }
    if bench.wants("keepass") {
        keepass::all(&mut bench, path);
    }
    bench.print();
}
