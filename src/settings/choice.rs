//! Enums whose variants are the values of a setting: spelling and description stand at the variant.

/// A type whose values have names: those of the sweep file, the store and the reports.
pub trait Named {
    /// The spelling of its variant.
    fn name(&self) -> &'static str;

    /// The doc comment of its variant.
    fn doc(&self) -> &'static str;
}

/// A type with a few values.
pub trait Choice: Named + Copy + 'static {
    /// All of them, in the order of the declaration.
    const ALL: &'static [Self];

    /// The value of a name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|value| value.name() == name).copied()
    }
}

/// Declares an enum with the spellings of its variants: `Variant = "spelling"`.
///
/// The spellings are those of serde. An enum of unit variants is a [`Choice`]. Where variants have contents, `by Kind` declares an enum
/// of the variants alone, too, which can be read before the contents.
macro_rules! choices {
    (
        $(#[doc = $about:expr])*
        pub enum $name:ident {
            $( $(#[doc = $doc:literal])* $variant:ident = $spelling:tt ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[doc = $doc])* #[serde(rename = $spelling)] $variant ),*
        }

        $crate::settings::choices!(@named $name { $( $variant = $spelling [$($doc),*] )* });

        impl $crate::settings::Choice for $name {
            const ALL: &'static [Self] = &[$( Self::$variant ),*];
        }
    };
    (
        $(#[doc = $about:literal])*
        pub enum $name:ident by $kind:ident $(: $($derived:ident)+)? {
            $( $(#[doc = $doc:literal])* $variant:ident $(($contents:ty))? = $spelling:tt ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, $($($derived,)+)? serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[doc = $doc])* #[serde(rename = $spelling)] $variant $(($contents))? ),*
        }

        $crate::settings::choices!(@named $name { $( $variant = $spelling [$($doc),*] )* });

        $crate::settings::choices! {
            #[doc = concat!("The variants of [`", stringify!($name), "`] without their contents.")]
            pub enum $kind {
                $( $(#[doc = $doc])* $variant = $spelling ),*
            }
        }
    };
    (@named $name:ident { $( $variant:ident = $spelling:tt [$($doc:literal),*] )* }) => {
        impl $crate::settings::Named for $name {
            fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => $spelling ),*
                }
            }

            fn doc(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => concat!($($doc, "\n"),*) ),*
                }
            }
        }
    };
}

/// Declares an enum some of whose variants have parameters, which are settings beside its own: `Variant { parameter: type } = "spelling"`.
///
/// The first variant has none and is the default. Each parameter is declared once as in [`settings!`](super::settings), whatever
/// variants have it; the reader asks for all of them, so that a file may give those of another variant than the chosen one.
macro_rules! alternatives {
    (
        $(#[doc = $about:literal])*
        pub enum $name:ident $(( $($given:ident : $given_type:ty),* ))? {
            $(#[doc = $first_doc:literal])* $first:ident = $first_spelling:tt,
            $( $(#[doc = $doc:literal])* $variant:ident $({ $($field:ident : $type:ty),* })? = $spelling:tt ),* $(,)?
        } with {
            $(
                $(#[doc = $parameter_doc:literal])*
                $parameter:ident = $method:ident($($argument:expr),*)
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[doc = $first_doc])*
            #[default]
            #[serde(rename = $first_spelling)]
            $first,
            $(
                $(#[doc = $doc])*
                #[serde(rename = $spelling)]
                $variant $({
                    $(
                        #[doc = concat!("The setting `", stringify!($field), "`.")]
                        $field: $type
                    ),*
                })?
            ),*
        }

        $crate::settings::choices!(@named $name {
            $first = $first_spelling [$($first_doc),*]
            $( $variant = $spelling [$($doc),*] )*
        });

        impl $name {
            /// Reads it with its parameters.
            pub(crate) fn read(field: $crate::settings::Field<'_> $(, $($given: $given_type),*)?) -> Self {
                let values = || {
                    let variants = [
                        ($first_spelling, concat!($($first_doc, "\n"),*)),
                        $( ($spelling, concat!($($doc, "\n"),*)) ),*
                    ];
                    variants.map(|(name, doc)| ($crate::settings::NamedValue::documented(name, doc), name)).into()
                };
                let chosen = field.one_of(values, $crate::settings::Usual::Value($first_spelling.into()));
                $(
                    let $parameter = field
                        .sibling(stringify!($parameter), concat!($($parameter_doc, "\n"),*))
                        .$method($($argument),*);
                )*
                match chosen {
                    $( Some($spelling) => Self::$variant $({ $($field),* })?, )*
                    _ => Self::$first,
                }
            }
        }
    };
}

pub(crate) use {alternatives, choices};
