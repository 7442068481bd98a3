//! Known answers of the format's rules, each by itself: so whoever writes a reader can try a
//! rule before there is a vault to read.
//!
//! `tests/golden/values.json` is written with SUBROSA_WRITE_GOLDEN=1, and otherwise compared;
//! the independent reader answers the same questions.

use serde_json::{Value, json};

use super::folder;
use crate::codec::padding::padme;
use crate::codec::wire;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::crypto::kem::SlotSeed;
use crate::crypto::key::{CommittedKey as _, IdentityKey, UnlockKey, VaultRootKey};
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::crypto::signature::{SignatureAlgorithm, SigningKey};
use crate::engine::actor::Actor;
use crate::engine::facts::{Action, Detail, Role};
use crate::engine::ledger::Line;
use crate::engine::leftover::replacement_mark;
use crate::engine::links::{Links, Telling};
use crate::engine::signing;
use crate::format::context::{Purpose, Scope};
use crate::format::header::Header;
use crate::format::segment::{class, compacted};
use crate::id::{ContentId, EntryId, Epoch, VaultId};
use crate::payload::catalogue::EraseListV1;
use crate::payload::history::SegmentSpanV1;
use crate::payload::story::{AccountingV1, ActV1, StoryV1};
use crate::secret::SecretBytes;
use crate::tree::RowKey;
use crate::{Compartment, RecoveryKey};

const VAULT: [u8; 16] = *b"a vault's own id";
const ID: [u8; 16] = *b"the id of a row.";

fn vault() -> VaultId {
    VaultId::from_bytes(VAULT)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes from 0 on, of which each is one more than the one before.
fn counted(length: usize) -> Vec<u8> {
    (0..length).map(|at| at.to_le_bytes()[0]).collect()
}

fn secret() -> SecretBytes {
    SecretBytes::filled(|out| out.copy_from_slice(&counted(32)))
}

/// A rule, what is asked of it, and what it answers.
fn value(rule: &str, asked: Value, answer: impl Into<Value>) -> Value {
    json!({"rule": rule, "in": asked, "out": answer.into()})
}

fn all() -> Vec<Value> {
    [sizes(), row_keys(), digests(), contexts(), derived(), history(), words(), encoded()].concat()
}

fn sizes() -> Vec<Value> {
    let lengths = [0, 1, 256, 257, 300, 1_000, 4_096, 4_097, 16_384, 65_537, 1_048_576, 1_048_577, 1 << 31];
    let padded = lengths.into_iter().map(|length| value("padme", json!(length), padme(length)));
    let lengths = [0, 1, 32_768, 32_769, 36_865, 49_153, 100_000, 1_048_577, 20_000_001];
    let classes = lengths.into_iter().map(|length| value("segment class", json!(length), class(length)));
    let lengths: [(u64, u64); 7] = [
        (0, 0),
        (1_000, 0),
        (1_000, 65_536),
        (1_000, 80_000),
        (100_000, 100_000),
        (5_000_000, 10),
        (5_000_000, 4_000_000),
    ];
    let compacted = lengths.into_iter().map(|(everyday, others)| {
        let asked = json!({"everyday": everyday, "others": others});
        value("compacted length", asked, compacted(everyday, others))
    });
    padded.chain(classes).chain(compacted).collect()
}

fn row_keys() -> Vec<Value> {
    let (id, content, epoch) = (EntryId::from_bytes(ID), ContentId::from_bytes(ID), Epoch::new(7));
    let keys = [
        (1, RowKey::entry(id)),
        (2, RowKey::revision(id, 3)),
        (3, RowKey::link(vault(), epoch)),
        (4, RowKey::ledger(vault(), epoch)),
        (5, RowKey::named("vault record")),
        (6, RowKey::named("directory")),
        (7, RowKey::document(ID)),
        (8, RowKey::slice(content, 3)),
        (10, RowKey::upload(content)),
        (11, RowKey::story(id)),
        (12, RowKey::accounting(vault(), epoch)),
        (13, RowKey::named("identity key")),
        (14, RowKey::import(vault(), epoch)),
        (15, RowKey::named("documents")),
        (16, RowKey::tombstone(id)),
    ];
    let asked =
        |class: u8| json!({"class": class, "vault": hex(&VAULT), "id": hex(&ID), "revision": 3, "epoch": 7});
    let keys = keys.into_iter().map(|(class, key)| value("row key", asked(class), hex(key.as_bytes())));
    let bytes = counted(100);
    let head = RowKey::content(&ContentDigest::of(&bytes));
    keys.chain([value("row key of a content", json!(hex(&bytes)), hex(head.as_bytes()))]).collect()
}

fn digests() -> Vec<Value> {
    let lengths = [0, 1, 4_095, 4_096, 10_000];
    let digests = lengths.into_iter().map(|length| {
        value("object digest", json!(length), hex(ObjectDigest::of(&counted(length)).as_bytes()))
    });
    let block = counted(4_096);
    digests
        .chain([value("mark of a replaced file", json!(4_096), hex(replacement_mark(&block).as_bytes()))])
        .collect()
}

fn contexts() -> Vec<Value> {
    let (_, header) = Header::parse(&Header { vault: vault() }.encode()).unwrap();
    let scope = Scope { header, vault: vault() };
    let asked = |purpose: Purpose, place: u8, id: [u8; 16], revision: u64, schema: u16| {
        json!({
            "header": hex(header.as_bytes()), "vault": hex(&VAULT), "purpose": purpose as u8, "place": place,
            "object": hex(&id), "revision": revision, "schema": schema,
        })
    };
    let own = scope.context(Purpose::OwnBox).bytes();
    let slice =
        scope.context(Purpose::Slice).compartment(Compartment::Sealed).object(ID, 9).schema(1).bytes();
    let list = scope.context(Purpose::EraseList).compartment(Compartment::General).bytes();
    vec![
        value("context", asked(Purpose::OwnBox, 0, [0; 16], 0, 0), hex(&own)),
        value("context", asked(Purpose::Slice, 5, ID, 9, 1), hex(&slice)),
        value("context", asked(Purpose::EraseList, 2, [0; 16], 0, 0), hex(&list)),
    ]
}

/// What keys give.
fn derived() -> Vec<Value> {
    let key = hex(&counted(32));
    let salt = counted(24);
    let selector = |label| {
        let unlock = UnlockKey::derive(&secret(), &VAULT, label);
        hex(&unlock.derive_selector_key(&VAULT).selectors()(&salt))
    };
    let of_key = |sort: &str| json!({"key": key, "sort": sort, "vault": hex(&VAULT), "salt": hex(&salt)});
    let seed = SlotSeed::from_secret(secret());
    let signing = seed.derive_signing_seed(&VAULT);
    let public = |algorithm| SigningKey::derive(&signing, algorithm).unwrap().public_key();
    let fingerprint = |algorithm| public(algorithm).fingerprint().to_string();
    let listed = signing::listed(&signing).unwrap();
    let halves = json!({
        "es256_x": hex(&listed.es256_x), "es256_y": hex(&listed.es256_y), "ed25519": hex(&listed.ed25519),
    });
    let of_seed = json!({"seed": key, "vault": hex(&VAULT)});
    let root = VaultRootKey::from_secret(secret());
    let area = root.derive_area_mac_key(&VAULT).mac(&salt);
    let recovery = RecoveryKey::parse(super::RECOVERY_KEY).unwrap();
    let identity = IdentityKey::from_secret(secret());
    let name = |text: &str| json!({"key": key, "name": hex(text.as_bytes())});
    let id = |text: &str| value("imported id", name(text), hex(&identity.derive_id(text.as_bytes())));
    vec![
        value("selector", of_key("recovery key"), selector("subrosa/v1 recovery key")),
        value("selector", of_key("raw key"), selector("subrosa/v1 raw key")),
        value(
            "shortcut key",
            of_seed.clone(),
            hex(seed.derive_shortcut_key(&VAULT).input_key().expose_secret()),
        ),
        value("public half", json!(key), hex(Digest::of(&[seed.public().as_bytes()]).as_bytes())),
        value("signing keys", of_seed.clone(), halves),
        value("ES256 fingerprint", of_seed.clone(), fingerprint(SignatureAlgorithm::Es256)),
        value("Ed25519 fingerprint", of_seed, fingerprint(SignatureAlgorithm::Ed25519)),
        value(
            "key of record",
            json!({"key": key, "vault": hex(&VAULT)}),
            hex(root.derive_record_key(&VAULT).secret().expose_secret()),
        ),
        value("area MAC", json!({"key": key, "vault": hex(&VAULT), "digest": hex(&salt)}), hex(&area)),
        value("recovery key", json!(super::RECOVERY_KEY), hex(recovery.secret().expose_secret())),
        value(
            "recovery key",
            json!(recovery.to_groups().expose_secret()),
            hex(recovery.secret().expose_secret()),
        ),
        id("urn:uuid:2f5c1d80-7b1e-4c3e-9a54-6d9d6a0a7c11"),
        id("3\u{0}00112233445566778899aabbccddeeff\u{0}Condition/1"),
    ]
}

/// A link, and what leads from the lines of two places to it.
fn history() -> Vec<Value> {
    let segment = SegmentSpanV1 { start: 81_920, end: 114_688, parts: 49_152, digest: [4; 32] };
    let (previous_link, previous_root) = (Digest::from_bytes([2; 32]), Digest::from_bytes([3; 32]));
    let telling = Telling {
        epoch: Epoch::new(7),
        time: 1_790_000_000_000,
        action: Action::AccessChanged,
        role: Role::Owner,
        previous_link,
        previous_root,
        segment,
    };
    let owner = Actor::owner();
    let granted =
        Line::of(Action::AccessGranted, &owner).with(Detail::Name, "clinic").with(Detail::Signer, "0011");
    let lines = vec![(Compartment::Custody, granted), (Compartment::Sealed, Line::of(Action::Added, &owner))];
    let links = Links::build(&mut Randomness::seeded(1), &telling, lines).unwrap();
    let asked = json!({
        "epoch": 7, "time": 1_790_000_000_000_i64, "action": 17, "role": 1, "previous_link": "02".repeat(32),
        "previous_root": "03".repeat(32), "leaves": hex(&links.link.leaves),
        "segment": {"start": 81_920, "end": 114_688, "parts": 49_152, "digest": "04".repeat(32)},
    });
    let encoded = wire::encode(&links.link).unwrap();
    let mut values = vec![
        value("link", asked, hex(&encoded)),
        value("digest of a link", json!(hex(&encoded)), hex(links.digest.as_bytes())),
    ];
    for (compartment, ledger) in &links.ledgers {
        let leaf = wire::encode(&ledger.leaf).unwrap();
        let path: Vec<String> = ledger.path.iter().map(|sibling| hex(sibling)).collect();
        let asked = json!({"place": compartment.place(), "leaf": hex(&leaf), "path": path});
        values.push(value("leaves of a link", asked, hex(&links.link.leaves)));
    }
    values
}

/// What numbers mean.
fn words() -> Vec<Value> {
    let actions = (0..=20).map(|number| value("action", json!(number), Action::from_number(number).name()));
    let details = (0..=13).map(|number| value("detail", json!(number), Detail::from_number(number).name()));
    let places = Compartment::ALL.into_iter();
    let places =
        places.map(|compartment| value("compartment", json!(compartment.place()), compartment.name()));
    actions.chain(details).chain(places).collect()
}

/// Content as it is encoded.
fn encoded() -> Vec<Value> {
    let story = StoryV1 {
        acts: vec![
            ActV1 { epoch: 4, action: 4, revision: 2, reason: Some("as asked".to_owned()) },
            ActV1 { epoch: 5, action: 7, revision: 0, reason: None },
        ],
    };
    let acts = json!([
        {"epoch": 4, "action": 4, "revision": 2, "reason": "as asked"},
        {"epoch": 5, "action": 7, "revision": 0, "reason": null},
    ]);
    let account = AccountingV1 {
        epoch: 5,
        actor: "owner".to_owned(),
        recipient: "a school".to_owned(),
        purpose: "admission".to_owned(),
        policy: None,
        excerpt: "0102".to_owned(),
        signer: "0304".to_owned(),
        entries: 2,
    };
    let accounted = json!({
        "epoch": 5, "actor": "owner", "recipient": "a school", "purpose": "admission", "policy": null,
        "excerpt": "0102", "signer": "0304", "entries": 2,
    });
    let list = EraseListV1 { objects: vec![([1; 16], 300), ([2; 16], 16)] };
    let objects =
        json!([{"reference": "01".repeat(16), "length": 300}, {"reference": "02".repeat(16), "length": 16}]);
    vec![
        value("story", acts, hex(&wire::encode(&story).unwrap())),
        value("accounting", accounted, hex(&wire::encode(&account).unwrap())),
        value("erase list", objects, hex(&wire::encode(&list).unwrap())),
    ]
}

#[test]
fn golden_values_are_what_the_rules_give() {
    let values = all();
    assert!(values.len() >= 100, "{} values", values.len());
    let lines: Vec<String> = values.iter().map(ToString::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = folder().join("values.json");
    if std::env::var_os("SUBROSA_WRITE_GOLDEN").is_some() {
        return std::fs::write(&path, text).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap() == text, "the golden values are those of the rules");
}
