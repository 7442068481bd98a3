//! What an import could not show, in three groups: what changes the meaning line by line,
//! the rest in few lines.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use subrosa::interop::{Finding, FindingGroup};

use crate::output::{count, printable};
use crate::target::hinted;

/// Most lines of one group for people; JSON and `--report` have every path.
const SHOWN: usize = 10;
/// Types of resource that are named for people.
const TYPES: usize = 3;

/// The findings for people, in short: what changes the meaning line by line, the rest in
/// a line each.
pub(crate) fn told(findings: &[Finding], is_whole: bool) -> Vec<String> {
    let mut lines = grave(&of(findings, FindingGroup::ChangesMeaning));
    lines.extend(content(&of(findings, FindingGroup::ContentNotShown)));
    let technical = of(findings, FindingGroup::Technical);
    if !technical.is_empty() {
        let paths = count(technical.len(), "kind of element", "kinds of element");
        lines.push(format!("  For programs: {paths}, such as addresses and numbers, in the originals only."));
    }
    if lines.is_empty() {
        return lines;
    }
    let lost = if is_whole { "nothing is lost, but " } else { "" };
    let head = hinted(&format!(
        "What to know: {lost}lists and excerpts show little or nothing of this. `personal show ID --raw` shows an \
         original; --report lists every path."
    ));
    [String::new(), head].into_iter().chain(lines).collect()
}

/// Every finding, a line each.
pub(crate) fn report(findings: &[Finding]) -> Vec<String> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.group());
    sorted.into_iter().map(line).collect()
}

/// The name of a group for programs.
pub(crate) fn group_name(group: FindingGroup) -> &'static str {
    match group {
        FindingGroup::ChangesMeaning => "changes-meaning",
        FindingGroup::ContentNotShown => "content-not-shown",
        FindingGroup::Technical => "technical",
        _ => "unknown",
    }
}

fn of(findings: &[Finding], group: FindingGroup) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.group() == group).collect()
}

fn line(finding: &Finding) -> String {
    printable(&format!("  {} × {}: {}", finding.count, finding.path, finding.reason))
}

/// What was left out by decision, a line for each path and reason.
pub(crate) fn left_out(findings: &[Finding]) -> Vec<String> {
    grave(&findings.iter().filter(|finding| finding.reason.is_left_out()).collect::<Vec<_>>())
}

fn grave(findings: &[&Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().take(SHOWN).map(|finding| line(finding)).collect();
    if findings.len() > SHOWN {
        lines.push(format!("  … and {} more (--report lists all)", findings.len() - SHOWN));
    }
    lines
}

/// One line: how much there is, and in which types of resource most of it.
fn content(findings: &[&Finding]) -> Option<String> {
    let mut types = BTreeMap::<&str, usize>::new();
    for finding in findings {
        *types.entry(finding.path.split('.').next().unwrap_or_default()).or_default() += finding.count;
    }
    let mut most: Vec<(&str, usize)> = types.into_iter().collect();
    most.sort_by_key(|(_, places)| Reverse(*places));
    let places = most.iter().map(|(_, places)| places).sum();
    let names: Vec<&str> = most.iter().take(TYPES).map(|(name, _)| *name).collect();
    let mostly = if most.len() > TYPES { "mostly in" } else { "in" };
    (!findings.is_empty()).then(|| {
        printable(&format!(
            "  For specialists: {} in {}, {mostly} {}, in the originals only.",
            count(findings.len(), "kind of element", "kinds of element"),
            count(places, "place", "places"),
            names.join(", ")
        ))
    })
}
