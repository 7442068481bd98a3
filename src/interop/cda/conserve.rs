//! What an entry does not carry of its part of the document: every attribute and every text
//! that no mapping read.
//!
//! An element of which nothing was read is named once, not by each of its leaves.

use super::context::Context;
use crate::codec::xml::{El, Space};
use crate::interop::finding::FindingReason;

/// Elements that change what they stand in, wherever nothing reads them.
const MODIFIERS: [&str; 4] = ["qualifier", "uncertaintyCode", "subject", "precondition"];

/// Elements of which a reader wants to know that their source holds them back.
const WANTED: [&str; 12] = [
    "administrativeGenderCode",
    "birthTime",
    "code",
    "doseQuantity",
    "effectiveTime",
    "high",
    "interpretationCode",
    "low",
    "patient",
    "statusCode",
    "text",
    "value",
];

/// Reports what nobody read in an element, without the elements of these numbers, which are in
/// order.
pub(super) fn report(context: &Context<'_>, part: El<'_>, without: &[u32]) {
    let touched = element(context, part, without);
    for (path, reason) in touched.pending {
        context.add(path, reason);
    }
}

/// What became of an element and of all in it.
#[derive(Default)]
struct Touched {
    /// Whether anything of it was read.
    is_read: bool,
    /// What is to be reported, unless it is named as a whole.
    pending: Vec<(String, FindingReason)>,
}

/// The reader of XML bounds the depth.
fn element(context: &Context<'_>, one: El<'_>, without: &[u32]) -> Touched {
    let mut touched = Touched::default();
    if without.binary_search(&one.number()).is_ok() {
        touched.is_read = true;
        return touched;
    }
    if one.space() == Space::Encryption {
        context.report(one, FindingReason::Encrypted);
        context.not_understood.borrow_mut().insert(context.path(one));
        return touched;
    }
    for inner in one.elements() {
        let of_inner = element(context, inner, without);
        touched.is_read |= of_inner.is_read;
        touched.pending.extend(of_inner.pending);
    }
    touched.is_read |= one.is_read();
    attributes(context, one, &mut touched.pending);
    if one.says_unread() {
        touched.pending.push((context.path(one), FindingReason::NotCarried));
    }
    if !touched.is_read && !touched.pending.is_empty() && MODIFIERS.contains(&one.name()) {
        context.not_understood(one);
        touched.pending.clear();
    } else if !touched.is_read && touched.pending.len() > 1 {
        let path = context.path(one);
        touched.pending = vec![(path, FindingReason::NotCarried)];
    }
    touched
}

fn attributes(context: &Context<'_>, element: El<'_>, pending: &mut Vec<(String, FindingReason)>) {
    for (space, name, value) in element.unread() {
        if matches!(space, Space::Other | Space::Xsi) || name == "xmlns" || value.is_empty() {
            continue;
        }
        let denies = match name {
            "negationInd" => value != "false",
            "code" if element.is("statusCode") => !matches!(value, "completed" | "active" | "new"),
            _ => false,
        };
        if denies {
            context.report_attribute(element, name, FindingReason::NotUnderstood);
            context.not_understood.borrow_mut().insert(format!("{}.{name}", context.path(element)));
            continue;
        }
        let is_wanted = name == "nullFlavor" && WANTED.contains(&element.name());
        let reason = if is_wanted { FindingReason::Masked } else { FindingReason::NotCarried };
        pending.push((context.path_of(element, name), reason));
    }
}
