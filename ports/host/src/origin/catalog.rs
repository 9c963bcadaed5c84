//! What a directory holds: presentations by their server manifests, by their media files alone, or as plain trees.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::media::ism::ServerManifest;
use crate::media::ismc::{self, Timeline};
use crate::media::presentation::Presentation;
use crate::media::text;

/// How many directories deep presentations are looked for.
const DEEPEST: usize = 4;

/// Everything this origin serves.
#[derive(Debug, Default)]
pub struct Catalog {
    pub publications: Vec<Publication>,
    pub trees: Vec<Tree>,
    /// Sentences about what was left out or looks wrong.
    pub warnings: Vec<String>,
}

/// A presentation under its URL.
#[derive(Debug)]
pub struct Publication {
    /// The path of its URL, decoded, up to and with `NAME.ism`.
    pub path: String,
    /// The client manifest: UTF-8 text if made, else the bytes of the file.
    pub manifest: Vec<u8>,
    pub presentation: Arc<Presentation>,
}

/// A directory that holds `Manifest` and `QualityLevels(...)/Fragments(...)` as files.
#[derive(Debug)]
pub struct Tree {
    /// The path of its URL, decoded, without a slash at its end.
    pub path: String,
    pub dir: PathBuf,
}

impl Catalog {
    /// Looks for presentations in `dir` and the directories in it.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn scan(dir: &Path) -> Result<Self> {
        let mut catalog = Self::default();
        let root = dir.canonicalize().with_context(|| dir.display().to_string())?;
        let mut waiting = vec![(root, String::new(), 0)];
        while let Some((dir, path, depth)) = waiting.pop() {
            let listing = match list(&dir) {
                Ok(listing) => listing,
                Err(error) if depth > 0 => {
                    catalog.warnings.push(format!("{}: {error}", dir.display()));
                    continue;
                }
                Err(error) => return Err(error).with_context(|| dir.display().to_string()),
            };
            catalog.directory(&dir, &path, &listing);
            if depth < DEEPEST {
                let inner =
                    listing.iter().filter(|entry| entry.is_dir && !entry.name.starts_with("QualityLevels("));
                waiting.extend(
                    inner.map(|entry| (dir.join(&entry.name), format!("{path}/{}", entry.name), depth + 1)),
                );
            }
        }
        catalog.publications.sort_by(|a, b| a.path.cmp(&b.path));
        catalog.trees.sort_by(|a, b| a.path.cmp(&b.path));
        for publication in &catalog.publications {
            let warnings = publication.presentation.warnings.iter();
            catalog.warnings.extend(warnings.map(|warning| format!("{}: {warning}", publication.path)));
        }
        if catalog.publications.is_empty() && catalog.trees.is_empty() {
            catalog.warnings.push(format!("{}: no .ism, .ismv, .isma or Manifest in it yet", dir.display()));
        }
        Ok(catalog)
    }

    /// The URL path of every manifest, percent-encoded.
    pub fn manifests(&self) -> impl Iterator<Item = String> {
        let published = self.publications.iter().map(|publication| &publication.path);
        let trees = self.trees.iter().map(|tree| &tree.path);
        published.chain(trees).map(|path| format!("{}/Manifest", encode(path)))
    }

    fn directory(&mut self, dir: &Path, path: &str, listing: &[Entry]) {
        if listing.iter().any(|entry| !entry.is_dir && entry.name == "Manifest") {
            self.trees.push(Tree { path: path.to_owned(), dir: dir.to_owned() });
        }
        let files = |extensions: &'static [&'static str]| {
            let has = |name: &str| {
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                extensions.iter().any(|wanted| extension.eq_ignore_ascii_case(wanted))
            };
            listing.iter().filter(move |entry| !entry.is_dir && has(&entry.name)).map(|entry| &entry.name)
        };
        let servers: Vec<_> = files(&["ism", "isml"]).collect();
        for name in &servers {
            let published = by_server_manifest(dir, name);
            self.publish(format!("{path}/{name}"), published);
        }
        let media: Vec<_> = files(&["ismv", "isma", "ismt"]).map(|name| dir.join(name)).collect();
        if servers.is_empty() && !media.is_empty() {
            let name = dir.file_name().map_or("media".into(), |name| name.to_string_lossy());
            let published = Presentation::from_files(&media).and_then(made);
            self.publish(format!("{path}/{name}.ism"), published);
        }
    }

    fn publish(&mut self, path: String, published: Result<(Vec<u8>, Presentation)>) {
        match published {
            Ok((manifest, presentation)) => {
                self.publications.push(Publication { path, manifest, presentation: Arc::new(presentation) })
            }
            Err(error) => self.warnings.push(format!("{path} left out: {error:#}")),
        }
    }
}

/// The client manifest and presentation a server manifest names.
fn by_server_manifest(dir: &Path, name: &str) -> Result<(Vec<u8>, Presentation)> {
    let server = ServerManifest::parse(&fs::read(dir.join(name))?)?;
    let presentation = Presentation::from_ism(&server, dir)?;
    if let Some(client) = &server.client {
        let path = dir.join(client);
        if path.is_file() {
            let manifest = fs::read(&path)?;
            text::decode(&manifest).with_context(|| client.clone())?;
            return Ok((manifest, presentation));
        }
    }
    made(presentation)
}

fn made(presentation: Presentation) -> Result<(Vec<u8>, Presentation)> {
    Ok((ismc::write(&presentation, Timeline::Runs)?.into_bytes(), presentation))
}

struct Entry {
    name: String,
    is_dir: bool,
}

/// What lies in a directory, by name; hidden files and names that are not Unicode left out.
fn list(dir: &Path) -> Result<Vec<Entry>> {
    let mut listing = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let Ok(metadata) = fs::metadata(&path) else { continue };
        listing.push(Entry { name: name.to_owned(), is_dir: metadata.is_dir() });
    }
    listing.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

/// Percent-encodes what cannot stand in a path; parentheses, equals signs and commas can.
pub fn encode(path: &str) -> String {
    const LEAVE: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'`')
        .add(b'{')
        .add(b'}');
    percent_encoding::utf8_percent_encode(path, LEAVE).to_string()
}
