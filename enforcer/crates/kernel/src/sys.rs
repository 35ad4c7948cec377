//! bpf(2), as far as the loader library does not cover it: taking an element, links of cgroup programs, pins.
//!
//! Each command's arguments are the leading fields of the kernel's `union bpf_attr`, which accepts a shorter structure than
//! its own: <https://github.com/torvalds/linux/blob/v6.12/include/uapi/linux/bpf.h#L1464>.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use aya_obj::generated::bpf_insn;

/// For [`update`]: the key must not be there yet.
pub(crate) const NO_EXIST: u64 = 1;
/// `BPF_PROG_TYPE_SCHED_CLS`: programs on network devices.
pub(crate) const SCHED_CLS: u32 = 3;

/// That of the programs.
const LICENCE: &CStr = c"Apache-2.0";
/// Bytes of what the verifier says.
const LOG: usize = 1 << 20;

const MAP_LOOKUP_ELEM: libc::c_long = 1;
const MAP_UPDATE_ELEM: libc::c_long = 2;
const MAP_DELETE_ELEM: libc::c_long = 3;
const MAP_GET_NEXT_KEY: libc::c_long = 4;
const PROG_LOAD: libc::c_long = 5;
const OBJ_PIN: libc::c_long = 6;
const OBJ_GET: libc::c_long = 7;
const MAP_LOOKUP_AND_DELETE_ELEM: libc::c_long = 21;
const LINK_CREATE: libc::c_long = 28;
const LINK_UPDATE: libc::c_long = 29;
const LINK_DETACH: libc::c_long = 34;

/// Arguments of the commands on one element of a map.
#[repr(C)]
struct Element {
    map: RawFd,
    reserved: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// Arguments of pinning and of opening a pin.
#[repr(C)]
struct Pin {
    path: u64,
    fd: RawFd,
    flags: u32,
}

/// Arguments of loading a program.
#[repr(C)]
#[derive(Default)]
struct ProgramLoad {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel: u32,
    flags: u32,
    name: [u8; 16],
    device: u32,
    attach_type: u32,
    btf: u32,
    function_size: u32,
    functions: u64,
    function_count: u32,
    line_size: u32,
    lines: u64,
    line_count: u32,
    attach_function: u32,
}

/// What is to be loaded.
pub(crate) struct Loading<'a, T> {
    /// The kind of program.
    pub(crate) kind: u32,
    /// The kind of place it is for; 0 where the kind of program says it all.
    pub(crate) attach_type: u32,
    /// The number of the kernel's function it is called with; 0 for kinds that are not called with any.
    pub(crate) function: u32,
    /// What it is licensed under.
    pub(crate) licence: &'a CStr,
    /// Eight bytes each.
    pub(crate) instructions: &'a [T],
}

#[repr(C)]
struct LinkCreate {
    program: RawFd,
    target: RawFd,
    attach_type: u32,
    flags: u32,
}

#[repr(C)]
struct LinkDetach {
    link: RawFd,
}

#[repr(C)]
struct LinkUpdate {
    link: RawFd,
    program: RawFd,
    flags: u32,
    old_program: RawFd,
}

/// Copies the value of `key` to `value`.
///
/// # Safety
/// `key` must be readable for the map's key size and `value` writable for its value size (times the number of possible
/// processors, rounded up to eight bytes each, for a per-processor map).
pub(crate) unsafe fn lookup(map: BorrowedFd<'_>, key: *const u8, value: *mut u8) -> io::Result<()> {
    // SAFETY: the caller vouches for both pointers.
    unsafe { element(MAP_LOOKUP_ELEM, map, key, value, 0) }
}

/// Copies the value of `key` to `value` and removes the element, in one step.
///
/// # Safety
/// As for [`lookup`].
pub(crate) unsafe fn take(map: BorrowedFd<'_>, key: *const u8, value: *mut u8) -> io::Result<()> {
    // SAFETY: the caller vouches for both pointers.
    unsafe { element(MAP_LOOKUP_AND_DELETE_ELEM, map, key, value, 0) }
}

/// Sets the value of `key`.
///
/// # Safety
/// `key` and `value` must be readable for the map's key and value sizes.
pub(crate) unsafe fn update(
    map: BorrowedFd<'_>,
    key: *const u8,
    value: *const u8,
    flags: u64,
) -> io::Result<()> {
    // SAFETY: the caller vouches for both pointers; this command only reads the value.
    unsafe { element(MAP_UPDATE_ELEM, map, key, value.cast_mut(), flags) }
}

/// Removes the element of `key`.
///
/// # Safety
/// `key` must be readable for the map's key size.
pub(crate) unsafe fn delete(map: BorrowedFd<'_>, key: *const u8) -> io::Result<()> {
    // SAFETY: the caller vouches for the key; this command has no value.
    unsafe { element(MAP_DELETE_ELEM, map, key, std::ptr::null_mut(), 0) }
}

/// Copies the key after `key` to `next`, or the first one if `key` is null or no longer there.
///
/// # Safety
/// `key` must be null or readable, `next` writable, for the map's key size.
pub(crate) unsafe fn next_key(
    map: BorrowedFd<'_>,
    key: *const u8,
    next: *mut u8,
) -> io::Result<()> {
    // SAFETY: the caller vouches for both pointers; this command has the next key where others have the value.
    unsafe { element(MAP_GET_NEXT_KEY, map, key, next, 0) }
}

/// Hangs a program on a cgroup. Several may hang on one; a parent's are run after its children's.
pub(crate) fn link_create(
    program: BorrowedFd<'_>,
    cgroup: BorrowedFd<'_>,
    attach_type: u32,
) -> io::Result<OwnedFd> {
    let mut arguments = LinkCreate {
        program: program.as_raw_fd(),
        target: cgroup.as_raw_fd(),
        attach_type,
        flags: 0,
    };
    // SAFETY: the structure is what this command reads, and names open descriptors.
    unsafe { open(LINK_CREATE, &mut arguments) }
}

/// Hangs a program on a network device of the calling thread's namespace, before the others there.
pub(crate) fn link_create_at(
    program: BorrowedFd<'_>,
    device: u32,
    attach_type: u32,
) -> io::Result<OwnedFd> {
    let mut arguments = LinkCreate {
        program: program.as_raw_fd(),
        target: RawFd::try_from(device).map_err(io::Error::other)?,
        attach_type,
        flags: 0,
    };
    // SAFETY: the structure is what this command reads, and names an open descriptor; devices go by their index here.
    unsafe { open(LINK_CREATE, &mut arguments) }
}

/// Loads a program of a few instructions, each eight bytes.
pub(crate) fn program_load(kind: u32, instructions: &[[u8; 8]]) -> io::Result<OwnedFd> {
    load(&Loading {
        kind,
        attach_type: 0,
        function: 0,
        licence: LICENCE,
        instructions,
    })
}

/// Loads a program of type `cgroup_sock_addr` for this place of attachment.
pub(crate) fn load_sock_addr(attach_type: u32, instructions: &[bpf_insn]) -> io::Result<OwnedFd> {
    /// `BPF_PROG_TYPE_CGROUP_SOCK_ADDR`.
    const SOCK_ADDR: u32 = 18;
    load(&Loading {
        kind: SOCK_ADDR,
        attach_type,
        function: 0,
        licence: LICENCE,
        instructions,
    })
}

/// Loads a program. What the kernel's verifier said last of one that it will not have is in the error.
pub(crate) fn load<T>(what: &Loading<'_, T>) -> io::Result<OwnedFd> {
    match load_with(what, &mut []) {
        // Anything else has nothing to do with what the program does.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EACCES)) => {
            let mut log = vec![0; LOG];
            let Err(again) = load_with(what, &mut log) else {
                return Err(error);
            };
            Err(match last_line(&log) {
                Some(line) => io::Error::new(again.kind(), format!("{error}: {line}")),
                None => error,
            })
        }
        loaded => loaded,
    }
}

fn load_with<T>(what: &Loading<'_, T>, log: &mut [u8]) -> io::Result<OwnedFd> {
    const { assert!(size_of::<T>() == 8) };
    let Loading {
        kind,
        attach_type,
        function,
        licence,
        instructions,
    } = what;
    let length = u32::try_from(log.len()).map_err(io::Error::other)?;
    let place = log.as_mut_ptr().expose_provenance() as u64;
    let mut arguments = ProgramLoad {
        kind: *kind,
        count: u32::try_from(instructions.len()).map_err(io::Error::other)?,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        licence: licence.as_ptr().expose_provenance() as u64,
        log_level: u32::from(length > 0),
        log_size: length,
        log: if length > 0 { place } else { 0 },
        attach_type: *attach_type,
        attach_function: *function,
        ..ProgramLoad::default()
    };
    // SAFETY: the structure is what this command reads; instructions, licence and the log that is written live until the
    // call is over.
    unsafe { open(PROG_LOAD, &mut arguments) }
}

/// The verifier ends with numbers about its own work, after what it found.
fn last_line(log: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(log.split(|byte| *byte == 0).next()?);
    let mut lines = text.lines().rev().filter(|line| !line.trim().is_empty());
    lines
        .find(|line| !line.starts_with("processed "))
        .map(|line| line.trim().to_owned())
}

/// Puts another program in the place of the one a link holds, in one step.
pub(crate) fn link_update(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    let mut arguments = LinkUpdate {
        link: link.as_raw_fd(),
        program: program.as_raw_fd(),
        flags: 0,
        old_program: 0,
    };
    // SAFETY: the structure is what this command reads, and names open descriptors.
    unsafe { call(LINK_UPDATE, &mut arguments) }.map(drop)
}

/// Takes a link's program off its cgroup at once, whoever else holds the link.
pub(crate) fn link_detach(link: BorrowedFd<'_>) -> io::Result<()> {
    let mut arguments = LinkDetach {
        link: link.as_raw_fd(),
    };
    // SAFETY: the structure is what this command reads, and names an open descriptor.
    unsafe { call(LINK_DETACH, &mut arguments) }.map(drop)
}

/// Pins an object under a name in a BPF file system.
pub(crate) fn pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut arguments = Pin {
        path: path.as_ptr().expose_provenance() as u64,
        fd: object.as_raw_fd(),
        flags: 0,
    };
    // SAFETY: the structure is what this command reads; the path lives until the call is over.
    unsafe { call(OBJ_PIN, &mut arguments) }.map(drop)
}

/// Opens a pinned object.
pub(crate) fn open_pin(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut arguments = Pin {
        path: path.as_ptr().expose_provenance() as u64,
        fd: 0,
        flags: 0,
    };
    // SAFETY: the structure is what this command reads; the path lives until the call is over.
    unsafe { open(OBJ_GET, &mut arguments) }
}

/// # Safety
/// The pointers must be what the command makes of them: readable for the key, readable or writable for the value.
unsafe fn element(
    command: libc::c_long,
    map: BorrowedFd<'_>,
    key: *const u8,
    value: *mut u8,
    flags: u64,
) -> io::Result<()> {
    let mut arguments = Element {
        map: map.as_raw_fd(),
        reserved: 0,
        key: key.expose_provenance() as u64,
        value: value.expose_provenance() as u64,
        flags,
    };
    // SAFETY: the structure is what these commands read; the caller vouches for the pointers in it.
    unsafe { call(command, &mut arguments) }.map(drop)
}

/// # Safety
/// `T` must be the arguments of `command`, which must be one that returns a new descriptor.
pub(crate) unsafe fn open<T>(command: libc::c_long, arguments: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the arguments.
    let fd = unsafe { call(command, arguments) }?;
    // SAFETY: the kernel just made this descriptor (close-on-exec, as all of bpf's are), and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// # Safety
/// `T` must be the arguments of `command`, plain data in C layout without padding, and pointers in it must be valid.
pub(crate) unsafe fn call<T>(command: libc::c_long, arguments: &mut T) -> io::Result<RawFd> {
    // SAFETY: the caller vouches for the arguments; their size goes with them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(arguments),
            size_of::<T>(),
        )
    };
    // bpf(2) returns a descriptor, zero, or -1: all of them fit.
    RawFd::try_from(result)
        .ok()
        .filter(|result| *result >= 0)
        .ok_or_else(io::Error::last_os_error)
}
