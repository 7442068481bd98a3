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
    /// What is wanted, and what has to be.
    AtMostOr {
        wanted: f64,
        must: f64,
    },
    /// The same, where more is better.
    AtLeastOr {
        wanted: f64,
        must: f64,
    },
    /// Shown beside, without a target.
    None,
}

/// Seconds of one iteration.
#[derive(Clone, Copy)]
pub struct Time {
    /// Of the fastest sample: what else the machine does only ever adds.
    pub least: f64,
    /// Of the sample in the middle.
    pub median: f64,
}

impl Time {
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |index: usize| samples.get(index).copied().unwrap_or(f64::NAN);
        let middle = samples.len() / 2;
        let median = if samples.len() % 2 == 1 { at(middle) } else { (at(middle - 1) + at(middle)) / 2.0 };
        Self { least: at(0), median }
    }

    /// What one of so many parts takes.
    pub fn part_of(self, parts: usize) -> Self {
        Self { least: self.least / parts as f64, median: self.median / parts as f64 }
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", seconds(self.least), seconds(self.median))
    }
}

/// Of the fastest samples, and of those in the middle.
#[derive(Clone, Copy)]
struct Ratio {
    least: f64,
    median: f64,
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.least == self.median {
            return write!(f, "{:.2}×", self.least);
        }
        write!(f, "{:.2}× ({:.2}×)", self.least, self.median)
    }
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

    /// Seconds per iteration, of criterion's samples.
    pub fn time(&mut self, group: &str, name: &str, mut routine: impl FnMut(&mut Bencher)) -> Time {
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
        let seconds = numbers("times").into_iter().zip(numbers("iters")).map(|(time, count)| time / count / 1e9);
        Time::of(seconds.collect())
    }

    /// A row of seconds, lower is better: the ratio is ours to the peer's.
    pub fn cost(&mut self, what: &str, ours: Time, peer: &str, theirs: Time, target: Target) {
        let ratio = Ratio { least: ours.least / theirs.least, median: ours.median / theirs.median };
        self.compare(what, &ours.to_string(), &format!("{peer}: {theirs}"), Some(ratio), target);
    }

    /// A row of seconds where the ratio says how many times faster ours is.
    pub fn speed(&mut self, what: &str, ours: Time, peer: &str, theirs: Time, target: Target) {
        let ratio = Ratio { least: theirs.least / ours.least, median: theirs.median / ours.median };
        self.compare(what, &ours.to_string(), &format!("{peer}: {theirs}"), Some(ratio), target);
    }

    /// A row of any two figures and their ratio.
    pub fn row(&mut self, what: &str, ours: &str, peer: &str, ratio: f64, target: Target) {
        let ratio = (!ratio.is_nan()).then_some(Ratio { least: ratio, median: ratio });
        self.compare(what, ours, peer, ratio, target);
    }

    fn compare(&mut self, what: &str, ours: &str, peer: &str, ratio: Option<Ratio>, target: Target) {
        let least = ratio.map_or(f64::NAN, |ratio| ratio.least);
        let answer = |met: bool| if met { "yes" } else { "**no**" };
        let (wanted, met) = match target {
            Target::AtMost(limit) => (format!("≤ {limit}×"), answer(least <= limit).to_owned()),
            Target::AtLeast(limit) => (format!("≥ {limit}×"), answer(least >= limit).to_owned()),
            Target::AtMostOr { wanted, must } => {
                let met = format!("{}, must: {}", answer(least <= wanted), answer(least <= must));
                (format!("≤ {wanted}× (must ≤ {must}×)"), met)
            }
            Target::AtLeastOr { wanted, must } => {
                let met = format!("{}, must: {}", answer(least >= wanted), answer(least >= must));
                (format!("≥ {wanted}× (must ≥ {must}×)"), met)
            }
            Target::None => (String::new(), String::new()),
        };
        let ratio = ratio.map_or(String::new(), |ratio| ratio.to_string());
        let row = [what, ours, peer, &ratio, &wanted, &met].map(str::to_owned);
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
        println!("\nMeasured on {}. Each time is that of the fastest sample (the median).", processor());
        println!("\n| what | Subrosa | peer | ratio | target | met |\n|---|---:|---:|---:|---:|---|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}

/// The processor and how many cores this process may use.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim())
    };
    let model = field("model name").unwrap_or("an unknown processor");
    let family = field("cpu family").map_or(String::new(), |family| {
        format!(" (family {family}, model {})", field("model\t").unwrap_or("?"))
    });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let flags: Vec<&str> = field("flags").unwrap_or_default().split(' ').collect();
    let known = ["aes", "pclmulqdq", "sha_ni", "avx2", "avx512f", "vaes", "vpclmulqdq"];
    let has: Vec<&str> = known.into_iter().filter(|flag| flags.contains(flag)).collect();
    format!("{model}{family}, {cores} cores, {}", has.join(" "))
}

fn seconds(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.2} µs", s * 1e6),
    }
}
