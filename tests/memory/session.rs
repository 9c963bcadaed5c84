//! The heap agrees with the account: what a session really allocates is within what it says it holds.

use crate::common::agent::apply;
use crate::common::sealed::{PLAYREADY, playready};
use crate::common::{Cover, Origin, Seal};
use crate::counting::{calls, held};
use smoothcore::io::{
    Configured, DecoderTraits, Decrypted, Input, KeyHandle, KeyStatus, Keys, Kid, Outcome, Output,
};
use smoothcore::session::{AudioChoice, Config, ProtectionMode, Session, State};
use smoothcore::time::Instant;

#[test]
fn the_account_tells_the_truth() {
    the_account_under(ProtectionMode::None);
}

#[test]
fn the_account_tells_the_truth_of_encrypted_samples() {
    the_account_under(ProtectionMode::Decoder);
    the_account_under(ProtectionMode::Decrypt);
}

fn the_account_under(protection: ProtectionMode) {
    let mut origin = Origin::testcard();
    if protection != ProtectionMode::None {
        let seal = |cover| Seal { cover, ..Seal::new(Kid([7; 16])) };
        let cover = |name: &str| if name == "video" { Cover::Nals } else { Cover::Whole };
        origin = origin.sealed(|name, _, _| Some(seal(cover(name))));
        origin = origin.with_headers(&[(PLAYREADY, playready(&[Kid([7; 16])], "https://licence.test/"))]);
    }
    let budget = 1 << 20;
    let config = Config { audio: AudioChoice::All, seed: 3, budget, ..Config::default() };
    let before = held();
    let unpaced = DecoderTraits { flags: DecoderTraits::UNPACED, ..DecoderTraits::default() };
    let mut session =
        Session::new(Config { decoder: unpaced, fixed_bitrate: 258_995, protection, ..config }).unwrap();
    session.open(Instant(0), crate::common::drive::URL).unwrap();
    let (mut now, mut calls_at_half, mut accepted) = (0u64, 0, 0u32);
    let mut pending: Vec<(smoothcore::io::RequestId, &[u8])> = Vec::with_capacity(8);
    loop {
        now += 1000;
        let at = Instant(now);
        loop {
            match session.poll() {
                Output::Idle(_) => break,
                Output::Request(r) => pending.push((r.id, origin.get(r.url).unwrap())),
                Output::Configure(c) => {
                    let stream = c.stream;
                    session.input(at, Input::Configured(stream, Configured::Ok));
                }
                Output::Protection(_) => {
                    session.input(at, Input::Key(Keys::All, KeyStatus::Ready(KeyHandle(1))));
                }
                Output::Decrypt(d) => {
                    let (stream, p) = (d.stream, &d.protection);
                    apply(d.data, p.kid, p.iv, p.subsamples);
                    session.input(at, Input::Decrypted(stream, Decrypted::Done));
                }
                Output::Sample(s) => {
                    let stream = s.stream;
                    assert_eq!(s.protection.is_some(), protection == ProtectionMode::Decoder);
                    accepted += 1;
                    session.input(at, Input::Accepted(stream));
                }
                _ => {}
            }
        }
        let heap = held() - before - (pending.capacity() * size_of::<(u32, &[u8])>()) as isize;
        assert!(heap <= session.stats().held as isize, "{heap} on the heap, {} told", session.stats().held);
        assert!(heap <= budget as isize);
        let Some((id, body)) = pending.pop() else { break };
        let taken = session.body(at, id, &body[..body.len().min(1460)]);
        if taken == body.len() {
            session.input(at, Input::Finished(id, Outcome::Complete));
        } else {
            pending.insert(0, (id, &body[taken..]));
        }
        // Tables of encrypted samples grow to the largest one of each fragment in the round.
        let steady = if protection == ProtectionMode::None { 3000 } else { 4000 };
        if accepted > steady && calls_at_half == 0 {
            calls_at_half = calls();
        }
    }
    assert_eq!(session.state(), State::Ended);
    assert_eq!(accepted, 5704);
    assert_eq!(calls() - calls_at_half, 0, "steady play allocates nothing");
    drop(session);
    assert_eq!(held() - before - (pending.capacity() * size_of::<(u32, &[u8])>()) as isize, 0);
}
