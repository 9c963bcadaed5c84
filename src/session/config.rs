//! What the host decides before a session opens.

use crate::io::DecoderTraits;
use crate::limits::Limits;
use crate::manifest::Strictness;
use crate::time::{MediaTime, Micros};

/// Which audio streams are played from the start; `Session::select` changes it later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AudioChoice {
    /// The first playable one.
    #[default]
    First,
    /// The first of this language (ISO 639-2 or 639-1 letters, zero-padded, any case), else the first.
    Language([u8; 8]),
    /// Every playable one, each to its own decoder.
    All,
    /// None.
    None,
}

/// What is done about encrypted samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProtectionMode {
    /// Nothing: a stream is dropped with [`crate::error::Code::ProtectionMissing`] where one is found.
    #[default]
    None,
    /// They go to the decoder as they are, with everything it needs to decrypt them.
    Decoder,
    /// The host decrypts them in memory; the decoder gets clear ones.
    Decrypt,
}

/// Which text streams are played from the start; `Session::select` changes it later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TextChoice {
    /// None.
    #[default]
    None,
    /// The first one that is to be read: subtitles or captions, no markers.
    First,
    /// The first one to be read in this language (letters as in [`AudioChoice::Language`]); none when there is none.
    Language([u8; 8]),
    /// Every text stream: subtitles, chapters, commands, markers, data.
    All,
}

/// Whether captions inside the picture stream are handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CaptionChoice {
    /// They stay in the samples alone.
    #[default]
    Off,
    /// They stay in the samples and come as `Output::Captions`, too.
    On,
}

/// What happens when the window of a live presentation has overtaken what is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BehindPolicy {
    /// Goes on at the start of the window, and a margin of five seconds or two fragments.
    #[default]
    WindowStart,
    /// Goes to the live edge.
    Edge,
    /// Ends the session with [`crate::error::Code::BehindWindow`].
    Stop,
}

/// How far back a live presentation can be played.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WindowChoice {
    /// As far as the origin says (`DVRWindowLength`).
    #[default]
    Origin,
    /// As far as the session has known fragments: for origins that keep them longer than they say. The list's share of the
    /// budget is the only bound.
    Unlimited,
}

/// Where a live presentation starts, and where it goes on after a suspension.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LiveStart {
    /// Starts near the edge; goes on where it was.
    #[default]
    Edge,
    /// Starts at the beginning of its window; goes on where it was.
    Beginning,
    /// Starts near the edge, and goes on there.
    AlwaysEdge,
}

/// What a live presentation needs beyond [`Config`]. Zero means the default in every number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LiveConfig {
    /// How far behind the newest listed fragment to play. Default: three fragments, 6 s at least; half of the window when that
    /// is shorter than twice this.
    pub target_delay: Micros,
    /// Where to start without `start_at`, and to go on.
    pub start: LiveStart,
    /// What to do when the window has overtaken what is played.
    pub behind: BehindPolicy,
    /// How far back fragments are kept in the list.
    pub window: WindowChoice,
    /// By how many thousandths the clock may run faster or slower to come back to the target delay. Default 0: never; 200 at
    /// most.
    pub rate: u32,
}

/// What chooses video levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SwitchingRule {
    /// The planner; in a build without the feature `planner`, and for a decoder without a clock, the throughput rule.
    #[default]
    Planner,
    /// The throughput-and-buffer rule.
    Throughput,
    /// None: the highest level of at most [`Config::fixed_bitrate`], or else the lowest one.
    Fixed,
}

/// What a viewer is thought to value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Objective {
    /// The logarithm of the bitrate: the step from 300 to 600 kbit/s is worth that from 3 to 6 Mbit/s.
    #[default]
    Log,
    /// The bitrate.
    Linear,
}

/// Whether buffered fragments of which no sample has gone out are fetched again once the link has become better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Replacement {
    /// Never: every byte is fetched once.
    #[default]
    Off,
    /// Where it is worth its bytes. Never live.
    On,
}

/// Whether a fragment that comes too slowly is given up for a lower level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Abandonment {
    /// Where that is likely to avoid a stall.
    #[default]
    On,
    /// Never.
    Off,
}

/// What one session knew of a network, for the next one on the same network: plain numbers for the host to store. From
/// `Session::prior`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Prior {
    /// Natural logarithm of the rate in bit/s, in 65,536ths; 0 when nothing is known.
    pub ln_rate: i32,
    /// Standard deviation of that, in 65,536ths.
    pub sigma: i32,
    /// How long ago it was stored, which the host must say; older than ten minutes it is ignored, and so is one
    /// that makes no sense.
    pub age: Micros,
}

/// Caps on pictures, beyond [`Config::max_bitrate`]. Zero: no cap. The lowest level that [`Config::min_bitrate`] and the decoder
/// leave stays in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PictureCap {
    /// Bit/s.
    pub bitrate: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// How levels are chosen. The default is what ships.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SwitchingConfig {
    /// What chooses.
    pub rule: SwitchingRule,
    /// What is to be made most of.
    pub objective: Objective,
    /// Fast switch up.
    pub replacement: Replacement,
    /// Switching down within a fragment.
    pub abandonment: Abandonment,
    /// What the screen shows; `Session::cap` changes it later.
    pub cap: PictureCap,
    /// Most bytes for the planner's tables, out of the budget. Default: a 32nd of the budget, 64 KiB at most. With less than they
    /// need (about 25 KiB) a small rule plans.
    pub table_bytes: u32,
    /// What is known of the network.
    pub prior: Prior,
}

/// Configuration of one session. Start from `Config::default()`; zero means the default in every number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// Caps on input.
    pub limits: Limits,
    /// Most bytes ever held. Default 8 MiB; [`Config::SMALLEST_BUDGET`] at least.
    ///
    /// Sizing: manifest (4 bytes a listed fragment of irregular duration, about 1 KiB a quality level) plus, for each
    /// played stream, twice its largest sample, plus bitrate / 8 times the seconds of buffer wanted.
    pub budget: usize,
    /// Bytes of one block of media memory, rounded down to a power of two, 1 KiB to 64 KiB. Default: budget / 256,
    /// 1 to 16 KiB.
    pub block: usize,
    /// The only randomness: jitter of retries. Must differ from device to device.
    pub seed: u64,
    /// Media fetched ahead of the playback position. Default 20 s.
    pub buffer_target: Micros,
    /// Media each stream needs before the clock starts. Default 1 s.
    pub start_buffer: Micros,
    /// Media each stream needs before the clock runs again after a stall. Default 2 s.
    pub resume_buffer: Micros,
    /// Samples of a fragment that is still arriving are handed out while the decoder holds less than this.
    /// Default 1 s. [`Config::WHOLE_FRAGMENTS`]: never.
    pub early_release: Micros,
    /// Video bitrate to start with, in bit/s: the highest level of at most this. 0: the lowest level.
    pub start_bitrate: u32,
    /// Video bitrate to stay at, in bit/s: the highest level of at most this. 0: switch freely.
    pub fixed_bitrate: u32,
    /// Highest video bitrate to use, in bit/s. 0: no cap.
    pub max_bitrate: u32,
    /// Lowest video bitrate to use, in bit/s.
    pub min_bitrate: u32,
    /// Which audio streams play.
    pub audio: AudioChoice,
    /// Which text streams play.
    pub text: TextChoice,
    /// Whether captions inside pictures come out.
    pub captions: CaptionChoice,
    /// What the decoder port is.
    pub decoder: DecoderTraits,
    /// What is done about encrypted samples.
    pub protection: ProtectionMode,
    /// A sample that waits for its key longer than this is told as an event, once a wait. Default 10 s.
    pub key_timeout: Micros,
    /// Where to start; `None`: at the beginning.
    pub start_at: Option<MediaTime>,
    /// What a manifest that deviates from the specification leads to.
    pub strictness: Strictness,
    /// Live presentations.
    pub live: LiveConfig,
    /// How levels are chosen.
    pub switching: SwitchingConfig,
}

impl Config {
    /// Less than this cannot hold even a small manifest and one sample a stream.
    pub const SMALLEST_BUDGET: usize = 64 << 10;
    /// For [`Config::early_release`]: samples leave only with their whole fragment, unless memory for it is
    /// short. Only with the feature `planner`.
    pub const WHOLE_FRAGMENTS: Micros = Micros(u64::MAX);

    /// Zeros replaced by defaults, limits brought within their caps.
    pub fn clamped(self) -> Config {
        let or = |t: Micros, default: Micros| if t == Micros::ZERO { default } else { t };
        Config {
            limits: self.limits.clamped(),
            budget: if self.budget == 0 { 8 << 20 } else { self.budget },
            buffer_target: or(self.buffer_target, Micros::from_secs(20)),
            start_buffer: or(self.start_buffer, Micros::from_secs(1)),
            resume_buffer: or(self.resume_buffer, Micros::from_secs(2)),
            early_release: or(self.early_release, Micros::from_secs(1)),
            key_timeout: or(self.key_timeout, Micros::from_secs(10)),
            live: LiveConfig { rate: self.live.rate.min(200), ..self.live },
            fixed_bitrate: match self.switching.rule {
                SwitchingRule::Fixed if cfg!(feature = "planner") => self.fixed_bitrate.max(1),
                _ => self.fixed_bitrate,
            },
            max_bitrate: if self.max_bitrate == 0 { u32::MAX } else { self.max_bitrate },
            ..self
        }
    }

    /// Bytes of one block of media memory.
    pub const fn block_bytes(&self) -> usize {
        let wanted = if self.block == 0 { self.budget / 256 } else { self.block };
        let most = if self.block == 0 { 16 << 10 } else { 64 << 10 };
        let mut block = 1024usize;
        while block < most && block * 2 <= wanted {
            block *= 2;
        }
        block
    }
}
