//! Named byte strings of an object store, which is reached over the network.

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Object {
    /// Name below the listed place, with slashes.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// Operations on the objects below one place of an object store. Names have slashes, and begin below that place.
///
/// All operations block. Each retries while the server does not answer, and then returns an error.
pub(in crate::store) trait Objects: Debug + Send + Sync {
    /// Returns an object's content, or `None` if there is no such object.
    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes an object, unless one with this name exists. Returns whether it was written.
    fn create(&self, name: &str, content: &[u8]) -> io::Result<bool>;

    /// Writes an object, and replaces one with this name.
    fn put(&self, name: &str, content: &[u8]) -> io::Result<()>;

    /// Writes a file's content as an object, and replaces one with this name.
    fn upload(&self, file: &Path, name: &str) -> io::Result<()>;

    /// Returns the BLAKE3 digest of an object, or `None` if there is no such object. Writes the content to `file`, if one is given.
    fn download(&self, name: &str, file: Option<&Path>) -> io::Result<Option<String>>;

    /// Lists the objects whose names begin with `folder` and a slash, sorted by name. An empty `folder` lists all objects.
    fn list(&self, folder: &str) -> io::Result<Vec<Object>>;

    /// Removes objects. Those that do not exist are ignored.
    fn remove(&self, names: &[String]) -> io::Result<()>;
}
