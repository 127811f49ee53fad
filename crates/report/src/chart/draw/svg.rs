//! A typed layer over SVG text: numbers rounded and finite, every string escaped.

use std::fmt::Write as _;

use super::text::{self, Face};

/// Font families of text, best first: those whose widths are near to the measured ones. PNG files
/// use the font that the program carries.
const FAMILY: &str = "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', system-ui, sans-serif";
/// Beyond this a coordinate cannot be seen, and is held back.
const FARTHEST: f64 = 20_000.0;

/// A place on the drawing, in points (1/72 inch) from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct At {
    pub x: f64,
    pub y: f64,
}

pub(super) fn at(x: f64, y: f64) -> At {
    At { x, y }
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub(super) fn right(self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> f64 {
        self.y + self.height
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub color: &'static str,
    pub width: f64,
    /// Lengths of dashes and gaps; solid when empty.
    pub dash: &'static str,
}

impl Stroke {
    pub(super) fn solid(color: &'static str, width: f64) -> Stroke {
        Stroke {
            color,
            width,
            dash: "",
        }
    }

    fn write(&self, out: &mut String) {
        let (color, width) = (self.color, number(self.width));
        let _ = write!(
            out,
            " fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\""
        );
        if !self.dash.is_empty() {
            let _ = write!(out, " stroke-dasharray=\"{}\"", self.dash);
        }
    }
}

/// How a surface is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fill {
    pub color: &'static str,
    pub opacity: f64,
}

impl Fill {
    pub(super) fn solid(color: &'static str) -> Fill {
        Fill {
            color,
            opacity: 1.0,
        }
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, " fill=\"{}\"", self.color);
        if self.opacity < 1.0 {
            let _ = write!(out, " fill-opacity=\"{}\"", number(self.opacity));
        }
    }
}

/// Which point of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is written. Its place is the middle of its height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextStyle {
    pub size: f64,
    pub face: Face,
    pub anchor: Anchor,
    pub color: &'static str,
}

/// A drawing under way.
#[derive(Debug, Default)]
pub(super) struct Svg {
    body: String,
    prefix: String,
    n_clips: usize,
}

impl Svg {
    /// A drawing whose ids start with `prefix`.
    pub(super) fn new(prefix: &str) -> Svg {
        Svg {
            prefix: prefix.to_owned(),
            ..Svg::default()
        }
    }

    /// A path along `points`.
    pub(super) fn polyline(&mut self, points: &[At], stroke: Stroke) {
        if points.len() < 2 {
            return;
        }
        self.body.push_str("<path");
        self.write_path(points, "");
        stroke.write(&mut self.body);
        self.body.push_str(" stroke-linejoin=\"round\"/>\n");
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, points: &[At], fill: Fill) {
        if points.len() < 3 {
            return;
        }
        self.body.push_str("<path");
        self.write_path(points, "Z");
        fill.write(&mut self.body);
        self.body.push_str("/>\n");
    }

    /// A filled polygon with a white rim.
    pub(super) fn marker(&mut self, points: &[At], fill: Fill) {
        self.body.push_str("<path class=\"mark\"");
        self.write_path(points, "Z");
        fill.write(&mut self.body);
        self.body
            .push_str(" stroke=\"#fff\" stroke-width=\"0.5\"/>\n");
    }

    fn write_path(&mut self, points: &[At], end: &str) {
        self.body.push_str(" d=\"");
        for (i, point) in points.iter().enumerate() {
            let letter = if i == 0 { 'M' } else { 'L' };
            let _ = write!(self.body, "{letter}{} {}", number(point.x), number(point.y));
        }
        let _ = write!(self.body, "{end}\"");
    }

    pub(super) fn line(&mut self, from: At, to: At, stroke: Stroke) {
        let (x1, y1, x2, y2) = (number(from.x), number(from.y), number(to.x), number(to.y));
        let _ = write!(
            self.body,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\""
        );
        stroke.write(&mut self.body);
        self.body.push_str("/>\n");
    }

    pub(super) fn rect(&mut self, area: Area, fill: Fill) {
        self.body.push_str("<rect");
        write_area(&mut self.body, area);
        fill.write(&mut self.body);
        self.body.push_str("/>\n");
    }

    pub(super) fn circle(&mut self, center: At, radius: f64, fill: Fill) {
        let (cx, cy, r) = (number(center.x), number(center.y), number(radius));
        let _ = write!(
            self.body,
            "<circle class=\"mark\" cx=\"{cx}\" cy=\"{cy}\" r=\"{r}\""
        );
        fill.write(&mut self.body);
        self.body
            .push_str(" stroke=\"#fff\" stroke-width=\"0.5\"/>\n");
    }

    /// Words whose middle height is at `place`.
    pub(super) fn text(&mut self, place: At, words: &str, style: TextStyle) {
        self.write_text(place, words, style, "");
    }

    /// Words with a white rim, readable over lines.
    pub(super) fn haloed_text(&mut self, place: At, words: &str, style: TextStyle) {
        let rim = " stroke=\"#fff\" stroke-width=\"1.6\" stroke-linejoin=\"round\" paint-order=\"stroke\"";
        self.write_text(place, words, style, rim);
    }

    /// Words turned to read upwards.
    pub(super) fn upward_text(&mut self, place: At, words: &str, style: TextStyle) {
        let (x, y) = (number(place.x + style.size * 0.35), number(place.y));
        let turn = format!(" transform=\"rotate(-90 {x} {y})\"");
        let baseline = at(place.x + style.size * 0.35, place.y - style.size * 0.35);
        self.write_text(baseline, words, style, &turn);
    }

    fn write_text(&mut self, place: At, words: &str, style: TextStyle, more: &str) {
        if words.trim().is_empty() {
            return;
        }
        let (x, y) = (number(place.x), number(place.y + style.size * 0.35));
        let (size, color) = (number(style.size), style.color);
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = match style.face {
            Face::Regular => "",
            Face::Bold => " font-weight=\"bold\"",
        };
        // Viewers without the measured font keep to the width that was left for the words.
        let width = number(text::width(words, style.size, style.face));
        let words = escaped(words);
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{color}\"{anchor}{weight} \
             textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\"{more}>{words}</text>"
        );
    }

    /// Draws what `draw` draws, only inside `area`.
    pub(super) fn clipped(&mut self, area: Area, draw: impl FnOnce(&mut Svg)) {
        let id = format!("{}clip{}", self.prefix, self.n_clips);
        self.n_clips += 1;
        let _ = write!(self.body, "<clipPath id=\"{id}\"><rect");
        write_area(&mut self.body, area);
        let _ = writeln!(self.body, "/></clipPath>\n<g clip-path=\"url(#{id})\">");
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// Groups what `draw` draws under a tooltip.
    pub(super) fn titled(&mut self, title: &str, draw: impl FnOnce(&mut Svg)) {
        let _ = write!(self.body, "<g>");
        if !title.trim().is_empty() {
            let _ = write!(self.body, "<title>{}</title>", escaped(title));
        }
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// The finished text of a drawing of `width` by `height` points.
    pub(super) fn finish(self, width: f64, height: f64, title: &str, description: &str) -> String {
        let mm = |points: f64| number(points * super::MM_PER_POINT);
        let (width_mm, height_mm) = (mm(width), mm(height));
        let (w, h) = (number(width), number(height));
        let prefix = &self.prefix;
        let (title, description) = (escaped(title), escaped(description));
        let body = &self.body;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             aria-labelledby=\"{prefix}title {prefix}desc\" width=\"{width_mm}mm\" \
             height=\"{height_mm}mm\" viewBox=\"0 0 {w} {h}\" font-family=\"{FAMILY}\">\n\
             <title id=\"{prefix}title\">{title}</title>\n\
             <desc id=\"{prefix}desc\">{description}</desc>\n\
             <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}

fn write_area(out: &mut String, area: Area) {
    let (x, y) = (number(area.x), number(area.y));
    let (w, h) = (number(area.width.max(0.0)), number(area.height.max(0.0)));
    let _ = write!(out, " x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"");
}

/// At most two digits after the point, no trailing zeros, always finite.
pub(super) fn number(value: f64) -> String {
    let held = if value.is_nan() {
        0.0
    } else {
        value.clamp(-FARTHEST, FARTHEST)
    };
    let rounded = (held * 100.0).round() / 100.0;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// Text that is safe inside and between tags; characters that XML forbids become spaces.
pub(super) fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if text::is_plain(c) => out.push(c),
            _ => out.push(' '),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_finite() {
        for (value, text) in [
            (1.005, "1"),
            (2.346, "2.35"),
            (-0.001, "0"),
            (f64::NAN, "0"),
            (f64::INFINITY, "20000"),
            (12.5, "12.5"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn nothing_escapes_from_a_label() {
        assert_eq!(
            escaped("<b>&\"'\u{0}\u{ffff}é"),
            "&lt;b&gt;&amp;&quot;&#39;  é"
        );
    }
}
