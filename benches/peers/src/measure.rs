//! Measuring with criterion, and the table of what was measured.

use std::path::PathBuf;
use std::time::Duration;

use criterion::{Bencher, Criterion, SamplingMode};

/// How large and how long.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Entries of the large vault.
    pub entries: usize,
    /// Entries of the vault that commits are made to for comparison with one of 10 000.
    pub many: usize,
    /// Short samples.
    pub quick: bool,
}

/// What a ratio has to be.
#[derive(Clone, Copy)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Shown beside, without a target.
    None,
}

pub struct Bench {
    criterion: Criterion,
    output: PathBuf,
    pub sizes: Sizes,
    only: Vec<String>,
    rows: Vec<[String; 6]>,
}

impl Bench {
    pub fn new(output: PathBuf, sizes: Sizes, only: Vec<String>) -> Self {
        let criterion = Criterion::default().output_directory(&output).without_plots();
        Self { criterion, output, sizes, only, rows: Vec::new() }
    }

    /// Whether a part was asked for.
    pub fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| part.contains(only.as_str()))
    }

    /// Seconds per iteration: the least of criterion's samples, since what else the
    /// machine does only ever adds.
    pub fn time(&mut self, group: &str, name: &str, mut routine: impl FnMut(&mut Bencher)) -> f64 {
        let quick = self.sizes.quick;
        let mut criterion = self.criterion.benchmark_group(group);
        criterion
            .sample_size(if quick { 10 } else { 20 })
            .sampling_mode(SamplingMode::Flat)
            .warm_up_time(Duration::from_millis(if quick { 100 } else { 500 }))
            .measurement_time(Duration::from_millis(if quick { 400 } else { 2500 }));
        criterion.bench_function(name, |b| routine(b));
        criterion.finish();
        let file = self.output.join(group).join(name).join("new/sample.json");
        let text = std::fs::read_to_string(file).expect("criterion wrote its samples");
        let sample: serde_json::Value = serde_json::from_str(&text).expect("criterion writes JSON");
        let numbers = |name: &str| -> Vec<f64> {
            let list = sample[name].as_array().expect("a list of numbers");
            list.iter().map(|number| number.as_f64().expect("a number")).collect()
        };
        let least = numbers("times").into_iter().zip(numbers("iters")).map(|(time, count)| time / count);
        least.fold(f64::INFINITY, f64::min) / 1e9
    }

    /// A row of seconds, lower is better: the ratio is ours to the peer's.
    pub fn cost(&mut self, what: &str, ours: f64, peer: &str, theirs: f64, target: Target) {
        self.row(what, &seconds(ours), &format!("{peer}: {}", seconds(theirs)), ours / theirs, target);
    }

    /// A row of seconds where the ratio says how many times faster ours is.
    pub fn speed(&mut self, what: &str, ours: f64, peer: &str, theirs: f64, target: Target) {
        self.row(what, &seconds(ours), &format!("{peer}: {}", seconds(theirs)), theirs / ours, target);
    }

    /// A row of any two figures and their ratio.
    pub fn row(&mut self, what: &str, ours: &str, peer: &str, ratio: f64, target: Target) {
        let (wanted, met) = match target {
            Target::AtMost(limit) => (format!("≤ {limit}×"), if ratio <= limit { "yes" } else { "**no**" }),
            Target::AtLeast(limit) => (format!("≥ {limit}×"), if ratio >= limit { "yes" } else { "**no**" }),
            Target::None => ("".into(), ""),
        };
        let ratio = if ratio.is_nan() { String::new() } else { format!("{ratio:.2}×") };
        let row = [what, ours, peer, &ratio, &wanted, met].map(str::to_owned);
        eprintln!("{}", row.join(" | "));
        self.rows.push(row);
    }

    /// A row of one figure against a limit of its own.
    pub fn limit(&mut self, what: &str, ours: String, met: bool, wanted: &str) {
        let met = if met { "yes" } else { "**no**" };
        let row = [what, &ours, "", "", wanted, met].map(str::to_owned);
        eprintln!("{}", row.join(" | "));
        self.rows.push(row);
    }

    pub fn print(&self) {
        println!("\n| what | Subrosa | peer | ratio | target | met |\n|---|---:|---:|---:|---:|---|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}

pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.2} µs", s * 1e6),
    }
}
