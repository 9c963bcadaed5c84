//! Reads the source of the core and fails on what its design forbids: a module that uses one it may not, a circle,
//! unsafe code outside the C boundary, a floating-point number, the standard library, memory that no account knows of.
#![allow(missing_docs, clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The lowest layer: every module may use it, and within it each may use the others.
const L0: [&str; 7] = ["time", "error", "limits", "mem", "trace", "decimal", "digits"];

/// Who may use whom, beyond the lowest layer. A new module takes its row here in the same commit.
const ROWS: [(&str, &[&str]); 14] = [
    // L1: they never see each other.
    ("inflate", &[]),
    ("xml", &[]),
    ("mp4", &[]),
    ("codec", &[]),
    ("protection", &[]),
    ("abr", &[]),
    // L2
    ("manifest", &["inflate", "xml", "codec", "protection"]),
    ("io", &["codec", "mp4", "protection"]),
    // L3: they never see each other.
    ("session", &["manifest", "io", "mp4", "codec", "protection", "abr"]),
    ("port", &["io"]),
    // L4
    ("player", &["session", "port", "io"]),
    ("http1", &["port", "io"]),
    ("local", &["port", "io", "manifest", "mp4", "xml", "codec"]),
    // L5: any public item; nobody uses it.
    ("capi", &["*"]),
];

/// Which files may name `alloc`: the lists that charge an account, and the handles of C, which are as large as they are
/// before any account is there.
const ALLOCATING: [&str; 3] = ["mem/mod.rs", "capi/handle.rs", "lib.rs"];

/// Methods of slices and strings that take memory without anybody naming `alloc`.
const TAKING: [&str; 11] = [
    "to_vec",
    "to_owned",
    "to_string",
    "concat",
    "repeat",
    "join",
    "to_lowercase",
    "to_uppercase",
    "into_string",
    "into_vec",
    "into_boxed_slice",
];

/// Which module may name which foreign crate. `core` is free to all.
const CRATES: [(&str, &[&str]); 4] =
    [("embedded_io", &["http1", "capi"]), ("heapless", &["*"]), ("log", &["*"]), ("std", &[])];

#[test]
fn the_core_keeps_its_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    assert!(files.len() >= 6, "no source found in {}", src.display());
    let mut findings = Vec::new();
    let mut edges = BTreeSet::new();
    for path in files {
        let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        let found = examine(&name, &fs::read_to_string(&path).unwrap());
        findings.extend(found.findings);
        edges.extend(found.edges);
    }
    findings.extend(circle(&edges));
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Every source file but tests.
fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && stem != "tests" {
            collect(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && stem != "tests" && !stem.ends_with("_tests")
        {
            out.push(path);
        }
    }
    out.sort();
}

#[derive(Default)]
struct Found {
    findings: Vec<String>,
    /// (user, used), the lowest layer included.
    edges: BTreeSet<(String, String)>,
}

/// What one file breaks. `name` is its path below `src`.
fn examine(name: &str, text: &str) -> Found {
    let mut found = Found::default();
    let tokens = without_tests(tokens(text));
    let path: Vec<&str> =
        name.trim_end_matches(".rs").split('/').filter(|part| !matches!(*part, "mod" | "lib")).collect();
    let module = path.first().copied().unwrap_or("lib");
    if module != "lib" && !L0.contains(&module) && !ROWS.iter().any(|(row, _)| *row == module) {
        found.findings.push(format!("{name}: module {module} has no row in tests/layering.rs"));
    }
    for (i, token) in tokens.iter().enumerate() {
        let next = |n: usize| tokens.get(i + n).map_or("", String::as_str);
        let path_follows = next(1) == ":" && next(2) == ":";
        let starts_path = i == 0 || tokens[i - 1] != ":";
        match token.as_str() {
            "unsafe" if module != "capi" => found.findings.push(format!("{name}: unsafe outside src/capi")),
            "f32" | "f64" => found.findings.push(format!("{name}: floating-point type {token}")),
            number if is_float(number) => {
                found.findings.push(format!("{name}: floating-point number {number}"))
            }
            "crate" if path_follows => {
                for used in heads(&tokens[i + 3..]) {
                    check(name, module, &used, &mut found);
                }
            }
            "super" if path_follows && starts_path => {
                let mut supers = 1;
                while next(3 * supers) == "super" {
                    supers += 1;
                }
                if supers == path.len() {
                    for used in heads(&tokens[i + 3 * supers..]) {
                        check(name, module, &used, &mut found);
                    }
                }
            }
            "alloc" if starts_path && !ALLOCATING.contains(&name) && next(1) != "(" => {
                found.findings.push(format!("{name}: alloc outside mem"))
            }
            taking
                if TAKING.contains(&taking)
                    && next(1) == "("
                    && i >= 2
                    && tokens[i - 1] == "."
                    && tokens[i - 2] != "self" =>
            {
                found.findings.push(format!("{name}: {taking} takes memory that is not charged"))
            }
            foreign if path_follows && starts_path => {
                if let Some((_, users)) = CRATES.iter().find(|(c, _)| *c == foreign)
                    && !users.contains(&"*")
                    && !users.contains(&module)
                {
                    found.findings.push(format!("{name}: {module} may not use the crate {foreign}"));
                }
            }
            _ => {}
        }
    }
    found
}

/// Judges that `module` uses `used`.
fn check(name: &str, module: &str, used: &str, found: &mut Found) {
    if used == module || module == "lib" {
        return;
    }
    let allowed = L0.contains(&used)
        || ROWS.iter().any(|(row, uses)| *row == module && (uses.contains(&used) || uses.contains(&"*")));
    let known = L0.contains(&used) || ROWS.iter().any(|(row, _)| *row == used);
    if !known {
        found.findings.push(format!("{name}: crate::{used} is no module with a row; name the module itself"));
    } else if !allowed {
        found.findings.push(format!("{name}: {module} may not use {used}"));
    }
    found.edges.insert((module.to_string(), used.to_string()));
}

/// The first names of a path or of a braced group of paths.
fn heads(tokens: &[String]) -> Vec<String> {
    if tokens.first().is_none_or(|t| t != "{") {
        return tokens.first().cloned().into_iter().collect();
    }
    let mut out = Vec::new();
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        let head = i > 0 && matches!(tokens[i - 1].as_str(), "{" | ",");
        if depth == 1 && head && token != "," {
            out.push(token.clone());
        }
    }
    out
}

/// A circle among the edges, as a sentence.
fn circle(edges: &BTreeSet<(String, String)>) -> Option<String> {
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (user, used) in edges {
        uses.entry(user).or_default().insert(used);
    }
    // Modules that use nothing any more go, until only circles are left.
    loop {
        let done: Vec<&str> =
            uses.iter().filter(|(_, v)| v.iter().all(|m| !uses.contains_key(m))).map(|(k, _)| *k).collect();
        if done.is_empty() {
            break;
        }
        for module in done {
            uses.remove(module);
        }
    }
    (!uses.is_empty()).then(|| format!("a circle among {:?}", uses.keys().collect::<Vec<_>>()))
}

fn is_float(token: &str) -> bool {
    if !token.starts_with(|c: char| c.is_ascii_digit()) || token.starts_with("0x") {
        return false;
    }
    let digits = token.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    digits.starts_with('.')
        || digits.starts_with("f32")
        || digits.starts_with("f64")
        || (digits.starts_with(['e', 'E']) && digits[1..].starts_with(|c: char| c.is_ascii_digit()))
}

/// `tokens` without items under `#[cfg(test)]`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const CFG: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut out = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i..].iter().map(String::as_str).take(CFG.len()).eq(CFG) {
            i = end_of_item(&tokens, i + CFG.len());
        } else {
            out.push(tokens[i].clone());
            i += 1;
        }
    }
    out
}

/// The index behind the item that starts at `i`: behind its `;`, or the brace that closes its body.
fn end_of_item(tokens: &[String], mut i: usize) -> usize {
    let until_semicolon = tokens.get(i).is_some_and(|t| t == "use");
    let mut depth = 0_usize;
    while i < tokens.len() {
        let token = tokens[i].as_str();
        i += 1;
        match token {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (token == ";" || (token == "}" && !until_semicolon)) {
            break;
        }
    }
    i
}

/// Names, numbers and signs of Rust source, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let c: Vec<char> = text.chars().collect();
    let at = |i: usize| c.get(i).copied().unwrap_or('\0');
    let word = |ch: char| ch == '_' || ch.is_alphanumeric();
    let mut out: Vec<String> = Vec::new();
    let mut i = 0;
    while i < c.len() {
        match c[i] {
            '/' if at(i + 1) == '/' => {
                while i < c.len() && c[i] != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= c.len() {
                        break;
                    }
                }
            }
            '"' => i = behind_string(&c, i),
            // A lifetime, or a character.
            '\'' if word(at(i + 1)) && at(i + 2) != '\'' => i += 1,
            '\'' => {
                i += if at(i + 1) == '\\' { 3 } else { 2 };
                while i < c.len() && c[i] != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ch if word(ch) => {
                let start = i;
                let after_dot = out.last().is_some_and(|t| t == ".");
                while word(at(i))
                    || (at(i) == '.'
                        && ch.is_ascii_digit()
                        && !after_dot
                        && at(i + 1).is_ascii_digit()
                        && !c[start..i].contains(&'.'))
                {
                    i += 1;
                }
                let name: String = c[start..i].iter().collect();
                let hashes = c[i..].iter().take_while(|ch| **ch == '#').count();
                if matches!(name.as_str(), "r" | "br" | "cr") && at(i + hashes) == '"' {
                    let end: Vec<char> =
                        std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                    i += hashes + 1;
                    while i < c.len() && !c[i..].starts_with(&end) {
                        i += 1;
                    }
                    i += end.len();
                } else {
                    out.push(name);
                }
            }
            ch => {
                if !ch.is_whitespace() {
                    out.push(ch.to_string());
                }
                i += 1;
            }
        }
    }
    out
}

/// The index behind the string that opens at `i`.
fn behind_string(c: &[char], mut i: usize) -> usize {
    i += 1;
    while i < c.len() && c[i] != '"' {
        i += if c[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

mod the_checker {
    use super::{circle, examine};

    #[track_caller]
    fn finds(name: &str, text: &str, what: &[&str]) {
        let found = examine(name, text).findings;
        assert_eq!(found.len(), what.len(), "{found:?}");
        for (finding, part) in found.iter().zip(what) {
            assert!(finding.contains(part), "{finding}");
        }
    }

    #[test]
    fn accepts_what_the_design_allows() {
        finds(
            "xml/mod.rs",
            "use crate::error::{Code, Result};\nuse crate::{mem::Bytes, limits::Limits};",
            &[],
        );
        finds(
            "manifest/parse.rs",
            "use crate::xml::Token; use super::timeline; use super::super::codec::X;",
            &[],
        );
        finds("capi/player.rs", "use crate::player::Player; pub unsafe fn f() {}", &[]);
        finds("http1.rs", "use embedded_io::Read; use crate::port::Stream;", &[]);
    }

    #[test]
    fn finds_a_planted_edge() {
        finds("xml/mod.rs", "use crate::inflate::Inflater;", &["xml may not use inflate"]);
        finds("mp4/fragment.rs", "fn f() { crate::session::go() }", &["mp4 may not use session"]);
        finds(
            "abr/mod.rs",
            "use crate::{error::Code, manifest::{Level, url}};",
            &["abr may not use manifest"],
        );
        finds("port/http.rs", "use super::super::session::Session;", &["port may not use session"]);
        finds("io.rs", "use super::session::Session;", &["io may not use session"]);
        finds("player.rs", "use crate::capi::types;", &["player may not use capi"]);
        finds("session/mod.rs", "use crate::port::Http;", &["session may not use port"]);
        finds("error.rs", "use crate::xml::Token;", &["error may not use xml"]);
    }

    #[test]
    fn finds_a_detour_and_a_module_without_a_row() {
        finds("xml/mod.rs", "use crate::Session;", &["crate::Session is no module"]);
        finds("util.rs", "", &["util has no row"]);
        finds("session/mod.rs", "use embedded_io::Read; use std::vec::Vec;", &["embedded_io", "std"]);
    }

    #[test]
    fn finds_unsafe_and_floats() {
        finds("mem.rs", "fn f() { unsafe { g() } }", &["unsafe"]);
        finds("abr/mod.rs", "fn f(x: f64) -> u32 { 1.5; 1e9; 2f32; 3 }", &["f64", "1.5", "1e9", "2f32"]);
        finds(
            "abr/mod.rs",
            "fn f(t: ((u8, u8), u8)) -> u8 { t.0.1 + 1usize as u8 + 0x1e9 as u8; for _ in 0..2 {} }",
            &[],
        );
    }

    #[test]
    fn finds_memory_that_is_not_charged() {
        finds("xml/mod.rs", "use alloc::vec::Vec; fn f() { alloc::format!(\"\") }", &["alloc", "alloc"]);
        finds("session/mod.rs", "use alloc as heap; use crate::alloc::boxed::Box;", &["alloc", "no module"]);
        finds(
            "io.rs",
            "fn f(a: &[u8]) { a.to_vec(); [a, a].concat(); self.join(a); t.join(a); t.join = 1 }",
            &["to_vec", "concat", "join"],
        );
        finds("mem/mod.rs", "use alloc::vec::Vec; fn f() { x.to_owned() }", &["to_owned"]);
        finds("capi/rt.rs", "use core::alloc::GlobalAlloc; unsafe fn alloc(&self) {}", &[]);
    }

    #[test]
    fn leaves_comments_literals_and_tests_alone() {
        finds("xml/mod.rs", "// unsafe crate::session::x\n/* f64 /* */ 1.5 */ //! [`crate::player`]\n", &[]);
        finds("xml/mod.rs", r##"const A: &str = "unsafe \" f64"; const B: &str = r#"f64 " unsafe"#;"##, &[]);
        finds("xml/mod.rs", "fn f<'a>(c: &'a str) { let q = '\"'; let e = '\\''; let f = 'f'; } // \"", &[]);
        finds("xml/mod.rs", "#[cfg(test)] mod tests { use crate::player::P; fn f() -> f64 { 1.0 } }", &[]);
        finds("xml/mod.rs", "#[cfg(test)]\nmod tests;\nuse crate::player::P;", &["xml may not use player"]);
    }

    #[test]
    fn finds_a_circle() {
        let edge = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(circle(&[edge("mem", "error"), edge("xml", "mem")].into()), None);
        let found = circle(&[edge("mem", "error"), edge("error", "limits"), edge("limits", "mem")].into());
        assert!(found.is_some_and(|text| text.contains("limits")));
    }
}
