//! Files of ours over files of a namespace, on a real kernel. Skips where it is not root.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use enforcer_kernel::{Cover, FileId, MountNamespace, MountNamespaceId};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;
use tempfile::TempDir;

/// A process in a mount namespace of its own; ends with the value.
struct Container {
    child: Child,
}

impl Container {
    fn start(propagation: &str) -> Self {
        Self::after(propagation, "true")
    }

    /// Once it has done something of its own.
    fn after(propagation: &str, first: &str) -> Self {
        let mut child = Command::new("unshare")
            .args(["--mount", "--propagation", propagation])
            .args([
                "sh",
                "-c",
                &format!("{first} && echo ready; exec sleep 1000"),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { child }
    }

    fn view(&self) -> MountNamespace {
        MountNamespace::of_process(self.child.id(), None).unwrap()
    }

    /// What is at a path as the process sees it.
    fn read(&self, path: &Path) -> String {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        fs::read_to_string(root.join(path.strip_prefix("/").unwrap())).unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of theirs and one of ours.
struct Files {
    _dir: TempDir,
    theirs: PathBuf,
    ours: PathBuf,
}

impl Files {
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: not root");
            return None;
        }
        let dir = TempDir::new().unwrap();
        let (theirs, ours) = (dir.path().join("the irs"), dir.path().join("ours"));
        fs::write(&theirs, "theirs").unwrap();
        fs::write(&ours, "ours").unwrap();
        Some(Self {
            _dir: dir,
            theirs,
            ours,
        })
    }

    /// Lays ours over theirs in a container.
    fn cover(&self, view: &MountNamespace, container: &Container) -> std::io::Result<()> {
        let root = PathBuf::from(format!("/proc/{}/root", container.child.id()));
        let target = File::open(root.join(self.theirs.strip_prefix("/").unwrap())).unwrap();
        let covers = [Cover {
            source: self.ours.clone(),
            target: target.into(),
        }];
        view.cover(&covers).unwrap().remove(0)
    }

    fn known(&self) -> HashSet<FileId> {
        HashSet::from([FileId::of(File::open(&self.ours).unwrap()).unwrap()])
    }
}

#[test]
fn what_is_laid_over_a_file_is_seen_there_alone_and_goes_without_a_trace() {
    let Some(files) = Files::new() else { return };
    let (container, other) = (Container::start("private"), Container::start("private"));
    let view = container.view();
    assert_ne!(view.id(), MountNamespaceId::current().unwrap());
    files.cover(&view, &container).unwrap();
    assert_eq!(container.read(&files.theirs), "ours");
    assert_eq!(other.read(&files.theirs), "theirs");
    assert_eq!(fs::read_to_string(&files.theirs).unwrap(), "theirs");
    // Nobody writes through it.
    let root = PathBuf::from(format!("/proc/{}/root", container.child.id()));
    let inside = root.join(files.theirs.strip_prefix("/").unwrap());
    let error = fs::write(inside, "x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EROFS), "{error}");
    assert_eq!(other.view().uncover(&files.known()).unwrap(), 0);
    assert_eq!(view.uncover(&files.known()).unwrap(), 1);
    assert_eq!(container.read(&files.theirs), "theirs");
    assert_eq!(view.uncover(&files.known()).unwrap(), 0);
}

#[test]
fn a_mount_of_others_is_not_taken_away() {
    let Some(files) = Files::new() else { return };
    let container = Container::start("private");
    let view = container.view();
    files.cover(&view, &container).unwrap();
    assert_eq!(view.uncover(&HashSet::new()).unwrap(), 0);
    assert_eq!(container.read(&files.theirs), "ours");
}

#[test]
fn nothing_is_laid_that_would_show_on_the_host() {
    let Some(files) = Files::new() else { return };
    // A thread stands for the host, so that the machine's own mounts stay as they are.
    let host = thread::spawn(move || {
        // SAFETY: this thread ends with the test and shares no root with others from here on.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS | UnshareFlags::NEWNS) }.unwrap();
        let shared = MountPropagationFlags::SHARED | MountPropagationFlags::REC;
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private).unwrap();
        mount_change("/", shared).unwrap();
        let container = Container::start("unchanged");
        let error = files.cover(&container.view(), &container).unwrap_err();
        assert!(error.to_string().contains("on the host"), "{error}");
        assert_eq!(container.read(&files.theirs), "theirs");
        assert_eq!(fs::read_to_string(&files.theirs).unwrap(), "theirs");
        // One that is only told of the host's mounts, and tells nothing, is served.
        let container = Container::start("slave");
        files.cover(&container.view(), &container).unwrap();
        assert_eq!(container.read(&files.theirs), "ours");
        assert_eq!(fs::read_to_string(&files.theirs).unwrap(), "theirs");
    });
    host.join().unwrap();
}

#[test]
fn sockets_from_outside_are_found_wherever_they_are_mounted_and_covered() {
    use std::os::unix::net::{UnixListener, UnixStream};

    let Some(files) = Files::new() else { return };
    let dir = files.theirs.parent().unwrap();
    for folder in ["run", "run/deep", "inside"] {
        fs::create_dir(dir.join(folder)).unwrap();
    }
    let socket = dir.join("run/deep/control.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::write(dir.join("one"), "").unwrap();
    let at = dir.display();
    let container = Container::after(
        "private",
        &format!(
            "mount --bind {at}/run {at}/inside && mount --bind {at}/run/deep/control.sock {at}/one"
        ),
    );
    let view = container.view();
    let outside = HashMap::from([(FileId::at(&socket).unwrap(), socket.clone())]);
    let found = view.sockets(&outside).unwrap();
    let mut paths: Vec<_> = found.iter().map(|socket| socket.path.clone()).collect();
    paths.sort();
    assert_eq!(
        paths,
        [dir.join("inside/deep/control.sock"), dir.join("one")]
    );
    // One that nobody told of is found where it is mounted alone.
    assert_eq!(view.sockets(&HashMap::new()).unwrap().len(), 1);

    let covers: Vec<Cover> = found
        .into_iter()
        .map(|socket| Cover {
            source: files.ours.clone(),
            target: socket.target,
        })
        .collect();
    assert!(view.cover(&covers).unwrap().iter().all(Result::is_ok));
    assert!(view.sockets(&outside).unwrap().is_empty());
    let root = PathBuf::from(format!("/proc/{}/root", container.child.id()));
    for path in paths {
        let error = UnixStream::connect(root.join(path.strip_prefix("/").unwrap())).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED), "{error}");
    }
    UnixStream::connect(&socket).unwrap();
}
