//! Which samples share a key: `sgpd` and `sbgp` of type `seig`, ISO/IEC 14496-12 8.9 and ISO/IEC 23001-7 6.

use super::boxes::{Child, Fields};

/// The groups of a fragment's samples, one sample after another.
#[derive(Clone, Copy, Default)]
pub(super) struct Groups<'a> {
    /// Descriptions, and how long each is; 0: each says so itself.
    descriptions: Fields<'a>,
    length: u32,
    count: u32,
    /// Runs of samples and their groups.
    runs: Fields<'a>,
    runs_left: u32,
    /// The run of the next sample.
    left: u32,
    index: u32,
}

/// What a group says of its samples.
#[derive(Clone, Copy)]
pub(super) enum KeyGroup<'a> {
    Clear,
    Key { kid: [u8; 16], pattern: (u8, u8), constant_iv: &'a [u8] },
}

/// The group numbers of descriptions inside the fragment start here; smaller ones are in a `moov`.
const FIRST_LOCAL: u32 = 0x1_0001;
/// Bytes of a description without a constant vector.
const SHORT: u32 = 20;

impl<'a> Groups<'a> {
    /// Takes note of a `sgpd` or `sbgp`; one of another type is passed over.
    pub(super) fn note(&mut self, child: &Child<'a>) {
        let Some((version, _, mut fields)) = Fields::full(child.payload) else { return };
        if fields.take(4) != Some(b"seig") {
            return;
        }
        if child.kind == *b"sgpd" {
            let length = if version == 0 { Some(SHORT) } else { fields.u32() };
            if let (Some(length), Some(count)) = (length, fields.u32()) {
                (self.length, self.count, self.descriptions) = (length, count, fields);
            }
        } else {
            // A parameter of the grouping, without meaning here.
            if version == 1 {
                let _ = fields.u32();
            }
            if let Some(count) = fields.u32() {
                (self.runs_left, self.runs) = (count, fields);
            }
        }
    }

    /// The group of the next sample; `Some(None)` when it is in none, `None` when its group does not exist.
    pub(super) fn next(&mut self) -> Option<Option<KeyGroup<'a>>> {
        // Each turn takes eight bytes of the runs.
        while self.left == 0 && self.runs_left != 0 {
            self.runs_left = self.runs_left.wrapping_sub(1);
            self.left = self.runs.u32()?;
            self.index = self.runs.u32()?;
        }
        if self.left == 0 {
            return Some(None);
        }
        self.left = self.left.wrapping_sub(1);
        match self.index.checked_sub(FIRST_LOCAL) {
            None => Some(None),
            Some(at) => self.description(at).map(Some),
        }
    }

    fn description(&self, at: u32) -> Option<KeyGroup<'a>> {
        if at >= self.count {
            return None;
        }
        let mut rest = self.descriptions;
        if self.length == 0 {
            // Each turn takes four bytes at least.
            for _ in 0..at {
                let len = rest.u32()?;
                rest.take(len as usize)?;
            }
            rest.u32()?;
        } else {
            rest.take(usize::try_from(u64::from(at).checked_mul(u64::from(self.length))?).ok()?)?;
        }
        rest.u8()?;
        let pattern = rest.u8()?;
        let protected = rest.u8()?;
        let iv_size = rest.u8()?;
        let kid = *rest.id()?;
        if protected == 0 {
            return Some(KeyGroup::Clear);
        }
        let constant_iv = if iv_size == 0 {
            let len = rest.u8()?;
            rest.take(usize::from(len))?
        } else {
            &[]
        };
        Some(KeyGroup::Key { kid, pattern: (pattern >> 4, pattern & 15), constant_iv })
    }
}
