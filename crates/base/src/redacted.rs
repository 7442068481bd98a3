//! Types whose `Debug` says what they are and nothing of what they hold.

/// Gives types a `Debug` that names the type and no content.
#[doc(hidden)]
#[macro_export]
macro_rules! redacted_debug {
    ($($name:ident $(<$lifetime:lifetime>)?),+ $(,)?) => {$(
        impl ::std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
