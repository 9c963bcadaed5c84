//! What lies at both ends of a file, `moov` and `mfra`, and the whole file as a presentation on disk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::codec::{self, EntryNumbers, Kind};
use smoothcore::limits::Limits;
use smoothcore::mp4::index::{Index, MFRO_BYTES, index_size};
use smoothcore::mp4::movie::Movie;
use smoothcore_fuzz::disk::{Disk, ENOUGH, look};
use smoothcore_fuzz::{tight_budget, watched};

fuzz_target!(|data: &[u8]| watched(|account| {
    let limits = Limits::default();
    if let Some(tail) = data.last_chunk::<MFRO_BYTES>() {
        index_size(tail);
    }
    if let Ok(mut index) = Index::new(data, &limits) {
        for _ in 0..100 {
            let Ok(Some(track)) = index.next_track() else { break };
            assert_eq!(track.iter().take(5000).count(), track.len().min(5000));
            assert!(track.get(track.len()).is_none());
        }
    }
    if let Ok(mut movie) = Movie::new(data, &limits) {
        for _ in 0..100 {
            let Ok(Some(track)) = movie.next_track() else { break };
            let numbers = EntryNumbers {
                kind: if track.handler == *b"soun" { Kind::Audio } else { Kind::Video },
                width: track.entry.width.into(),
                height: track.entry.height.into(),
                sampling_rate: track.entry.sampling_rate,
                channels: track.entry.channels,
                bits_per_sample: track.entry.bits_per_sample,
                bitrate: 0,
            };
            let made =
                codec::from_sample_entry(track.entry.name, track.entry.config, &numbers, account, &limits);
            if let Ok(mut config) = made {
                config.free(account);
            }
        }
    }
    let files = [("a.ismv", data)];
    let quick = look(account, Disk { files: &files, piece: usize::MAX, slow: false }, ENOUGH, "a.ismv");
    let slow = look(account, Disk { files: &files, piece: 61, slow: true }, ENOUGH, "a.ismv");
    let _ = look(account, Disk { files: &files, piece: 61, slow: true }, tight_budget(data), "a.ismv");
    assert_eq!(quick, slow, "what a source that dawdles leads to");
}));
