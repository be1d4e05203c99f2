//! Checks by its markers whether a JPEG is complete, because decoders silently fill missing parts with grey.

/// Refuses a JPEG that ends before its end-of-image marker. Bytes after that marker belong to no image and are ignored.
///
/// libjpeg, and with it Pillow, decides in the same way, because it waits for data until it meets the marker.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    const SCAN: u8 = 0xda;
    const END: u8 = 0xd9;
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut scans = 0;
    loop {
        // Go to the next marker: skip the bytes of a scan and anything between segments.
        let Some(start) = rest.iter().position(|byte| *byte == 0xff) else { return Err(truncated(scans)) };
        rest = &rest[start + 1..];
        let Some((&marker, after)) = rest.split_first() else { return Err(truncated(scans)) };
        match marker {
            // A byte of 255 in a scan, restart markers and start markers have no content; of several bytes of 255, the last one counts.
            0x00 | 0x01 | 0xd0..=0xd8 => rest = after,
            0xff => {}
            END if scans == 0 => return Err("it ends before any pixels".to_owned()),
            END => return Ok(()),
            _ => {
                let length = after.get(..2).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])));
                let segment = length.filter(|length| *length >= 2).and_then(|length| after.get(length..));
                let Some(following) = segment else { return Err(truncated(scans)) };
                scans += usize::from(marker == SCAN);
                rest = following;
            }
        }
    }
}

fn truncated(scans: usize) -> String {
    match scans {
        0 => "it ends within its header".to_owned(),
        _ => "it ends early: the end-of-image marker is missing".to_owned(),
    }
}
