//! Curves on logarithmic axes, as a small SVG that reads well on light and on dark paper.

use std::fmt::Write;

use crate::bench::{Row, figures};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 520.0;
/// Where the axes are; to the right of the field are the names.
const FIELD: [f64; 4] = [60.0, 20.0, 560.0, 480.0];
/// Names have at least so much room.
const NAME_HEIGHT: f64 = 15.0;
/// A curve whose goal is below this is meant to be flat.
const FLAT_BELOW: f64 = 0.5;
const STYLE: &str = "text{font:12px sans-serif;fill:#444}.axis{stroke:#8888;stroke-width:1}.flat{stroke:#3b82c4}\
    .grows{stroke:#d9822b}path{fill:none;stroke-width:2}.name{stroke-width:1;opacity:.5}\
    @media(prefers-color-scheme:dark){text{fill:#ccc}}";

/// The least and the most power of ten.
#[derive(Clone, Copy)]
struct Powers(f64, f64);

impl Powers {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let logs = values.map(|value| value.max(0.001).log10());
        let (least, most) = logs.fold((f64::MAX, f64::MIN), |(l, m), log| (l.min(log), m.max(log)));
        Self(least.floor(), most.ceil().max(least.floor() + 1.0))
    }

    /// Where a value is between two places.
    fn place(self, value: f64, from: f64, to: f64) -> f64 {
        from + (value.max(0.001).log10() - self.0) / (self.1 - self.0) * (to - from)
    }

    fn steps(self) -> impl Iterator<Item = f64> {
        (self.0 as i32..=self.1 as i32).map(|power| 10_f64.powi(power))
    }
}

/// The curves of all rows that have one; `prefix` is left out of their names.
#[must_use]
pub fn plot(rows: &[Row], prefix: &str) -> String {
    let [left, top, right, bottom] = FIELD;
    let points = || rows.iter().flat_map(|row| row.points.iter());
    let (sizes, times) = (Powers::of(points().map(|p| p[0])), Powers::of(points().map(|p| p[1])));
    let x = |size: f64| sizes.place(size, left, right);
    let y = |ms: f64| times.place(ms, bottom, top);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\"><style>{STYLE}</style>\n"
    );
    for ms in times.steps() {
        let (y, label) = (y(ms), if ms < 1.0 { ms.to_string() } else { figures(ms) });
        let label = label.trim_end_matches(".00").trim_end_matches(".0").to_owned();
        line(&mut svg, "axis", [left, y, right, y]);
        text(&mut svg, "end", [left - 6.0, y + 4.0], &format!("{label} ms"));
    }
    for size in sizes.steps() {
        line(&mut svg, "axis", [x(size), top, x(size), bottom]);
        text(&mut svg, "middle", [x(size), bottom + 20.0], &format!("{size}×"));
    }
    let mut curves: Vec<&Row> = rows.iter().filter(|row| !row.points.is_empty()).collect();
    let last = |row: &Row| row.points.last().map_or(0.0, |point| y(point[1]));
    curves.sort_by(|a, b| last(a).total_cmp(&last(b)));
    // From the top down, each name where its curve ends, or below the one before; then back up where the paper ends.
    let mut places: Vec<f64> = Vec::new();
    for row in &curves {
        places.push(places.last().map_or(last(row), |before| last(row).max(before + NAME_HEIGHT)));
    }
    let mut below = HEIGHT - 10.0;
    for place in places.iter_mut().rev() {
        *place = place.min(below);
        below = *place - NAME_HEIGHT;
    }
    for (row, place) in curves.iter().zip(places) {
        let class = if is_flat(row) { "flat" } else { "grows" };
        let mut path = String::new();
        for (n, [size, ms]) in row.points.iter().enumerate() {
            // A string takes whatever is written.
            let _ = write!(path, "{}{:.1} {:.1}", if n == 0 { "M" } else { "L" }, x(*size), y(*ms));
        }
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
        line(&mut svg, &format!("name {class}"), [right, last(row), right + 14.0, place]);
        let name = row.path.strip_prefix(prefix).unwrap_or(&row.path);
        text(&mut svg, "start", [right + 18.0, place + 4.0], name);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Whether a curve is meant to be flat: by the goal for its slope.
fn is_flat(row: &Row) -> bool {
    row.goal.split(' ').find_map(|word| word.parse::<f64>().ok()).is_some_and(|goal| goal < FLAT_BELOW)
}

fn line(svg: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

fn text(svg: &mut String, anchor: &str, [x, y]: [f64; 2], words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lie_on_each_other() {
        let row = |n: usize| Row {
            points: vec![[1.0, 2.0], [100.0, 2.0 + n as f64 / 100.0]],
            ..Row::at_most(format!("growth of path {n}"), 0.0, 0.1, "slope")
        };
        let svg = plot(&(0..20).map(row).collect::<Vec<_>>(), "growth of ");
        let heights: Vec<f64> = svg
            .lines()
            .filter(|line| line.contains("\"start\""))
            .filter_map(|line| line.split("y=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert_eq!((heights.len(), svg.matches("class=\"flat\"").count()), (20, 20));
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] > NAME_HEIGHT - 0.2), "{heights:?}");
        assert!(heights.iter().all(|y| (0.0..HEIGHT).contains(y)));
    }
}
