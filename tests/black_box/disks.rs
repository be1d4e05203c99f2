//! Read-only and full disks for tests. Only the superuser can mount them; without this right the tests end early and report it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk; it is unmounted when this is dropped.
pub struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        // Unmount lazily: processes that still use the disk end soon.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

/// Makes a folder read-only.
pub fn read_only(folder: &Path) -> Option<Mount> {
    let mount = mount(&["--bind".as_ref(), folder.as_ref()], folder)?;
    self::mount(&["-o".as_ref(), "remount,bind,ro".as_ref()], folder).map(std::mem::forget)?;
    Some(mount)
}

/// Mounts an empty disk over an empty folder.
pub fn small_disk(folder: &Path, bytes: u64) -> Option<Mount> {
    let options = format!("size={bytes}");
    mount(&["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), options.as_ref(), "none".as_ref()], folder)
}

#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
fn mount(arguments: &[&std::ffi::OsStr], folder: &Path) -> Option<Mount> {
    let output = Command::new("mount").args(arguments).arg(folder).output();
    let refused = match output {
        Ok(output) if output.status.success() => return Some(Mount(folder.to_owned())),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("skipped: cannot mount a disk here: {}", refused.trim());
    None
}

/// A file that fills a disk; it is removed when this is dropped.
pub struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("removed");
    }
}

/// Fills a disk completely.
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
