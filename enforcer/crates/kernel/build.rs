//! Embeds the kernel's programs if `cargo xtask ebpf` built them, and nothing if not: checking and unit tests need neither
//! root nor the programs' compiler. Loading then fails with a message that names the chore.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/bpf");
    // A folder that is not there would count as changed with every build, so it is made; cargo then notices what comes into it.
    fs::create_dir_all(&folder)?;
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    let object = match fs::read(folder.join("enforcer")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("object"), object)
}
