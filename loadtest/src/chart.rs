//! A bar chart as one SVG file that needs nothing else: no script, no font, no style sheet. It is readable on a light
//! and on a dark page.

use crate::report::{Kind, Line};
use std::fmt::Write as _;

/// One bar, with its figure.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    /// Calls a second.
    pub(crate) value: f64,
    pub(crate) kind: Kind,
}

/// Bars under a heading.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// Bars from left to right, one below the other. The axis is logarithmic, because a GetMe is hundreds of times as fast
/// as a login.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) groups: Vec<Group>,
}

// In units of the drawing. One is a pixel where nothing scales it.
const WIDTH: f64 = 760.0;
/// Where the bars begin; their labels are left of it.
const LEFT: f64 = 215.0;
/// The longest bar; its figure is right of it.
const LONGEST: f64 = 455.0;
const TOP: f64 = 40.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;
/// From the middle of a row to the base line of its text.
const BASE_LINE: f64 = 4.5;
/// What the labels of the axis need.
const BOTTOM: f64 = 44.0;

/// Colours that have enough contrast on white and on black. A page that has the file as an image does not pass on its
/// text colour, so the file has its own.
const STYLE: &str = "svg { color: #1f2328; font: 13px system-ui, sans-serif } \
                     text { fill: currentColor } .title, .group { font-weight: 600 } .number { text-anchor: middle } \
                     .label { text-anchor: end } .grid { stroke: currentColor; opacity: 0.2 } \
                     .service { fill: #0969da } .ceiling { fill: #8c959f } \
                     @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } .service { fill: #58a6ff } \
                     .ceiling { fill: #6e7681 } }";

impl Chart {
    /// The lines of a run: calls of the service, and below them what the machine could do.
    pub(crate) fn of_run(lines: &[Line]) -> Self {
        let group = |(kind, name): (Kind, &str)| {
            let lines = lines.iter().filter(|line| line.kind == kind);
            let bars = lines.map(|line| Bar { label: line.name.clone(), value: line.per_second, kind });
            Group { name: name.to_owned(), bars: bars.collect() }
        };
        let groups = [(Kind::Service, "The service"), (Kind::Ceiling, "What the machine could do")];
        let groups = groups.into_iter().map(group).filter(|group| !group.bars.is_empty());
        Self { title: "Calls a second".to_owned(), groups: groups.collect() }
    }

    pub(crate) fn svg(&self) -> String {
        let rows: usize = self.groups.iter().map(|group| group.bars.len() + 1).sum();
        let (end, axis) = (TOP + ROW * rows as f64, Axis::of(self));
        let height = end + BOTTOM;
        let mut drawn = String::new();
        axis.draw(&mut drawn, end);
        let mut middle = TOP + ROW / 2.0;
        for group in &self.groups {
            text(&mut drawn, "group", (8.0, middle), &group.name);
            middle += ROW;
            for bar in &group.bars {
                draw_bar(&mut drawn, bar, &axis, middle);
                middle += ROW;
            }
        }
        text(&mut drawn, "title", (8.0, TOP / 2.0), &self.title);
        let title = escaped(&self.title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n{drawn}</svg>\n"
        )
    }
}

fn draw_bar(drawn: &mut String, bar: &Bar, axis: &Axis, middle: f64) {
    let (class, top, length) = (class(bar.kind), middle - BAR / 2.0, axis.length(bar.value));
    text(drawn, "label", (LEFT - 8.0, middle), &bar.label);
    let _ = writeln!(
        drawn,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>"
    );
    text(drawn, "value", (LEFT + length + 6.0, middle), &grouped(bar.value));
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Service => "service",
        Kind::Ceiling => "ceiling",
    }
}

/// A text whose middle is at this height.
fn text(drawn: &mut String, class: &str, (x, middle): (f64, f64), text: &str) {
    let (y, text) = (middle + BASE_LINE, escaped(text));
    let _ = writeln!(drawn, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

/// From 1 to the power of ten that no value exceeds.
struct Axis {
    decades: u32,
}

impl Axis {
    fn of(chart: &Chart) -> Self {
        let values = chart.groups.iter().flat_map(|group| &group.bars).map(|bar| bar.value);
        let largest = values.fold(1.0, f64::max);
        let decades = (1..=12).find(|decades| largest <= 10_f64.powi(*decades)).unwrap_or(12);
        Self { decades: decades.unsigned_abs() }
    }

    /// The length of a bar. One call a second, and less, has none.
    fn length(&self, value: f64) -> f64 {
        LONGEST * value.max(1.0).log10() / f64::from(self.decades)
    }

    /// Lines at the powers of ten from the top to `end`, and their numbers below.
    fn draw(&self, drawn: &mut String, end: f64) {
        for decade in 0..=self.decades {
            let value = 10_f64.powi(decade.cast_signed());
            let x = LEFT + self.length(value);
            let _ = writeln!(drawn, "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{end}\"/>");
            text(drawn, "number", (x, end + 10.0), &grouped(value));
        }
        text(drawn, "number", (LEFT + LONGEST / 2.0, end + 30.0), "calls a second (logarithmic axis)");
    }
}

/// A whole number, with a space between each three digits.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Text that is no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(bars: &[(&str, f64)]) -> Chart {
        let bars =
            bars.iter().map(|(label, value)| Bar { label: (*label).to_owned(), value: *value, kind: Kind::Service });
        Chart { title: "A & B".to_owned(), groups: vec![Group { name: "All".to_owned(), bars: bars.collect() }] }
    }

    #[test]
    fn markup_in_a_label_is_text() {
        let svg = chart(&[("<b> & \"c\"", 5.0)]).svg();
        assert!(svg.contains(">&lt;b&gt; &amp; &quot;c&quot;</text>"), "{svg}");
        assert!(svg.contains("aria-label=\"A &amp; B\""), "{svg}");
    }

    #[test]
    fn the_axis_ends_at_the_power_of_ten_that_no_bar_exceeds() {
        let decades = |value| Axis::of(&chart(&[("a", value), ("b", 2.0)])).decades;
        assert_eq!([0.0, 10.0, 11.0, 40_457.0, 1e30].map(decades), [1, 1, 2, 5, 12]);
    }

    #[test]
    fn ten_times_as_many_calls_are_one_decade_longer() {
        let axis = Axis { decades: 4 };
        assert_eq!([0.0, 1.0, 100.0, 10_000.0].map(|value| axis.length(value)), [0.0, 0.0, LONGEST / 2.0, LONGEST]);
    }

    #[test]
    fn figures_are_grouped_by_thousands() {
        assert_eq!([0.4, 999.5, 1_234.0, 1_234_567.0].map(grouped), ["0", "1 000", "1 234", "1 234 567"]);
    }

    #[test]
    fn an_empty_chart_is_drawn() {
        let svg = chart(&[]).svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }
}
