//! Where the panels are: one above the other, or in two columns if there is room.

use ratatui::layout::Rect;

use super::panel::Panel;

/// Smallest area with two columns, in characters.
const TWO_COLUMNS: (u16, u16) = (120, 24);

/// Space between two columns.
const GAP: u16 = 2;

/// Rows of a panel that is not chosen in a small area: its title and two lines, of which the first may be the head of a table.
const SMALLEST: u16 = 3;

/// Returns the widths that the panels have in an area.
pub(super) fn width(area: Rect) -> u16 {
    if has_two_columns(area) { (area.width - GAP) / 2 } else { area.width }
}

/// Returns the area of each panel, in the order of [`Panel::ALL`]. `wanted` are the rows that each would fill, with its title.
pub(super) fn areas(area: Rect, wanted: [u16; 4], chosen: Panel) -> [Rect; 4] {
    let width = width(area);
    let mut areas = [Rect::default(); 4];
    let columns: &[&[Panel]] = match has_two_columns(area) {
        true => &[&[Panel::Stages, Panel::Workers], &[Panel::Best, Panel::Failures]],
        false => &[&Panel::ALL],
    };
    for (column, panels) in (0..).zip(columns) {
        let wanted: Vec<u16> = panels.iter().map(|panel| wanted[panel.index()]).collect();
        let chosen = panels.iter().position(|panel| *panel == chosen);
        let (x, mut y) = (area.x + column * (width + GAP), area.y);
        for (panel, height) in panels.iter().zip(heights(area.height, &wanted, chosen)) {
            areas[panel.index()] = Rect { x, y, width, height };
            y += height;
        }
    }
    areas
}

fn has_two_columns(area: Rect) -> bool {
    area.width >= TWO_COLUMNS.0 && area.height >= TWO_COLUMNS.1
}

/// Divides rows among panels: the chosen one first gets what it wants, then the others in their order. If there are too few rows for the
/// titles of all, the chosen one gets all rows.
fn heights(available: u16, wanted: &[u16], chosen: Option<usize>) -> Vec<u16> {
    let smallest = SMALLEST * wanted.len() as u16;
    if available < smallest {
        let only = chosen.unwrap_or(0);
        return (0..wanted.len()).map(|index| if index == only { available } else { 0 }).collect();
    }
    let mut heights = vec![SMALLEST; wanted.len()];
    let mut left = available - smallest;
    for index in chosen.into_iter().chain(0..wanted.len()) {
        let more = wanted[index].saturating_sub(heights[index]).min(left);
        heights[index] += more;
        left -= more;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_panel_gets_its_rows_first() {
        assert_eq!(heights(20, &[6, 4, 6, 2], Some(0)), [6, 4, 6, 3]);
        assert_eq!(heights(20, &[6, 30, 6, 9], Some(3)), [5, 3, 3, 9]);
        assert_eq!(heights(20, &[6, 30, 6, 9], Some(1)), [3, 11, 3, 3]);
        assert_eq!(heights(11, &[6, 30, 6, 9], Some(2)), [0, 0, 11, 0]);
        assert_eq!(heights(0, &[1, 1], None), [0, 0]);
    }

    #[test]
    fn no_panel_leaves_its_area_or_covers_another() {
        for (width, height) in [(80, 20), (119, 50), (120, 24), (200, 46), (20, 3), (1, 0)] {
            let area = Rect { x: 0, y: 3, width, height };
            for chosen in Panel::ALL {
                let areas = areas(area, [8, 40, 12, 30], chosen);
                for (index, one) in areas.iter().enumerate() {
                    assert_eq!(area.union(*one), if one.is_empty() { area.union(*one) } else { area });
                    assert!(areas[..index].iter().all(|other| other.intersection(*one).is_empty()), "{areas:?}");
                }
            }
        }
    }
}
