//! What each target begins with: texts of the tree's own tests, behind the bytes by which a target chooses what it does.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Texts that values are looked for in.
const TEXTS: &[&str] = &["tests/corpus/detect", "tests/corpus/injection"];
/// Requests and answers of every interface that is known.
const INTERFACES: &[&str] = &["enforcer/crates/prompt/tests/data"];
const POLICIES: &[&str] = &["policies/examples"];

/// A longer text is cut.
const PIECE: usize = 4096;
/// Pieces of one text.
const PIECES: usize = 4;

/// What a target begins with.
struct Seeds {
    target: &'static str,
    folders: &'static [&'static str],
    /// The first byte chooses among so many kinds of input.
    kinds: u8,
    /// So many bytes stand before the text.
    before: usize,
}

const fn seeds(
    target: &'static str,
    folders: &'static [&'static str],
    (kinds, before): (u8, usize),
) -> Seeds {
    Seeds {
        target,
        folders,
        kinds,
        before,
    }
}

const ALL: &[Seeds] = &[
    seeds("answer", INTERFACES, (10, 4)),
    seeds("body", TEXTS, (11, 3)),
    seeds("decode", TEXTS, (1, 3)),
    seeds("detect", TEXTS, (1, 0)),
    seeds("dns", &[], (1, 0)),
    seeds("head", TEXTS, (7, 1)),
    seeds("injection", TEXTS, (1, 2)),
    seeds("policy", POLICIES, (1, 0)),
    seeds("prompt", INTERFACES, (22, 2)),
    seeds("socket", INTERFACES, (3, 2)),
];

/// The names of all targets.
pub(super) fn targets() -> Vec<&'static str> {
    ALL.iter().map(|seeds| seeds.target).collect()
}

/// Puts its seeds where a target looks for them.
pub(super) fn sow(root: &Path, target: &str) -> Result<()> {
    let folder = root.join("tests/fuzz/corpus").join(target);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let sown = ALL.iter().filter(|seeds| seeds.target == target);
    let texts = sown.flat_map(|seeds| {
        let folders = seeds.folders.iter();
        folders.map(move |folder| (seeds, root.join(folder)))
    });
    let mut count = 0;
    for (seeds, from) in texts {
        for file in files(&from)? {
            let text =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            for piece in text.chunks(PIECE).take(PIECES) {
                for kind in 0..seeds.kinds {
                    let mut seed = vec![kind; seeds.before.min(1)];
                    seed.resize(seeds.before, 1);
                    seed.extend_from_slice(piece);
                    let place = folder.join(format!("seed-{count}"));
                    fs::write(&place, seed)
                        .with_context(|| format!("cannot write {}", place.display()))?;
                    count += 1;
                }
            }
        }
    }
    Ok(())
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("cannot read {}", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        match path.is_dir() {
            true => all.extend(files(&path)?),
            false => all.push(path),
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn every_target_is_known_here_and_has_what_to_begin_with() {
        let targets = files(&workspace().join("tests/fuzz/fuzz_targets")).unwrap();
        let there: Vec<_> = targets
            .iter()
            .map(|file| file.file_stem().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(there, super::targets());
        for folder in ALL.iter().flat_map(|seeds| seeds.folders) {
            assert!(!files(&workspace().join(folder)).unwrap().is_empty());
        }
    }
}
