//! Writes a media file anew: each fragment of one track alone, counted from its own start, perhaps encrypted, and an index
//! at the end.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::boxes::{Boxes, Writer, need, write_box, write_uuid};
use super::codec::{AUDIO_FIELDS, VIDEO_FIELDS};
use super::file::{Fragment, MediaFile};
use super::fragment::{Sample, TFXD};
use super::protect::{Extra, Lock, Protector};
use super::track::{Kind, Track};

/// Writes `file` to `to`.
///
/// # Errors
/// When it cannot be read or written, or is already protected.
pub fn remake(file: &MediaFile, protector: Option<&Protector>, to: &Path) -> Result<()> {
    write(file, protector, to).with_context(|| to.display().to_string())
}

fn write(file: &MediaFile, protector: Option<&Protector>, to: &Path) -> Result<()> {
    let mut out = Counted { file: BufWriter::new(File::create(to)?), at: 0 };
    let mut brands = Writer::new();
    brands.bytes(b"isml").u32(1).bytes(b"isml").bytes(b"piff").bytes(b"iso2");
    out.put(&write_box(*b"ftyp", &brands.done()))?;
    out.put(&moov(file, protector)?)?;

    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let mut locks: Vec<_> = file
        .tracks
        .iter()
        .map(|(track, _)| {
            let protector = protector.filter(|_| track.kind != Kind::Text);
            protector.map(|protector| Lock::new(protector, track, &name))
        })
        .collect();
    let mut order = Vec::new();
    for (slot, (_, fragments)) in file.tracks.iter().enumerate() {
        order.extend(fragments.iter().enumerate().map(|(index, fragment)| (fragment.offset, slot, index)));
    }
    order.sort_unstable();
    let mut places: Vec<Vec<(u64, u64)>> = vec![Vec::new(); file.tracks.len()];
    for (sequence, (_, slot, index)) in (1..).zip(order) {
        let (track, fragments) = &file.tracks[slot];
        places[slot].push((fragments[index].time, out.at));
        let bytes = fragment(file, slot, track, index, &fragments[index], sequence, locks[slot].as_mut())?;
        out.put(&bytes)?;
    }
    out.put(&mfra(file, &places))?;
    out.file.flush()?;
    Ok(())
}

struct Counted {
    file: BufWriter<File>,
    at: u64,
}

impl Counted {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// The `moov` box, of the tracks kept.
fn moov(file: &MediaFile, protector: Option<&Protector>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for child in Boxes::new(&file.moov) {
        let (kind, content) = child?;
        match &kind {
            b"trak" => {
                let id = need(content, &[b"tkhd"])?;
                let at = if id.first() == Some(&1) { 20 } else { 12 };
                let id = id.get(at..at + 4).context("tkhd cut short")?;
                let known = file.tracks.iter().find(|(track, _)| track.id.to_be_bytes() == id);
                if let Some((track, _)) = known {
                    out.extend(write_box(kind, &trak(content, track, protector)?));
                }
            }
            b"pssh" => {}
            _ => out.extend(write_box(kind, content)),
        }
    }
    if let Some(protector) = protector {
        let fragments = file.tracks.iter().map(|(_, fragments)| fragments.len()).max().unwrap_or(0);
        out.extend(protector.header_box(&protector.header(fragments)?));
    }
    Ok(write_box(*b"moov", &out))
}

/// The content of `trak`, or of a box on the way down to the sample entries, which are changed.
fn trak(content: &[u8], track: &Track, protector: Option<&Protector>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for child in Boxes::new(content) {
        let (kind, content) = child?;
        match &kind {
            b"mdia" | b"minf" | b"stbl" => out.extend(write_box(kind, &trak(content, track, protector)?)),
            b"stsd" => out.extend(write_box(kind, &stsd(content, track, protector)?)),
            _ => out.extend(write_box(kind, content)),
        }
    }
    Ok(out)
}

fn stsd(content: &[u8], track: &Track, protector: Option<&Protector>) -> Result<Vec<u8>> {
    let (fields, entries) = content.split_at_checked(8).context("stsd cut short")?;
    let mut out = fields.to_vec();
    for entry in Boxes::new(entries) {
        let (kind, body) = entry?;
        ensure!(&kind != b"encv" && &kind != b"enca", "is protected already");
        let Some(protector) = protector.filter(|_| track.kind != Kind::Text) else {
            out.extend(write_box(kind, body));
            continue;
        };
        let (kind_now, fields) = match track.kind {
            Kind::Video => (*b"encv", VIDEO_FIELDS),
            Kind::Audio => (*b"enca", AUDIO_FIELDS),
            Kind::Text => continue,
        };
        ensure!(body.len() >= fields, "sample entry cut short");
        out.extend(write_box(kind_now, &[body, &protector.sinf(kind, track)].concat()));
    }
    Ok(out)
}

/// One `moof` with its `mdat`.
fn fragment(
    file: &MediaFile,
    slot: usize,
    track: &Track,
    index: usize,
    fragment: &Fragment,
    sequence: u32,
    lock: Option<&mut Lock>,
) -> Result<Vec<u8>> {
    let samples = file.samples(slot, fragment)?;
    let mut data = samples.iter().map(|sample| file.sample(sample)).collect::<Result<Vec<_>>>()?;
    let mut sequence_number = Writer::new();
    sequence_number.u32(0).u32(sequence);
    let mfhd = write_box(*b"mfhd", &sequence_number.done());
    let mut header = Writer::new();
    header.u32(0).u32(track.id);
    let mut absolute = Writer::new();
    absolute.u32(1 << 24).u64(fragment.time).u64(fragment.duration);
    let mut traf = [write_box(*b"tfhd", &header.done()), write_uuid(TFXD, &absolute.done())].concat();
    let trun_at = traf.len();
    traf.extend(trun(&samples, 0));
    let extra = match lock {
        Some(lock) => lock.close(index, &mut data, 8 + mfhd.len() + 8 + traf.len())?,
        None => Extra::default(),
    };
    traf.extend(&extra.traf);
    let size = 8 + mfhd.len() + 8 + traf.len() + extra.moof.len();
    // Now that it is known how far the data is.
    let run = trun(&samples, u32::try_from(size + 8)?);
    traf[trun_at..trun_at + run.len()].copy_from_slice(&run);
    let moof = write_box(*b"moof", &[mfhd, write_box(*b"traf", &traf), extra.moof].concat());
    ensure!(moof.len() == size, "moof came out in another size");
    Ok([moof, write_box(*b"mdat", &data.concat())].concat())
}

fn trun(samples: &[Sample], data_offset: u32) -> Vec<u8> {
    let signed = samples.iter().any(|sample| sample.composition < 0);
    let mut out = Writer::new();
    out.u32(u32::from(signed) << 24 | 0xf01).u32(samples.len() as u32).u32(data_offset);
    for sample in samples {
        out.u32(sample.duration).u32(sample.size).u32(sample.flags).u32(sample.composition as u32);
    }
    write_box(*b"trun", &out.done())
}

fn mfra(file: &MediaFile, places: &[Vec<(u64, u64)>]) -> Vec<u8> {
    let mut out = Vec::new();
    for ((track, _), places) in file.tracks.iter().zip(places) {
        let mut tfra = Writer::new();
        tfra.u32(1 << 24).u32(track.id).u32(0).u32(places.len() as u32);
        for (time, at) in places {
            tfra.u64(*time).u64(*at).u8(1).u8(1).u8(1);
        }
        out.extend(write_box(*b"tfra", &tfra.done()));
    }
    let mut size = Writer::new();
    size.u32(0).u32(out.len() as u32 + 8 + 16);
    out.extend(write_box(*b"mfro", &size.done()));
    write_box(*b"mfra", &out)
}

/// Where the new file goes: into `dir`, under the name of the old.
///
/// # Errors
/// When that is the old file.
pub fn place(old: &Path, dir: &Path) -> Result<std::path::PathBuf> {
    let known = old
        .extension()
        .is_some_and(|extension| ["ismv", "isma", "ismt"].iter().any(|known| extension == *known));
    let name = old.file_name().context("a file without a name")?;
    let new = dir.join(name);
    let new = if known { new } else { new.with_extension("ismv") };
    if new.canonicalize().is_ok_and(|new| new == old) {
        bail!("{}: would be written over; give -o another directory", old.display());
    }
    Ok(new)
}
