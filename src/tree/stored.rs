//! One object as it is stored: checked by digest before it is decrypted.

use zeroize::Zeroizing;

use super::error::TreeError;
use crate::codec::padding::unpad_in_place;
use crate::crypto::boxes::decrypt_once;
use crate::crypto::object_digest::ObjectDigest;
use crate::format::context::Context;
use crate::format::object::KeyedRef;
use crate::store::Store;

/// Reads, checks, decrypts and unpads an object.
pub(crate) fn open_object(
    store: &dyn Store,
    object: &KeyedRef,
    context: &Context,
) -> Result<Zeroizing<Vec<u8>>, TreeError> {
    let stored = store.objects(&[object.object])?.pop().ok_or(TreeError::Damaged { what: "object" })?;
    open_stored(object, context, stored)
}

/// Checks, decrypts and unpads the bytes that a store has of an object.
pub(crate) fn open_stored(
    object: &KeyedRef,
    context: &Context,
    stored: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, TreeError> {
    let stored = checked(object, stored)?;
    let mut content = decrypt_once(&object.key, &context.bytes(), stored)?;
    unpad_in_place(&mut content)?;
    Ok(content)
}

/// The stored bytes of an object, if they are those that its parent names.
pub(crate) fn read_checked(store: &dyn Store, object: &KeyedRef) -> Result<Vec<u8>, TreeError> {
    let stored = store.objects(&[object.object])?.pop().ok_or(TreeError::Damaged { what: "object" })?;
    checked(object, stored)
}

fn checked(object: &KeyedRef, stored: Vec<u8>) -> Result<Vec<u8>, TreeError> {
    match ObjectDigest::of(&stored).matches(&object.digest) {
        true => Ok(stored),
        false => Err(TreeError::Damaged { what: "object" }),
    }
}
