//! Programs that the loader library cannot load as they must be: relocated by its parser, handed to the kernel by us.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use aya_obj::Object;
use aya_obj::generated::bpf_insn;

use crate::sys;

type Reason = Box<dyn std::error::Error + Send + Sync>;

/// Has `load` hand over the instructions of the program `name`, with all maps that it uses filled in. Those must be pinned in
/// `maps` already.
pub(crate) fn load(
    object: &[u8],
    maps: &Path,
    name: &str,
    load: impl FnOnce(&[bpf_insn]) -> io::Result<OwnedFd>,
) -> io::Result<OwnedFd> {
    let mut object = Object::parse(object).map_err(io::Error::other)?;
    let pinned: Vec<_> = object
        .maps
        .keys()
        .filter_map(|name| Some((name.clone(), sys::open_pin(&maps.join(name)).ok()?)))
        .collect();
    let code = relocate(&mut object, &pinned, name).map_err(io::Error::other)?;
    // The instructions name the maps by descriptors, which are open until here.
    load(&code)
}

fn relocate(
    object: &mut Object,
    pinned: &[(String, OwnedFd)],
    name: &str,
) -> Result<Vec<bpf_insn>, Reason> {
    let entries: HashSet<usize> = object
        .programs
        .values()
        .map(|program| program.section_index)
        .collect();
    object.programs.retain(|of, _| of == name);
    let program = object.programs.get(name);
    let key = program
        .map(aya_obj::Program::function_key)
        .ok_or("it is not in the object")?;
    let sections: HashSet<usize> = object
        .functions
        .keys()
        .map(|(section, _)| *section)
        .collect();
    // Other programs are not wanted; what several call stands in no program's section.
    object
        .functions
        .retain(|of, _| *of == key || !entries.contains(&of.0));
    let known = object.maps.clone();
    let named = pinned
        .iter()
        .filter_map(|(name, fd)| Some((name.as_str(), fd.as_raw_fd(), known.get(name)?)));
    object.relocate_maps(named, &sections)?;
    object.relocate_calls(&sections)?;
    let function = object.functions.get(&key).ok_or("it has no code")?;
    Ok(function.instructions.clone())
}
