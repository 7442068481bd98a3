//! Progress of what takes long, for people who watch a terminal.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use subrosa::vault::Progress;

/// A bar of bytes; hidden where nobody watches.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar with a verb in front.
    pub(crate) fn new(verb: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0).with_message(verb.to_owned());
        Self(match ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Shows how far it is.
    pub(crate) fn show(&self, progress: Progress) {
        if progress.total == 0 {
            return;
        }
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.0.length() != Some(0) {
            self.0.finish_and_clear();
        }
    }
}

/// A number of bytes as people read it.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
