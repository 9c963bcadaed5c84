//! Presentations on disk, as one more HTTP port: no server, the same session.
//!
//! [`Local`] opens an `.ism`, an `.ismc`, or a single `.ismv` or `.isma` on a seekable [`Source`], and answers the requests
//! of a session the way a server of these files would. Give it to a [`crate::player::Player`] as its HTTP port, open
//! the presentation here, then play [`URL`].
//!
//! * The **client manifest** is the `.ismc` that the `.ism` names, or else the one of the same name. When there is
//!   none, it is made of the server manifest, the `moov` of each file and the index of its fragments, in pieces.
//! * A **fragment** is found as the `.ism` says: bitrate, stream name and custom attributes of the URL give file and
//!   track, the file's index the fragment that starts exactly then. Its bytes, from `moof` to the end of `mdat`, go
//!   straight into the caller's buffer. Whatever is not there is a 404.
//! * A file **without index** (its encoder crashed) is read once from `moof` to `moof`, which may take a while on a slow
//!   disk, and takes three to five bytes of memory a fragment.
//! * An `.ismc` without its `.ism` is passed over for the `.ismv` or `.isma` of the same name.
//!
//! Names inside a presentation are refused when they leave its directory.

mod catalog;
mod files;
mod index;
mod media;
mod serve;
mod smil;
mod write;

use crate::error::{Code, Error, Result};
use crate::io::RequestId;
use crate::limits::Limits;
use crate::mem::{Account, List, Text};
use crate::port::Source;
use crate::xml::Parser;

use catalog::{Catalog, beside, decoded};
use files::{FileId, Files, Got, PAGE, Stop};
use index::{FileIndex, ends_all};
use media::{Header, Look};
use serve::Exchange;
use smil::{Reader, Smil};
use write::Writer;

/// What to open in the session once [`Local::open`] has succeeded: a name for whatever was opened. No such host is asked.
pub const URL: &str = "http://local/presentation.ism/Manifest";

/// Exchanges at once.
const MOST: usize = 32;
/// Bytes of the server manifest read at a time.
const PIECE: usize = 512;

/// A presentation on a [`Source`].
pub struct Local<S: Source> {
    files: Files<S>,
    account: Account,
    limits: Limits,
    /// What was opened.
    name: Text,
    load: Load,
    /// One, while the server manifest is read: on the heap, because it is large.
    parser: List<Parser>,
    smil: Smil,
    catalog: Catalog,
    indexes: List<FileIndex>,
    /// What files say to protection systems.
    headers: List<Header>,
    exchanges: List<Exchange>,
    /// Who looks into the files: one at a time, since there is one window.
    busy: Option<RequestId>,
    writer: Writer,
}

/// How far opening is.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// Nothing was opened.
    Closed,
    /// The server manifest is read up to this byte.
    Server(u64),
    /// The nth place where the client manifest may be is looked at.
    Client(u32),
    /// No server manifest: the nth file that may hold everything is looked at.
    Only(u32, Look),
    /// What the client manifest must say of the nth track is looked up.
    Track(usize, Look),
    /// Done.
    Ready(ClientManifest),
    /// It cannot be opened.
    Failed(Error),
}

/// Where the client manifest comes from.
#[derive(Clone, Copy, Debug)]
enum ClientManifest {
    File(FileId),
    Written,
}

/// What was opened, by the end of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Server,
    Client,
    Media,
}

impl<S: Source> Local<S> {
    /// Nothing yet, on `source`, under `limits`. Never holds more than `budget` bytes: what the server manifest says, a
    /// window of 2 KiB (while it is looked at, a whole `moov` or `moof`), and the index of files that have none. 64 KiB
    /// do for most.
    pub fn new(source: S, limits: &Limits, budget: usize) -> Local<S> {
        Local {
            files: Files::new(source),
            account: Account::new(budget),
            limits: limits.clamped(),
            name: Text::new(),
            load: Load::Closed,
            parser: List::new(),
            smil: Smil::default(),
            catalog: Catalog::default(),
            indexes: List::new(),
            headers: List::new(),
            exchanges: List::new(),
            busy: None,
            writer: Writer::default(),
        }
    }

    /// Opens the presentation `name`: a name the source knows, or a `file:` URL, whose path counts. With a source that
    /// answers at once, all there is to know is known afterwards; otherwise looking goes on when the manifest is asked for.
    ///
    /// # Errors
    /// [`Code::State`] when opened before; [`Code::NoFile`]; what the source says; for a server manifest that cannot be
    /// read, the codes of [`Parser::feed`], [`Code::ManifestNotSmooth`], [`Code::ManifestNothingPlayable`] when nothing
    /// in it can be played, [`Code::LimitManifestBytes`], [`Code::LimitStreams`]; for a single media file
    /// [`Code::BoxInvalid`] and the limits; [`Code::UrlInvalid`], [`Code::LimitUrl`]; [`Code::Budget`]; [`Code::NoMemory`].
    pub fn open(&mut self, name: &str) -> Result<()> {
        if !matches!(self.load, Load::Closed) {
            return Err(Code::State.into());
        }
        if name.len() > self.limits.url_bytes as usize {
            return Err(Code::LimitUrl.into());
        }
        self.name = path_of(&mut self.account, name)?;
        self.load = match opened(&self.name) {
            Opened::Server | Opened::Client => Load::Server(0),
            Opened::Media => Load::Only(0, Look::default()),
        };
        match self.load() {
            Ok(_) | Err(Stop::Pending) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// What the server manifest says of the presentation: names (`title`, `description`, `creator`, ...) and values, in
    /// its order, as far as it has been read.
    pub fn metadata(&self) -> &[(Text, Text)] {
        &self.catalog.metadata
    }

    /// Whether the presentation is known as far as it can be.
    pub const fn is_ready(&self) -> bool {
        matches!(self.load, Load::Ready(_))
    }

    /// The source.
    pub const fn source(&mut self) -> &mut S {
        self.files.source()
    }

    /// Bytes of memory held now.
    pub const fn held(&self) -> usize {
        self.account.held()
    }

    /// The most bytes ever held.
    pub const fn peak(&self) -> usize {
        self.account.peak()
    }

    /// Opens as far as the source has the bytes.
    fn load(&mut self) -> Got<ClientManifest> {
        // Each round ends a stage, or takes a piece of a document or a box of a file.
        loop {
            let next = match self.load {
                Load::Closed => return Err(Error::from(Code::State).into()),
                Load::Ready(client) => return Ok(client),
                Load::Failed(error) => return Err(error.into()),
                Load::Server(at) => self.load_server(at),
                Load::Client(nth) => self.load_client(nth),
                Load::Only(nth, look) => self.load_only(nth, look),
                Load::Track(nth, look) => self.load_track(nth, look),
            };
            self.load = match next {
                Ok(next) => next,
                Err(Stop::Pending) => return Err(Stop::Pending),
                Err(Stop::Failed(error)) => Load::Failed(error),
            };
            if matches!(self.load, Load::Ready(_) | Load::Failed(_)) {
                self.files.shrink(&mut self.account);
                self.stop_parsing();
            }
        }
    }

    /// Reads a piece of the server manifest.
    fn load_server(&mut self, at: u64) -> Got<Load> {
        let client_was_opened = opened(&self.name) == Opened::Client;
        let file = self.file_with_ending(".ism")?;
        let size = match self.files.open(file) {
            Err(Stop::Failed(error)) if error.code == Code::NoFile && client_was_opened => {
                return Ok(Load::Only(1, Look::default()));
            }
            size => size?,
        };
        if size > self.limits.manifest_bytes {
            return Err(Error::at(Code::LimitManifestBytes, "smil", self.limits.manifest_bytes).into());
        }
        if self.parser.is_empty() {
            self.parser.reserve_exact(&mut self.account, 1)?;
            self.parser.push(&mut self.account, Parser::new(&self.limits))?;
        }
        let Local { files, account, limits, catalog, smil, parser, .. } = self;
        let parser = parser.first_mut().ok_or(Error::from(Code::State))?;
        if at < size {
            let want = size.saturating_sub(at).min(PIECE as u64) as usize;
            // A copy, because the parser charges the account that the window is charged to.
            let mut piece = [0u8; PIECE];
            let bytes = files.peek(account, file, at, want, PAGE)?;
            for (to, from) in piece.iter_mut().zip(bytes) {
                *to = *from;
            }
            let mut reader = Reader { account, limits, catalog, smil };
            parser.feed(piece.get(..want).unwrap_or(&[]), &mut reader)?;
            return Ok(Load::Server(at.saturating_add(want as u64)));
        }
        parser.finish()?;
        self.stop_parsing();
        self.find_files()?;
        Ok(Load::Client(0))
    }

    fn stop_parsing(&mut self) {
        if let Some(parser) = self.parser.first_mut() {
            parser.free(&mut self.account);
        }
        self.parser.free(&mut self.account);
        self.smil.free(&mut self.account);
    }

    /// Gives every track its file.
    fn find_files(&mut self) -> Result<()> {
        let Local { files, account, limits, name, catalog, .. } = self;
        for track in catalog.tracks.iter_mut().filter(|track| track.fault.is_none()) {
            let mut path = beside(account, limits, name, &track.source)?;
            let file = files.named(account, &path);
            path.free(account);
            track.file = Some(file?);
        }
        if catalog.tracks.iter().all(|track| track.fault.is_some()) {
            let first = catalog.tracks.iter().find_map(|track| track.fault);
            let place = first.map_or("smil", |fault| fault.place.at);
            return Err(Error::at(Code::ManifestNothingPlayable, place, 0));
        }
        Ok(())
    }

    /// Looks for the client manifest: what was opened, what the server manifest names, what has the same name.
    fn load_client(&mut self, nth: u32) -> Got<Load> {
        let named = nth == 0 && opened(&self.name) == Opened::Server;
        let file = if named {
            let Local { files, account, limits, name, catalog, .. } = self;
            match beside(account, limits, name, &catalog.client) {
                Ok(mut path) => {
                    let file = files.named(account, &path);
                    path.free(account);
                    file?
                }
                Err(error) if ends_all(error) => return Err(error.into()),
                Err(_) => return Ok(Load::Client(1)),
            }
        } else {
            self.file_with_ending(".ismc")?
        };
        match self.files.open(file) {
            Ok(_) => Ok(Load::Ready(ClientManifest::File(file))),
            Err(Stop::Failed(error)) if error.code == Code::NoFile => {
                Ok(if named { Load::Client(1) } else { Load::Track(0, Look::default()) })
            }
            Err(stop) => Err(stop),
        }
    }

    /// The file of the name that was opened, but for its ending.
    fn file_with_ending(&mut self, ending: &str) -> Result<FileId> {
        let Local { files, account, name, .. } = self;
        let own = match ending {
            ".ism" => opened(name) == Opened::Server,
            ".ismc" => opened(name) == Opened::Client,
            _ => opened(name) == Opened::Media,
        };
        if own {
            return files.named(account, name);
        }
        let stem = name.bytes().rposition(|b| b == b'.').unwrap_or(name.len());
        let mut path = Text::from(account, name.get(..stem).unwrap_or(""))?;
        let file = path.push(account, ending).and_then(|()| files.named(account, &path));
        path.free(account);
        file
    }

    /// The index of a file, which is made when it is asked for first.
    fn index_of(indexes: &mut List<FileIndex>, account: &mut Account, file: FileId) -> Result<usize> {
        match indexes.iter().position(|index| index.file == file) {
            Some(at) => Ok(at),
            None => {
                indexes.push(account, FileIndex::new(file))?;
                Ok(indexes.len().saturating_sub(1))
            }
        }
    }
}

impl<S: Source> core::fmt::Debug for Local<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Local").field("held", &self.held()).finish_non_exhaustive()
    }
}

/// Whether `name` is a path or a `file:` URL rather than the URL of a server.
pub fn is_local(name: &str) -> bool {
    let scheme = name.as_bytes().windows(3).any(|w| w == b"://");
    !scheme || after_scheme(name).is_some()
}

/// What follows `file:`.
fn after_scheme(name: &str) -> Option<&str> {
    let (scheme, rest) = name.split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("file:").then_some(rest)
}

/// The path that `name` stands for. RFC 8089.
fn path_of(account: &mut Account, name: &str) -> Result<Text> {
    let Some(rest) = after_scheme(name) else { return Text::from(account, name) };
    let path = match rest.strip_prefix("//") {
        None => rest,
        // Behind the host, which can only be this one.
        Some(rest) => match rest.strip_prefix("localhost").unwrap_or(rest) {
            path if path.starts_with('/') => path,
            _ => return Err(Code::UrlRefused.into()),
        },
    };
    let mut bytes = crate::mem::Bytes::new();
    bytes.reserve_exact(account, path.len())?;
    for byte in decoded(path.as_bytes()) {
        bytes.push(account, byte)?;
    }
    let text = match core::str::from_utf8(&bytes) {
        Ok(text) if !text.bytes().any(|b| b == 0) => Text::from(account, text),
        _ => Err(Code::UrlInvalid.into()),
    };
    bytes.free(account);
    text
}

fn opened(name: &str) -> Opened {
    let ends = |ending: &str| {
        let at = name.len().saturating_sub(ending.len());
        name.as_bytes().get(at..).is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
    };
    match () {
        () if ends(".ism") => Opened::Server,
        () if ends(".ismc") => Opened::Client,
        () => Opened::Media,
    }
}
