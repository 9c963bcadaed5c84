//! Captions, and what streams are for and known by.

use super::{Epoch, StreamId};
use crate::time::MediaTime;

/// Captions that travel inside the picture stream: CEA-608 and 708 as ATSC A/53 carries them.
#[derive(Clone, Copy, Debug)]
pub struct Captions<'a> {
    /// The video stream.
    pub stream: StreamId,
    /// Older epochs are stale.
    pub epoch: Epoch,
    /// When the picture that carries them is shown. They come in decoding order: sort by this before use.
    pub pts: MediaTime,
    /// The `cc_data()` of ATSC A/53 part 4, from its first byte; emulation prevention is undone.
    pub data: &'a [u8],
}

/// What a stream is for, by its `Subtype`. Numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u32)]
pub enum Role {
    /// What the programme consists of, or nothing special: pictures, sound, a text that says nothing of itself.
    Main = 0,
    /// `SUBT`: subtitles in another language.
    Subtitles = 1,
    /// `CAPT`: captions for the hard of hearing.
    Captions = 2,
    /// `DESC`: description of what is to be heard or seen.
    Description = 3,
    /// `CHAP`: chapters.
    Chapters = 4,
    /// `SCMD`: script commands.
    Script = 5,
    /// `ADI3`, `ADVT`: advertisement markers.
    Ads = 6,
    /// `CTRL`: control events.
    Control = 7,
    /// `DATA`: application data.
    Data = 8,
    /// Pictures for fast play.
    TrickMode = 9,
}

/// What a stream is recognised by, however often and in whatever order the manifest is read: a hash of its kind, name,
/// language and place among its equals. The same in every session and build.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TrackId(pub u64);
