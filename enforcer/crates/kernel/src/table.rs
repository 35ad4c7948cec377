//! A typed view of one of the programs' hash maps.

use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};

use enforcer_common::{
    KernelLayout, NetnsEntry, OriginKey, OriginValue, SealEntry, UnixLayout, UnixSocketKey,
    WorkloadEntry,
};

use crate::object::duplicate;
use crate::{KernelError, sys};

/// More keys than any of the maps holds.
const MAX_KEYS: usize = 1 << 18;

/// A hash map whose keys are `K` and whose values are `V`.
pub(crate) struct Table<K, V> {
    map: OwnedFd,
    types: PhantomData<fn(K) -> V>,
}

/// Data that the kernel may read and fill in byte by byte.
///
/// # Safety
/// C layout, no padding, and every bit pattern is a value.
pub(crate) unsafe trait Word: Copy + 'static {}

// SAFETY: integers are.
unsafe impl Word for u32 {}
// SAFETY: as above.
unsafe impl Word for u64 {}
// SAFETY: `enforcer-common` promises this of all its structures, and asserts their sizes.
unsafe impl Word for NetnsEntry {}
// SAFETY: as above.
unsafe impl Word for KernelLayout {}
// SAFETY: as above.
unsafe impl Word for OriginKey {}
// SAFETY: as above.
unsafe impl Word for OriginValue {}
// SAFETY: as above.
unsafe impl Word for SealEntry {}
// SAFETY: as above.
unsafe impl Word for UnixLayout {}
// SAFETY: as above.
unsafe impl Word for UnixSocketKey {}
// SAFETY: as above.
unsafe impl Word for WorkloadEntry {}

impl<K: Word, V: Word> Table<K, V> {
    /// Takes the descriptor of a map.
    ///
    /// # Safety
    /// The map must have keys of the size of `K` and values of the size of `V`, and not be one per processor.
    pub(crate) unsafe fn new(map: OwnedFd) -> Self {
        Self {
            map,
            types: PhantomData,
        }
    }

    /// Another view of the same map.
    pub(crate) fn duplicate(&self) -> Result<Self, KernelError> {
        Ok(Self {
            map: duplicate(&self.map)?,
            types: PhantomData,
        })
    }

    /// The value of `key`, if it is there.
    pub(crate) fn find(&self, key: &K) -> io::Result<Option<V>> {
        let mut value = MaybeUninit::<V>::uninit();
        let (key, room) = (std::ptr::from_ref(key).cast(), value.as_mut_ptr().cast());
        // SAFETY: both have the sizes of the map's, by the contract of `new`.
        let done = unsafe { sys::lookup(self.map.as_fd(), key, room) };
        // SAFETY: the kernel filled the value in, and every bit pattern is one.
        present(done).map(|there| there.then(|| unsafe { value.assume_init() }))
    }

    /// The value of `key`, if it was there; it no longer is.
    pub(crate) fn take(&self, key: &K) -> io::Result<Option<V>> {
        let mut value = MaybeUninit::<V>::uninit();
        let (key, room) = (std::ptr::from_ref(key).cast(), value.as_mut_ptr().cast());
        // SAFETY: both have the sizes of the map's, by the contract of `new`.
        let done = unsafe { sys::take(self.map.as_fd(), key, room) };
        // SAFETY: the kernel filled the value in, and every bit pattern is one.
        present(done).map(|there| there.then(|| unsafe { value.assume_init() }))
    }

    /// Sets the value of `key`.
    pub(crate) fn set(&self, key: &K, value: &V) -> io::Result<()> {
        self.update(key, value, 0)
    }

    /// Sets the value of `key` unless it has one.
    pub(crate) fn add(&self, key: &K, value: &V) -> io::Result<()> {
        match self.update(key, value, sys::NO_EXIST) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            done => done,
        }
    }

    /// The keys that are there. Those that come and go meanwhile may or may not be among them.
    pub(crate) fn keys(&self) -> io::Result<Vec<K>> {
        let mut keys = Vec::<K>::new();
        loop {
            let mut next = MaybeUninit::<K>::uninit();
            let last = keys.last().map_or(std::ptr::null(), std::ptr::from_ref);
            let room = next.as_mut_ptr().cast();
            // SAFETY: both have the size of the map's keys, by the contract of `new`.
            let done = unsafe { sys::next_key(self.map.as_fd(), last.cast(), room) };
            // A walk starts over when the key it stands on is removed; it must end all the same.
            if !present(done)? || keys.len() == MAX_KEYS {
                return Ok(keys);
            }
            // SAFETY: the kernel filled the key in, and every bit pattern is one.
            keys.push(unsafe { next.assume_init() });
        }
    }

    /// Removes `key`; it need not be there.
    pub(crate) fn remove(&self, key: &K) -> io::Result<()> {
        // SAFETY: the key has the size of the map's, by the contract of `new`.
        present(unsafe { sys::delete(self.map.as_fd(), std::ptr::from_ref(key).cast()) }).map(drop)
    }

    fn update(&self, key: &K, value: &V, flags: u64) -> io::Result<()> {
        let (key, value) = (std::ptr::from_ref(key), std::ptr::from_ref(value));
        // SAFETY: both have the sizes of the map's, by the contract of `new`.
        unsafe { sys::update(self.map.as_fd(), key.cast(), value.cast(), flags) }
    }
}

/// Tells "not there" from failure.
fn present(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
