//! The core's decoder trait over C's table.

use core::ffi::c_void;

use super::codes::{SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::fill::{self, CodecName};
use super::media::{smoothcore_buffered, smoothcore_sample, smoothcore_setup};
use super::ports::smoothcore_decoder_port;
use super::protection::{self, ProtectionScratch, smoothcore_candidate};
use super::record;
use super::scratch::{PartList, Reserve};
use super::tracks::{self, smoothcore_captions};
use super::types::SMOOTHCORE_NO_TIME;
use crate::error::Code;
use crate::io::{
    Buffered, Candidate, Capable, Captions, Configure, Configured, DecoderTraits, Epoch, Rate, Sample,
    StreamId,
};
use crate::port::{Decoder, Submitted};

/// A decoder port of C's, complete.
pub(super) struct DecoderPort {
    traits: DecoderTraits,
    userdata: *mut c_void,
    configure: unsafe extern "C" fn(*mut c_void, *const smoothcore_setup) -> i32,
    submit: unsafe extern "C" fn(*mut c_void, *const smoothcore_sample) -> i32,
    status: unsafe extern "C" fn(*mut c_void, u32, *mut smoothcore_buffered) -> i32,
    flush: unsafe extern "C" fn(*mut c_void, u32, u32),
    end: Option<unsafe extern "C" fn(*mut c_void, u32, u32)>,
    rate: Option<unsafe extern "C" fn(*mut c_void, i32)>,
    can_play: Option<unsafe extern "C" fn(*mut c_void, *const smoothcore_candidate) -> i32>,
    captions: Option<unsafe extern "C" fn(*mut c_void, *const smoothcore_captions)>,
    parts: PartList,
    codec: CodecName,
    key: u64,
    protection: ProtectionScratch,
}

impl DecoderPort {
    /// # Errors
    /// [`Code::Argument`] for NULL, a missing function or a number out of range; [`Code::Abi`].
    ///
    /// # Safety
    /// `table` is NULL or as the header says.
    pub unsafe fn read(
        table: *const smoothcore_decoder_port,
        reserve: &Reserve,
    ) -> Result<DecoderPort, Code> {
        // SAFETY: the caller's promise.
        let table = unsafe { record::read(table) }?;
        let (Some(configure), Some(submit), Some(status), Some(flush)) =
            (table.configure, table.submit, table.status, table.flush)
        else {
            return Err(Code::Argument);
        };
        if table.reserved != 0 {
            return Err(Code::Argument);
        }
        Ok(DecoderPort {
            traits: fill::traits(table.framing, table.flags)?,
            userdata: table.userdata,
            configure,
            submit,
            status,
            flush,
            end: table.end,
            rate: table.rate,
            can_play: table.can_play,
            captions: table.captions,
            parts: PartList::new(reserve.parts),
            codec: [0; 40],
            key: 0,
            protection: record::blank(),
        })
    }
}

// Each unsafe block calls a function of the port with structs that live during the call: its own contract.
impl Decoder for DecoderPort {
    fn traits(&self) -> DecoderTraits {
        self.traits
    }

    fn configure(&mut self, configure: &Configure<'_>) -> Configured {
        let setup = fill::setup(configure, &mut self.codec, &mut self.key);
        // SAFETY: above.
        match unsafe { (self.configure)(self.userdata, &raw const setup) } {
            SMOOTHCORE_OK => Configured::Ok,
            SMOOTHCORE_WOULD_BLOCK => Configured::Later,
            _ => Configured::Refused,
        }
    }

    fn submit(&mut self, sample: &Sample<'_>) -> Result<Submitted, Code> {
        let sample = fill::sample(sample, &mut self.parts, &mut self.protection)?;
        // SAFETY: above.
        match unsafe { (self.submit)(self.userdata, &raw const sample) } {
            SMOOTHCORE_OK => Ok(Submitted::Accepted),
            SMOOTHCORE_WOULD_BLOCK => Ok(Submitted::Refused),
            i32::MIN..0 => Err(Code::DecoderFailed),
            _ => Err(Code::PortContract),
        }
    }

    fn status(&mut self, stream: StreamId) -> Buffered {
        let mut held = smoothcore_buffered { position: SMOOTHCORE_NO_TIME, ..record::blank() };
        // SAFETY: above.
        match unsafe { (self.status)(self.userdata, u32::from(stream.0), &raw mut held) } {
            SMOOTHCORE_OK => fill::buffered(&held),
            _ => Buffered::default(),
        }
    }

    fn flush(&mut self, stream: StreamId, epoch: Epoch) {
        // SAFETY: above.
        unsafe { (self.flush)(self.userdata, u32::from(stream.0), epoch.0) }
    }

    fn end(&mut self, stream: StreamId, epoch: Epoch) {
        if let Some(end) = self.end {
            // SAFETY: above.
            unsafe { end(self.userdata, u32::from(stream.0), epoch.0) }
        }
    }

    fn captions(&mut self, captions: &Captions<'_>) {
        if let Some(hear) = self.captions {
            let captions = tracks::captions(captions);
            // SAFETY: above.
            unsafe { hear(self.userdata, &raw const captions) }
        }
    }

    fn rate(&mut self, rate: Rate) {
        if let Some(tell) = self.rate {
            // SAFETY: above.
            unsafe { tell(self.userdata, fill::rate(rate)) }
        }
    }

    fn can_play(&mut self, candidate: &Candidate<'_>) -> Capable {
        let Some(ask) = self.can_play else { return Capable::Yes };
        let mut setup = record::blank();
        let asked = protection::candidate(candidate, self.traits.framing, &mut setup, &mut self.codec);
        // SAFETY: above.
        match unsafe { ask(self.userdata, &raw const asked) } {
            SMOOTHCORE_OK => Capable::Yes,
            _ => Capable::No,
        }
    }
}
