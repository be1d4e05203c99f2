//! Enums whose variants are the values of a setting. Each variant is declared with its spelling and its description.

/// A type whose values have names. The sweep file, the store and the reports use the same names.
pub trait Named {
    /// Returns the name of the variant.
    fn name(&self) -> &'static str;

    /// Returns the doc comment of the variant.
    fn doc(&self) -> &'static str;
}

/// A type with a fixed list of named values.
pub trait Choice: Named + Copy + 'static {
    /// All values, in the order of their declaration.
    const ALL: &'static [Self];

    /// Returns the value with this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|value| value.name() == name).copied()
    }
}

/// Declares an enum with the spellings of its variants: `Variant = "spelling"`.
///
/// serde and the store use the same spellings. An enum of unit variants is a [`named_enum!`](crate::names::named_enum) and a [`Choice`].
/// If variants have contents, `by StrategyKind` also declares an enum of the variants alone. It can be read before the contents.
macro_rules! choices {
    (
        $(#[doc = $about:expr])*
        pub enum $name:ident {
            $( $(#[doc = $doc:literal])* $variant:ident = $spelling:tt ),* $(,)?
        }
    ) => {
        $crate::names::named_enum! {
            $(#[doc = $about])*
            pub enum $name {
                $( $(#[doc = $doc])* $variant = $spelling ),*
            }
        }

        $crate::settings::choices!(@named $name { $( $variant = $spelling [$($doc),*] )* });

        impl $crate::settings::Choice for $name {
            const ALL: &'static [Self] = &Self::ALL;
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

/// Declares an enum in which some variants have parameters: `Variant { parameter: type } = "spelling"`.
///
/// The parameters are settings in the same table as the enum's own setting. The first variant has no parameters and is the default.
/// Each parameter is declared once, as in [`settings!`](super::settings), even if several variants have it. The reader accepts all
/// parameters, so a file may also give parameters of variants that it does not choose.
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
            /// Reads the variant with its parameters.
            pub(crate) fn read(field: $crate::settings::Field<'_> $(, $($given: $given_type),*)?) -> Self {
                let values = || {
                    let variants = [
                        ($first_spelling, concat!($($first_doc, "\n"),*)),
                        $( ($spelling, concat!($($doc, "\n"),*)) ),*
                    ];
                    variants.map(|(name, doc)| ($crate::settings::NamedValue::documented(name, doc), name)).into()
                };
                let chosen = field.one_of(values, $crate::settings::DefaultValue::Value($first_spelling.into()));
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
