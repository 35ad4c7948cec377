//! A kernel of Debian's: downloaded by apt, which checks who signed it, and unpacked, not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The keys that Debian's releases are signed with.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One kernel.
pub(super) struct Kernel {
    /// What is booted.
    pub(super) image: PathBuf,
    /// The folder that its modules lie in.
    pub(super) modules: PathBuf,
}

/// Apt, looking at one release.
struct Apt {
    options: Vec<String>,
}

/// Fetches a kernel, unless it was fetched before.
pub(super) fn fetch(folder: &Path, package: &str, suite: Option<&str>) -> Result<Kernel> {
    let apt = Apt::of(folder, suite)?;
    let package = apt.resolve(package)?;
    let place = folder.join(&package);
    if !place.join("boot").is_dir() {
        let downloads = folder.join("downloads");
        let _ = fs::remove_dir_all(&downloads);
        fs::create_dir_all(&downloads)?;
        done(
            apt.command("apt-get")
                .current_dir(&downloads)
                .args(["-qq", "download", &package]),
        )?;
        let deb = only_in(&downloads, "linux-image-")?;
        let parts = folder.join("unpacked");
        let _ = fs::remove_dir_all(&parts);
        done(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&parts))?;
        fs::rename(&parts, &place)?;
    }
    Kernel::in_folder(&place)
}

// === impl Kernel ===

impl Kernel {
    fn in_folder(place: &Path) -> Result<Self> {
        // Since /lib became a link, packages put them below /usr.
        let modules = ["lib/modules", "usr/lib/modules"];
        let modules = modules.map(|folder| place.join(folder));
        let modules = modules.iter().find(|folder| folder.is_dir());
        let modules = modules.context("the package has no modules")?;
        Ok(Self {
            image: only_in(&place.join("boot"), "vmlinuz-")?,
            modules: only_in(modules, "")?.join("kernel"),
        })
    }
}

// === impl Apt ===

impl Apt {
    fn of(folder: &Path, suite: Option<&str>) -> Result<Self> {
        let mut this = Self {
            options: Vec::new(),
        };
        let Some(suite) = suite else {
            return Ok(this);
        };
        let addresses =
            said(
                this.command("apt-get")
                    .args(["indextargets", "--format", "$(REPO_URI)"]),
            )?;
        let address = addresses
            .lines()
            .next()
            .context("apt knows no place to fetch from")?;
        let lists = folder.join("lists").join(suite);
        fs::create_dir_all(lists.join("partial"))?;
        // Not among the lists: apt clears away there what it did not put there.
        let sources = folder.join(format!("{suite}.list"));
        fs::write(
            &sources,
            format!("deb [signed-by={KEYS}] {address} {suite} main\n"),
        )?;
        this.options = vec![
            format!("Dir::Etc::SourceList={}", sources.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", lists.display()),
            "Dir::Cache::pkgcache=".to_owned(),
            "Dir::Cache::srcpkgcache=".to_owned(),
        ];
        done(this.command("apt-get").args(["-qq", "update"]))?;
        Ok(this)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // The user that apt would become may not write into our folders.
        command.args(["-o", "APT::Sandbox::User=root"]);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// The package that holds the kernel: this one, or the one that it depends on.
    fn resolve(&self, package: &str) -> Result<String> {
        let about = said(
            self.command("apt-cache")
                .args(["depends", "--important", package]),
        )?;
        let mut depended = about
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        let kernel = depended.find(|name| name.starts_with("linux-image-"));
        Ok(kernel.unwrap_or(package).to_owned())
    }
}

/// The one entry of a folder whose name begins so.
fn only_in(folder: &Path, beginning: &str) -> Result<PathBuf> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut found = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    let first = found
        .next()
        .with_context(|| format!("no `{beginning}*` in {}", folder.display()))?;
    ensure!(
        found.next().is_none(),
        "more than one `{beginning}*` in {}",
        folder.display()
    );
    Ok(first.path())
}

pub(super) fn done(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let status = command
        .status()
        .with_context(|| format!("`{}` could not be started", program.display()))?;
    ensure!(
        status.success(),
        "`{}` failed ({status})",
        program.display()
    );
    Ok(())
}

pub(super) fn said(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_owned();
    let output = command
        .output()
        .with_context(|| format!("`{}` could not be started", program.display()))?;
    ensure!(
        output.status.success(),
        "`{}` failed ({})",
        program.display(),
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
