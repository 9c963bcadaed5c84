//! CodecPrivateData, sample entries and caption messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::codec::{
    self, Codec, CodecConfig, Description, FourCc, Framing, Kind, captions, codec_string,
};
use smoothcore::limits::Limits;
use smoothcore::mem::{Account, Bytes};
use smoothcore_fuzz::{heap, number, tight, watched};

const NAMES: [&str; 20] = [
    "H264", "AVC1", "HVC1", "HEV1", "WVC1", "AACL", "AACH", "AACP", "WMAP", "WMA2", "EC-3", "AC-3", "MP3",
    "TTML", "DVHE", "zzzz", "", "dac3", "dec3", "mp4a",
];

fuzz_target!(|data: &[u8]| watched(|account| {
    let mut data = data;
    let choice = number(&mut data);
    let numbers = number(&mut data);
    let kind = match choice & 3 {
        0 | 1 => Kind::Video,
        2 => Kind::Audio,
        _ => Kind::Text,
    };
    let limits = Limits::default();
    let description = Description {
        fourcc: FourCc::from_text(NAMES[(choice >> 2) as usize % NAMES.len()]),
        audio_tag: [0, 1, 85, 353, 354, 255, 65534, numbers >> 16][(choice >> 8) as usize & 7],
        sampling_rate: numbers,
        channels: (numbers >> 3) as u16 & 15,
        nal_length: (choice >> 12) as u8 & 7,
        private: data,
        ..Description::new(kind)
    };
    let run = |account: &mut Account| {
        let before = heap();
        if let Ok(mut config) = CodecConfig::from_description(account, &description, &limits) {
            assert_eq!(account.held(), heap() - before, "what is charged, and what is held");
            codec_string(&config);
            let mut out = Bytes::new();
            for framing in [Framing::ElementaryStream, Framing::LengthPrefixed] {
                out.clear();
                let _ = codec::record(&config, framing, account, &mut out);
            }
            out.clear();
            let _ = codec::sample_entry(&config, numbers, account, &mut out);
            out.free(account);
            if config.codec == Codec::Aac {
                codec::aac::adts_header(&config, numbers & 0x3FFF);
            }
            config.free(account);
        }
    };
    run(account);
    tight(data, run);
    for codec in [Codec::H264, Codec::H265] {
        let mut nal = data.to_vec();
        assert!(captions(codec, &mut nal).count() <= data.len());
    }
}));
