//! Protection headers for people and programs.

use serde::Serialize;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::protection::playready::PlayReady;
use smoothcore::protection::read;

use super::{hex, system};

/// One protection header.
#[derive(Debug, Serialize)]
pub struct Header {
    pub system_id: String,
    pub kids: Vec<String>,
    pub la_url: Option<String>,
    pub header_version: Option<String>,
}

/// What the header of a system says, as far as that system is known.
pub fn describe(system_id: &[u8; 16], data: &[u8]) -> Header {
    let said = said(system_id, data).unwrap_or_default();
    let (major, minor) = said.version;
    Header {
        system_id: system(system_id),
        kids: said.keys.iter().map(|key| hex(&key.kid.0)).collect(),
        la_url: (!said.la_url.is_empty()).then(|| said.la_url.as_str().to_owned()),
        header_version: (said.version != (0, 0)).then(|| format!("{major}.{minor}.0.0")),
    }
}

/// The header of a system, read; `None` when it is broken.
pub fn said(system_id: &[u8; 16], data: &[u8]) -> Option<PlayReady> {
    read(*system_id, data, &mut Account::new(4 << 20), &Limits::default()).ok()
}
