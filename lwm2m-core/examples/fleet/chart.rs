//! Arrivals over time as SVG: one panel for each fleet, on one scale.

use std::fmt::Write;

use crate::fleet::Plan;
use crate::life::HOUR;
use crate::rates::{BIN, Load, Rates};

/// A fleet to be drawn.
pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    pub(crate) rates: &'a Rates,
    pub(crate) steady: Option<Load>,
}

// Where things are, in pixels.
const WIDTH: f64 = 860.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const HEAD: f64 = 64.0;
const PANEL: f64 = 170.0;
const GAP: f64 = 64.0;

/// Colours of a light and of a dark screen.
const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .panel { font-weight: 600 }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .faint { fill: #59636e }
  .mark { fill: #bc4c00 }
  .back { fill: #ffffff }
  .data { fill: #0969da }
  .grid { stroke: #d1d9e0 }
  .line { stroke: #bc4c00; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    .mark { fill: #f0883e }
    .back { fill: #0d1117 }
    .data { fill: #58a6ff }
    .grid { stroke: #3d444d }
    .line { stroke: #f0883e }
  }
";

/// Draws them.
pub(crate) fn draw(plan: &Plan, panels: &[Panel<'_>]) -> String {
    let mut svg = String::new();
    let height = HEAD + panels.len() as f64 * (PANEL + GAP);
    let after = |rates: &Rates| rates.within(HOUR..plan.hours * HOUR).peak;
    let top = round(f64::from(panels.iter().map(|panel| after(panel.rates)).max().unwrap_or(1)) / 100.0 * 1.05);
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>"
    );
    let title = format!("{} terminals: datagrams a second at the platform", thousands(plan.devices.into()));
    let _ = writeln!(svg, "<title>{title}</title>");
    text(&mut svg, (LEFT, 26.0), "title", &title);
    let under = format!(
        "powered on within an hour, lifetime {} h, {} outages each in ten days; bins of 100 s",
        plan.lifetime / 3_600,
        plan.outages
    );
    text(&mut svg, (LEFT, 46.0), "faint", &under);
    for (number, panel) in panels.iter().enumerate() {
        let y = HEAD + number as f64 * (PANEL + GAP) + 26.0;
        draw_panel(&mut svg, plan, panel, y, top);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_panel(svg: &mut String, plan: &Plan, panel: &Panel<'_>, y: f64, top: f64) {
    let bottom = y + PANEL;
    let x = |hour: f64| LEFT + hour / plan.hours as f64 * (WIDTH - LEFT - RIGHT);
    let height = |rate: f64| (rate / top).min(1.0) * PANEL;
    text(svg, (LEFT, y - 8.0), "panel", panel.title);
    if let Some(load) = panel.steady {
        let note = format!(
            "steady {:.0}/s, fullest bin {:.0}/s: {:.1} times the mean",
            load.mean() / 100.0,
            f64::from(load.peak) / 100.0,
            load.ratio()
        );
        text(svg, (WIDTH - RIGHT, y - 8.0), "end", &note);
    }
    for step in 0..=4 {
        let rate = top * f64::from(step) / 4.0;
        let at = bottom - height(rate);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/>", WIDTH - RIGHT);
        text(svg, (LEFT - 8.0, at + 4.0), "faint end", &format!("{rate:.0}/s"));
    }
    let mut path = format!("M{LEFT} {bottom}");
    for (number, count) in panel.rates.bins.iter().enumerate() {
        let begins = x((number as u64 * BIN) as f64 / HOUR as f64);
        let _ = write!(path, "H{begins:.1}V{:.1}", bottom - height(f64::from(*count) / 100.0));
    }
    let _ = writeln!(svg, "<path class=\"data\" d=\"{path}H{:.1}V{bottom}Z\"/>", x(plan.hours as f64));
    for hour in (0..=plan.hours).step_by(if plan.hours > 96 { 24 } else { 12 }) {
        text(svg, (x(hour as f64), bottom + 18.0), "faint middle", &format!("{hour} h"));
    }
    let first = panel.rates.within(0..HOUR);
    if f64::from(first.peak) / 100.0 > top {
        text(
            svg,
            (x(1.0) + 6.0, y + 12.0),
            "faint",
            &format!("power on: up to {}/s", thousands(u64::from(first.peak) / 100)),
        );
    }
    if let Some(restart) = plan.restart {
        let at = x(restart.from as f64 / HOUR as f64);
        let _ = writeln!(svg, "<path class=\"line\" d=\"M{at:.1} {y}V{bottom}\"/>");
        text(svg, (at + 6.0, y + 12.0), "mark", "the platform starts again, and knows nobody");
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>");
}

/// The next number that is easily divided by four: 4, 8, 12, 20, 30, 40 and so on.
fn round(number: f64) -> f64 {
    let mut unit = 0.04;
    loop {
        for step in [1.0, 2.0, 3.0, 5.0, 7.5] {
            if unit * step >= number {
                return unit * step;
            }
        }
        unit *= 10.0;
    }
}

/// With a comma behind each three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (number, scale) in [(0.01, 0.04), (1.0, 1.2), (283.0, 300.0), (301.0, 400.0), (401.0, 800.0)] {
            assert!((round(number) - scale).abs() < 1e-9, "{number}: {}", round(number));
        }
        assert_eq!(["7", "1,000", "1,234,567"], [7, 1_000, 1_234_567].map(thousands)[..]);
    }
}
