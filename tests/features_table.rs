//! Reads `ports/docs/features.md` and fails on what it says and the tree does not have: a test, file or make target that
//! does not exist, a feature that nothing shows, a quirk or a codec's name without a row. And on C code in `ports/docs` that
//! no C file has, and links of any page that lead nowhere.
#![allow(missing_docs, clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Quirks are numbered from 1; tests carry the number in their names.
const QUIRKS: usize = 97;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// Every file below `folder` that ends so.
fn collect(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // What Cargo builds is no source.
            if path.file_name().is_some_and(|n| n != "target" && n != "node_modules") {
                collect(&path, ending, out);
            }
        } else if path.to_string_lossy().ends_with(ending) {
            out.push(path);
        }
    }
}

/// The functions that `cargo test` runs, and the parts of the C tests.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    for folder in ["src", "tests", "ports", "examples"] {
        collect(&root().join(folder), ".rs", &mut files);
    }
    for path in files {
        names.extend(tests_of(&fs::read_to_string(path).unwrap()));
    }
    let mut files = Vec::new();
    collect(&root().join("tests/c"), ".c", &mut files);
    for path in files {
        let text = fs::read_to_string(path).unwrap();
        let parts = text.lines().filter_map(|l| l.strip_prefix("static void ")?.strip_suffix("(void)"));
        names.extend(parts.map(str::to_owned));
    }
    names
}

fn tests_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            marked = true;
        } else if let (true, Some(rest)) = (marked, line.strip_prefix("fn ")) {
            found.push(rest.split('(').next().unwrap().to_owned());
            marked = false;
        } else if !line.starts_with("#[") {
            marked = false;
        }
    }
    found
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What is wrong with a page.
fn examine(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let makefile = read("Makefile");
    let mut findings = Vec::new();
    for (n, line) in page.lines().enumerate().filter(|(_, l)| l.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (Some(shown), true) = (cells.last(), cells.len() >= 3) else {
            findings.push(format!("line {}: a row has at least three cells", n + 1));
            continue;
        };
        if *shown == "Shown by" {
            continue;
        }
        let works = cells[cells.len() - 2];
        if !["yes", "partly", "no"].iter().any(|w| works.starts_with(w)) {
            findings.push(format!("line {}: neither yes, partly nor no: {works}", n + 1));
        }
        if works.starts_with("yes") && quoted(shown).next().is_none() {
            findings.push(format!("line {}: nothing shows it", n + 1));
        }
        for name in quoted(shown) {
            let exists = if let Some(target) = name.strip_prefix("make ") {
                makefile.lines().any(|l| l.starts_with(&format!("{target}:")))
            } else if name.contains('/') {
                root().join(name).exists()
            } else {
                tests.contains(name)
            };
            if !exists {
                findings.push(format!("line {}: {name} does not exist", n + 1));
            }
        }
    }
    findings
}

#[test]
fn every_test_that_the_table_of_features_names_exists() {
    let tests = tests();
    assert!(tests.len() > 500, "{} tests found", tests.len());
    let findings = examine(&read("ports/docs/features.md"), &tests);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn a_row_of_the_table_is_judged() {
    let tests = BTreeSet::from(["a_test".to_owned()]);
    let fine = "| What | Works | Shown by |\n|---|---|---|\n| a | yes | `a_test`, `make test`, `tests/c/run.sh` |\n| b | no | |\n";
    assert_eq!(examine(fine, &tests), Vec::<String>::new());
    for wrong in [
        "| a | yes | `another_test` |",
        "| a | yes | `make tea` |",
        "| a | yes | `tests/none.rs` |",
        "| a | yes | |",
        "| a | perhaps | `a_test` |",
        "| a | `a_test` |",
    ] {
        assert_eq!(examine(wrong, &tests).len(), 1, "{wrong}");
    }
}

#[test]
fn every_quirk_has_its_row_in_the_table_of_features() {
    let page = read("ports/docs/features.md");
    let rows = page.lines().filter_map(|l| l.strip_prefix("| ")?.split(" | ").next()?.parse::<usize>().ok());
    assert_eq!(rows.collect::<Vec<_>>(), (1..=QUIRKS).collect::<Vec<_>>());
}

#[test]
fn every_name_of_a_codec_stands_in_the_table_of_features() {
    let page = read("ports/docs/features.md");
    let known: BTreeSet<String> = quoted(&page).map(str::to_uppercase).collect();
    let mut files = Vec::new();
    collect(&root().join("src/codec"), ".rs", &mut files);
    let mut names = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).unwrap();
        for list in text.split(": &[&str] = &[").skip(1) {
            let list = list.split(']').next().unwrap();
            names.extend(list.split('"').skip(1).step_by(2).map(|n| n.trim_end_matches('-').to_uppercase()));
        }
    }
    assert!(names.len() > 40, "{} names found", names.len());
    names.retain(|n| !known.contains(n));
    assert!(names.is_empty(), "not in the table: {names:?}");
}

#[test]
fn c_code_in_the_guides_is_code_that_is_compiled() {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut files = Vec::new();
    for folder in ["examples", "ports", "tests/c"] {
        collect(&root().join(folder), ".c", &mut files);
    }
    let code: Vec<String> = files.iter().map(|f| squeezed(&fs::read_to_string(f).unwrap())).collect();
    let mut guides = Vec::new();
    collect(&root().join("ports/docs"), ".md", &mut guides);
    let mut blocks = 0;
    for guide in guides {
        let page = fs::read_to_string(&guide).unwrap();
        for block in page.split("```c\n").skip(1) {
            let block = squeezed(block.split("```").next().unwrap());
            assert!(code.iter().any(|c| c.contains(&block)), "{}: {block}", guide.display());
            blocks += 1;
        }
    }
    assert!(blocks >= 3, "{blocks} blocks found");
}

/// Where the links of a page lead, those to other machines left out.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://")).collect()
}

#[test]
fn links_lead_somewhere_and_those_of_the_guides_in_a_release_as_well() {
    assert_eq!(links("[a](b.md) `f(x)` [c](d/#e), [f](#g) ![h](https://i/j)"), ["b.md", "d/"]);
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(|n| root().join(n)).into();
    for folder in ["ports", "tests", "examples"] {
        collect(&root().join(folder), ".md", &mut pages);
    }
    let mut broken = Vec::new();
    for page in &pages {
        for target in links(&fs::read_to_string(page).unwrap()) {
            // There, docs lie beside the ports and nothing else.
            let left_out = page.starts_with(root().join("ports/docs")) && target.starts_with("../..");
            if left_out || !page.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(pages.len() > 20, "{} pages found", pages.len());
    assert!(broken.is_empty(), "{broken:#?}");
}
