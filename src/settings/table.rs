//! Structs whose fields are settings. Each field is declared with key, type, default, range and description.

use super::problem::Problems;
use super::reader::{Reader, Session};

/// Settings of a table of the sweep file, or of a part of it.
pub(crate) trait Settings: Sized {
    /// Values on which defaults and checks depend.
    type Given;

    /// Reads and checks the settings.
    fn read(reader: &Reader<'_>, given: Self::Given) -> Self;
}

impl<T: Settings> Settings for Option<T> {
    type Given = T::Given;

    fn read(reader: &Reader<'_>, given: T::Given) -> Self {
        Some(T::read(reader, given))
    }
}

/// Returns the settings of an empty table.
pub(crate) fn defaults<T: Settings>(given: T::Given) -> T {
    let problems = Problems::default();
    T::read(&Reader::empty(&Session::new(&problems)), given)
}

/// Declares a struct of settings with their reader.
///
/// A field is declared as `pub key: Type = method(…)` with a doc comment. The method belongs to [`Field`](super::Field):
/// `epochs: usize = integer(50, 0..=100_000)`. The first paragraph of the doc comment describes the setting in the JSON schema and on the
/// page of the sweep file. Arguments can use the struct's parameters in parentheses, earlier fields, and variables that `let` binds
/// between fields. `=> function` names a method that checks the settings or makes them canonical: `fn function(self, &Reader) -> Self`.
/// Traits after a colon are derived, too. A setting that was added later may have a serde attribute that leaves out its default: keys are
/// computed from the serialised settings and must stay the same.
macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident $(: $($derived:ident)+)? $(( $($given:ident : $given_type:ty),* ))? $(=> $check:ident)? {
            $(
                $(let $local:ident = $value:expr;)*
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)*)])?
                pub $field:ident : $type:ty = $method:ident($($argument:expr),* $(,)?)
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, $($($derived,)+)? serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $( $(#[doc = $doc])* $(#[serde($($serde)*)])? pub $field: $type ),*
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
