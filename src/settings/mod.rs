//! Declares and reads settings. A type declares its settings once. The reader, the JSON schema, the page on the sweep file and the names
//! in the store all use that declaration.

mod choice;
mod field;
mod name;
mod problem;
mod reader;
mod spec;
mod table;
mod tree;

pub use choice::{Choice, Named};
pub(crate) use choice::{alternatives, choices};
pub(crate) use field::{Field, documented};
pub(crate) use name::quoted;
pub use name::similar_name;
pub(crate) use problem::Problems;
pub use problem::{ConfigErrors, Located, Place, Problem};
pub(crate) use reader::{Reader, Session};
pub(crate) use spec::{DefaultValue, NamedValue, SettingSpec, ValueKind, first_paragraph};
pub(crate) use table::{Settings, defaults, settings};
pub(crate) use tree::{Node, Table, Value, get, parse, parse_flag, set};
