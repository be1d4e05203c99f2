//! Disks of a kind that no machine has by default: read-only, or full. Only the superuser can mount them; tests end early, and say
//! so, where it is refused.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something mounted at a path, until it is dropped.
pub struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: whatever still works there ends soon.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

/// Makes a folder read-only.
pub fn read_only(folder: &Path) -> Option<Mount> {
    let mount = mount(&["--bind".as_ref(), folder.as_ref()], folder)?;
    self::mount(&["-o".as_ref(), "remount,bind,ro".as_ref()], folder).map(std::mem::forget)?;
    Some(mount)
}

/// Puts an empty disk in the place of an empty folder.
pub fn small_disk(folder: &Path, bytes: u64) -> Option<Mount> {
    let options = format!("size={bytes}");
    mount(&["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), options.as_ref(), "none".as_ref()], folder)
}

#[expect(clippy::print_stderr, reason = "a test that does not test says so")]
fn mount(arguments: &[&std::ffi::OsStr], folder: &Path) -> Option<Mount> {
    let output = Command::new("mount").args(arguments).arg(folder).output();
    let refused = match output {
        Ok(output) if output.status.success() => return Some(Mount(folder.to_owned())),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("skipped: nothing can be mounted here: {}", refused.trim());
    None
}

/// A file that takes all the room of a disk, until it is dropped.
pub struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("removed");
    }
}

/// Fills a disk to the last byte.
pub fn fill(folder: &Path) -> Filler {
    use std::io::Write;
    let path = folder.join("filler");
    let mut file = std::fs::File::create(&path).expect("created");
    let mut size = 1 << 20;
    while size > 0 {
        if file.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
    Filler(path)
}
