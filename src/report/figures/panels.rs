//! Places panels of equal size: as many side by side as there is room for.

use super::plot::Frame;

/// The places of a figure's panels.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Panels {
    pub columns: i32,
    width: i32,
    height: i32,
    top: i32,
    /// Lower end of the last row, in pixels.
    pub bottom: i32,
}

impl Panels {
    /// Places panels of `height` pixels below `top`, each at least `narrowest` pixels wide if there is room.
    pub(in crate::report) fn new(count: usize, (width, narrowest): (i32, i32), top: i32, height: i32) -> Self {
        let count = count.max(1) as i32;
        let columns = (width / narrowest).clamp(1, count);
        let rows = (count + columns - 1) / columns;
        Self { columns, width: width / columns, height, top, bottom: top + rows * height }
    }

    /// Returns the edges of a panel with its texts.
    pub(in crate::report) fn place(&self, place: usize) -> Frame {
        let (left, top) =
            (place as i32 % self.columns * self.width, self.top + place as i32 / self.columns * self.height);
        Frame { left, top, right: left + self.width, bottom: top + self.height }
    }
}

#[cfg(test)]
mod tests {
    use super::Panels;

    #[test]
    fn panels_are_side_by_side_only_where_they_have_room() {
        let corners = |panels: Panels| [0, 1, 2].map(|place| (panels.place(place).left, panels.place(place).top));
        let wide = Panels::new(3, (840, 400), 30, 100);
        assert_eq!((corners(wide), wide.bottom), ([(0, 30), (420, 30), (0, 130)], 230));
        let narrow = Panels::new(3, (400, 400), 30, 100);
        assert_eq!((corners(narrow), narrow.bottom), ([(0, 30), (0, 130), (0, 230)], 330));
        assert_eq!(Panels::new(1, (840, 400), 0, 100).place(0).right, 840);
    }
}
