//! What the kernel says of links and programs: bpf(2)'s questions, answered in plain values.
//!
//! The structures are the leading fields of the kernel's own, which fills in as much as there is room for:
//! <https://github.com/torvalds/linux/blob/v6.12/include/uapi/linux/bpf.h#L6525>.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use crate::sys;

const PROG_GET_FD_BY_ID: libc::c_long = 13;
const OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const PROG_QUERY: libc::c_long = 16;
/// `BPF_F_QUERY_EFFECTIVE`: those that run for the cgroup, its ancestors' among them.
const EFFECTIVE: u32 = 1;
/// More programs than a cgroup and its ancestors may have at one place (64 each).
const MAX_PROGRAMS: usize = 256;
/// `BPF_LINK_TYPE_CGROUP`.
const CGROUP_LINK: u32 = 3;

/// `struct bpf_link_info`, for links of cgroup programs.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct LinkInfo {
    kind: u32,
    id: u32,
    program: u32,
    reserved: u32,
    cgroup: u64,
    attach_type: u32,
    padding: u32,
}

/// `struct bpf_prog_info`, as far as the name.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: [u8; 8],
    jited_length: u32,
    xlated_length: u32,
    jited: u64,
    xlated: u64,
    loaded: u64,
    uid: u32,
    maps: u32,
    map_ids: u64,
    name: [u8; 16],
}

/// Arguments of asking for information.
#[repr(C)]
struct Info {
    fd: i32,
    length: u32,
    place: u64,
}

/// Arguments of asking for the programs of a cgroup.
#[repr(C)]
struct Query {
    target: i32,
    attach_type: u32,
    flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    reserved: u32,
}

/// Arguments of opening by id.
#[repr(C)]
struct ById {
    id: u32,
    next: u32,
    flags: u32,
}

/// What a link of a cgroup program hangs where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkView {
    /// The program's id.
    pub(crate) program: u32,
    /// The cgroup's id; 0 once it was detached.
    pub(crate) cgroup: u64,
    /// The kind of place.
    pub(crate) attach_type: u32,
}

/// What hangs behind a link; none when it is not one of a cgroup program.
pub(crate) fn link(link: BorrowedFd<'_>) -> io::Result<Option<LinkView>> {
    let info: LinkInfo = about(link)?;
    Ok((info.kind == CGROUP_LINK).then_some(LinkView {
        program: info.program,
        cgroup: info.cgroup,
        attach_type: info.attach_type,
    }))
}

/// The id of a program.
pub(crate) fn program_id(program: BorrowedFd<'_>) -> io::Result<u32> {
    about::<ProgramInfo>(program).map(|info| info.id)
}

/// The name of the program with this id; empty when it has none.
pub(crate) fn program_name(id: u32) -> io::Result<String> {
    let mut arguments = ById {
        id,
        next: 0,
        flags: 0,
    };
    // SAFETY: the structure is what this command reads.
    let program: OwnedFd = unsafe { sys::open(PROG_GET_FD_BY_ID, &mut arguments) }?;
    let info: ProgramInfo = about(program.as_fd())?;
    let end = info.name.iter().position(|byte| *byte == 0);
    let name = info.name.get(..end.unwrap_or(info.name.len()));
    Ok(String::from_utf8_lossy(name.unwrap_or_default()).into_owned())
}

/// The ids of the programs at one place of a cgroup, in the order in which they run.
pub(crate) fn effective(cgroup: BorrowedFd<'_>, attach_type: u32) -> io::Result<Vec<u32>> {
    query(cgroup, attach_type, EFFECTIVE)
}

/// The ids of the programs that hang on the cgroup itself.
pub(crate) fn own(cgroup: BorrowedFd<'_>, attach_type: u32) -> io::Result<Vec<u32>> {
    query(cgroup, attach_type, 0)
}

fn query(cgroup: BorrowedFd<'_>, attach_type: u32, flags: u32) -> io::Result<Vec<u32>> {
    let mut ids = vec![0_u32; MAX_PROGRAMS];
    let mut arguments = Query {
        target: cgroup.as_raw_fd(),
        attach_type,
        flags,
        attach_flags: 0,
        ids: ids.as_mut_ptr().expose_provenance() as u64,
        count: u32::try_from(ids.len()).unwrap_or_default(),
        reserved: 0,
    };
    // SAFETY: the structure is what this command reads and fills in; there is room for as many ids as it says.
    unsafe { sys::call(PROG_QUERY, &mut arguments) }?;
    ids.truncate(arguments.count as usize);
    Ok(ids)
}

fn about<T: Copy + Default>(object: BorrowedFd<'_>) -> io::Result<T> {
    let mut found = T::default();
    let mut arguments = Info {
        fd: object.as_raw_fd(),
        length: u32::try_from(size_of::<T>()).unwrap_or_default(),
        place: std::ptr::from_mut(&mut found).expose_provenance() as u64,
    };
    // SAFETY: the kernel writes at most as many bytes as the structure has, which is integers only; what it reads of it
    // first (pointers to further room) is all zero.
    unsafe { sys::call(OBJ_GET_INFO_BY_FD, &mut arguments) }?;
    Ok(found)
}
