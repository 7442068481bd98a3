//! What an import could not show, in three groups: what changes the meaning line by line,
//! the rest in few lines.

use std::collections::BTreeMap;

use subrosa::{Finding, FindingGroup};

use crate::output::{count, printable};

/// Most lines of one group for people; JSON and `--report` have every path.
const SHOWN: usize = 10;

/// The findings for people, in short.
pub(crate) fn told(findings: &[Finding]) -> Vec<String> {
    let (left_out, findings): (Vec<Finding>, Vec<Finding>) =
        findings.iter().cloned().partition(|finding| finding.reason.is_left_out());
    let mut left = Vec::new();
    if !left_out.is_empty() {
        left = vec![String::new(), "Left out, and NOT in the vault:".to_owned()];
        left.extend(grave(&left_out.iter().collect::<Vec<_>>()));
    }
    let findings = &findings[..];
    let mut lines = Vec::new();
    lines.extend(grave(&of(findings, FindingGroup::ChangesMeaning)));
    lines.extend(content(&of(findings, FindingGroup::ContentNotShown)));
    let technical = of(findings, FindingGroup::Technical);
    if !technical.is_empty() {
        let paths = count(technical.len(), "kind of element", "kinds of element");
        lines.push(format!(
            "  Kept in the original only: {paths} for programs, such as addresses and numbers."
        ));
    }
    if lines.is_empty() {
        return left;
    }
    let head = "What to know: nothing is lost, but lists and excerpts show little or nothing of this. \
                `personal show ID --raw` shows the original; `--report` lists every path.";
    left.into_iter().chain([String::new(), head.to_owned()]).chain(lines).collect()
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

fn grave(findings: &[&Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().take(SHOWN).map(|finding| line(finding)).collect();
    if findings.len() > SHOWN {
        lines.push(format!("  … and {} more (--report lists all)", findings.len() - SHOWN));
    }
    lines
}

/// A line for each type of resource.
fn content(findings: &[&Finding]) -> Vec<String> {
    let mut types = BTreeMap::<&str, (usize, usize)>::new();
    for finding in findings {
        let (paths, places) = types.entry(finding.path.split('.').next().unwrap_or_default()).or_default();
        *paths += 1;
        *places += finding.count;
    }
    let said = |(name, (paths, places)): (&&str, &(usize, usize))| {
        let elements = count(*paths, "kind of element", "kinds of element");
        printable(&format!(
            "  {name}: {elements} in {}, in the original only",
            count(*places, "place", "places")
        ))
    };
    let mut lines: Vec<String> = types.iter().take(SHOWN).map(said).collect();
    if types.len() > SHOWN {
        lines.push(format!("  … and {} more types of resource (--report lists all)", types.len() - SHOWN));
    }
    lines
}
