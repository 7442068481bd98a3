//! Linking what an export claims with the resources that it is of.
//!
//! Claims are of one resource each, byte for byte: one that was changed since has none.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::claimed::Claimed;
use super::held::{Held, Part};
use super::input;
use crate::codec::base64url;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::interop::claims::{Claims, Held as HeldBytes};
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::options::ImportLimits;
use crate::record::SourceFile;

/// The resources of an input by their bytes.
struct ByDigest(HashMap<Digest, Vec<usize>>);

impl ByDigest {
    fn first(&self, digest: &Digest) -> Option<usize> {
        self.0.get(digest)?.first().copied()
    }
}

/// Links claims with the resources that they are of. What is linked is no resource of its own
/// any more.
pub(crate) fn link(
    resources: &mut [Held],
    spoken: Vec<(usize, Box<Claims>)>,
    is_believed: bool,
    limits: ImportLimits,
    findings: &Findings,
) {
    if spoken.is_empty() {
        return;
    }
    let claiming: HashSet<usize> = spoken.iter().map(|(position, _)| *position).collect();
    let mut by_digest = ByDigest(HashMap::new());
    for (position, held) in resources.iter().enumerate().filter(|(at, _)| !claiming.contains(at)) {
        by_digest.0.entry(held.digest).or_default().push(position);
    }
    let mut free: HashMap<Digest, VecDeque<usize>> =
        by_digest.0.iter().map(|(digest, all)| (*digest, all.iter().copied().collect())).collect();
    let mut linking = Linking {
        resources,
        by_digest: &by_digest,
        limits,
        findings,
        decoded: HashMap::new(),
        beside: HashSet::new(),
        room: 0,
    };
    linking.room = linking.resources.iter().map(|held| held.found.bytes.len()).sum::<usize>() * 4;
    for (position, claims) in spoken {
        let at = free.get_mut(&claims.resource).and_then(VecDeque::pop_front);
        let claimed = at.and_then(|at| Some((at, linking.claimed(*claims, is_believed)?)));
        let Some((at, claimed)) = claimed else {
            findings.add("Provenance.extension".to_owned(), FindingReason::ClaimsNothing);
            continue;
        };
        if let Some(held) = linking.resources.get_mut(at) {
            held.part = Part::Claimed(Box::new(claimed));
        }
        linking.beside.insert(position);
    }
    let Linking { beside, .. } = linking;
    for position in beside {
        // A file that is also an entry of its own stays one.
        if let Some(held) = resources.get_mut(position).filter(|held| matches!(held.part, Part::Resource)) {
            held.set_beside();
        }
    }
}

struct Linking<'a> {
    resources: &'a mut [Held],
    by_digest: &'a ByDigest,
    limits: ImportLimits,
    findings: &'a Findings,
    /// Contents by the digest of the resource that holds each.
    decoded: HashMap<Digest, Option<Arc<Vec<u8>>>>,
    /// Resources that are a part of what is claimed.
    beside: HashSet<usize>,
    /// How many bytes of files may be taken from resources, which many entries can share.
    room: usize,
}

impl Linking<'_> {
    /// What belongs to claims; `None` where a file is missing.
    fn claimed(&mut self, claims: Claims, is_believed: bool) -> Option<Claimed> {
        let mut files = Vec::new();
        // Files of what is not believed are found as in any input.
        let original = claims.original.as_ref().filter(|_| is_believed);
        for file in original.iter().flat_map(|original| &original.files) {
            let bytes = match &file.held {
                HeldBytes::Here(bytes) => bytes.clone(),
                HeldBytes::Resource(digest) => {
                    let at = self.by_digest.first(digest)?;
                    let bytes = &self.resources.get(at)?.found.bytes;
                    self.room = self.room.checked_sub(bytes.len())?;
                    let bytes = bytes.clone();
                    self.beside.extend(self.by_digest.0.get(digest).into_iter().flatten());
                    bytes
                }
            };
            files.push(SourceFile::new(file.address.clone(), bytes));
        }
        let mut contents = Vec::new();
        for (content, resource) in &claims.contents {
            match self.content(content, resource) {
                Some(bytes) => contents.push((*content, bytes)),
                None => self.findings.add("Binary.data".to_owned(), FindingReason::FileDamaged),
            }
        }
        Some(Claimed { claims, files, contents, is_believed })
    }

    /// The bytes of a content, if the resource holds them.
    fn content(&mut self, content: &ContentDigest, resource: &Digest) -> Option<Arc<Vec<u8>>> {
        let at = self.by_digest.first(resource)?;
        let (resources, limits) = (&self.resources, self.limits);
        let decode = || {
            let json = input::parse(&resources.get(at)?.found.bytes, limits).ok()?;
            let data = json.member("data")?.as_str()?;
            base64url::decode_padded(data).ok().map(Arc::new)
        };
        let bytes = self.decoded.entry(*resource).or_insert_with(decode).clone()?;
        if ContentDigest::of(&bytes) != *content {
            return None;
        }
        self.beside.extend(self.by_digest.0.get(resource).into_iter().flatten());
        Some(bytes)
    }
}
