//! HE-AAC for tests: 16-bit stereo of 48 kHz on standard input, ADTS on standard output.
//!
//!   smoothcore-heaac 1|2     the version: with spectral band replication, or with parametric stereo, too

use std::io::{Read, Write};

use fdk_aac::enc::{AudioObjectType, BitRate, ChannelMode, Encoder, EncoderParams, Transport};

fn main() {
    let (object, bits) = match std::env::args().nth(1).as_deref() {
        Some("1") => (AudioObjectType::Mpeg4HeAac, 48_000),
        Some("2") => (AudioObjectType::Mpeg4HeAacV2, 32_000),
        _ => panic!("1 or 2"),
    };
    let encoder = Encoder::new(EncoderParams {
        bit_rate: BitRate::Cbr(bits),
        sample_rate: 48_000,
        transport: Transport::Adts,
        channels: ChannelMode::Stereo,
        audio_object_type: object,
    })
    .expect("an encoder");
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).expect("sound");
    let sound: Vec<i16> = bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let mut rest = sound.as_slice();
    let mut frame = [0; 4096];
    while !rest.is_empty() {
        let done = encoder.encode(rest, &mut frame).expect("encoded");
        std::io::stdout().write_all(&frame[..done.output_size]).expect("room");
        rest = &rest[done.input_consumed..];
        if done.input_consumed == 0 && done.output_size == 0 {
            break;
        }
    }
}
