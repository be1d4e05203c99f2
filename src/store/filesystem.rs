//! The file system of the store's folder. SQLite's write-ahead log needs the shared memory of one machine.

use std::path::Path;

/// Identity of a file. It changes when the file is deleted and created again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Returns the identity of the file at a path. Returns `None` if there is no file.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Other systems only detect that the file is missing.
    #[cfg(not(unix))]
    pub(super) fn of(path: &Path) -> Option<Self> {
        path.is_file().then_some(Self { device: 0, inode: 0 })
    }
}

/// Names of network file systems, by the number that statfs(2) returns for them (linux/magic.h).
const NETWORK: [(u64, &str); 12] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFE53_4D42, "SMB2"),
    (0xFF53_4D42, "CIFS"),
    (0x5346_414F, "AFS"),
    (0x0102_1997, "9P"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x00C3_6400, "Ceph"),
    (0x1983_0326, "BeeGFS"),
    (0x7461_636F, "OCFS2"),
    (0x0116_1970, "GFS2"),
];

fn network_name(magic: u64) -> Option<&'static str> {
    NETWORK.iter().find(|(number, _)| *number == magic).map(|(_, name)| *name)
}

/// Returns the name of the network file system that contains a folder. Returns `None` for a local file system.
#[cfg(target_os = "linux")]
pub(super) fn network_file_system(folder: &Path) -> Option<&'static str> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut facts = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path ends with a zero byte, and the kernel fills the struct exactly when it returns 0.
    let facts = unsafe {
        if libc::statfs(path.as_ptr(), facts.as_mut_ptr()) != 0 {
            return None;
        }
        facts.assume_init()
    };
    // The field's type differs between C libraries; the numbers have 32 bits.
    network_name(facts.f_type as u64 & 0xFFFF_FFFF)
}

/// Network file systems are not detected on other systems.
#[cfg(not(target_os = "linux"))]
pub(super) fn network_file_system(_: &Path) -> Option<&'static str> {
    None
}

/// Returns whether files can be created in a folder. Creates a file to find out, because permissions alone do not reveal read-only mounts.
pub(super) fn can_write(folder: &Path) -> bool {
    let probe = folder.join(format!(".didact-{}", std::process::id()));
    let created = std::fs::File::create(&probe).is_ok();
    if created {
        // On failure, only an empty file remains.
        let _ = std::fs::remove_file(&probe);
    }
    created
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_recognised_by_their_numbers() {
        assert_eq!(network_name(0x6969), Some("NFS"));
        assert_eq!(network_name(0xEF53), None, "ext4");
        assert_eq!(network_file_system(&std::env::temp_dir()), None);
    }

    #[test]
    fn a_replaced_file_has_another_identity() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&path, "x").expect("written");
        let first = Identity::of(&path);
        assert!(first.is_some() && first == Identity::of(&path));
        std::fs::write(&other, "x").expect("written");
        std::fs::rename(&other, &path).expect("renamed");
        assert_ne!(first, Identity::of(&path));
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(Identity::of(&path), None);
        assert!(can_write(folder.path()) && !can_write(&path));
    }
}
