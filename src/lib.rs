//! SmoothCore: a Smooth Streaming client core for firmware.
//!
//! Smooth Streaming is Microsoft's HTTP adaptive streaming ([MS-SSTR]): one XML manifest, then fragmented-MP4
//! fragments asked for by bitrate and start time. This crate parses manifests, schedules fragments, switches bitrates
//! and hands samples to decoders. It reads no clock, opens no socket and starts no thread; it never holds more bytes
//! than its budget, and no input makes it panic. C programs use it through `include/smoothcore.h`.
//!
//! # What it is not
//!
//! No decoder, no renderer, no network stack and no DRM agent: those are the box's, behind the traits in [`port`]. Codecs are
//! described and framed, protected samples handed over with all that decrypting them takes, text brought in time; what is
//! made of them is the box's.
//!
//! Live presentations are followed by what their fragments announce; `ports/docs/live.md` is the guide to them.
//!
//! Not in this version: fast play, encryption of whole fragments instead of samples. Never: HLS and DASH.
//!
//! Presentations on disk need no server: `local` (a feature) answers a session's requests from `.ism`, `.ismv` and `.isma`.
//!
//! # Three ways to drive it
//!
//! * **Sans-IO**: a [`session::Session`] is told what happened and asked what to do. The host moves the bytes.
//! * **Event loop**: [`player::Player::step`] does what can be done against the ports and says when to call again.
//! * **Blocking**: [`player::Player::run`] plays to the end, [`player::Player::run_until`] to an instant or an interruption.
//!
//! The run loop of sans-IO, in full:
//!
//! ```
//! use smoothcore::io::{Configured, Input, Outcome, Output};
//! use smoothcore::session::{Config, Session, State};
//! use smoothcore::time::Instant;
//!
//! # fn get(_url: &str) -> &'static [u8] { b"<MPD/>" }
//! let mut session = Session::new(Config { seed: 1, ..Config::default() })?;
//! session.open(Instant(0), "http://example.com/film.ism/Manifest")?;
//! let mut now = 0;
//! while !matches!(session.state(), State::Ended | State::Failed(_)) {
//!     now += 10_000; // the host's clock, in microseconds
//!     let at = Instant(now);
//!     session.input(at, Input::Timeout);
//!     loop {
//!         match session.poll() {
//!             Output::Request(request) => {
//!                 let id = request.id;
//!                 let body = get(request.url); // a real host starts this and comes back with pieces
//!                 session.body(at, id, body);
//!                 session.input(at, Input::Finished(id, Outcome::Complete));
//!             }
//!             Output::Configure(setup) => {
//!                 let stream = setup.stream;
//!                 session.input(at, Input::Configured(stream, Configured::Ok));
//!             }
//!             Output::Sample(sample) => {
//!                 let stream = sample.stream; // decode sample.data here
//!                 session.input(at, Input::Accepted(stream));
//!             }
//!             Output::Idle(_) => break,
//!             _ => {}
//!         }
//!     }
//! }
//! # assert!(matches!(session.state(), State::Failed(_)));
//! # Ok::<(), smoothcore::error::Error>(())
//! ```
//!
//! # Words
//!
//! A *presentation* is one piece of content, one manifest URL. A *stream* is one `StreamIndex`, a *quality level* one
//! of its bitrates, a *fragment* one downloadable `moof` and `mdat` at a start time, the *timeline* the ordered list
//! of those, a *sample* one access unit. *Ticks* count in a stream's time scale, an [`time::Instant`] on the host's
//! clock. An *exchange* is one HTTP request and its response. [`limits::Limits`] are caps, the *budget* the bytes
//! that may be held.
//!
//! # Layers
//!
//! Modules use only those below them, which a test checks: units, errors, limits and memory; then inflate, XML, MP4,
//! codecs, protection and switching, which never see each other; then the manifest and the boundary ([`io`]); then the session and
//! the ports; then the player, the HTTP client and presentations on disk; then the C boundary.

#![no_std]
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![cfg_attr(feature = "capi", deny(unsafe_code))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod abr;
#[cfg(feature = "capi")]
#[allow(unsafe_code)]
pub mod capi;
pub mod codec;
pub mod decimal;
pub mod digits;
pub mod error;
#[cfg(feature = "http1")]
pub mod http1;
pub mod inflate;
pub mod io;
pub mod limits;
#[cfg(feature = "local")]
pub mod local;
pub mod manifest;
pub mod mem;
pub mod mp4;
pub mod player;
pub mod port;
pub mod protection;
pub mod session;
pub mod time;
pub mod trace;
pub mod xml;
