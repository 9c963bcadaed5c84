//! What stays of a channel: media files with an index, and the two manifests.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::level::Level;
use crate::media::boxes::{Writer, write_box};

/// A media file while it is written.
#[derive(Debug)]
pub struct MediaWriter {
    /// For readers too.
    pub file: Arc<File>,
    part: PathBuf,
    /// Its name once it is complete, in the same directory.
    pub name: String,
    at: u64,
}

impl MediaWriter {
    /// Starts `NAME_ID.ismv` with the head of a stream.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(dir: &Path, name: &str, id: &str, moov: &[u8]) -> Result<Self> {
        let name = format!("{name}_{id}.ismv");
        let part = dir.join(format!("{name}.part"));
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&part);
        let file = open.with_context(|| part.display().to_string())?;
        let mut writer = Self { file: Arc::new(file), part, name, at: 0 };
        let mut brands = Writer::new();
        brands.bytes(b"isml").u32(1).bytes(b"isml").bytes(b"piff").bytes(b"iso2");
        writer.put(&write_box(*b"ftyp", &brands.done()))?;
        writer.put(moov)?;
        Ok(writer)
    }

    /// Appends, and says where.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&mut self, bytes: &[u8]) -> Result<u64> {
        let at = self.at;
        (&*self.file).write_all(bytes).with_context(|| self.part.display().to_string())?;
        self.at += bytes.len() as u64;
        Ok(at)
    }

    /// Writes the index of these levels and gives the file its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish<'a>(&mut self, levels: impl Iterator<Item = &'a Level>) -> Result<()> {
        let mut index = Vec::new();
        for level in levels {
            let mut tfra = Writer::new();
            tfra.u32(1 << 24).u32(level.track.id).u32(0).u32(u32::try_from(level.out.len())?);
            for out in &level.out {
                tfra.u64(out.time).u64(out.offset).u8(1).u8(1).u8(1);
            }
            index.extend(write_box(*b"tfra", &tfra.done()));
        }
        let mut size = Writer::new();
        size.u32(0).u32(u32::try_from(index.len() + 8 + 16)?);
        index.extend(write_box(*b"mfro", &size.done()));
        self.put(&write_box(*b"mfra", &index))?;
        let whole = self.part.with_extension("");
        fs::rename(&self.part, &whole).with_context(|| whole.display().to_string())
    }
}

/// The first of NAME, NAME_2, NAME_3... of which nothing is there.
pub fn free_name(dir: &Path, name: &str) -> String {
    let taken = |name: &str| {
        let listing = fs::read_dir(dir).into_iter().flatten().flatten();
        listing.map(|entry| entry.file_name().to_string_lossy().into_owned()).any(|found| {
            let rest = found.strip_prefix(name).unwrap_or("-");
            rest == ".ism" || rest == ".ismc" || rest.starts_with('_') && rest.contains(".ismv")
        })
    };
    let mut names = std::iter::once(name.to_owned()).chain((2_u32..).map(|count| format!("{name}-{count}")));
    names.find(|name| !taken(name)).unwrap_or_else(|| name.to_owned())
}
