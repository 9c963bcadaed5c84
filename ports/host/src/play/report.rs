//! A session as one page of HTML that needs nothing else: plots over time, and a table of figures.

use serde::Serialize;

use super::record::Row;

const PAGE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// What a report shows.
pub struct Data {
    pub title: String,
    /// Names of the streams that rows tell the buffer of.
    pub streams: Vec<String>,
    pub rows: Vec<Row>,
    pub marks: Vec<Mark>,
    pub figures: Vec<Group>,
}

/// Figures that belong together, as label and value.
pub struct Group {
    pub name: String,
    pub rows: Vec<(String, String)>,
}

/// Something that happened, in milliseconds since the start.
#[derive(Clone, Serialize)]
pub struct Mark {
    #[serde(rename = "t")]
    pub time: f64,
    pub kind: MarkKind,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkKind {
    Up,
    Down,
    Gap,
    Retry,
    Start,
    Stall,
    Resume,
    Dropped,
    Failed,
    Other,
}

/// The plots' matter by columns, which is shorter than by rows.
#[derive(Serialize)]
struct Plots<'a> {
    streams: &'a [String],
    t: Vec<f64>,
    position: Vec<Option<f64>>,
    rate: Vec<Option<u64>>,
    bitrate: Vec<Option<u32>>,
    buffers: Vec<Vec<Option<f64>>>,
    stalls: Vec<(f64, f64)>,
    marks: &'a [Mark],
}

/// The page.
pub fn page(data: &Data) -> String {
    let column = |n: usize| data.rows.iter().map(|row| row.ahead.get(n).copied().flatten()).collect();
    let plots = Plots {
        streams: &data.streams,
        t: data.rows.iter().map(|row| row.time).collect(),
        position: data.rows.iter().map(|row| row.position).collect(),
        rate: data.rows.iter().map(|row| Some(row.link_rate).filter(|rate| *rate > 0)).collect(),
        bitrate: data.rows.iter().map(|row| Some(row.bitrate).filter(|rate| *rate > 0)).collect(),
        buffers: (0..data.streams.len()).map(column).collect(),
        stalls: stalls(data),
        marks: &data.marks,
    };
    let json = serde_json::to_string(&plots).expect("numbers and text");
    let parts = [
        ("{{title}}", escape(&data.title)),
        ("{{style}}", STYLE.to_owned()),
        ("{{script}}", SCRIPT.to_owned()),
        ("{{figures}}", figures(&data.figures)),
        ("{{events}}", events(&data.marks)),
        // Text in it must not end the script element.
        ("{{data}}", json.replace('<', "\\u003c")),
    ];
    fill(PAGE, &parts)
}

/// Puts each part in its place; what looks like a place inside a part stays.
fn fill(template: &str, parts: &[(&str, String)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match parts.iter().find(|(place, _)| rest.starts_with(place)) {
            Some((place, part)) => {
                out.push_str(part);
                rest = &rest[place.len()..];
            }
            None => {
                out.push_str("{{");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Spans in which the clock was held, from the marks; one that never ended lasts to the end.
fn stalls(data: &Data) -> Vec<(f64, f64)> {
    let end = data.rows.last().map_or(0.0, |row| row.time);
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let mut since = None;
    for mark in &data.marks {
        match mark.kind {
            MarkKind::Stall => since = since.or(Some(mark.time)),
            MarkKind::Resume => spans.extend(since.take().map(|from| (from, mark.time))),
            _ => {}
        }
    }
    spans.extend(since.map(|from| (from, end.max(from))));
    spans
}

fn figures(groups: &[Group]) -> String {
    let mut out = String::new();
    for group in groups.iter().filter(|group| !group.rows.is_empty()) {
        out.push_str(&format!("<table>\n<caption>{}</caption>\n<tbody>\n", escape(&group.name)));
        for (label, value) in &group.rows {
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
                escape(label),
                escape(value)
            ));
        }
        out.push_str("</tbody>\n</table>\n");
    }
    out
}

fn events(marks: &[Mark]) -> String {
    let mut out = String::new();
    for mark in marks {
        out.push_str(&format!("<tr><td>{:.3}</td><td>{}</td></tr>\n", mark.time / 1e3, escape(&mark.text)));
    }
    if out.is_empty() { "<tr><td colspan=\"2\">none</td></tr>\n".to_owned() } else { out }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(time: f64, kind: MarkKind) -> Mark {
        Mark { time, kind, text: "</script> {{data}}".to_owned() }
    }

    fn data() -> Data {
        let row = |time| Row { time, bitrate: 64_000, ahead: vec![Some(100.0)], ..Row::default() };
        Data {
            title: "<b> & {{style}}".to_owned(),
            streams: vec!["video".to_owned()],
            rows: vec![row(0.0), row(500.0), row(1000.0)],
            marks: vec![
                mark(100.0, MarkKind::Stall),
                mark(300.0, MarkKind::Resume),
                mark(900.0, MarkKind::Stall),
            ],
            figures: vec![Group { name: "A & B".to_owned(), rows: vec![("x".to_owned(), "1".to_owned())] }],
        }
    }

    #[test]
    fn text_cannot_break_out() {
        let page = page(&data());
        assert!(page.contains("<title>&lt;b&gt; &amp; {{style}}</title>"));
        assert_eq!(page.matches("</script>").count(), 2, "the two that the template ends itself");
        assert!(page.contains("<caption>A &amp; B</caption>"));
    }

    #[test]
    fn every_place_is_filled_once() {
        let empty = Data { title: String::new(), marks: Vec::new(), ..data() };
        assert!(!page(&empty).contains("{{"));
    }

    #[test]
    fn a_stall_without_end_lasts_to_the_end() {
        assert_eq!(stalls(&data()), [(100.0, 300.0), (900.0, 1000.0)]);
    }
}
