//! What firmware supplies, as traits: an HTTP stack, a decoder, a clock, files.
//!
//! Every method is called from the player's thread and returns without blocking, [`Clock::wait`] excepted. A port
//! that has nothing yet says so ([`Progress::Pending`], `Refused`, `Later`) and is asked again.

mod clock;
mod decoder;
mod http;
mod protection;
mod source;

pub use clock::Clock;
pub use decoder::{Decoder, Submitted};
pub use http::{Http, Progress, Security, Streams};
pub use protection::{Decryption, NoProtection, Protection};
pub use source::Source;
