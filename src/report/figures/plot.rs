//! A panel with two axes.

use plotters::prelude::Color;

use super::axis::Axis;
use crate::report::canvas::{Anchor, Canvas, DrawResult, Pixel, TEXT, fitted, fitted_middle};
use crate::report::figure::{INK, MESH};

/// The edges of a panel's drawn area, in pixels.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Frame {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

/// A panel on a canvas.
pub(in crate::report) struct Plot<'c, 's> {
    pub canvas: &'c Canvas<'s>,
    pub frame: Frame,
    pub x: Axis,
    pub y: Axis,
}

/// Pixels for one label of a horizontal axis, and for one of a vertical axis.
const ACROSS: i32 = 62;
const UPWARDS: i32 = 30;

impl Frame {
    /// Returns the drawn area of a panel, with these pixels for texts at its left, top, right and bottom.
    pub(in crate::report) fn inset(self, [left, top, right, bottom]: [i32; 4]) -> Self {
        Self { left: self.left + left, top: self.top + top, right: self.right - right, bottom: self.bottom - bottom }
    }

    /// Returns the number of ticks that fit on the horizontal axis.
    pub(in crate::report) fn ticks_across(self) -> usize {
        ((self.right - self.left) / ACROSS).max(2) as usize
    }

    /// Returns the number of ticks that fit on the vertical axis.
    pub(in crate::report) fn ticks_upwards(self) -> usize {
        ((self.bottom - self.top) / UPWARDS).max(2) as usize
    }

    /// Returns the pixel at a share of the width.
    pub(in crate::report) fn x(self, part: f64) -> i32 {
        self.left + (part * f64::from(self.right - self.left)).round() as i32
    }

    /// Returns the pixel at a share of the height, from the bottom.
    pub(in crate::report) fn y(self, part: f64) -> i32 {
        self.bottom - (part * f64::from(self.bottom - self.top)).round() as i32
    }
}

/// Returns whether a tick has a name instead of a number.
fn is_name(label: &str) -> bool {
    label.starts_with(char::is_alphabetic)
}

impl Plot<'_, '_> {
    /// Returns the pixel of a point.
    pub(in crate::report) fn at(&self, (x, y): (f64, f64)) -> Pixel {
        (self.frame.x(self.x.part(x)), self.frame.y(self.y.part(y)))
    }

    /// Draws grid, axes and their numbers. The caption stands above, the name of the horizontal axis below.
    pub(in crate::report) fn axes(&self, caption: &str, x_name: &str) -> DrawResult {
        self.vertical_axis()?;
        self.horizontal_axis(x_name)?;
        let Frame { left, top, right, .. } = self.frame;
        self.canvas.text((left, top - 14), Anchor::Left, &fitted(caption, TEXT, right - left + 20))
    }

    /// Draws the lines and numbers of the vertical axis.
    pub(in crate::report) fn vertical_axis(&self) -> DrawResult {
        let Frame { left, top, right, bottom } = self.frame;
        for (value, label) in &self.y.ticks {
            let y = self.frame.y(self.y.part(*value));
            self.canvas.line(vec![(left, y), (right, y)], MESH, 1)?;
            self.canvas.text((left - 6, y), Anchor::Right, label)?;
        }
        self.canvas.line(vec![(left, top), (left, bottom)], INK, 1)
    }

    /// Draws the lines and numbers of the horizontal axis, and its name below them.
    pub(in crate::report) fn horizontal_axis(&self, name: &str) -> DrawResult {
        let Frame { left, top, right, bottom } = self.frame;
        let places: Vec<i32> = self.x.ticks.iter().map(|(value, _)| self.frame.x(self.x.part(*value))).collect();
        // Names may have less room than the numbers of an axis.
        let room = places.windows(2).map(|pair| (pair[1] - pair[0]).abs() - 6).min().unwrap_or(i32::MAX);
        for (x, (_, label)) in places.iter().zip(&self.x.ticks) {
            self.canvas.line(vec![(*x, top), (*x, bottom)], MESH, 1)?;
            let label = if is_name(label) { fitted_middle(label, room) } else { label.clone() };
            self.canvas.text((*x, bottom + 12), Anchor::Centre, &label)?;
        }
        self.canvas.line(vec![(left, bottom), (right, bottom)], INK, 1)?;
        self.canvas.text(((left + right) / 2, bottom + 29), Anchor::Centre, &fitted(name, TEXT, right - left + 60))
    }

    /// Draws a line through points.
    pub(in crate::report) fn curve(&self, points: &[(f64, f64)], colour: impl Color, width: u32) -> DrawResult {
        if points.len() < 2 {
            return Ok(());
        }
        self.canvas.line(points.iter().map(|point| self.at(*point)).collect(), colour, width)
    }

    /// Fills the area between an outline's points.
    pub(in crate::report) fn area(&self, outline: &[(f64, f64)], colour: impl Color) -> DrawResult {
        self.canvas.polygon(outline.iter().map(|point| self.at(*point)).collect(), colour)
    }
}
