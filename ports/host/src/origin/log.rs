//! The request log: one line a finished response.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

/// Where the lines go, if anywhere.
pub struct Log {
    file: Option<Mutex<File>>,
}

impl Log {
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.with_context(|| path.display().to_string())
        };
        Ok(Self { file: path.map(open).transpose()?.map(Mutex::new) })
    }

    /// Writes one line; `bytes` of the body were sent, `took` from the request to the last of them.
    pub fn line(&self, method: &str, target: &str, status: u16, bytes: u64, took: Duration, faults: &[&str]) {
        let Some(file) = &self.file else { return };
        let faults = if faults.is_empty() { String::new() } else { format!(" fault={}", faults.join(",")) };
        let line = format!("{method} {target} {status} bytes={bytes} ms={}{faults}\n", took.as_millis());
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write a line, nothing held back. A full disk is no reason to stop serving.
        let _ = file.write_all(line.as_bytes());
    }
}
