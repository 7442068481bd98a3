//! Credential areas whose MAC, digest and root are right.

use super::super::forge::{CUSTODY, Fault, OWN_SLOT};
use crate::format::area::testing::{MAC_AT, shortcut, slot};

pub(super) const FAULTS: &[Fault] = &[
    (
        "areas encrypted again",
        |forge| forge.change_areas(|_| {}),
        "ok",
        "what the other faults of areas change is nothing else",
    ),
    (
        "reserved byte of the areas set",
        |forge| forge.change_areas(|area| area[25_500] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "shortcut that opens and leads nowhere",
        |forge| forge.mislead_shortcut(),
        "ok",
        "a shortcut that disagrees with the granted box is passed over: the encapsulation decides",
    ),
    (
        "MAC of the areas flipped",
        |forge| forge.change_areas_under_the_old_mac(|area| area[MAC_AT] ^= 1),
        "damaged",
        "digest and root are right, the MAC is not",
    ),
    (
        "unused slot of the areas flipped under the old MAC",
        |forge| forge.change_areas_under_the_old_mac(|area| area[slot(15).start] ^= 1),
        "damaged",
        "the MAC covers the slots of others",
    ),
    (
        "commitment of the granted box flipped",
        |forge| forge.change_areas(|area| area[slot(OWN_SLOT).end - 329 + 24] ^= 1),
        "damaged",
        "the commitment is compared, although the box would open",
    ),
    (
        "granted box encrypted again",
        |forge| forge.grant_anew(|_| {}),
        "ok",
        "what the other fault of a granted box changes is nothing else; its shortcut leads nowhere",
    ),
    (
        "grant without record",
        |forge| forge.grant_anew(|plain| plain[32] = 4),
        "damaged",
        "bit 0 is always set",
    ),
    (
        "selector and own box of the slot in the last slot too",
        |forge| {
            forge.change_areas(|area| {
                let own = area[slot(OWN_SLOT)][..120].to_vec();
                area[slot(15)][..120].copy_from_slice(&own);
            })
        },
        "ok",
        "the first slot that commits counts",
    ),
    (
        "selector of the slot in the slot before it",
        |forge| {
            forge.change_areas(|area| {
                let own = area[slot(OWN_SLOT)][..40].to_vec();
                area[slot(OWN_SLOT - 1)][..40].copy_from_slice(&own);
            })
        },
        "ok",
        "a slot whose selector fits and whose own box does not commit is passed over",
    ),
    (
        "the slot is the last one",
        |forge| {
            forge.change_content(CUSTODY, 6, super::custody::swap_own_and_last);
            forge.change_areas(|area| {
                for range in [slot, shortcut] {
                    let (own, last) = (area[range(OWN_SLOT)].to_vec(), area[range(15)].to_vec());
                    area[range(OWN_SLOT)].copy_from_slice(&last);
                    area[range(15)].copy_from_slice(&own);
                }
            });
        },
        "ok",
        "all sixteen slots are tried",
    ),
];
