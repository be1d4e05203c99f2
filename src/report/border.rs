//! Finds the pixels along the border of a region.

/// Returns which pixels have a pixel of `mask` at most `radius` rows and `radius` columns away.
pub(super) fn near(mask: &[bool], width: usize, radius: usize) -> Vec<bool> {
    let mut along_rows = vec![false; mask.len()];
    for (row, near) in mask.chunks_exact(width).zip(along_rows.chunks_exact_mut(width)) {
        let mut ahead = radius + 1;
        let mut behind = radius + 1;
        for x in 0..width {
            behind = if row[x] { 0 } else { behind + 1 };
            near[x] |= behind <= radius;
            let x = width - 1 - x;
            ahead = if row[x] { 0 } else { ahead + 1 };
            near[x] |= ahead <= radius;
        }
    }
    let mut all = vec![false; mask.len()];
    // Rows are read in their order in memory, downwards and then upwards, with a counter for each column.
    let mut passed = vec![radius + 1; width];
    let mut pass = |row: usize| {
        for (x, passed) in passed.iter_mut().enumerate() {
            *passed = if along_rows[row * width + x] { 0 } else { *passed + 1 };
            all[row * width + x] |= *passed <= radius;
        }
    };
    let height = mask.len() / width;
    (0..height).for_each(&mut pass);
    // The counters go on from the last row, which is right: what is near it from above is below it on the way back.
    (0..height).rev().for_each(&mut pass);
    all
}

/// Returns the pixels of a region along its border, as a line `width_of_line` pixels wide. Where the frame cuts the region off, there is no
/// line.
pub(super) fn inner_border(region: &[bool], width: usize, width_of_line: usize) -> Vec<bool> {
    let outside: Vec<bool> = region.iter().map(|inside| !inside).collect();
    let mut line = near(&outside, width, width_of_line);
    line.iter_mut().zip(region).for_each(|(line, inside)| *line &= inside);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, without any shortcut.
    fn near_by_definition(mask: &[bool], width: usize, radius: usize) -> Vec<bool> {
        let height = mask.len() / width;
        let around = |at: usize, end: usize| at.saturating_sub(radius)..=(at + radius).min(end - 1);
        let is_near = |index: usize| {
            around(index / width, height).any(|y| around(index % width, width).any(|x| mask[y * width + x]))
        };
        (0..mask.len()).map(is_near).collect()
    }

    #[test]
    fn near_pixels_are_those_of_the_definition() {
        let mask: Vec<bool> = (0..7 * 9).map(|index| (index * index + 3 * index) % 23 == 4).collect();
        assert!(mask.contains(&true));
        for (width, radius) in [(7, 0), (7, 1), (9, 2), (9, 20), (63, 3), (1, 2)] {
            assert_eq!(near(&mask, width, radius), near_by_definition(&mask, width, radius), "{width}, {radius}");
        }
        assert_eq!(near(&[false; 6], 3, 5), [false; 6]);
    }

    #[test]
    fn a_border_is_inside_its_region_and_not_on_the_frame() {
        // The left three columns of the lower three rows.
        let region: Vec<bool> = (0..16).map(|index| index / 4 >= 1 && index % 4 < 3).collect();
        let line: Vec<usize> = (0..16).filter(|index| inner_border(&region, 4, 1)[*index]).collect();
        assert_eq!(line, [4, 5, 6, 10, 14]);
    }
}
