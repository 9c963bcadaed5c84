//! Writes `include/smoothcore.h` from the C boundary's source, or says where the committed header differs.
//!
//! `smoothcore-header write` and `smoothcore-header check`, from anywhere.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Comes first in the header, in this order; other files of `src/capi` follow by name.
const ORDER: [&str; 18] = [
    "codes",
    "status",
    "types",
    "media",
    "protection",
    "info",
    "ports",
    "tracks",
    "live",
    "switching",
    "session",
    "session_commands",
    "session_facts",
    "player",
    "player_facts",
    "run",
    "log",
    "rt",
];
/// Not for C: the name that keeps a panic path from linking, and the audit's negative control.
const HIDDEN: [&str; 2] = ["smoothcore_panic_path_remains", "smoothcore_planted_panic"];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = root.join("include/smoothcore.h");
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("write") => generate(&root).and_then(|text| write(&target, &text)),
        Some("check") => generate(&root).and_then(|text| check(&target, &text)),
        _ => Err("usage: smoothcore-header write|check".to_string()),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(line) => {
            eprintln!("smoothcore-header: {line}");
            ExitCode::FAILURE
        }
    }
}

/// The header as the source has it now.
fn generate(root: &Path) -> Result<String, String> {
    let mut builder = cbindgen::Builder::new().with_config(config());
    for file in sources(&root.join("src/capi"))? {
        builder = builder.with_src(file);
    }
    let bindings = builder.generate().map_err(|e| e.to_string())?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(tidy(&String::from_utf8(text).map_err(|e| e.to_string())?))
}

/// The generator's layout made shorter: one-line comments on one line, a star on each line of the others, numbers below
/// zero in parentheses, no empty line between constants.
fn tidy(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.lines().peekable();
    let mut preamble = true;
    while let Some(line) = lines.next() {
        preamble = preamble && !line.starts_with("#ifndef");
        if !preamble && line.trim() == "/*" {
            let indent = line.strip_suffix("/*").unwrap_or_default();
            let body: Vec<&str> = lines.by_ref().take_while(|l| l.trim() != "*/").map(str::trim).collect();
            match body.as_slice() {
                [one] => out.push(format!("{indent}/* {one} */")),
                more => {
                    for (n, l) in more.iter().enumerate() {
                        let start = if n == 0 { "/*" } else { " *" };
                        out.push(format!("{indent}{start} {l}").trim_end().to_string());
                    }
                    out.push(format!("{indent} */"));
                }
            }
            continue;
        }
        match line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
            Some((name, number)) => out.push(format!("#define {name} (-{number})")),
            None => out.push(line.to_string()),
        }
        let constant = line.starts_with("#define SMOOTHCORE_") && !line.ends_with("_H");
        if constant && line.contains(' ') && lines.peek().is_some_and(|l| l.is_empty()) {
            let mut rest = lines.clone();
            rest.next();
            let next = rest.find(|l| !matches!(l.trim(), "/*" | "*/") && !l.starts_with(' '));
            if next.is_some_and(|l| l.starts_with("#define ")) {
                lines.next();
            }
        }
    }
    out.join("\n") + "\n"
}

fn config() -> cbindgen::Config {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        cpp_compat: true,
        style: cbindgen::Style::Both,
        documentation_style: cbindgen::DocumentationStyle::C,
        header: Some(include_str!("../preamble.h").trim_end().to_string()),
        include_guard: Some("SMOOTHCORE_H".to_string()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_string(), "stdint.h".to_string()],
        usize_is_size_t: true,
        line_length: 110,
        tab_width: 4,
        ..cbindgen::Config::default()
    };
    config.export.exclude = HIDDEN.map(String::from).to_vec();
    config.function.sort_by = Some(cbindgen::SortKey::None);
    config.constant.sort_by = Some(cbindgen::SortKey::None);
    config
}

/// The files of the boundary in the header's order, without tests.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .filter(|path| !matches!(stem(path).as_str(), "mod" | "tests"))
        .collect();
    files.sort_by_key(|path| {
        let name = stem(path);
        (ORDER.iter().position(|n| *n == name).unwrap_or(ORDER.len()), name)
    });
    Ok(files)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write(target: &Path, text: &str) -> Result<String, String> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    }
    std::fs::write(target, text).map_err(|e| format!("{}: {e}", target.display()))?;
    Ok(format!("include/smoothcore.h: {} lines", text.lines().count()))
}

fn check(target: &Path, text: &str) -> Result<String, String> {
    let committed = std::fs::read_to_string(target).map_err(|e| format!("{}: {e}", target.display()))?;
    let mut pairs = committed.lines().zip(text.lines()).enumerate();
    if let Some((n, (is, should))) = pairs.find(|(_, (a, b))| a != b) {
        let n = n + 1;
        return Err(format!(
            "include/smoothcore.h line {n} is\n  {is}\nbut the source says\n  {should}\nRun make header."
        ));
    }
    if committed != text {
        return Err(
            "include/smoothcore.h has another length than the source says. Run make header.".to_string()
        );
    }
    Ok("include/smoothcore.h is what the source says".to_string())
}
