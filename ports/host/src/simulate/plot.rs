//! A session as a picture: throughput and level, buffer, stalls, over time.

use std::fmt::Write;

use super::data::{Movie, Trace};
use super::engine::Outcome;
use super::metrics::Metrics;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const RATES: (f64, f64) = (24.0, 220.0);
const BUFFER: (f64, f64) = (268.0, 110.0);
const HEIGHT: f64 = 410.0;

const STYLE: &str = "text{font:12px sans-serif;fill:#333}.g{stroke:#ddd}.t{fill:#cfe3f5;stroke:#7aa7cf}\
.q{fill:none;stroke:#c0392b;stroke-width:2}.w{fill:#c0392b;opacity:.35}.b{fill:none;stroke:#27763d;stroke-width:1.5}\
.s{fill:#e8a33d;opacity:.55}";

pub struct Scene<'a> {
    pub title: &'a str,
    pub trace: &'a Trace,
    pub movie: &'a Movie,
    pub outcome: &'a Outcome,
    pub buffer: f64,
}

impl Scene<'_> {
    /// An HTML page that needs nothing else.
    pub fn page(&self) -> String {
        let m = Metrics::of(self.movie, self.outcome);
        let mut rows = String::new();
        let figures: [(&str, String); 10] = [
            ("start-up", format!("{:.2} s", m.startup_s)),
            ("rebuffering", format!("{:.2} s, {:.2} %", m.rebuffer_s, 100.0 * m.rebuffer_ratio)),
            ("stalls", format!("{}", m.events)),
            ("mean bitrate", format!("{:.0} kbit/s", m.mean_kbps)),
            ("mean change", format!("{:.0} kbit/s", m.mean_change_kbps)),
            ("QoE_lin", format!("{:.3}", m.qoe_lin)),
            ("QoE_log", format!("{:.3}", m.qoe_log)),
            ("Sabre's score", format!("{:.3}", m.sabre_score)),
            ("waste", format!("{:.2} %", 100.0 * m.waste)),
            ("whole", format!("{:.1} s", self.outcome.total / 1000.0)),
        ];
        for (name, value) in figures {
            let _ = writeln!(rows, "<tr><th>{name}<td>{value}");
        }
        let title = escape(self.title);
        format!(
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>{title}</title>\n\
             <style>body{{font:14px sans-serif;margin:2em;max-width:1000px}}th{{text-align:left;padding-right:2em;\
             font-weight:normal}}svg{{width:100%}}</style>\n<h1>{title}</h1>\n{}\n<table>{rows}</table></html>\n",
            self.svg()
        )
    }

    /// The picture alone.
    pub fn svg(&self) -> String {
        let out = self.outcome;
        let end = out.total.max(1.0);
        let x = |ms: f64| LEFT + (WIDTH - LEFT - RIGHT) * (ms / end).clamp(0.0, 1.0);
        let top_rate = *self.movie.bitrates_kbps.last().unwrap_or(&1) as f64 * 1.5;
        let y_rate = |kbps: f64| RATES.0 + RATES.1 * (1.0 - (kbps / top_rate).clamp(0.0, 1.0));
        let y_buffer = |ms: f64| BUFFER.0 + BUFFER.1 * (1.0 - (ms / self.buffer / 1000.0).clamp(0.0, 1.0));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"><style>{STYLE}</style>\n\
             <text x=\"{LEFT}\" y=\"15\">Mbit/s: link (blue), level fetched (red), fetched in vain (pale red)</text>\n\
             <text x=\"{LEFT}\" y=\"{}\">buffer in s (green), stalls (orange)</text>\n",
            BUFFER.0 - 9.0
        );
        // Stalls lie behind everything, start-up among them.
        for (from, to) in std::iter::once((0.0, out.startup)).chain(out.record.stalls.iter().copied()) {
            let width = (x(to) - x(from)).max(1.0);
            let (y, h) = (RATES.0, BUFFER.0 + BUFFER.1 - RATES.0);
            let _ = writeln!(
                svg,
                "<rect class=\"s\" x=\"{:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{h}\"/>",
                x(from)
            );
        }
        self.axes(&mut svg, end, top_rate, &x, &y_rate, &y_buffer);
        let _ = writeln!(svg, "<path class=\"t\" d=\"{}\"/>", self.link(end, &x, &y_rate));
        for (from, to, quality, _, whole) in &out.record.fetches {
            let y = y_rate(self.movie.bitrates_kbps[*quality] as f64);
            let width = (x(*to) - x(*from)).max(0.8);
            let (class, y, h) = if *whole { ("q", y, 0.0) } else { ("w", y, 6.0) };
            if *whole {
                let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{:.1} {y:.1}h{width:.1}\"/>", x(*from));
            } else {
                let _ = writeln!(
                    svg,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{h}\"/>",
                    x(*from)
                );
            }
        }
        let points: String = out
            .record
            .levels
            .iter()
            .map(|(t, level)| format!("{:.1},{:.1} ", x(*t), y_buffer(*level)))
            .collect();
        let _ = writeln!(svg, "<polyline class=\"b\" points=\"{points}\"/>\n</svg>");
        svg
    }

    fn axes(
        &self,
        svg: &mut String,
        end: f64,
        top_rate: f64,
        x: &dyn Fn(f64) -> f64,
        y_rate: &dyn Fn(f64) -> f64,
        y_buffer: &dyn Fn(f64) -> f64,
    ) {
        let mut line = |y: f64, label: String| {
            let _ = writeln!(
                svg,
                "<path class=\"g\" d=\"M{LEFT} {y:.1}H{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0
            );
        };
        for step in 0..=3 {
            let kbps = top_rate * f64::from(step) / 3.0;
            line(y_rate(kbps), format!("{:.1}", kbps / 1000.0));
            let seconds = self.buffer * f64::from(step) / 3.0;
            if step % 3 == 0 {
                line(y_buffer(seconds * 1000.0), format!("{seconds:.0}"));
            }
        }
        let bottom = BUFFER.0 + BUFFER.1;
        for step in 0..=6 {
            let at = end * f64::from(step) / 6.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{:.0} s</text>",
                x(at),
                bottom + 18.0,
                at / 1000.0
            );
        }
    }

    /// The trace as an area, wrapped round to the end; periods thinner than a pixel become one.
    fn link(&self, end: f64, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
        let step = end / WIDTH;
        let mut path = format!("M{:.1} {:.1}", x(0.0), y(0.0));
        let (mut at, mut index, mut bits, mut since) = (0.0, 0, 0.0, 0.0);
        while at < end {
            let period = self.trace.periods[index % self.trace.periods.len()];
            let span = (period.duration_ms as f64).min(end - at);
            at += span;
            bits += span * period.bandwidth_kbps as f64;
            index += 1;
            if at - since >= step || at >= end {
                let _ = write!(path, "V{:.1}H{:.1}", y(bits / (at - since).max(1e-9)), x(at));
                (since, bits) = (at, 0.0);
            }
        }
        let _ = write!(path, "V{:.1}Z", y(0.0));
        path
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
