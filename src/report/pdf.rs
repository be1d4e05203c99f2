//! Writes a figure as PDF: paths, and text in an embedded font.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
use resvg::tiny_skia::{PathSegment, Transform};
use resvg::usvg::{Group, Node, Paint, Path, Text, Tree};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};

use crate::cause::Cause;

/// Points per millimetre.
const POINTS: f32 = 72.0 / 25.4;
/// Name of the font, with the tag that a subset has.
const FONT: Name<'_> = Name(b"FIGURE+DejaVuSans");
const FONT_RESOURCE: Name<'_> = Name(b"F");
const SYSTEM: SystemInfo<'_> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// Returns the PDF of a tree whose texts are all in `font`, scaled to a width in millimetres.
///
/// # Errors
/// The font cannot be read, or the tree uses something else than colours.
pub(super) fn pdf(tree: &Tree, font: &'static [u8], millimetres: f32) -> Result<Vec<u8>, Cause> {
    let scale = millimetres * POINTS / tree.size().width();
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    let mut page = Page {
        content: Content::new(),
        opacities: BTreeMap::new(),
        glyphs: GlyphRemapper::new(),
        characters: BTreeMap::new(),
    };
    // SVG counts from the upper edge, PDF from the lower one.
    page.content.transform([scale, 0.0, 0.0, -scale, 0.0, height]);
    page.group(tree.root(), 1.0)?;
    page.write(font, (width, height))
}

/// The content of a page, and what it refers to.
struct Page {
    content: Content,
    /// Names of the used opacities, in thousandths.
    opacities: BTreeMap<u32, String>,
    glyphs: GlyphRemapper,
    /// The text of each glyph of the subset.
    characters: BTreeMap<u16, String>,
}

impl Page {
    fn group(&mut self, group: &Group, opacity: f32) -> Result<(), Cause> {
        let opacity = opacity * group.opacity().get();
        for node in group.children() {
            match node {
                Node::Group(inner) => self.group(inner, opacity)?,
                Node::Path(path) => self.path(path, opacity)?,
                Node::Text(text) => self.text(text, opacity)?,
                Node::Image(_) => return Err("figures have no images".into()),
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &Path, opacity: f32) -> Result<(), Cause> {
        if let Some(fill) = path.fill().filter(|fill| fill.opacity().get() > 0.0) {
            self.opacity(opacity * fill.opacity().get());
            let [red, green, blue] = rgb(fill.paint())?;
            self.content.set_fill_rgb(red, green, blue);
            self.outline(path);
            self.content.fill_nonzero();
        }
        if let Some(stroke) = path.stroke().filter(|stroke| stroke.opacity().get() > 0.0) {
            self.opacity(opacity * stroke.opacity().get());
            let [red, green, blue] = rgb(stroke.paint())?;
            self.content.set_stroke_rgb(red, green, blue).set_line_width(stroke.width().get());
            self.outline(path);
            self.content.stroke();
        }
        Ok(())
    }

    fn outline(&mut self, path: &Path) {
        let Some(data) = path.data().clone().transform(path.abs_transform()) else { return };
        let mut last = (0.0, 0.0);
        for segment in data.segments() {
            match segment {
                PathSegment::MoveTo(to) => {
                    self.content.move_to(to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::LineTo(to) => {
                    self.content.line_to(to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::QuadTo(control, to) => {
                    let near = |from: f32, control: f32| from + 2.0 / 3.0 * (control - from);
                    self.content.cubic_to(
                        near(last.0, control.x),
                        near(last.1, control.y),
                        near(to.x, control.x),
                        near(to.y, control.y),
                        to.x,
                        to.y,
                    );
                    last = (to.x, to.y);
                }
                PathSegment::CubicTo(one, two, to) => {
                    self.content.cubic_to(one.x, one.y, two.x, two.y, to.x, to.y);
                    last = (to.x, to.y);
                }
                PathSegment::Close => {
                    self.content.close_path();
                }
            }
        }
    }

    fn text(&mut self, text: &Text, opacity: f32) -> Result<(), Cause> {
        for span in text.layouted() {
            let Some(fill) = &span.fill else { continue };
            self.opacity(opacity * fill.opacity().get());
            let [red, green, blue] = rgb(fill.paint())?;
            self.content.set_fill_rgb(red, green, blue).begin_text();
            for glyph in &span.positioned_glyphs {
                let id = self.glyphs.remap(u16::try_from(glyph.id.0)?);
                self.characters.entry(id).or_insert_with(|| glyph.text.clone());
                // The transform places font units; at a size of one em, text is in font units, too.
                let Transform { sx, kx, ky, sy, tx, ty } = text.abs_transform().pre_concat(glyph.outline_transform());
                self.content.set_font(FONT_RESOURCE, UNITS).set_text_matrix([sx, ky, kx, sy, tx, ty]);
                self.content.show(Str(&id.to_be_bytes()));
            }
            self.content.end_text();
        }
        Ok(())
    }

    /// Sets the opacity of what follows.
    fn opacity(&mut self, opacity: f32) {
        let thousandths = (1000.0 * opacity).round() as u32;
        let name = self.opacities.entry(thousandths).or_insert_with(|| format!("A{thousandths}"));
        self.content.set_parameters(Name(name.as_bytes()));
    }

    /// Returns the file of one page.
    fn write(self, font: &'static [u8], (width, height): (f32, f32)) -> Result<Vec<u8>, Cause> {
        let mut pdf = Pdf::new();
        let mut next = Ref::new(1);
        let [catalog, pages, page, content, of_font] = std::array::from_fn(|_| next.bump());
        pdf.catalog(catalog).pages(pages);
        pdf.pages(pages).kids([page]).count(1);
        let opacities: Vec<(u32, String, Ref)> =
            self.opacities.iter().map(|(thousandths, name)| (*thousandths, name.clone(), next.bump())).collect();
        let mut writer = pdf.page(page);
        writer.media_box(Rect::new(0.0, 0.0, width, height)).parent(pages).contents(content);
        let mut resources = writer.resources();
        resources.fonts().pair(FONT_RESOURCE, of_font);
        let mut states = resources.ext_g_states();
        for (_, name, id) in &opacities {
            states.pair(Name(name.as_bytes()), *id);
        }
        states.finish();
        resources.finish();
        writer.finish();
        for (thousandths, _, id) in opacities {
            let opacity = thousandths as f32 / 1000.0;
            pdf.ext_graphics(id).non_stroking_alpha(opacity).stroking_alpha(opacity);
        }
        embed(&mut pdf, (of_font, &mut next), font, &self.glyphs, &self.characters)?;
        pdf.stream(content, &self.content.finish());
        Ok(pdf.finish())
    }
}

/// Units of the font per em, in which glyphs are placed.
const UNITS: f32 = 2048.0;

/// Embeds the used glyphs of a font, with their texts, so that readers can search and copy them.
fn embed(
    pdf: &mut Pdf,
    (id, next): (Ref, &mut Ref),
    font: &'static [u8],
    glyphs: &GlyphRemapper,
    characters: &BTreeMap<u16, String>,
) -> Result<(), Cause> {
    let face = Face::parse(font, 0)?;
    if f32::from(face.units_per_em()) != UNITS {
        return Err("the font has other units".into());
    }
    let subset = subsetter::subset(font, 0, glyphs)?;
    let [cid, descriptor, file, cmap] = std::array::from_fn(|_| next.bump());
    let thousandths = |units: i16| f32::from(units) * 1000.0 / UNITS;
    pdf.type0_font(id).base_font(FONT).encoding_predefined(Name(b"Identity-H")).descendant_font(cid).to_unicode(cmap);
    let widths = glyphs
        .remapped_gids()
        .map(|glyph| f32::from(face.glyph_hor_advance(GlyphId(glyph)).unwrap_or_default()) * 1000.0 / UNITS);
    let mut of_cid = pdf.cid_font(cid);
    of_cid.subtype(CidFontType::Type2).base_font(FONT).system_info(SYSTEM).font_descriptor(descriptor);
    of_cid.cid_to_gid_map_predefined(Name(b"Identity"));
    of_cid.widths().consecutive(0, widths);
    of_cid.finish();
    let bounds = face.global_bounding_box();
    pdf.font_descriptor(descriptor)
        .name(FONT)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            thousandths(bounds.x_min),
            thousandths(bounds.y_min),
            thousandths(bounds.x_max),
            thousandths(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(thousandths(face.ascender()))
        .descent(thousandths(face.descender()))
        .cap_height(thousandths(face.capital_height().unwrap_or(face.ascender())))
        .stem_v(80.0)
        .font_file2(file);
    let mut texts = UnicodeCmap::new(Name(b"Texts"), SYSTEM);
    characters.iter().for_each(|(glyph, text)| texts.pair_with_multiple(*glyph, text.chars()));
    pdf.cmap(cmap, &texts.finish());
    pdf.stream(file, &subset).pair(Name(b"Length1"), i32::try_from(subset.len())?);
    Ok(())
}

/// Returns a colour with channels from 0 to 1.
fn rgb(paint: &Paint) -> Result<[f32; 3], Cause> {
    match paint {
        Paint::Color(colour) => Ok([colour.red, colour.green, colour.blue].map(|channel| f32::from(channel) / 255.0)),
        _ => Err("figures have plain colours only".into()),
    }
}
