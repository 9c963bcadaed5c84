//! Outputs of a session as structs of C.

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK};
use super::media::{
    SMOOTHCORE_OUTPUT_CANCEL, SMOOTHCORE_OUTPUT_CAPABILITY, SMOOTHCORE_OUTPUT_CAPTIONS,
    SMOOTHCORE_OUTPUT_CONFIGURE, SMOOTHCORE_OUTPUT_DECRYPT, SMOOTHCORE_OUTPUT_END_OF_STREAM,
    SMOOTHCORE_OUTPUT_EVENT, SMOOTHCORE_OUTPUT_FLUSH, SMOOTHCORE_OUTPUT_IDLE, SMOOTHCORE_OUTPUT_PROTECTION,
    SMOOTHCORE_OUTPUT_RATE, SMOOTHCORE_OUTPUT_REQUEST, SMOOTHCORE_OUTPUT_SAMPLE, smoothcore_output,
};
use super::session::Body;
use super::types::SMOOTHCORE_NO_TIME_US;
use super::{fill, protection, record, tracks};
use crate::error::Error;
use crate::io::{Output, RequestId};
use crate::session::State;

impl Body {
    /// The next output and the result that goes with it.
    pub(super) fn next(&mut self) -> (smoothcore_output, i32) {
        let mut out: smoothcore_output = record::blank();
        let mut broken = None;
        let mut idle = false;
        let framing = self.session.config().decoder.framing;
        match self.session.poll() {
            Output::Request(request) => match fill::request(&request, &mut self.url) {
                Ok(request) => {
                    self.request = request;
                    out.kind = SMOOTHCORE_OUTPUT_REQUEST;
                    out.request_info = &raw const self.request;
                }
                Err(code) => broken = Some(code),
            },
            Output::Cancel(RequestId(id)) => {
                out.kind = SMOOTHCORE_OUTPUT_CANCEL;
                out.request = id;
            }
            Output::Configure(configure) => {
                self.setup = fill::setup(&configure, &mut self.codec, &mut self.key);
                out.kind = SMOOTHCORE_OUTPUT_CONFIGURE;
                out.setup = &raw const self.setup;
            }
            Output::Sample(sample) => match fill::sample(&sample, &mut self.parts, &mut self.protection) {
                Ok(sample) => {
                    self.sample = sample;
                    out.kind = SMOOTHCORE_OUTPUT_SAMPLE;
                    out.sample = &raw const self.sample;
                }
                Err(code) => broken = Some(code),
            },
            Output::Protection(offer) if cfg!(feature = "protection") => {
                self.offer = protection::offer(&offer);
                out.kind = SMOOTHCORE_OUTPUT_PROTECTION;
                out.offer = &raw const self.offer;
            }
            Output::Decrypt(mut sample) if cfg!(feature = "protection") => {
                out.stream = sample.stream.0.into();
                self.decrypt = protection::decrypt(&mut sample, &mut self.protection);
                out.kind = SMOOTHCORE_OUTPUT_DECRYPT;
                out.decrypt = &raw const self.decrypt;
            }
            Output::Capability(candidate) if cfg!(feature = "capabilities") => {
                out.stream = candidate.stream.0.into();
                self.candidate = protection::candidate(&candidate, framing, &mut self.setup, &mut self.codec);
                out.kind = SMOOTHCORE_OUTPUT_CAPABILITY;
                out.candidate = &raw const self.candidate;
            }
            Output::Captions(captions) if cfg!(feature = "text") => {
                self.captions = tracks::captions(&captions);
                out.kind = SMOOTHCORE_OUTPUT_CAPTIONS;
                out.captions = &raw const self.captions;
            }
            Output::Rate(rate) => {
                out.kind = SMOOTHCORE_OUTPUT_RATE;
                out.rate = fill::rate(rate);
            }
            Output::Flush(stream, epoch) => {
                out.kind = SMOOTHCORE_OUTPUT_FLUSH;
                (out.stream, out.epoch) = (u32::from(stream.0), epoch.0);
            }
            Output::EndOfStream(stream, epoch) => {
                out.kind = SMOOTHCORE_OUTPUT_END_OF_STREAM;
                (out.stream, out.epoch) = (u32::from(stream.0), epoch.0);
            }
            Output::Event(event) => {
                self.event = fill::event(&event);
                out.kind = SMOOTHCORE_OUTPUT_EVENT;
                out.event = &raw const self.event;
            }
            // Of features that this build has not.
            Output::Protection(_) | Output::Decrypt(_) | Output::Capability(_) | Output::Captions(_) => {}
            Output::Idle(until) => {
                out.kind = SMOOTHCORE_OUTPUT_IDLE;
                out.deadline_us = until.map_or(SMOOTHCORE_NO_TIME_US, |at| at.0);
                idle = true;
            }
        }
        if let Some(code) = broken {
            self.session.abort(Error::from(code));
            out.deadline_us = SMOOTHCORE_NO_TIME_US;
            return (out, code.number());
        }
        let result = match self.session.state() {
            State::Failed(error) if idle => error.code.number(),
            State::Ended if idle => SMOOTHCORE_END,
            _ => SMOOTHCORE_OK,
        };
        (out, result)
    }
}
