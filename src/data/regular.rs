//! Opens regular files only: a named pipe would wait for its writer forever, and a device may never end.

use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file for reading; links are followed.
///
/// # Errors
/// Refuses anything else with a message that says what it is. Fails also if the file cannot be opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    expect_file(std::fs::metadata(path)?.file_type())?;
    let mut options = File::options();
    options.read(true);
    // Another process may have put a pipe there in the meantime; opening it must not wait.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    expect_file(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a whole regular file, which must be text.
pub(crate) fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

fn expect_file(kind: FileType) -> io::Result<()> {
    match kind.is_file() {
        true => Ok(()),
        false => {
            let message = format!("it is {}, expected a file", kind_name(kind));
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

fn kind_name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "not a regular file" }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn anything_but_a_file_is_refused_without_waiting_and_links_to_files_are_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let pipe = CString::new(path("pipe").as_os_str().as_bytes()).expect("a path");
        // SAFETY: the path ends with a zero byte and outlives the call.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("bound");
        std::fs::write(path("file"), "text").expect("written");
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(path(to), path(name)).expect("linked");
        link("file", "link");
        link("pipe", "link-to-pipe");
        link("absent", "dangling");
        let message = |path: &Path| open(path).expect_err("no file").to_string();
        assert_eq!(message(&path("pipe")), "it is a named pipe, expected a file");
        assert_eq!(message(&path("link-to-pipe")), "it is a named pipe, expected a file");
        assert_eq!(message(&path("socket")), "it is a socket, expected a file");
        assert_eq!(message(Path::new("/dev/zero")), "it is a device, expected a file");
        assert_eq!(message(folder.path()), "it is a folder, expected a file");
        assert_eq!(open(&path("dangling")).expect_err("dangles").kind(), io::ErrorKind::NotFound);
        assert_eq!(read_to_string(&path("link")).expect("reads"), "text");
        assert_eq!(read_to_string(&path("file")).expect("reads"), "text");
    }
}
