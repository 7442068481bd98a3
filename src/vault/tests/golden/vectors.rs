//! All vectors: faults that anybody can make, then those that need the keys.

use serde_json::{Value, json};

use super::bytes::{AREAS, Case, ROOTS, at, digest_area, digest_header, vector};
use super::faults;
use super::sample::{RAW_KEY, RECOVERY_KEY};
use super::{CLINIC_PASSWORD, OLD_PASSWORD, PASSWORD};
use crate::format::area::testing::{MAC_AT, shortcut, shortcuts, slot};
use crate::format::area::{AREA_LEN, SLOTS};
use crate::format::header::{HEADER_LEN, geometry};
use crate::format::root::ROOT_LEN;

const KDF: [usize; 2] = [8, 52];
/// The slot that the raw key opens, and where its parts stand.
const OWN: usize = 2;
const BOX: usize = 16;
const ENCAPSULATION: usize = BOX + 104;
const GRANTED: usize = ENCAPSULATION + 1120;

/// A name, a change of the file, the outcome, why.
type Fault = (&'static str, fn(&mut Vec<u8>), &'static str, &'static str);

pub(super) fn raw() -> Value {
    json!({"raw-key-hex": RAW_KEY.iter().map(|byte| format!("{byte:02x}")).collect::<String>()})
}

fn secret(text: &str) -> Value {
    json!({ "password": text })
}

/// Every vector over the golden vaults: one given as the commit before the last left it, as
/// the last one found it and as it left it, the other before and after its last commit.
pub(super) fn all(whole: &[Vec<u8>; 3], migrating: &[Vec<u8>; 2]) -> Vec<Value> {
    let mut vectors = credentials(whole, migrating);
    let base = ("whole.vault", whole[2].as_slice());
    for (name, change, expect, why) in OUTER.iter().chain(COPIES) {
        let case = Case { name: (*name).into(), expect, why };
        let mut changed = whole[2].clone();
        change(&mut changed);
        vectors.push(vector(&case, base, &raw(), &changed));
    }
    for (name, change, expect, why) in COSTS {
        let case = Case { name: (*name).into(), expect, why };
        let mut changed = whole[2].clone();
        change(&mut changed);
        vectors.push(vector(&case, base, &secret(PASSWORD), &changed));
    }
    vectors.extend(interrupted(whole, migrating));
    vectors.extend(of_key_holders(&whole[2], &whole[1]));
    vectors
}

/// The faults that need keys, as what differs from the file with roots encrypted again.
fn of_key_holders(file: &[u8], before: &[u8]) -> Vec<Value> {
    let cases = faults::all(file, before);
    let (first, encrypted_anew) = &cases[0];
    let mut vectors = vec![vector(first, ("whole.vault", file), &raw(), encrypted_anew)];
    for (case, changed) in &cases[1..] {
        let mut vector = vector(case, ("whole.vault", encrypted_anew), &raw(), changed);
        vector["on"] = json!(first.name);
        vectors.push(vector);
    }
    vectors
}

fn credentials(whole: &[Vec<u8>; 3], migrating: &[Vec<u8>; 2]) -> Vec<Value> {
    let (first, second) =
        (("whole.vault", whole[2].as_slice()), ("migrating.vault", migrating[1].as_slice()));
    let groups = super::RecoveryKey::parse(RECOVERY_KEY).unwrap().to_groups().expose_secret().to_owned();
    let [round, long, tall] = [('0', "O"), ('1', "L"), ('1', "i")].map(|(digit, letter)| {
        assert!(groups.contains(digit));
        groups.replace(digit, letter)
    });
    let with = |change: &dyn Fn(&mut Vec<char>)| {
        let mut changed = groups.chars().collect();
        change(&mut changed);
        changed.into_iter().collect::<String>()
    };
    // The last digit is of the checksum alone.
    let mistyped = with(&|digits| {
        let last = digits.len() - 1;
        digits[last] = if digits[last] == '7' { '8' } else { '7' };
    });
    let outside = with(&|digits| digits[3] = 'U');
    let (shorter, longer) =
        (with(&|digits| digits.truncate(digits.len() - 1)), with(&|digits| digits.push('0')));
    let key = |text: &str| json!({ "recovery-key": text });
    let words: Vec<&str> = RECOVERY_KEY.split(' ').collect();
    let swapped = [&words[1..2], &words[..1], &words[2..]].concat().join(" ");
    let unknown = RECOVERY_KEY.replace("doctor", "physician");
    let wide = PASSWORD.replacen('G', "\u{ff27}", 1);
    let decomposed = PASSWORD.replace('ü', "u\u{308}");
    let cases = [
        ("raw key", first, raw(), "ok", "the bytes as they were written"),
        ("password", first, secret(PASSWORD), "ok", "Argon2id with 64 MiB, 3 passes, 4 lanes"),
        ("decomposed password", first, secret(&decomposed), "ok", "passwords are taken in NFC"),
        ("recovery words", first, json!({"recovery-key": RECOVERY_KEY}), "ok", "24 words of BIP-39"),
        ("recovery groups", first, json!({"recovery-key": groups}), "ok", "8 groups of Crockford's base 32"),
        (
            "recovery groups in small letters",
            first,
            json!({"recovery-key": groups.to_lowercase().replace('-', " ")}),
            "ok",
            "case and separators do not matter",
        ),
        ("recovery groups with O", first, key(&round), "ok", "it is read as 0"),
        ("recovery groups with L", first, key(&long), "ok", "it is read as 1"),
        ("recovery groups with I", first, key(&tall), "ok", "it is read as 1"),
        (
            "recovery words in capitals",
            first,
            key(&RECOVERY_KEY.to_uppercase()),
            "ok",
            "case does not matter",
        ),
        (
            "recovery groups with a wrong digit",
            first,
            key(&mistyped),
            "wrong-credential",
            "the checksum tells a slip",
        ),
        ("recovery groups with a U", first, key(&outside), "wrong-credential", "there is no such digit"),
        ("recovery groups less a digit", first, key(&shorter), "wrong-credential", "8 groups of 7 digits"),
        ("recovery groups and a digit", first, key(&longer), "wrong-credential", "8 groups of 7 digits"),
        ("recovery words out of order", first, key(&swapped), "wrong-credential", "BIP-39 has a checksum"),
        ("recovery words with another", first, key(&unknown), "wrong-credential", "it is not in the list"),
        ("23 recovery words", first, key(&words[..23].join(" ")), "wrong-credential", "there are 24"),
        (
            "password in wide letters",
            first,
            secret(&wide),
            "wrong-credential",
            "NFC leaves compatibility characters as they are",
        ),
        (
            "another raw key",
            first,
            json!({"raw-key-hex": "00".repeat(32)}),
            "wrong-credential",
            "no slot commits to it",
        ),
        ("another password", first, secret("Rosenstraße 8"), "wrong-credential", "no slot commits to it"),
        (
            "raw key as a recovery key",
            first,
            json!({"recovery-key": raw_as_groups()}),
            "wrong-credential",
            "each sort of key has its own derivation",
        ),
        ("new password", second, secret(PASSWORD), "ok", "of the second KDF generation"),
        (
            "password of the first generation",
            second,
            secret(CLINIC_PASSWORD),
            "ok, one compartment",
            "both generations are tried; it opens one compartment",
        ),
        ("changed password", second, secret(OLD_PASSWORD), "wrong-credential", "the old own box is gone"),
    ];
    let vectors = cases.into_iter().map(|(name, base, credential, expect, why)| {
        vector(&Case { name: name.into(), expect, why }, base, &credential, base.1)
    });
    vectors.collect()
}

fn raw_as_groups() -> String {
    let entropy = bip39::Mnemonic::from_entropy(&RAW_KEY).unwrap().to_string();
    super::RecoveryKey::parse(&entropy).unwrap().to_groups().expose_secret().to_owned()
}

fn flip(file: &mut [u8], offset: usize) {
    file[offset] ^= 1;
}

fn both_areas(file: &mut [u8], change: impl Fn(&mut [u8])) {
    for offset in AREAS {
        change(&mut file[at(offset)..at(offset) + AREA_LEN]);
        digest_area(file, offset);
    }
}

/// Nothing is digested anew: the digest does not cover shortcuts.
fn both_shortcuts(file: &mut [u8], change: impl Fn(&mut [u8])) {
    for offset in AREAS {
        change(&mut file[at(offset)..at(offset) + AREA_LEN]);
    }
}

fn both_roots(file: &mut [u8], change: impl Fn(&mut [u8])) {
    for offset in ROOTS {
        change(&mut file[at(offset)..at(offset) + ROOT_LEN]);
    }
}

const OUTER: &[Fault] = &[
    ("empty file", Vec::clear, "not-a-vault", "no magic"),
    (
        "magic flipped",
        |file| flip(file, 0),
        "not-a-vault",
        "the high bit of the first byte stops text transfers",
    ),
    (
        "magic with a converted line end",
        |file| file[12] = b'\n',
        "not-a-vault",
        "a text transfer changed the carriage return",
    ),
    ("cut behind the magic", |file| file.truncate(16), "damaged", "the version is missing"),
    ("cut inside the header", |file| file.truncate(2000), "damaged", "the header is shorter than 4096 bytes"),
    ("cut behind the header", |file| file.truncate(HEADER_LEN), "damaged", "the areas are missing"),
    (
        "cut inside root B",
        |file| file.truncate(at(geometry::ROOT_B) + 100),
        "damaged",
        "the append area is missing",
    ),
    (
        "cut inside the append area",
        |file| file.truncate(at(geometry::APPEND) + 5000),
        "damaged",
        "objects are missing",
    ),
    (
        "format version 2",
        |file| {
            file[16] = 2;
            digest_header(file);
        },
        "newer-version",
        "refused by name",
    ),
    (
        "format version 2 with a wrong digest",
        |file| file[16] = 2,
        "newer-version",
        "a newer format may digest otherwise",
    ),
    (
        "format version 0",
        |file| {
            file[16] = 0;
            digest_header(file);
        },
        "damaged",
        "there is no such version",
    ),
    (
        "suite 2",
        |file| {
            file[18] = 2;
            digest_header(file);
        },
        "damaged",
        "format 1 has one suite",
    ),
    ("vault id flipped", |file| flip(file, 20), "damaged", "the header's digest"),
    (
        "vault id flipped and digested",
        |file| {
            flip(file, 20);
            digest_header(file);
        },
        "wrong-credential",
        "the id and the header are bound to every unlock key and box",
    ),
    (
        "geometry moved",
        |file| {
            flip(file, 36 + 48);
            digest_header(file);
        },
        "damaged",
        "format 1 has one geometry",
    ),
    (
        "reserved header byte set",
        |file| {
            flip(file, 4063);
            digest_header(file);
        },
        "damaged",
        "reserved bytes are zero",
    ),
    ("header digest flipped", |file| flip(file, HEADER_LEN - 1), "damaged", "the header's digest"),
    (
        "both areas damaged",
        |file| {
            flip(file, at(AREAS[0]) + 200);
            flip(file, at(AREAS[1]) + 300);
        },
        "damaged",
        "both unkeyed digests are wrong: this is no wrong credential",
    ),
    (
        "both MACs flipped and digested",
        |file| both_areas(file, |area| flip(area, MAC_AT)),
        "damaged",
        "the unkeyed digest is right, the MAC is not",
    ),
    (
        "commitment of the slot flipped and digested",
        |file| both_areas(file, |area| flip(area, slot(OWN).start + BOX + 24)),
        "wrong-credential",
        "no slot commits to the key any more",
    ),
    (
        "selector of the slot flipped and digested",
        |file| both_areas(file, |area| flip(area, slot(OWN).start)),
        "wrong-credential",
        "no selector names a slot any more",
    ),
    (
        "selector and own box of the slot in every slot",
        |file| {
            both_areas(file, |area| {
                let own = area[slot(OWN)][..ENCAPSULATION].to_vec();
                (0..SLOTS).for_each(|index| area[slot(index)][..ENCAPSULATION].copy_from_slice(&own));
            });
        },
        "damaged",
        "the first slot that commits counts, and grants what another seed opens",
    ),
    (
        "own box of the slot flipped and digested",
        |file| both_areas(file, |area| flip(area, slot(OWN).start + BOX + 60)),
        "damaged",
        "the slot commits to the key, its box does not open",
    ),
    (
        "encapsulation of the slot flipped and digested",
        |file| both_areas(file, |area| flip(area, slot(OWN).start + ENCAPSULATION)),
        "damaged",
        "ML-KEM rejects implicitly: the granted box does not commit",
    ),
    (
        "granted box of the slot flipped and digested",
        |file| both_areas(file, |area| flip(area, slot(OWN).start + GRANTED + 100)),
        "damaged",
        "the granted box does not open",
    ),
    (
        "unused slot flipped and digested",
        |file| both_areas(file, |area| flip(area, slot(15).start)),
        "damaged",
        "the MAC covers the slots of others",
    ),
    (
        "commitments of both roots flipped",
        |file| both_roots(file, |root| flip(root, 30)),
        "damaged",
        "the commitment is compared, although the box would open",
    ),
    ("both roots damaged", |file| both_roots(file, |root| flip(root, 2000)), "damaged", "no root opens"),
    (
        "area A and both roots damaged",
        |file| {
            flip(file, at(AREAS[0]) + 200);
            both_roots(file, |root| flip(root, 2000));
        },
        "damaged",
        "the credential opens the only area whose digest is right: it is not wrong",
    ),
];

const COPIES: &[Fault] = &[
    ("area A damaged", |file| flip(file, at(AREAS[0]) + 200), "repaired", "area B is intact and named"),
    ("area B damaged", |file| flip(file, at(AREAS[1]) + 200), "repaired", "area A is intact and named"),
    (
        "MAC of area A flipped and digested",
        |file| {
            flip(file, at(AREAS[0]) + MAC_AT);
            digest_area(file, AREAS[0]);
        },
        "repaired",
        "an area with a wrong MAC is not intact",
    ),
    (
        "shortcut of the slot flipped in both areas",
        |file| both_shortcuts(file, |area| flip(area, shortcut(OWN).start + 100)),
        "ok",
        "a shortcut that does not open is passed over",
    ),
    (
        "shortcuts of area A flipped",
        |file| flip(file, at(AREAS[0]) + shortcuts().start),
        "repaired",
        "both areas are intact and one; only their bytes differ",
    ),
    (
        "shortcuts of all slots zero",
        |file| both_shortcuts(file, |area| area[shortcuts()].fill(0)),
        "ok",
        "neither digest nor MAC covers them",
    ),
    (
        "shortcut of another slot",
        |file| both_shortcuts(file, |area| area.copy_within(shortcut(0), shortcut(OWN).start)),
        "ok",
        "it is under another slot's key",
    ),
    ("root A damaged", |file| flip(file, at(ROOTS[0]) + 3000), "repaired", "root B is intact"),
    ("root B damaged", |file| flip(file, at(ROOTS[1])), "repaired", "root A is intact"),
    (
        "area A and root B damaged",
        |file| {
            flip(file, at(AREAS[0]) + 9000);
            flip(file, at(ROOTS[1]) + 60);
        },
        "repaired",
        "root A and area B are a pair",
    ),
    (
        "gap written to",
        |file| flip(file, at(ROOTS[0]) + ROOT_LEN + 7),
        "ok",
        "a reader does not look at the gap",
    ),
    (
        "bytes behind the append end",
        |file| file.extend_from_slice(&[0xa5; 300]),
        "ok",
        "an interrupted commit leaves such bytes",
    ),
];

fn set_cost(area: &mut [u8], cost: [u32; 3]) {
    for start in KDF {
        for (field, value) in cost.into_iter().enumerate() {
            area[start + 4 * field..start + 4 * field + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
}

const MIB: u32 = 1024;

const COSTS: &[Fault] = &[
    (
        "KDF memory of 4 TiB",
        |file| both_areas(file, |area| set_cost(area, [u32::MAX, 3, 4])),
        "costly-kdf",
        "refused before it is allocated",
    ),
    (
        "KDF memory just over 1 GiB",
        |file| both_areas(file, |area| set_cost(area, [1024 * MIB + 1, 3, 4])),
        "costly-kdf",
        "over the ceiling",
    ),
    (
        "KDF passes 2^32 - 1",
        |file| both_areas(file, |area| set_cost(area, [64 * MIB, u32::MAX, 4])),
        "costly-kdf",
        "hours of work",
    ),
    (
        "KDF passes 17",
        |file| both_areas(file, |area| set_cost(area, [64 * MIB, 17, 4])),
        "costly-kdf",
        "over the ceiling",
    ),
    (
        "KDF lanes 17",
        |file| both_areas(file, |area| set_cost(area, [64 * MIB, 3, 17])),
        "costly-kdf",
        "over the ceiling",
    ),
    (
        "KDF work over 4 GiB x passes in one run",
        |file| both_areas(file, |area| set_cost(area, [1024 * MIB, 5, 4])),
        "costly-kdf",
        "the product has a ceiling of its own",
    ),
    (
        "KDF work over 4 GiB x passes in two runs",
        |file| {
            both_areas(file, |area| {
                set_cost(area, [1024 * MIB, 3, 4]);
                flip(area, KDF[1] + 12);
            })
        },
        "costly-kdf",
        "all runs of one opening count together",
    ),
    (
        "KDF of one area costly",
        |file| {
            set_cost(&mut file[at(AREAS[1])..at(AREAS[1]) + AREA_LEN], [64 * MIB, 17, 4]);
            digest_area(file, AREAS[1]);
        },
        "costly-kdf",
        "all areas are checked together",
    ),
    (
        "KDF memory of 18 MiB",
        |file| both_areas(file, |area| set_cost(area, [18 * MIB, 3, 4])),
        "weak-kdf",
        "below the floor",
    ),
    (
        "KDF passes 1",
        |file| both_areas(file, |area| set_cost(area, [64 * MIB, 1, 4])),
        "weak-kdf",
        "below the floor",
    ),
    (
        "KDF lanes 0",
        |file| both_areas(file, |area| set_cost(area, [64 * MIB, 3, 0])),
        "kdf",
        "RFC 9106 has at least one lane",
    ),
    (
        "KDF passes 0",
        |file| both_areas(file, |area| set_cost(area, [64 * MIB, 0, 4])),
        "kdf",
        "RFC 9106 has at least one pass",
    ),
    (
        "KDF memory of less than 8 KiB for each lane",
        |file| both_areas(file, |area| set_cost(area, [8 * 4 - 1, 3, 4])),
        "kdf",
        "RFC 9106 has at least these",
    ),
    (
        "KDF of one area weak",
        |file| {
            set_cost(&mut file[at(AREAS[1])..at(AREAS[1]) + AREA_LEN], [64 * MIB, 1, 4]);
            digest_area(file, AREAS[1]);
        },
        "weak-kdf",
        "all areas are checked together",
    ),
];

/// States that an interrupted writer leaves.
fn interrupted(whole: &[Vec<u8>; 3], migrating: &[Vec<u8>; 2]) -> Vec<Value> {
    let [first, old, new] = whole;
    let copied = |from: &[u8], to: &[u8], offset: u64, length: usize| {
        let mut file = to.to_vec();
        file[at(offset)..at(offset) + length].copy_from_slice(&from[at(offset)..at(offset) + length]);
        file
    };
    let stale_root = |offset| copied(old, new, offset, ROOT_LEN);
    let [before, after] = migrating;
    let started = |area| copied(after, before, area, AREA_LEN);
    let published = {
        let file = copied(after, before, AREAS[1], AREA_LEN);
        copied(after, &append(&file, after), ROOTS[0], ROOT_LEN)
    };
    let stale_area = copied(before, after, AREAS[0], AREA_LEN);
    let owner = secret(PASSWORD);
    let (whole, moved) = (("whole.vault", new.as_slice()), ("migrating.vault", after.as_slice()));
    let without_roots = |area| {
        let mut file = started(area);
        both_roots(&mut file, |root| flip(root, 2000));
        file
    };
    let cases: [(&str, _, Value, Vec<u8>, _, _); 14] = [
        (
            "root B of the commit before",
            whole,
            raw(),
            stale_root(ROOTS[1]),
            "ok",
            "as a commit that withdraws nothing leaves the roots; this one erased what the other names",
        ),
        (
            "root A of the commit before",
            whole,
            raw(),
            stale_root(ROOTS[0]),
            "ok",
            "the newer root is the state, wherever it is",
        ),
        (
            "root B of an older commit",
            whole,
            raw(),
            copied(first, new, ROOTS[1], ROOT_LEN),
            "repaired",
            "the newer root is the state, and no commit leaves such an older one",
        ),
        (
            "change of password started, new password",
            moved,
            owner.clone(),
            started(AREAS[1]),
            "wrong-credential",
            "it opens only an area that no root names",
        ),
        (
            "change of password started, old password",
            moved,
            secret(OLD_PASSWORD),
            started(AREAS[1]),
            "repaired, as before",
            "the change had not happened",
        ),
        (
            "change of password started, a password that both areas have",
            moved,
            secret(CLINIC_PASSWORD),
            started(AREAS[1]),
            "repaired, one compartment as before",
            "it opens both areas, and the roots name the first",
        ),
        (
            "change of password half published, a password that both areas have",
            moved,
            secret(CLINIC_PASSWORD),
            published.clone(),
            "repaired, one compartment",
            "it opens both areas, and the newer root names the second",
        ),
        (
            "old area left behind, a password that both areas have",
            moved,
            secret(CLINIC_PASSWORD),
            stale_area.clone(),
            "repaired, one compartment",
            "it opens both areas, and the roots name the second",
        ),
        (
            "both roots damaged, a password that both areas have",
            moved,
            secret(CLINIC_PASSWORD),
            without_roots(AREAS[1]),
            "damaged",
            "it opens every area that the roots could belong to",
        ),
        (
            "both roots damaged, a password that one of two areas has",
            moved,
            secret(OLD_PASSWORD),
            without_roots(AREAS[1]),
            "wrong-credential",
            "the roots may belong to the other area",
        ),
        (
            "change of password half published, new password",
            moved,
            owner.clone(),
            published.clone(),
            "repaired",
            "root A and area B are the newest pair",
        ),
        (
            "change of password half published, old password",
            moved,
            secret(OLD_PASSWORD),
            published,
            "repaired, as before",
            "root B and area A are still a pair that it opens",
        ),
        (
            "old area left behind, new password",
            moved,
            owner,
            stale_area.clone(),
            "repaired",
            "the area that no root names is replaced",
        ),
        (
            "old area left behind, old password",
            moved,
            secret(OLD_PASSWORD),
            stale_area,
            "wrong-credential",
            "it opens only an area that no root names",
        ),
    ];
    let vectors = cases.into_iter().map(|(name, base, credential, changed, expect, why)| {
        vector(&Case { name: name.into(), expect, why }, base, &credential, &changed)
    });
    vectors.collect()
}

/// The file with the objects that the newer file appended.
fn append(file: &[u8], newer: &[u8]) -> Vec<u8> {
    let end = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut longer = file.to_vec();
    longer.resize(file.len().max(newer.len()), 0);
    longer[end..newer.len()].copy_from_slice(&newer[end..]);
    longer
}
