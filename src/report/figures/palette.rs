//! Which colour a variant has: ST-FPM has the colour of the text, the best others have colours of their own, and the rest is grey.

use plotters::prelude::RGBColor;

use crate::analysis::{Groups, MAX_DRAWN};
use crate::evaluate::Selection;
use crate::report::figure::{INK, hex};

/// Maximum number of variants with a colour of their own, ST-FPM included. Readers cannot tell more apart.
pub(in crate::report) const MAX_HIGHLIGHTED: usize = 4;
/// Colours of the best variants. Colour-blind people can distinguish them on light and on dark pages (Okabe and Ito 2008).
const BEST: [RGBColor; MAX_HIGHLIGHTED] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];
/// Colour of the other variants.
pub(in crate::report) const OTHERS: RGBColor = RGBColor(160, 160, 160);

/// The colours of a group's variants.
pub(in crate::report) struct Palette {
    /// Indices of the highlighted variants: ST-FPM, then the best ones.
    pub highlighted: Vec<usize>,
    colours: Vec<RGBColor>,
}

impl Palette {
    /// Highlights ST-FPM and the variants with the best means in the first metric, among those that figures draw.
    pub(in crate::report) fn of(groups: &Groups<'_>) -> Self {
        let metric = groups.first_metric();
        let categories = groups.common_categories(Selection::Selected, metric);
        let drawn = || groups.variants.iter().take(MAX_DRAWN).enumerate();
        let baseline = drawn().find(|(_, variant)| variant.baseline).map(|(index, _)| index);
        let mean = |index: usize| groups.mean(&groups.variants[index], &categories, Selection::Selected, metric);
        let mut others: Vec<(usize, Option<f64>)> =
            drawn().map(|(index, _)| (index, mean(index))).filter(|(index, _)| Some(*index) != baseline).collect();
        let gain = |mean: Option<f64>| mean.map_or(f64::NEG_INFINITY, |mean| metric.direction.gain(mean));
        others.sort_by(|a, b| gain(b.1).total_cmp(&gain(a.1)));
        let room = MAX_HIGHLIGHTED - usize::from(baseline.is_some());
        let best: Vec<usize> = others.into_iter().take(room).map(|(index, _)| index).collect();
        let mut colours = vec![OTHERS; groups.variants.len()];
        best.iter().zip(BEST).for_each(|(index, colour)| colours[*index] = colour);
        baseline.into_iter().for_each(|index| colours[index] = INK);
        Self { highlighted: baseline.into_iter().chain(best).collect(), colours }
    }

    /// Returns the colour of a variant.
    pub(in crate::report) fn colour(&self, variant: usize) -> RGBColor {
        self.colours.get(variant).copied().unwrap_or(OTHERS)
    }

    /// Returns the place of a variant among the best, whose colour a page can hide; see [`slots`].
    pub(in crate::report) fn slot(&self, variant: usize) -> Option<usize> {
        let colour = self.colours.get(variant)?;
        BEST.iter().position(|best| best == colour)
    }

    /// Returns whether a variant has a colour of its own.
    pub(in crate::report) fn is_highlighted(&self, variant: usize) -> bool {
        self.highlighted.contains(&variant)
    }

    /// Returns variants in the order of drawing: the highlighted ones last, so that they are on top.
    pub(in crate::report) fn stacked(&self, variants: impl Iterator<Item = usize>) -> Vec<usize> {
        let (above, mut below): (Vec<usize>, Vec<usize>) = variants.partition(|index| self.is_highlighted(*index));
        below.extend(self.highlighted.iter().rev().filter(|index| above.contains(index)));
        below
    }
}

/// Returns the colours of the best variants, each with the CSS variable that replaces it on a page.
pub(in crate::report) fn slots() -> impl Iterator<Item = (String, String)> {
    BEST.iter().enumerate().map(|(slot, colour)| (format!("--variant-{slot}"), hex(*colour)))
}

/// Returns the colour of an item of a figure that has no variants, such as a class of images or a curve.
pub(in crate::report) fn of_item(index: usize) -> RGBColor {
    BEST.get(index).copied().unwrap_or(OTHERS)
}

/// Returns the colour of the setting at an index; a page never shows settings and variants in one panel.
pub(in crate::report) fn of_setting() -> RGBColor {
    BEST[0]
}
