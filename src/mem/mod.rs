//! Memory: an account that says no, and containers that hear it.
//!
//! Everything the core keeps is charged to an [`Account`] before it is allocated, and allocated fallibly. The account
//! is passed to each call, because the core has neither globals nor shared ownership. Charges are by capacity, so
//! that the account never holds less than the heap does (allocator headers aside).

mod pool;

pub use pool::{Chain, Pool, Slices};

use alloc::vec::Vec;
use core::iter::repeat_n;

use crate::error::{Code, Result};

/// A running sum of bytes with a cap.
#[derive(Debug)]
pub struct Account {
    cap: usize,
    held: usize,
    peak: usize,
}

impl Account {
    /// An empty account of at most `cap` bytes.
    pub const fn new(cap: usize) -> Account {
        Account { cap, held: 0, peak: 0 }
    }

    /// Adds `bytes`.
    ///
    /// # Errors
    /// [`Code::Budget`] when the cap would be passed; nothing is added then.
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        match self.held.checked_add(bytes) {
            Some(sum) if sum <= self.cap => {
                self.held = sum;
                if sum > self.peak {
                    self.peak = sum;
                }
                Ok(())
            }
            _ => Err(Code::Budget.into()),
        }
    }

    /// Takes `bytes` back off.
    pub fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// Bytes held now.
    pub const fn held(&self) -> usize {
        self.held
    }

    /// The most bytes ever held.
    pub const fn peak(&self) -> usize {
        self.peak
    }

    /// The cap.
    pub const fn cap(&self) -> usize {
        self.cap
    }

    /// Bytes that may still be charged.
    pub const fn room(&self) -> usize {
        self.cap.saturating_sub(self.held)
    }
}

/// A growing list whose every byte is charged. Dropping it frees the memory but not the charge: call
/// [`List::free`] when the account lives on.
#[derive(Debug)]
pub struct List<T> {
    items: Vec<T>,
}

/// Growing bytes.
pub type Bytes = List<u8>;

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::new()
    }
}

/// The bytes of `total` items, charged. Growing may move: for a moment both old and new are on the heap, so both count.
/// What does not depend on the type of the items is kept out of the lists, which are many.
#[inline(never)]
fn before_growth(account: &mut Account, total: usize, size: usize) -> Result<usize> {
    let bytes = total.checked_mul(size).ok_or(Code::NoMemory)?;
    account.charge(bytes)?;
    Ok(bytes)
}

/// Settles the account of growth from `before` items to `now`, or to nothing when there was no memory.
#[inline(never)]
fn after_growth(
    account: &mut Account,
    bytes: usize,
    (before, now): (usize, Option<usize>),
    size: usize,
) -> Result<()> {
    let Some(now) = now else {
        account.release(bytes);
        return Err(Code::NoMemory.into());
    };
    account.release(before.saturating_mul(size));
    // An allocator may round up; that part is charged as far as the cap allows.
    let rounded = now.saturating_mul(size).saturating_sub(bytes);
    let _ = account.charge(rounded);
    Ok(())
}

impl<T> List<T> {
    /// An empty list, which holds nothing.
    pub const fn new() -> List<T> {
        List { items: Vec::new() }
    }

    /// Makes room for `more` items beyond the present ones, doubling when it must grow.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`]; the list is unchanged then.
    pub fn reserve(&mut self, account: &mut Account, more: usize) -> Result<()> {
        let want = self.items.len().checked_add(more).ok_or(Code::NoMemory)?;
        if want <= self.items.capacity() {
            return Ok(());
        }
        let doubled = self.items.capacity().saturating_mul(2).max(4).max(want);
        match self.reserve_exact(account, doubled) {
            // Doubling is a courtesy; near the cap, take just what is needed.
            Err(_) if doubled > want => self.reserve_exact(account, want),
            other => other,
        }
    }

    /// Makes the capacity `total` items, no more.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`]; the list is unchanged then.
    pub fn reserve_exact(&mut self, account: &mut Account, total: usize) -> Result<()> {
        let (len, before) = (self.items.len(), self.items.capacity());
        if total <= before {
            return Ok(());
        }
        let bytes = before_growth(account, total, size_of::<T>())?;
        let grown = self.items.try_reserve_exact(total.wrapping_sub(len)).is_ok();
        let now = grown.then(|| self.items.capacity());
        after_growth(account, bytes, (before, now), size_of::<T>())
    }

    /// Appends `item`.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn push(&mut self, account: &mut Account, item: T) -> Result<()> {
        if self.items.len() >= self.items.capacity() {
            self.reserve(account, 1)?;
        }
        if self.items.len() < self.items.capacity() {
            self.items.push(item);
            Ok(())
        } else {
            Err(Code::NoMemory.into())
        }
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        account.release(self.items.capacity().saturating_mul(size_of::<T>()));
        self.items = Vec::new();
    }

    /// Bytes charged for this list's own storage.
    pub fn charged(&self) -> usize {
        self.items.capacity().saturating_mul(size_of::<T>())
    }

    /// Keeps the first `len` items.
    pub fn truncate(&mut self, len: usize) {
        self.items.truncate(len);
    }

    /// Removes every item; the room stays.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Removes and returns the last item.
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    /// Removes the item at `index` and closes the gap; `None` when there is none.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        let tail = self.items.get_mut(index..)?;
        if tail.is_empty() {
            return None;
        }
        tail.rotate_left(1);
        self.items.pop()
    }

    /// Removes the first `count` items.
    pub fn drop_front(&mut self, count: usize) {
        let n = count.min(self.items.len());
        self.items.drain(..n);
    }

    /// The items.
    pub fn as_slice(&self) -> &[T] {
        &self.items
    }

    /// The items, to change in place.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.items
    }

    /// Items the list can hold without growing.
    pub fn capacity(&self) -> usize {
        self.items.capacity()
    }
}

impl<T: Copy> List<T> {
    /// Appends all of `items`.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`]; nothing is appended then.
    pub fn extend(&mut self, account: &mut Account, items: &[T]) -> Result<()> {
        let Some(first) = items.first() else { return Ok(()) };
        let start = self.items.len();
        self.resize(account, start.saturating_add(items.len()), *first)?;
        if let Some(to) = self.items.get_mut(start..)
            && to.len() == items.len()
        {
            to.copy_from_slice(items);
        }
        Ok(())
    }

    /// Makes the length `len`, filling with `item`.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`]; the length is unchanged then.
    pub fn resize(&mut self, account: &mut Account, len: usize, item: T) -> Result<()> {
        let now = self.items.len();
        if len <= now {
            self.items.truncate(len);
            return Ok(());
        }
        let more = len.wrapping_sub(now);
        self.reserve(account, more)?;
        // Asked anew after growing, or the compiler cannot see that there is room.
        let room = self.items.capacity().wrapping_sub(self.items.len());
        self.items.extend(repeat_n(item, more.min(room)));
        Ok(())
    }
}

impl<T> core::ops::Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> core::ops::DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

/// Owned text. UTF-8 by construction.
#[derive(Debug, Default)]
pub struct Text {
    bytes: Bytes,
}

impl Text {
    /// Empty text, which holds nothing.
    pub const fn new() -> Text {
        Text { bytes: Bytes::new() }
    }

    /// A copy of `text`, to the byte.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn from(account: &mut Account, text: &str) -> Result<Text> {
        let mut t = Text::new();
        t.bytes.reserve_exact(account, text.len())?;
        t.push(account, text)?;
        Ok(t)
    }

    /// Appends `text`.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn push(&mut self, account: &mut Account, text: &str) -> Result<()> {
        self.bytes.extend(account, text.as_bytes())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Only whole strings go in, so this check never fails; it costs less than a proof.
        core::str::from_utf8(&self.bytes).unwrap_or("")
    }

    /// Removes every character; the room stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Keeps the first `len` bytes; does nothing inside a character.
    pub fn truncate(&mut self, len: usize) {
        if self.as_str().is_char_boundary(len) {
            self.bytes.truncate(len);
        }
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.bytes.free(account);
    }
}

impl core::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_never_passes_its_account() {
        let mut account = Account::new(100);
        let mut list = Bytes::new();
        let mut pushed = 0;
        while list.push(&mut account, 7).is_ok() {
            pushed += 1;
            assert!(account.held() <= 100);
            assert!(account.held() >= list.capacity());
        }
        assert!(pushed >= 32, "{pushed}");
        assert!(account.peak() <= 100);
        list.free(&mut account);
        assert_eq!(account.held(), 0);
    }

    #[test]
    fn growth_charges_old_and_new_while_both_live() {
        let mut account = Account::new(1 << 20);
        let mut list = Bytes::new();
        list.extend(&mut account, &[1; 1000]).unwrap();
        list.push(&mut account, 2).unwrap();
        assert_eq!(account.held(), 2000);
        assert_eq!(account.peak(), 3000);
        assert_eq!(list[1000], 2);
    }

    #[test]
    fn refusal_changes_nothing() {
        let mut account = Account::new(10);
        let mut list = Bytes::new();
        list.extend(&mut account, b"12345").unwrap();
        assert_eq!(list.extend(&mut account, b"67890A"), Err(Code::Budget.into()));
        assert_eq!(&list[..], b"12345");
        let mut text = Text::new();
        assert!(text.push(&mut account, "sechs!").is_err());
        assert_eq!(&*text, "");
    }
}
