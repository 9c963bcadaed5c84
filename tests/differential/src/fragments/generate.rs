//! Fragments from a seed: what encoders and origins write, and one thing wrong in every second one.

use crate::rng::Rng;

/// A fragment, and the names of what is special about it.
pub struct Fragment {
    pub bytes: Vec<u8>,
    /// Bytes of a vector, as the manifest or a `moov` would tell; 8 in a clear one.
    pub iv_size: u8,
    pub traits: Vec<String>,
    /// Something about it is no longer as its writer meant it.
    pub wrong: bool,
}

/// A box with children, or one with bytes.
#[derive(Clone)]
struct Node {
    kind: [u8; 4],
    bytes: Vec<u8>,
    children: Vec<Node>,
    size: Size,
}

/// How a box says its size.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Plain,
    /// In 64 bits.
    Large,
    /// "To the end."
    Open,
}

/// Where a box came to lie.
struct Place {
    kind: [u8; 4],
    at: usize,
    len: usize,
}

const TFXD: [u8; 16] = *b"\x6d\x1d\x9b\x05\x42\xd5\x44\xe6\x80\xe2\x14\x1d\xaf\xf7\x57\xb2";
const TFRF: [u8; 16] = *b"\xd4\x80\x7e\xf2\xca\x39\x46\x95\x8e\x54\x26\xcb\x9e\x46\xa7\x9f";
const PIFF: [u8; 16] = *b"\xa2\x39\x4f\x52\x5a\x9b\x4f\x14\xa2\x44\x6c\x42\x7c\x64\x8d\xf4";

impl Node {
    fn new(kind: &[u8; 4], bytes: Vec<u8>) -> Node {
        Node { kind: *kind, bytes, children: Vec::new(), size: Size::Plain }
    }

    fn full(kind: &[u8; 4], version: u8, flags: u32, fields: &[u8]) -> Node {
        Node::new(kind, [&(flags | u32::from(version) << 24).to_be_bytes(), fields].concat())
    }

    fn extended(id: [u8; 16], version: u8, flags: u32, fields: &[u8]) -> Node {
        Node::new(b"uuid", [&id[..], &(flags | u32::from(version) << 24).to_be_bytes(), fields].concat())
    }

    fn parent(kind: &[u8; 4], children: Vec<Node>) -> Node {
        Node { children, ..Node::new(kind, Vec::new()) }
    }

    fn len(&self) -> usize {
        let header = if self.size == Size::Large { 16 } else { 8 };
        header + self.bytes.len() + self.children.iter().map(Node::len).sum::<usize>()
    }

    fn write(&self, out: &mut Vec<u8>, places: &mut Vec<Place>) {
        let (at, len) = (out.len(), self.len());
        places.push(Place { kind: self.kind, at, len });
        let short = match self.size {
            Size::Plain => len as u32,
            Size::Large => 1,
            Size::Open => 0,
        };
        out.extend(short.to_be_bytes());
        out.extend(self.kind);
        if self.size == Size::Large {
            out.extend((len as u64).to_be_bytes());
        }
        out.extend(&self.bytes);
        for child in &self.children {
            child.write(out, places);
        }
    }
}

/// The `number`-th fragment of `seed`.
pub fn fragment(seed: u64, number: u64) -> Fragment {
    let mut rng = Rng::new(seed, number);
    let mut traits = Vec::new();
    let mut bytes = Vec::new();
    let mut places = Vec::new();
    let iv_size = if rng.chance(50) { 8 } else { 16 };
    let wrong = rng.chance(50);
    before(&mut rng, &mut bytes, &mut places);
    let pairs = if rng.chance(10) { 2 + rng.below(2) } else { 1 };
    if pairs > 1 {
        traits.push("several pairs".into());
    }
    let track = *rng.pick(&[1u32, 2, 3, 256]);
    let structural = wrong && rng.chance(30);
    for n in 0..pairs {
        let last = n + 1 == pairs;
        let change = structural && n == 0;
        pair(&mut rng, track, iv_size, last, change, &mut bytes, &mut places, &mut traits);
    }
    if rng.chance(10) && !traits.iter().any(|t| t == "open mdat") {
        let mfro = Node::full(b"mfro", 0, 0, &24u32.to_be_bytes());
        let behind = [
            Node::parent(b"mfra", vec![mfro]),
            Node::new(b"free", vec![7; 20]),
            Node::new(b"abcd", vec![7; 3]),
        ];
        rng.pick(&behind).write(&mut bytes, &mut places);
    }
    if wrong && !structural {
        damage(&mut rng, &mut bytes, &places, &mut traits);
    }
    Fragment { bytes, iv_size, traits, wrong }
}

/// Boxes that come before a `moof`.
fn before(rng: &mut Rng, bytes: &mut Vec<u8>, places: &mut Vec<Place>) {
    if rng.chance(15) {
        Node::new(b"styp", b"msdh\0\0\0\0msdh".to_vec()).write(bytes, places);
    }
    if rng.chance(10) {
        Node::new(rng.pick(&[*b"free", *b"skip"]), vec![0; 30]).write(bytes, places);
    }
    if rng.chance(5) {
        Node::new(b"uuid", vec![9; 40]).write(bytes, places);
    }
}

/// A `moof` and its `mdat`.
#[expect(clippy::too_many_arguments)]
fn pair(
    rng: &mut Rng,
    track: u32,
    iv_size: u8,
    last: bool,
    change: bool,
    bytes: &mut Vec<u8>,
    places: &mut Vec<Place>,
    traits: &mut Vec<String>,
) {
    let mut plan = Plan::new(rng, traits);
    let mut moof = Node::parent(b"moof", Vec::new());
    moof.children.push(Node::full(b"mfhd", 0, 0, &(rng.next() as u32).to_be_bytes()));
    if rng.chance(3) {
        traits.push("empty traf first".into());
        let tfhd = Node::full(b"tfhd", 0, 0, &(track + 1).to_be_bytes());
        moof.children.push(Node::parent(b"traf", vec![tfhd]));
    }
    let traf = plan.traf(rng, track, iv_size, traits);
    moof.children.push(traf);
    if rng.chance(3) && !plan.runs.is_empty() {
        traits.push("second traf".into());
        let tfhd = Node::full(b"tfhd", 0, 0x18, &[track + 7, 10, 1].map(u32::to_be_bytes).concat());
        let trun = Node::full(b"trun", 0, 0, &2u32.to_be_bytes());
        moof.children.push(Node::parent(b"traf", vec![tfhd, trun]));
    }
    if rng.chance(5) {
        moof.children.push(Node::new(b"free", vec![0; rng.below(9) as usize]));
    }
    if change {
        restructure(rng, &mut moof, traits);
    }
    let between = rng.chance(5).then(|| Node::new(b"free", vec![1; 12]));
    let mut mdat = Node::new(b"mdat", Vec::new());
    mdat.size = match rng.below(20) {
        0 => Size::Large,
        1 if last => {
            traits.push("open mdat".into());
            Size::Open
        }
        _ => Size::Plain,
    };
    let header = if mdat.size == Size::Large { 16 } else { 8 };
    let payload = moof.len() + between.as_ref().map_or(0, Node::len) + header;
    plan.point(rng, &mut moof, payload, traits);
    mdat.bytes = (0..plan.total + plan.spare).map(|n| n as u8).collect();
    moof.write(bytes, places);
    if let Some(between) = between {
        between.write(bytes, places);
    }
    mdat.write(bytes, places);
}

/// What the boxes of one `moof` have to agree about.
struct Plan {
    /// Samples of each run.
    runs: Vec<Vec<u32>>,
    total: usize,
    /// Bytes before and behind the samples in the `mdat`.
    lead: usize,
    spare: usize,
    sizes_by_default: Option<u32>,
    first_iv: usize,
}

impl Plan {
    fn new(rng: &mut Rng, traits: &mut Vec<String>) -> Plan {
        let count = match rng.below(10) {
            0 => 0,
            1 | 2 => 2 + rng.below(3),
            _ => 1,
        };
        if count == 0 {
            traits.push("no run".into());
        }
        let sizes_by_default = rng.chance(20).then(|| rng.below(60) as u32);
        let mut runs: Vec<Vec<u32>> = Vec::new();
        for _ in 0..count {
            let samples = if rng.chance(3) { 0 } else { 1 + rng.below(20) };
            if samples == 0 {
                traits.push("empty run".into());
            }
            let size = |rng: &mut Rng| if rng.chance(2) { 0 } else { rng.below(200) as u32 };
            runs.push((0..samples).map(|_| sizes_by_default.unwrap_or_else(|| size(rng))).collect());
        }
        let total = runs.iter().flatten().map(|s| *s as usize).sum();
        let lead = if rng.chance(5) { rng.below(30) as usize } else { 0 };
        let spare = lead + if rng.chance(10) { rng.below(50) as usize } else { 0 };
        Plan { runs, total, lead, spare, sizes_by_default, first_iv: 0 }
    }

    fn traf(&mut self, rng: &mut Rng, track: u32, iv_size: u8, traits: &mut Vec<String>) -> Node {
        let mut children = vec![self.tfhd(rng, track, traits)];
        if rng.chance(60) {
            let time = time(rng, traits);
            let version = if time > u64::from(u32::MAX) || rng.chance(50) { 1 } else { 0 };
            children.push(Node::full(b"tfdt", version, 0, &number(version, time)));
        }
        for n in 0..self.runs.len() {
            let run = self.trun(rng, n, traits);
            children.push(run);
        }
        if rng.chance(30) {
            let samples: usize = self.runs.iter().map(Vec::len).sum();
            children.push(Node::full(b"sdtp", 0, 0, &vec![0x20; samples]));
        }
        if rng.chance(60) {
            let (version, start, span) = (u8::from(rng.chance(80)), time(rng, traits), rng.below(1 << 30));
            let start = if version == 0 { start & 0xFFFF_FFFF } else { start };
            let fields = [number(version, start), number(version, span)].concat();
            children.push(Node::extended(TFXD, version, 0, &fields));
        }
        if rng.chance(30) {
            let (version, count) = (u8::from(rng.chance(80)), rng.below(4));
            let mut fields = vec![count as u8];
            for n in 0..count {
                fields.extend(number(version, 1000 + n * 77));
                fields.extend(number(version, 77));
            }
            let at = if rng.chance(30) { 1 } else { children.len() };
            children.insert(at, Node::extended(TFRF, version, 0, &fields));
        }
        if rng.chance(40) && !self.runs.is_empty() {
            self.encrypt(rng, iv_size, &mut children, traits);
        }
        Node::parent(b"traf", children)
    }

    fn tfhd(&self, rng: &mut Rng, track: u32, traits: &mut Vec<String>) -> Node {
        let mut flags = *rng.pick(&[0u32, 0x2_0000, 0x2_0000, 0x1_0000]);
        let mut fields = track.to_be_bytes().to_vec();
        if rng.chance(4) {
            traits.push("base data offset".into());
            flags |= 1;
            fields.extend(rng.below(1 << 40).to_be_bytes());
        }
        let mut optional = |bit: u32, value: Option<u32>| {
            if let Some(value) = value {
                flags |= bit;
                fields.extend(value.to_be_bytes());
            }
        };
        optional(0x02, rng.chance(20).then_some(1));
        optional(0x08, rng.chance(50).then(|| rng.below(1 << 24) as u32));
        optional(0x10, self.sizes_by_default.or(rng.chance(20).then(|| rng.below(500) as u32)));
        optional(0x20, rng.chance(50).then(|| *rng.pick(&[0x0101_0000, 0x0200_0000, 0, 0x0101_00FF])));
        Node::full(b"tfhd", 0, flags, &fields)
    }

    fn trun(&self, rng: &mut Rng, n: usize, traits: &mut Vec<String>) -> Node {
        let samples = &self.runs[n];
        let mut flags = 0;
        let version = u8::from(rng.chance(50));
        let mut fields = (samples.len() as u32).to_be_bytes().to_vec();
        // The later runs of most writers have none.
        if rng.chance(if n == 0 { 90 } else { 30 }) {
            flags |= 1;
            fields.extend([0; 4]);
        }
        if rng.chance(20) {
            flags |= 4;
            fields.extend(0x0200_0000u32.to_be_bytes());
        }
        for (bit, percent) in [(0x100, 50), (0x400, 30), (0x800, 40)] {
            flags |= if rng.chance(percent) { bit } else { 0 };
        }
        if self.sizes_by_default.is_none() {
            flags |= 0x200;
        }
        if flags & 0x404 == 0x404 {
            traits.push("first flags and flags".into());
        }
        for size in samples {
            if flags & 0x100 != 0 {
                fields.extend((rng.below(1 << 20) as u32).to_be_bytes());
            }
            if flags & 0x200 != 0 {
                fields.extend(size.to_be_bytes());
            }
            if flags & 0x400 != 0 {
                let one = *rng.pick(&[0x0200_0000u32, 0x0101_0000, 0x0141_0003, 0x2A8A_0000 & 0x0FFF_FFFF]);
                fields.extend(one.to_be_bytes());
            }
            if flags & 0x800 != 0 {
                let ahead = rng.below(1 << 16) as i32;
                let one = if version == 1 && rng.chance(30) { -ahead } else { ahead };
                fields.extend(one.to_be_bytes());
            }
        }
        Node::full(b"trun", version, flags, &fields)
    }

    fn encrypt(&mut self, rng: &mut Rng, iv_size: u8, children: &mut Vec<Node>, traits: &mut Vec<String>) {
        let sizes: Vec<u32> = self.runs.iter().flatten().copied().collect();
        let subsamples = rng.chance(50);
        let (piff, over) = (rng.chance(50), rng.chance(30));
        traits.push("encrypted".into());
        let mut flags = if subsamples { 2 } else { 0 };
        let mut fields = Vec::new();
        if piff && over {
            flags |= 1;
            fields.extend([0, 0, 1 + rng.below(2) as u8, iv_size]);
            fields.extend([0xA5; 16]);
        }
        fields.extend((sizes.len() as u32).to_be_bytes());
        let entries = fields.len();
        let mut each = Vec::new();
        for size in &sizes {
            let start = fields.len();
            fields.extend((0..iv_size).map(|_| rng.next() as u8));
            if subsamples {
                let mut left = *size;
                let count = if left == 0 { 0 } else { 1 + rng.below(3) as u32 };
                fields.extend((count as u16).to_be_bytes());
                for n in 0..count {
                    let clear = rng.below(u64::from(left) + 1) as u32;
                    let secret = if n + 1 == count { left - clear } else { (left - clear) / 2 };
                    fields.extend((clear as u16).to_be_bytes());
                    fields.extend(secret.to_be_bytes());
                    left -= clear + secret;
                }
            }
            each.push((fields.len() - start) as u8);
        }
        let node = match piff {
            true => Node::extended(PIFF, 0, flags, &fields),
            false => Node::full(b"senc", 0, flags, &fields),
        };
        if rng.chance(40) {
            children.push(Node::full(
                b"saiz",
                0,
                0,
                &[&[0][..], &(sizes.len() as u32).to_be_bytes(), &each].concat(),
            ));
            children.push(Node::full(b"saio", 0, 0, &[1u32, 0].map(u32::to_be_bytes).concat()));
        }
        // Where the first vector lies in the box, for saio.
        self.first_iv = node.len() - (fields.len() - entries);
        children.push(node);
    }

    /// Fills in where the vectors lie.
    fn point_table(&self, moof: &mut Node) {
        let mut at = 8;
        for n in 0..moof.children.len() {
            let mut inner = at + 8;
            let traf = &moof.children[n].children;
            let table = traf.iter().find(|c| c.kind == *b"senc" || c.bytes.starts_with(&PIFF)).map(|c| {
                let before = traf.iter().take_while(|o| !std::ptr::eq(*o, c)).map(Node::len).sum::<usize>();
                inner += before;
                (inner + self.first_iv) as u32
            });
            at += moof.children[n].len();
            let saio =
                moof.children[n].children.iter_mut().find(|c| c.kind == *b"saio" && c.bytes.len() == 12);
            if let (Some(saio), Some(table)) = (saio, table) {
                saio.bytes[8..].copy_from_slice(&table.to_be_bytes());
            }
        }
    }

    /// Fills in where the runs lie.
    fn point(&self, rng: &mut Rng, moof: &mut Node, payload: usize, traits: &mut Vec<String>) {
        self.point_table(moof);
        let wrong = rng.chance(10);
        let mut at = payload + self.lead;
        let mut runs = self.runs.iter();
        for traf in moof.children.iter_mut().filter(|n| n.kind == *b"traf") {
            for trun in traf.children.iter_mut().filter(|n| n.kind == *b"trun") {
                let Some(samples) = runs.next() else { return };
                if trun.bytes.len() >= 12 && trun.bytes[3] & 1 != 0 {
                    let mut offset = at as i32;
                    if wrong {
                        traits.push("data offset wrong".into());
                        offset = *rng.pick(&[0, offset - 8, -offset, offset + 8, i32::MAX, 8]);
                    }
                    trun.bytes[8..12].copy_from_slice(&offset.to_be_bytes());
                }
                at += samples.iter().map(|s| *s as usize).sum::<usize>();
            }
        }
    }
}

fn time(rng: &mut Rng, traits: &mut Vec<String>) -> u64 {
    match rng.below(20) {
        0 => {
            traits.push("time beyond 53 bits".into());
            (1 << 53) + rng.below(1 << 60)
        }
        1..=5 => rng.below(1 << 32),
        _ => rng.below(1 << 50),
    }
}

fn number(version: u8, value: u64) -> Vec<u8> {
    if version == 0 { (value as u32).to_be_bytes().to_vec() } else { value.to_be_bytes().to_vec() }
}

/// Changes which boxes there are.
fn restructure(rng: &mut Rng, moof: &mut Node, traits: &mut Vec<String>) {
    let deep = rng.chance(80);
    let place = moof.children.iter().position(|n| n.kind == *b"traf");
    let list = match place {
        Some(n) if deep => &mut moof.children[n].children,
        _ => &mut moof.children,
    };
    let n = rng.below(list.len() as u64) as usize;
    let kind = String::from_utf8_lossy(&list[n].kind).to_string();
    match rng.below(6) {
        0 => {
            traits.push(format!("{kind} missing"));
            list.remove(n);
        }
        1 => {
            traits.push(format!("{kind} twice"));
            list.insert(rng.below(list.len() as u64 + 1) as usize, list[n].clone());
        }
        2 => {
            traits.push("order".into());
            for n in (1..list.len()).rev() {
                list.swap(n, rng.below(n as u64 + 1) as usize);
            }
        }
        3 => {
            traits.push(format!("{kind} renamed"));
            list[n].kind = *b"zzzz";
        }
        4 => {
            traits.push(format!("{kind} large"));
            list[n].size = Size::Large;
            if kind == "uuid" {
                // The size comes before the extended type.
                traits.push("large uuid".into());
            }
        }
        _ => {
            traits.push(format!("{kind} shorter"));
            let keep = rng.below(list[n].bytes.len() as u64 + 1) as usize;
            list[n].bytes.truncate(keep);
        }
    }
}

/// Changes bytes, whatever they mean.
fn damage(rng: &mut Rng, bytes: &mut Vec<u8>, places: &[Place], traits: &mut Vec<String>) {
    let inner: Vec<&Place> = places.iter().filter(|p| p.kind != *b"mdat").collect();
    let place = *rng.pick(&inner);
    let named = String::from_utf8_lossy(&place.kind).to_string();
    let (at, len) = (place.at, place.len);
    match rng.below(6) {
        0 => {
            traits.push("cut".into());
            bytes.truncate(rng.below(bytes.len() as u64) as usize);
        }
        1 => {
            traits.push(format!("{named} size"));
            let other = match rng.below(4) {
                0 => rng.below(16) as u32,
                1 => (len as u32).wrapping_add(rng.below(64) as u32),
                2 => (len as u32).wrapping_sub(rng.below(64) as u32),
                _ => rng.next() as u32,
            };
            bytes[at..at + 4].copy_from_slice(&other.to_be_bytes());
        }
        2 if len >= 12 => {
            traits.push(format!("{named} flags"));
            let n = 9 + rng.below(3) as usize;
            bytes[at + n] ^= 1 << rng.below(8);
        }
        3 if len > 16 => {
            traits.push(format!("{named} bytes"));
            let n = 8 + rng.below(len as u64 - 8) as usize;
            bytes[at + n] = rng.next() as u8;
        }
        4 => {
            traits.push("bytes inserted".into());
            let at = rng.below(bytes.len() as u64) as usize;
            for _ in 0..1 + rng.below(8) {
                bytes.insert(at, rng.next() as u8);
            }
        }
        _ => {
            traits.push("bytes changed".into());
            for _ in 0..1 + rng.below(8) {
                let moof = places.iter().find(|p| p.kind == *b"moof").expect("there is one");
                let at = moof.at + rng.below(moof.len as u64) as usize;
                bytes[at] = rng.next() as u8;
            }
        }
    }
}
