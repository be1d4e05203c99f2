//! Image files of real data sets: damaged, rotated, with 16 bits, too large, or not regular files.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use image::{ExtendedColorType, ImageBuffer, Luma};

use crate::common::{Workplace, tiny_on_disk};

fn on_disk() -> Workplace {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &tiny_on_disk());
    place
}

fn pipe(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).expect("a path");
    // SAFETY: the path ends with a zero byte and outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

/// Returns a JPEG of 64×64 pixels.
fn jpeg() -> Vec<u8> {
    let rgb: Vec<u8> = (0..64 * 64 * 3).map(|place| (place * 37 % 251) as u8).collect();
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode(&rgb, 64, 64, ExtendedColorType::Rgb8).expect("encoded");
    bytes
}

#[test]
fn damaged_images_are_refused_by_name_before_anything_starts() {
    let place = on_disk();
    let whole = jpeg();
    let png = std::fs::read(place.path("data/weave/train/good/000.png")).expect("reads");
    // The last four bytes of the pixel data are its checksum; the chunk's own checksum follows.
    let end = png.windows(4).rposition(|window| window == b"IEND").expect("ends") - 4;
    let start = png.windows(4).position(|window| window == b"IDAT").expect("has pixels");
    let mut checksum = png.clone();
    checksum[end - 5] ^= 1;
    let crc = {
        let mut crc = u32::MAX;
        for byte in &checksum[start..end - 4] {
            crc ^= u32::from(*byte);
            (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 });
        }
        !crc
    };
    checksum[end - 4..end].copy_from_slice(&crc.to_be_bytes());
    // In a JPEG header, height and width follow the marker of the frame.
    let mut claims = whole.clone();
    let frame = claims.windows(2).position(|window| window == [0xff, 0xc0]).expect("has a frame");
    claims[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    let mut huge = whole.clone();
    huge[frame + 5..frame + 9].copy_from_slice(&[0x55, 0xf0, 0x55, 0xf0]);
    let cases: [(&str, &[u8], &str); 6] = [
        ("cut.jpg", &whole[..whole.len() / 2], "ends early"),
        ("cut.png", &png[..png.len() / 2], "cut.png is not a readable image"),
        ("checksum.png", &checksum, "checksum.png is not a readable image"),
        ("claims.jpg", &claims, "10000×10000 pixels, but the file is too short for them"),
        ("huge.jpg", &huge, "22000×22000 pixels, more than the maximum of 178956970"),
        ("pages.png", b"GIF89a", "its format is Gif"),
    ];
    for (name, content, reason) in cases {
        let path = place.path("data/weave/train/good").join(name);
        std::fs::write(&path, content).expect("written");
        for arguments in [&["data", "check", "data"][..], &["sweep", "tiny.toml", "--no-report"]] {
            let outcome = place.run(arguments);
            assert_eq!(outcome.code, Some(3), "{name} by {arguments:?}: {}{}", outcome.stdout, outcome.stderr);
            let text = outcome.stdout + &outcome.stderr;
            assert!(text.contains(name) && text.contains(reason), "{name} by {arguments:?}: {text}");
        }
        assert!(!place.path("didact.db").exists(), "nothing has started");
        std::fs::remove_file(path).expect("removed");
    }
    place.succeed(&["data", "check", "data"]);
}

#[test]
fn pipes_are_refused_in_place_of_files() {
    let place = on_disk();
    pipe(&place.path("pipe"));
    let outcome = place.run(&["sweep", "pipe"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("it is a named pipe"), "{}", outcome.stderr);
    let outcome = place.run(&["weights", "check", "pipe"]);
    assert_eq!(outcome.code, Some(3));
    assert!(outcome.stderr.contains("it is a named pipe"), "{}", outcome.stderr);
    let mask = place.path("data/weave/ground_truth/hole/000_mask.png");
    std::fs::remove_file(&mask).expect("removed");
    pipe(&mask);
    let outcome = place.run(&["data", "check", "data"]);
    assert_eq!(outcome.code, Some(3));
}

#[test]
fn twelve_bits_in_sixteen_are_reported_and_scaled_on_request() {
    let place = on_disk();
    let path = place.path("data/weave/train/good/000.png");
    ImageBuffer::from_fn(32, 32, |x, y| Luma([((x * 32 + y) * 4) as u16])).save(&path).expect("written");
    let outcome = place.succeed(&["data", "check", "data"]);
    let note = "16-bit images (1): the highest value is 4092 (12 bits), which gives about 16 grey levels";
    assert!(outcome.stdout.contains(note), "{}", outcome.stdout);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let before = place.count("SELECT count(*) FROM stage");
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "data.white_level=4095"]);
    assert!(place.count("SELECT count(*) FROM stage") > before, "other images, other stages");
    let prepared = place.query("SELECT id FROM stage WHERE kind = 'features' ORDER BY id");
    let brightest = |key: &String| {
        let folder = place.path("didact.artifacts/features").join(key);
        let header = std::fs::read_to_string(folder.join("features.json")).expect("reads");
        let images = std::fs::read(folder.join("images.u8")).expect("reads");
        header.contains("train/good/000.png").then(|| images[..32 * 32 * 3].iter().max().copied())
    };
    let mut brightest: Vec<_> = prepared.iter().filter_map(brightest).flatten().collect();
    brightest.sort_unstable();
    assert_eq!((brightest.first(), brightest.last()), (Some(&16), Some(&255)));
}
