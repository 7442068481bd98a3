//! Selection: which entries a policy releases.
//!
//! An entry leaves only if every filter certainly admits it; what a filter could
//! not judge is told to the owner.

use std::collections::BTreeSet;

use subrosa_excerpt::Audience;

use super::candidate::Candidate;
use super::policy::{CodeFilter, Mask, Policy};
use super::view::{FilterNotice, View, Withheld, WithheldReason};
use crate::id::EntryId;
use crate::record::{Coding, DateRange, Entry, Fit, Kind, Negation, PROVENANCE, Token};

/// The entries that leave, by kind and date; notices go to the view.
pub(super) fn select<'a>(
    policy: &Policy,
    candidates: &[Candidate<'a>],
    view: &mut View,
) -> Vec<Candidate<'a>> {
    let mut selected = Vec::new();
    for candidate in candidates {
        match judge(policy, candidate) {
            Verdict::Released => selected.push(*candidate),
            Verdict::NotSelected => {}
            Verdict::Withheld(reason) => {
                view.withheld.push(Withheld { entry: candidate.id, field: None, reason });
            }
        }
    }
    let key = |entry: &Entry| (entry.kind(), entry.dates().and_then(|dates| dates.sort_key()));
    selected.sort_by_key(|candidate| key(candidate.entry));
    notice_counts(view);
    notice_policy(policy, candidates, &selected, view);
    selected
}

enum Verdict {
    Released,
    NotSelected,
    Withheld(WithheldReason),
}

fn judge(policy: &Policy, candidate: &Candidate<'_>) -> Verdict {
    let Candidate { id, entry, .. } = *candidate;
    let by_name = policy.entries.contains(&id);
    if !by_name && !is_of_kind(policy, entry) {
        return Verdict::NotSelected;
    }
    let by_filter = || {
        if let Some(verdict) = judge_code(policy, entry) {
            return verdict;
        }
        judge_date(policy, entry)
    };
    match if by_name { Verdict::Released } else { by_filter() } {
        Verdict::Released => judge_meaning(policy, id, entry),
        verdict => verdict,
    }
}

/// Keeps back what may not be read as it would stand there.
fn judge_meaning(policy: &Policy, id: EntryId, entry: &Entry) -> Verdict {
    let negation = entry.record.negation();
    let is_masked = |field: &&'static str| policy.masks.get(field) == Some(&Mask::Withhold);
    let is_for_third_party = policy.audience == Audience::ThirdParty;
    let is_error = |negation: &Negation| negation.words.contains(&"entered in error");
    let reason = if entry.marks.retracted {
        WithheldReason::Retracted
    } else if negation.as_ref().is_some_and(|negation| negation.fields.iter().any(is_masked)) {
        WithheldReason::NegationMasked
    } else if is_for_third_party && negation.as_ref().is_some_and(is_error) {
        WithheldReason::EnteredInError
    } else if !entry.not_understood.is_empty() && !policy.releases_not_understood(id) {
        WithheldReason::NotUnderstood
    } else {
        return Verdict::Released;
    };
    Verdict::Withheld(reason)
}

fn is_of_kind(policy: &Policy, entry: &Entry) -> bool {
    match policy.kinds.is_empty() {
        true => !policy.codes.is_empty(),
        false => policy.kinds.contains(&entry.kind()),
    }
}

impl Policy {
    /// The policy without kinds, codes and single entries of which none is here: as it is told
    /// to those who see these entries and perhaps no others that it lets out.
    pub(super) fn narrowed_to(&self, here: &[&Candidate<'_>]) -> Self {
        let is_here = |is: &dyn Fn(&Candidate<'_>) -> bool| here.iter().any(|candidate| is(candidate));
        let mut narrowed = self.clone();
        narrowed.kinds.retain(|kind| is_here(&|candidate| candidate.entry.kind() == *kind));
        narrowed.codes.retain(|filter| {
            is_here(&|candidate| codings(candidate.entry).iter().any(|coding| filter.matches(coding)))
        });
        narrowed.entries.retain(|id| is_here(&|candidate| candidate.id == *id));
        narrowed
    }
}

fn codings(entry: &Entry) -> &[Coding] {
    entry.code().map_or(&[], |concept| &concept.codings)
}

fn can_judge(filter: &CodeFilter, entry: &Entry) -> bool {
    codings(entry).iter().any(|coding| filter.can_judge(coding))
}

/// `None` when the entry's code passes, or no code is asked for.
fn judge_code(policy: &Policy, entry: &Entry) -> Option<Verdict> {
    let passes = |filter: &CodeFilter| codings(entry).iter().any(|coding| filter.matches(coding));
    if policy.codes.is_empty() || policy.codes.iter().any(passes) {
        return None;
    }
    let judged = policy.codes.iter().any(|filter| can_judge(filter, entry));
    // Without kinds, every uncoded entry of the vault would be listed.
    let silent = judged || policy.kinds.is_empty();
    Some(if silent { Verdict::NotSelected } else { Verdict::Withheld(WithheldReason::NotInCodeSystem) })
}

fn judge_date(policy: &Policy, entry: &Entry) -> Verdict {
    let dates = entry.dates();
    match DateRange::fit(dates.as_ref(), &policy.range()) {
        Fit::Inside => Verdict::Released,
        Fit::Perhaps if dates.is_none() => Verdict::Withheld(WithheldReason::Undated),
        Fit::Outside => Verdict::NotSelected,
        _ => Verdict::Withheld(WithheldReason::NotCertainlyInRange),
    }
}

fn notice_counts(view: &mut View) {
    let count = |reason| view.withheld.iter().filter(|withheld| withheld.reason == reason).count();
    let notices = [
        FilterNotice::Undated { entries: count(WithheldReason::Undated) },
        FilterNotice::NotCertainlyInRange { entries: count(WithheldReason::NotCertainlyInRange) },
        FilterNotice::Retracted { entries: count(WithheldReason::Retracted) },
        FilterNotice::EnteredInError { entries: count(WithheldReason::EnteredInError) },
        FilterNotice::NotUnderstood { entries: count(WithheldReason::NotUnderstood) },
        FilterNotice::NegationMasked { entries: count(WithheldReason::NegationMasked) },
    ];
    let is_some = |notice: &FilterNotice| match notice {
        FilterNotice::Undated { entries }
        | FilterNotice::NotCertainlyInRange { entries }
        | FilterNotice::Retracted { entries }
        | FilterNotice::EnteredInError { entries }
        | FilterNotice::NotUnderstood { entries }
        | FilterNotice::NegationMasked { entries } => *entries > 0,
        _ => true,
    };
    view.notices.extend(notices.into_iter().filter(is_some));
}

fn notice_policy(policy: &Policy, candidates: &[Candidate<'_>], selected: &[Candidate<'_>], view: &mut View) {
    if policy.kinds.is_empty() && policy.codes.is_empty() && policy.entries.is_empty() {
        view.notices.push(FilterNotice::NothingSelected);
    }
    view.notices.extend(policy.codes.iter().filter_map(|filter| notice_code(policy, filter, candidates)));
    let has = |field: &str| {
        let has_value = |entry: &Entry| {
            let schema = entry.kind().field(field);
            schema.is_some_and(|schema| entry.record.has(schema.tag))
        };
        PROVENANCE.iter().any(|known| known.name == field)
            || selected.iter().any(|candidate| has_value(candidate.entry))
    };
    // The subject follows these two, whether or not a patient record is released.
    let unused = |field: &&'static str| !has(field) && !["names", "birth_date"].contains(field);
    let unused = policy.masks.keys().copied().filter(unused);
    view.notices.extend(unused.map(|field| FilterNotice::MaskWithoutField { field }));
    notice_scope(policy, candidates, view);
    view.notices.extend(view.subject_fault().map(FilterNotice::NoSubject));
}

/// Which part of what was asked for nothing answers to.
fn notice_scope(policy: &Policy, candidates: &[Candidate<'_>], view: &mut View) {
    let ids: BTreeSet<EntryId> = candidates.iter().map(|candidate| candidate.id).collect();
    let ids: Vec<EntryId> = policy.entries.difference(&ids).copied().collect();
    let there: BTreeSet<Kind> = candidates.iter().map(|candidate| candidate.entry.kind()).collect();
    let kinds: Vec<Kind> = policy.kinds.difference(&there).copied().collect();
    let asked =
        || candidates.iter().map(|candidate| candidate.entry).filter(|entry| is_of_kind(policy, entry));
    let has = |filter: &&CodeFilter| {
        asked().any(|entry| codings(entry).iter().any(|coding| filter.matches(coding)))
    };
    // Where there is no entry of the kinds, that was said.
    let unmatched = policy.codes.iter().filter(|filter| asked().next().is_some() && !has(filter));
    let filters: Vec<String> = unmatched.map(CodeFilter::to_string).collect();
    let of_codes = || asked().filter(|entry| judge_code(policy, entry).is_none());
    let is_outside = |entry: &&Entry| DateRange::fit(entry.dates().as_ref(), &policy.range()) == Fit::Outside;
    let outside = of_codes().filter(is_outside).count();
    let notices = [
        (!ids.is_empty()).then_some(FilterNotice::EntryNotFound { ids }),
        (!kinds.is_empty()).then_some(FilterNotice::NoEntryOfKind { kinds }),
        (!filters.is_empty()).then_some(FilterNotice::NoEntryWithCode { filters }),
    ];
    view.notices.extend(notices.into_iter().flatten());
    if outside > 0 && outside == of_codes().count() {
        view.notices.push(FilterNotice::NoEntryInRange { entries: outside });
    }
}

/// Entries of the asked kinds that the filter says nothing about.
fn notice_code(policy: &Policy, filter: &CodeFilter, candidates: &[Candidate<'_>]) -> Option<FilterNotice> {
    let of_kind =
        candidates.iter().map(|candidate| candidate.entry).filter(|entry| is_of_kind(policy, entry));
    let unjudged: Vec<&Entry> = of_kind
        .filter(|entry| !entry.marks.retracted && !can_judge(filter, entry))
        .filter(|entry| !policy.kinds.is_empty() || !codings(entry).is_empty())
        .collect();
    let systems: BTreeSet<String> = unjudged
        .iter()
        .flat_map(|entry| codings(entry))
        .filter_map(|coding| coding.system.as_ref().map(Token::as_str))
        .map(str::to_owned)
        .collect();
    (!unjudged.is_empty()).then(|| FilterNotice::CodeCannotApply {
        filter: filter.to_string(),
        entries: unjudged.len(),
        systems: systems.into_iter().collect(),
    })
}
