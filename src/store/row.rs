//! Structs that are read from query rows. Each field is read from the column with its name.

/// Defines a struct that is read from a query row.
///
/// Replaces sqlx's derive macro, which would compile SQLite a second time for use by the compiler.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        impl $crate::store::sql::Read for $name {
            fn read(row: $crate::store::sql::Row<'_>) -> Result<Self, sqlx::Error> {
                use $crate::store::sql::{At, Column};
                Ok(Self { $($field: Column::of(row, At::Name(stringify!($field)))?,)+ })
            }
        }
    };
}

/// Lets columns store enums by name, or another type through an expression that parses the name.
macro_rules! column {
    ($($name:ty),+ $(,)?) => {
        $(column!($name => |name| {
            let unknown = || format!("this version of didact does not know the name `{name}`");
            Self::named(name).ok_or_else(unknown)
        });)+
    };
    ($name:ty => |$text:ident| $read:expr) => {
        impl $crate::store::sql::Column for $name {
            fn of(row: $crate::store::sql::Row<'_>, at: $crate::store::sql::At) -> Result<Self, sqlx::Error> {
                let $text = row.text(at)?;
                $read.map_err(|error| at.unreadable(error.into()))
            }
        }
    };
}

pub(super) use {column, row};
