//! Client manifests from a seed: what origins write, and one thing wrong in every second one.

use crate::rng::Rng;

/// A document, and the names of what is special about it.
pub struct Document {
    pub text: String,
    pub traits: Vec<String>,
}

/// An element: its attributes can be changed before it is written.
#[derive(Clone)]
struct Element {
    name: &'static str,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn new(name: &'static str) -> Element {
        Element { name, attributes: Vec::new(), children: Vec::new(), text: String::new() }
    }

    fn with(mut self, name: &str, value: impl ToString) -> Element {
        self.attributes.push((name.to_string(), value.to_string()));
        self
    }

    fn write(&self, rng: &mut Rng, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            let quote = if rng.chance(20) { '\'' } else { '"' };
            let space = *rng.pick(&[" ", " ", " ", "\n  ", "\t"]);
            out.push_str(&format!("{space}{name}={quote}{value}{quote}"));
        }
        if self.children.is_empty() && self.text.is_empty() && rng.chance(80) {
            out.push_str(if rng.chance(50) { "/>" } else { " />" });
            return;
        }
        out.push('>');
        out.push_str(&self.text);
        for child in &self.children {
            if rng.chance(10) {
                out.push_str("\r\n ");
            }
            child.write(rng, out);
        }
        out.push_str(&format!("</{}>", self.name));
    }
}

const AVC: [&str; 3] = [
    "000000016742C00DDA0507E40000000168CE3C80",
    "000000016764001facd9405005bb0110000003001000000303c0f18319600000000168ebe3cb22c0",
    "00000001674D401FE98080093602940000000168EFBC80",
];

/// The `number`-th document of `seed`.
pub fn document(seed: u64, number: u64) -> Document {
    let mut rng = Rng::new(seed, number);
    let mut traits = Vec::new();
    let mut root = presentation(&mut rng, &mut traits);
    let wrong = rng.chance(50);
    let syntax = wrong && rng.chance(10);
    if wrong && !syntax {
        change(&mut rng, &mut root, &mut traits);
    }
    let mut text = String::new();
    if rng.chance(10) {
        text.push('\u{FEFF}');
    }
    if rng.chance(70) {
        text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    }
    if rng.chance(30) {
        text.push_str("<!-- generated -->\n");
    }
    root.write(&mut rng, &mut text);
    if syntax {
        damage(&mut rng, &mut text, &mut traits);
    }
    Document { text, traits }
}

fn presentation(rng: &mut Rng, traits: &mut Vec<String>) -> Element {
    let live = rng.chance(20);
    let minor = rng.below(3);
    let mut root = Element::new("SmoothStreamingMedia").with("MajorVersion", 2).with("MinorVersion", minor);
    let scale = if rng.chance(30) { *rng.pick(&[1_000u64, 90_000, 48_000, 10_000_000]) } else { 10_000_000 };
    if scale != 10_000_000 || rng.chance(50) {
        root = root.with("TimeScale", scale);
    }
    root = root.with("Duration", if live { 0 } else { scale * (20 + rng.below(4000)) });
    if live {
        root = root.with("IsLive", rng.pick(&["TRUE", "true", "True"]));
        if rng.chance(70) {
            root = root
                .with(if rng.chance(50) { "LookAheadFragmentCount" } else { "LookaheadCount" }, 2)
                .with("DVRWindowLength", 0);
        }
    } else if rng.chance(30) {
        root = root.with("IsLive", rng.pick(&["FALSE", "false"])).with("CanSeek", "TRUE");
    }
    if rng.chance(20) {
        root = root.with("xmlns:v", "urn:v").with("v:rev", "7").with("Title", "A &amp; B");
    }
    let start = match rng.below(10) {
        // Beyond 53 bits, where a double loses ticks.
        0 if live => {
            traits.push("beyond 53 bits".into());
            17_000_000_000_000_000 + rng.below(1 << 40)
        }
        0..=2 => rng.below(100_000_000_000),
        _ => 0,
    };
    let protected = rng.chance(25);
    if protected && rng.chance(70) {
        root.children.push(protection(rng));
    }
    let mut kinds = vec!["video"];
    kinds.extend((0..rng.below(3)).map(|_| "audio"));
    kinds.extend((0..rng.below(2)).map(|_| "text"));
    for (ordinal, kind) in kinds.iter().enumerate() {
        root.children.push(stream(rng, traits, kind, ordinal, scale, start, live));
    }
    if protected && root.children.iter().all(|c| c.name != "Protection") {
        root.children.push(protection(rng));
    }
    root
}

fn protection(rng: &mut Rng) -> Element {
    let kid: Vec<u8> = (0..16).map(|_| rng.next() as u8).collect();
    let header = format!(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"4.0.0.0\"><DATA><PROTECTINFO>\
         <KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{}</KID></DATA></WRMHEADER>",
        base64(&kid)
    );
    let record: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut object = Vec::new();
    object.extend((record.len() as u32 + 10).to_le_bytes());
    object.extend([1, 0, 1, 0]);
    object.extend((record.len() as u16).to_le_bytes());
    object.extend(record);
    let id = *rng.pick(&["9A04F079-9840-4286-AB92-E65BE0885F95", "9a04f079-9840-4286-ab92-e65be0885f95"]);
    let id = if rng.chance(50) { format!("{{{id}}}") } else { id.to_string() };
    let mut element = Element::new("ProtectionHeader").with("SystemID", id);
    element.text = base64(&object);
    let mut all = Element::new("Protection");
    all.children.push(element);
    all
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |all, (n, b)| all | u32::from(*b) << (16 - 8 * n));
        for n in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn stream(
    rng: &mut Rng,
    traits: &mut Vec<String>,
    kind: &str,
    ordinal: usize,
    root_scale: u64,
    start: u64,
    live: bool,
) -> Element {
    let own = rng.chance(30);
    let scale = if own { *rng.pick(&[1_000u64, 44_100, 90_000, 10_000_000]) } else { root_scale };
    let mut s = Element::new("StreamIndex").with("Type", kind);
    if rng.chance(80) {
        s = s.with("Name", format!("{kind}_{ordinal}"));
    }
    if own {
        s = s.with("TimeScale", scale);
    }
    if kind == "text" {
        s = s.with("Subtype", rng.pick(&["SUBT", "CAPT", "DESC"]));
    }
    if kind != "video" && rng.chance(70) {
        s = s.with("Language", rng.pick(&["eng", "fra", "de", "pt-BR"]));
    }
    let template = rng.pick(&[
        "QualityLevels({bitrate})/s#({start time})",
        "QualityLevels({bitrate},{CustomAttributes})/s#={start time}",
    ]);
    s = s.with("Url", template.replace('#', &ordinal.to_string()));
    let levels = 1 + rng.below(if kind == "video" { 6 } else { 2 });
    let fragments = fragments(rng, traits, scale, start, live);
    if rng.chance(70) {
        s = s.with("QualityLevels", levels).with("Chunks", fragments.len());
    }
    for index in 0..levels {
        s.children.push(level(rng, kind, index));
    }
    s.children.extend(fragments);
    s
}

fn level(rng: &mut Rng, kind: &str, index: u64) -> Element {
    let bitrate = (index + 1) * 100_000 + rng.below(99_999);
    let mut q = Element::new("QualityLevel").with("Index", index).with("Bitrate", bitrate);
    // The first one is played by all, or there would be no stream to compare.
    let other = index > 0 && rng.chance(15);
    match kind {
        "video" if other => q = q.with("FourCC", rng.pick(&["WVC1", "HVC1"])).with("CodecPrivateData", ""),
        "video" => {
            q = q.with("FourCC", rng.pick(&["H264", "AVC1"]));
            let width = 160 * (index + 1);
            q = q
                .with("MaxWidth", width)
                .with("MaxHeight", width * 9 / 16)
                .with("CodecPrivateData", rng.pick(&AVC));
        }
        "audio" => {
            let name = if other { rng.pick(&["AACH", "AAC", "EC-3"]) } else { "AACL" };
            q = q.with("FourCC", name).with("AudioTag", if name == "EC-3" { 65534 } else { 255 });
            let (rate, data) = rng.pick(&[(48_000, "1190"), (44_100, "1210"), (24_000, "1310")]);
            let data = if rng.chance(20) || other { "" } else { data };
            q = q
                .with("SamplingRate", rate)
                .with("Channels", 2)
                .with("BitsPerSample", 16)
                .with("PacketSize", 4);
            q = q.with("CodecPrivateData", data);
        }
        _ => q = q.with("FourCC", rng.pick(&["TTML", "DFXP"])).with("CodecPrivateData", ""),
    }
    if rng.chance(15) {
        let mut custom = Element::new("CustomAttributes");
        custom.children.push(Element::new("Attribute").with("Name", "hardwareProfile").with("Value", index));
        q.children.push(custom);
    }
    // In any order, as the specification has it.
    for at in (1..q.attributes.len()).rev() {
        let with = rng.below(at as u64 + 1) as usize;
        q.attributes.swap(at, with);
    }
    q
}

/// Fragments in one of the ways in which packagers list them.
fn fragments(rng: &mut Rng, traits: &mut Vec<String>, scale: u64, start: u64, live: bool) -> Vec<Element> {
    let count = 1 + rng.below(40);
    let usual = scale * 2;
    let way = rng.below(6);
    let mut time = start;
    let mut out = Vec::new();
    let mut n = 0;
    while n < count {
        let duration = match way {
            0 | 1 => usual,
            _ => usual - usual / 20 + rng.below(usual / 10 + 1),
        };
        let mut c = Element::new("c");
        if way == 2 {
            c = c.with("n", n);
        }
        let repeat = if way == 1 && rng.chance(50) { 1 + rng.below(9) } else { 1 };
        let first = n == 0;
        match way {
            // Times alone; the last one has a duration, too, or is left open.
            4 => {
                c = c.with("t", time);
                if n + repeat >= count {
                    if live && rng.chance(50) {
                        traits.push("open end".into());
                    } else {
                        c = c.with("d", duration);
                    }
                }
            }
            // Durations alone; the first one has a time unless it is 0.
            0 | 2 => {
                if first && (start != 0 || rng.chance(50)) {
                    c = c.with("t", time);
                }
                c = c.with("d", duration);
            }
            _ => {
                if rng.chance(50) {
                    c = c.with("t", time).with("d", duration);
                } else {
                    c = c.with("d", duration).with("t", time);
                }
                if way == 5 && rng.chance(5) {
                    time += usual * 3;
                }
            }
        }
        if way == 1 && (repeat > 1 || rng.chance(20)) {
            c = c.with("r", repeat);
        }
        out.push(c);
        time += duration * repeat;
        n += repeat;
    }
    out
}

/// One thing wrong, of the kind that packagers do wrong.
fn change(rng: &mut Rng, root: &mut Element, traits: &mut Vec<String>) {
    let what = rng.below(14);
    match what {
        0..=2 => {
            let e = any(rng, root, "");
            if e.attributes.is_empty() {
                return;
            }
            let at = rng.below(e.attributes.len() as u64) as usize;
            let (name, _) = e.attributes.remove(at);
            traits.push(format!("without {}@{name}", e.name));
        }
        3..=5 => {
            let e = any(rng, root, "");
            if e.attributes.is_empty() {
                return;
            }
            let at = rng.below(e.attributes.len() as u64) as usize;
            let bad = *rng.pick(&["-1", "", "x", "1e3", "99999999999999999999", "0x10", "1.5", "12 "]);
            let (name, value) = &mut e.attributes[at];
            if name == "Url" {
                // By it the streams are told apart.
                return;
            }
            // The players would list every one of so many fragments until memory ends.
            let bomb = name == "r" && bad.starts_with("99");
            *value = if bomb { "x" } else { bad }.to_string();
            traits.push(format!("bad {}@{name}", e.name));
        }
        6 => {
            let e = any(rng, root, "");
            let Some((name, _)) = e.attributes.first_mut() else { return };
            let before = name.clone();
            *name = if rng.chance(50) { name.to_uppercase() } else { name.to_lowercase() };
            if *name != before {
                traits.push(format!("without {}@{before}", e.name));
            }
        }
        7 => {
            let e = any(rng, root, "");
            let Some(first) = e.attributes.first().cloned() else { return };
            e.attributes.push(first);
            traits.push("attribute twice".into());
        }
        8 => {
            let e = any(rng, root, "");
            e.attributes.push(("Vendor".into(), "x".into()));
            e.children.push(Element::new("Vendor").with("a", "b"));
        }
        9 => {
            let e = any(rng, root, "StreamIndex");
            e.children.reverse();
            let times = e.children.iter().filter(|c| c.name == "c").count() > 1;
            if times {
                traits.push("times reversed".into());
            }
        }
        10 => {
            // One time that does not follow from the one before.
            let e = any(rng, root, "StreamIndex");
            let cs: Vec<usize> = (0..e.children.len()).filter(|n| e.children[*n].name == "c").collect();
            let at = *rng.pick(&cs);
            let by = *rng.pick(&[1u64, 40, 1000, 100_000]);
            let back = rng.chance(50);
            for (name, value) in &mut e.children[at].attributes {
                if name == "t" {
                    let t: u64 = value.parse().unwrap_or(0);
                    *value = if back { t.saturating_sub(by) } else { t + by }.to_string();
                    traits.push(if back { "overlap" } else { "gap" }.into());
                }
            }
        }
        11 => {
            let e = any(rng, root, "StreamIndex");
            let kind = *rng.pick(&["Video", "AUDIO", "Text", "image", "data"]);
            e.attributes[0].1 = kind.to_string();
            traits.push("type".into());
        }
        12 => {
            let e = any(rng, root, "c");
            e.attributes.retain(|(name, _)| name != "r");
            let r = *rng.pick(&["0", "1", "2", "-1", "1000"]);
            e.attributes.push(("r".into(), r.into()));
            traits.push(format!("r of {r}"));
        }
        _ => {
            let e = any(rng, root, "c");
            if let Some((_, value)) = e.attributes.iter_mut().find(|(name, _)| name == "d") {
                *value = "0".into();
                traits.push("duration of 0".into());
            }
        }
    }
}

/// Some element of this name, or any.
fn any<'a>(rng: &mut Rng, root: &'a mut Element, name: &str) -> &'a mut Element {
    fn collect(e: &Element, name: &str, path: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
        if name.is_empty() || e.name == name {
            out.push(path.clone());
        }
        for (n, child) in e.children.iter().enumerate() {
            path.push(n);
            collect(child, name, path, out);
            path.pop();
        }
    }
    let mut paths = Vec::new();
    collect(root, name, &mut Vec::new(), &mut paths);
    // The many fragments would crowd out the few others.
    let depth = 1 + rng.below(3) as usize;
    let near: Vec<&Vec<usize>> = paths.iter().filter(|p| p.len() < depth).collect();
    let path = if name.is_empty() && !near.is_empty() {
        (*rng.pick(&near)).clone()
    } else {
        rng.pick(&paths).clone()
    };
    path.iter().fold(root, |e, n| &mut e.children[*n])
}

/// XML that is none.
fn damage(rng: &mut Rng, text: &mut String, traits: &mut Vec<String>) {
    traits.push("no XML".into());
    match rng.below(5) {
        0 => {
            let mut at = text.len() / 2;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.truncate(at);
        }
        1 => *text = text.replacen("</StreamIndex>", "</Streamindex>", 1),
        2 => *text = text.replacen("Duration=", "Duration", 1),
        3 => *text = text.replacen("<StreamIndex", "<StreamIndex <", 1),
        _ => *text = text.replacen("Type=", "Type=&x;", 1),
    }
}
