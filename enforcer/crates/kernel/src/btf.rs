//! The kernel's own types, as it describes them: which function has which number, and where in a structure a member lies.
//!
//! The loader library reads this format, too, but tells nobody of members. Only what is asked for is kept: the whole is some
//! megabytes. <https://github.com/torvalds/linux/blob/v6.12/Documentation/bpf/btf.rst>

use std::fs;
use std::io;

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";
const MAGIC: u32 = 0xeb9f;
const STRUCT: u32 = 4;
const FUNC: u32 = 12;
/// Bytes of an entry before what its kind adds.
const ENTRY: usize = 12;
/// Bytes of a member.
const MEMBER: usize = 12;
/// A member's offset where others of its structure have a width in bits.
const OFFSET: u32 = 0x00ff_ffff;

/// The types.
pub(crate) struct Types {
    entries: Vec<u8>,
    names: Vec<u8>,
}

/// One type.
struct Entry<'a> {
    id: u32,
    kind: u32,
    name: u32,
    /// Whether its members' offsets have widths beside them.
    has_widths: bool,
    /// What its kind adds.
    rest: &'a [u8],
}

// === impl Types ===

impl Types {
    /// Those of the running kernel.
    pub(crate) fn of_kernel() -> io::Result<Self> {
        Self::parse(&fs::read(VMLINUX)?).ok_or_else(|| malformed("its header is not understood"))
    }

    /// From bytes in this machine's order.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let magic = u32::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let after = word(bytes, 4)? as usize;
        let part = |at: usize| -> Option<Vec<u8>> {
            let begin = after.checked_add(word(bytes, at)? as usize)?;
            let end = begin.checked_add(word(bytes, at + 4)? as usize)?;
            bytes.get(begin..end).map(<[u8]>::to_vec)
        };
        (magic == MAGIC).then_some(())?;
        Some(Self {
            entries: part(8)?,
            names: part(16)?,
        })
    }

    /// The number of a function.
    pub(crate) fn function(&self, name: &str) -> io::Result<u32> {
        self.find(FUNC, name).map(|entry| entry.id)
    }

    /// Where in a structure the first of these members lies that it has, in bytes.
    pub(crate) fn offset(&self, structure: &str, members: &[&str]) -> io::Result<u32> {
        let entry = self.find(STRUCT, structure)?;
        let found = entry.rest.chunks_exact(MEMBER).find_map(|member| {
            let name = word(member, 0)?;
            let is_meant = members.iter().any(|wanted| self.is_called(name, wanted));
            is_meant.then(|| word(member, 8)).flatten()
        });
        let missing = || {
            malformed(&format!(
                "`{structure}` has no `{}`",
                members.join("` or `")
            ))
        };
        let bits = found.ok_or_else(missing)?;
        let bits = if entry.has_widths {
            bits & OFFSET
        } else {
            bits
        };
        Ok(bits / 8)
    }

    fn find(&self, kind: u32, name: &str) -> io::Result<Entry<'_>> {
        let mut all = self.all();
        all.find(|entry| entry.kind == kind && self.is_called(entry.name, name))
            .ok_or_else(|| malformed(&format!("it has no `{name}`")))
    }

    /// All of them, up to one whose kind is not known: how long that is cannot be known either.
    fn all(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut left = self.entries.as_slice();
        let mut id = 0;
        std::iter::from_fn(move || {
            let (name, info) = (word(left, 0)?, word(left, 4)?);
            let kind = info >> 24 & 0x1f;
            let length = added(kind, info as usize & 0xffff)?;
            let rest = left.get(ENTRY..ENTRY + length)?;
            left = left.get(ENTRY + length..)?;
            id += 1;
            Some(Entry {
                id,
                kind,
                name,
                has_widths: info >> 31 == 1,
                rest,
            })
        })
    }

    fn is_called(&self, name: u32, wanted: &str) -> bool {
        let from = self.names.get(name as usize..).unwrap_or_default();
        from.strip_prefix(wanted.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// How many bytes a kind adds to an entry.
fn added(kind: u32, count: usize) -> Option<usize> {
    Some(match kind {
        1 | 14 | 17 => 4,
        2 | 7..=12 | 16 | 18 => 0,
        3 => 12,
        4 | 5 | 15 | 19 => count * 12,
        6 | 13 => count * 8,
        _ => return None,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(four.try_into().ok()?))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("what the kernel says of its types will not do: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An integer, a structure with widths and two members, an enumeration, and a function.
    fn example() -> Vec<u8> {
        let names = b"\0int\0node\0first\0second\0run\0";
        let types: &[u32] = &[
            1,
            1 << 24,
            4,
            32, // int
            5,
            1 << 31 | 4 << 24 | 2,
            16,
            10,
            1,
            0,
            16,
            1,
            8 << 24 | 64, // node
            0,
            6 << 24 | 1,
            4,
            1,
            0, // an enumeration without a name
            23,
            12 << 24,
            1, // run
        ];
        let types: Vec<u8> = types.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, length(&types), length(&types), length(names)] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(types);
        bytes.extend(names);
        bytes
    }

    #[test]
    fn functions_and_members_are_found_where_they_are() {
        let types = Types::parse(&example()).unwrap();
        assert_eq!(types.function("run").unwrap(), 4);
        assert_eq!(types.offset("node", &["first"]).unwrap(), 0);
        assert_eq!(types.offset("node", &["__second", "second"]).unwrap(), 8);
        for missing in [
            types.function("ru"),
            types.function("node"),
            types.offset("node", &["third"]),
            types.offset("run", &["first"]),
        ] {
            assert!(missing.is_err());
        }
    }

    #[test]
    fn what_is_cut_short_is_an_error_and_nothing_worse() {
        let whole = example();
        for end in 0..whole.len() {
            if let Some(types) = Types::parse(&whole[..end]) {
                let _ = (types.function("run"), types.offset("node", &["second"]));
            }
        }
        assert!(Types::parse(b"\x7fELF and what follows it in such files").is_none());
    }

    #[test]
    fn this_kernel_says_what_is_asked_of_it() {
        let Ok(types) = Types::of_kernel() else {
            return;
        };
        assert_eq!(
            types.offset("kernfs_node", &["__parent", "parent"]).is_ok(),
            types.offset("kernfs_node", &["id"]).is_ok()
        );
        assert!(types.offset("inode", &["i_sb"]).unwrap() < 1024);
        assert!(types.function("vfs_read").is_ok());
    }
}
