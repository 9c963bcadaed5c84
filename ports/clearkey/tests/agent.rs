//! The agent as a player meets it.
#![allow(clippy::unwrap_used)]

use smoothcore::codec::Kind;
use smoothcore::error::Code;
use smoothcore::io::{
    Decrypt, Decrypted, Epoch, KeyHandle, KeyStatus, Keys as Which, Offer, OfferSource, SampleProtection,
    StreamId,
};
use smoothcore::port::{Decryption, Protection};
use smoothcore::protection::PLAYREADY;
use smoothcore_clearkey::{Agent, How, Key, Keys, Kid, Pattern, Refusal, Scheme, Trouble, encrypt};

const KID: Kid = Kid([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const KEY: Key = Key(*b"a key of 16 byte");

fn agent(names: &[Kid]) -> Agent {
    let mut keys = Keys::default();
    for name in names {
        keys.add(*name, KEY);
    }
    Agent::new(keys)
}

#[test]
fn keys_are_there_or_refused() {
    let ready = Some(KeyStatus::Ready(KeyHandle(0)));
    let refused = Some(KeyStatus::Refused(Code::KeyRefused));
    let mut one = agent(&[KID]);
    assert_eq!(one.decryption(), Some(Decryption::Port));
    assert_eq!([one.key(Which::One(KID)), one.key(Which::Unnamed)], [ready, ready]);
    assert_eq!(one.trouble(), None);
    assert_eq!(one.key(Which::One(Kid([7; 16]))), refused);
    assert_eq!(one.trouble(), Some(Trouble::Missing(Some(Kid([7; 16])))));
    assert!(one.trouble().unwrap().to_string().contains("07070707"));

    let mut two = agent(&[KID, Kid([7; 16])]);
    assert_eq!([two.key(Which::One(KID)), two.key(Which::Unnamed)], [ready, refused]);
    assert_eq!(two.trouble(), Some(Trouble::Missing(None)));
    assert_eq!(Agent::default().decryption(), None);
}

/// An object with a WRMHEADER of one key and that checksum.
fn header(checksum: &str) -> Vec<u8> {
    let text = format!(
        "<WRMHEADER version=\"4.0.0.0\"><DATA><PROTECTINFO><ALGID>AESCTR</ALGID></PROTECTINFO>\
         <KID>BAMCAQYFCAcJCgsMDQ4PEA==</KID><CHECKSUM>{checksum}</CHECKSUM></DATA></WRMHEADER>"
    );
    let mut data = (text.len() as u32 + 10).to_le_bytes().to_vec();
    data.extend([1, 0, 1, 0]);
    data.extend((text.len() as u16).to_le_bytes());
    data.extend(text.into_bytes());
    data
}

#[test]
fn a_key_that_the_header_belies_is_refused() {
    let mut agent = agent(&[KID]);
    for (data, trouble) in
        [(b"no header".to_vec(), None), (header("1ha6/rR9l4M="), Some(Trouble::Wrong(KID)))]
    {
        agent.offer(&Offer {
            source: OfferSource::Manifest,
            system_id: PLAYREADY,
            data: &data,
            kids: &[KID],
            la_url: "",
            scheme: None,
        });
        assert_eq!(agent.trouble(), trouble);
    }
    assert_eq!(agent.key(Which::One(KID)), Some(KeyStatus::Refused(Code::KeyRefused)));
    assert!(Trouble::Wrong(KID).to_string().contains("0102030405060708090a0b0c0d0e0f10 is wrong"));
}

fn decrypted(agent: &mut Agent, stream: u16, scheme: Scheme, iv: &[u8], data: &mut [u8]) -> Decrypted {
    let protection =
        SampleProtection { scheme, pattern: (0, 0), kid: None, iv, subsamples: &[], handle: KeyHandle(0) };
    agent.decrypt(&mut Decrypt { stream: StreamId(stream), epoch: Epoch(0), protection, data })
}

#[test]
fn a_pattern_nobody_names_follows_the_kind_of_stream() {
    let mut agent = agent(&[KID]);
    let clear = vec![5u8; 1000];
    let locked = |pattern| {
        let mut data = clear.clone();
        encrypt(KEY, &How { scheme: Scheme::Cbcs, pattern, iv: &[9; 16], subsamples: &[] }, &mut data)
            .unwrap();
        data
    };
    let mut picture = locked(Pattern::TENTH);
    let before = picture.clone();
    let later = decrypted(&mut agent, 1, Scheme::Cbcs, &[9; 16], &mut picture);
    assert_eq!((later, &picture), (Decrypted::Later, &before), "not before it is known");
    agent.learn([Kind::Audio, Kind::Video]);
    assert_eq!(decrypted(&mut agent, 1, Scheme::Cbcs, &[9; 16], &mut picture), Decrypted::Done);
    assert_eq!(picture, clear);
    let mut sound = locked(Pattern::ALL);
    assert_eq!(decrypted(&mut agent, 0, Scheme::Cbcs, &[9; 16], &mut sound), Decrypted::Done);
    assert_eq!(sound, clear);

    let failed = decrypted(&mut agent, 0, Scheme::AesCtr, &[], &mut sound);
    assert_eq!(failed, Decrypted::Failed(Code::DecryptFailed));
    assert_eq!((agent.trouble(), sound), (Some(Trouble::Sample(Refusal::Iv)), clear));
}
