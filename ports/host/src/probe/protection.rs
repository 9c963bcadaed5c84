//! Protection headers for people and programs.

use serde::Serialize;

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
    let _ = (data, hex as fn(&[u8]) -> String);
    Header { system_id: system(system_id), kids: Vec::new(), la_url: None, header_version: None }
}

/// The first key that the header of a system names.
pub fn first_kid(system_id: &[u8; 16], data: &[u8]) -> Option<[u8; 16]> {
    let _ = (system_id, data);
    None
}
