//! Structs whose fields are settings: key, type, default, range and description stand at the field.

use super::problem::Problems;
use super::reader::{Reader, Session};

/// What a table of a sweep file says, or a part of it.
pub(crate) trait Settings: Sized {
    /// What its defaults and checks depend on.
    type Given;

    /// Reads and checks it.
    fn read(reader: &Reader<'_>, given: Self::Given) -> Self;
}

impl<T: Settings> Settings for Option<T> {
    type Given = T::Given;

    fn read(reader: &Reader<'_>, given: T::Given) -> Self {
        Some(T::read(reader, given))
    }
}

/// The settings of a table that gives none.
pub(crate) fn defaults<T: Settings>(given: T::Given) -> T {
    let problems = Problems::default();
    T::read(&Reader::empty(&Session::new(&problems)), given)
}

/// Declares a struct of settings with their reader.
///
/// A field reads `/// Description.` and `pub key: Type = question(…)`, where the question is a method of
/// [`Field`](super::Field): `epochs: usize = integer(50, 0..=100_000)`. The first paragraph of its doc comment is its description in
/// the JSON schema and on the page of the sweep file. Arguments can use the parameters in parentheses behind the struct's name and the
/// fields before, or what `let` binds between fields. `=> function` names a method that checks what was read, or makes it canonical:
/// `fn function(self, &Reader) -> Self`. Traits behind a colon are derived, too.
macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident $(: $($derived:ident)+)? $(( $($given:ident : $given_type:ty),* ))? $(=> $check:ident)? {
            $(
                $(let $local:ident = $value:expr;)*
                $(#[doc = $doc:literal])*
                pub $field:ident : $type:ty = $method:ident($($argument:expr),* $(,)?)
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, $($($derived,)+)? serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type ),*
        }

        impl $crate::settings::Settings for $name {
            type Given = $crate::settings::settings!(@type $($($given_type),*)?);

            fn read(
                reader: &$crate::settings::Reader<'_>,
                $crate::settings::settings!(@pattern $($($given),*)?): Self::Given,
            ) -> Self {
                $(
                    $(let $local = $value;)*
                    let $field: $type = reader.at(stringify!($field), concat!($($doc, "\n"),*)).$method($($argument),*);
                )*
                Self { $($field),* }$(.$check(reader))?
            }
        }
    };
    (@type $one:ty) => { $one };
    (@type $($several:ty),*) => { ($($several),*) };
    (@pattern $one:ident) => { $one };
    (@pattern $($several:ident),*) => { ($($several),*) };
}

pub(crate) use settings;
