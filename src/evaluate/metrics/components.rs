//! 8-connected components of a mask, by union of runs.

/// Returns the labels (0 = normal, components from 1 in reading order) and the size of each component in pixels.
pub fn label_components(mask: &[bool], width: usize) -> (Vec<u32>, Vec<u64>) {
    let mut labels = vec![0_u32; mask.len()];
    // Parent of each provisional label; label 0 is unused.
    let mut parents = vec![0_u32];
    for index in (0..mask.len()).filter(|&index| mask[index]) {
        let column = index % width;
        let above = index.checked_sub(width);
        let neighbours = [
            (column > 0).then(|| index - 1),
            above.filter(|_| column > 0).map(|i| i - 1),
            above,
            above.filter(|_| column + 1 < width).map(|i| i + 1),
        ];
        let mut label = 0;
        for neighbour in neighbours.into_iter().flatten().map(|i| labels[i]).filter(|&l| l > 0) {
            let root = find(&mut parents, neighbour);
            label = match label {
                0 => root,
                known => {
                    let (low, high) = (known.min(root), known.max(root));
                    parents[high as usize] = low;
                    low
                }
            };
        }
        if label == 0 {
            label = parents.len() as u32;
            parents.push(label);
        }
        labels[index] = label;
    }
    let mut sizes = Vec::new();
    let mut finals = vec![0_u32; parents.len()];
    for label in labels.iter_mut().filter(|label| **label > 0) {
        let root = find(&mut parents, *label) as usize;
        if finals[root] == 0 {
            sizes.push(0);
            finals[root] = sizes.len() as u32;
        }
        *label = finals[root];
        sizes[finals[root] as usize - 1] += 1;
    }
    (labels, sizes)
}

fn find(parents: &mut [u32], mut label: u32) -> u32 {
    while parents[label as usize] != label {
        // Path halving keeps chains short.
        parents[label as usize] = parents[parents[label as usize] as usize];
        label = parents[label as usize];
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn squares_that_touch_at_a_corner_are_one_component() {
        let mask = [true, false, false, false, true, false, false, false, false];
        assert_eq!(label_components(&mask, 3), (vec![1, 0, 0, 0, 1, 0, 0, 0, 0], vec![2]));
    }

    proptest! {
        #[test]
        fn components_agree_with_flooding(mask in proptest::collection::vec(any::<bool>(), 49)) {
            let (labels, sizes) = label_components(&mask, 7);
            let mut flooded = vec![0_u32; 49];
            let mut count = 0;
            for start in 0..49 {
                if !mask[start] || flooded[start] > 0 { continue; }
                count += 1;
                let mut open = vec![start];
                while let Some(at) = open.pop() {
                    if !mask[at] || flooded[at] > 0 { continue; }
                    flooded[at] = count;
                    let (y, x) = ((at / 7) as i32, (at % 7) as i32);
                    for (dy, dx) in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)] {
                        if (0..7).contains(&(y + dy)) && (0..7).contains(&(x + dx)) {
                            open.push(((y + dy) * 7 + x + dx) as usize);
                        }
                    }
                }
            }
            prop_assert_eq!(&labels, &flooded);
            for (i, size) in sizes.iter().enumerate() {
                prop_assert_eq!(*size, flooded.iter().filter(|l| **l as usize == i + 1).count() as u64);
            }
        }
    }
}
