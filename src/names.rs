//! Enums that are written as text, with one spelling from the store to the screen.

/// Defines an enum whose variants have names. Text, JSON and store columns all use these names.
macro_rules! named_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $text:expr),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// All variants in their order.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            /// Returns the name of the variant.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Returns the variant with this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| Self::name(*variant) == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(Self::name(*self))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Self::name(*self))
            }
        }

        impl<'d> serde::Deserialize<'d> for $name {
            fn deserialize<D: serde::Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
                let name = std::borrow::Cow::<'d, str>::deserialize(deserializer)?;
                let unknown = || serde::de::Error::unknown_variant(&name, &[$($text),+]);
                Self::named(&name).ok_or_else(unknown)
            }
        }
    };
}

pub(crate) use named_enum;

#[cfg(test)]
mod tests {
    named_enum! {
        /// A test enum with two names.
        enum Side {
            /// First variant.
            Left = "left",
            /// Second variant.
            FarRight = "far-right",
        }
    }

    #[test]
    fn names_and_json_convert_back_to_their_variant() {
        for side in Side::ALL {
            assert_eq!(Side::named(side.name()), Some(side));
            let json = serde_json::to_string(&side).expect("text");
            assert_eq!(json, format!("\"{side}\""));
            assert_eq!(serde_json::from_str::<Side>(&json).expect("a name"), side);
        }
        assert!(serde_json::from_str::<Side>("\"up\"").is_err());
    }
}
