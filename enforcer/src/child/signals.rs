//! The signals that concern a supervisor, and the terminal some of them come from.

use std::fs::File;
use std::io;
use std::task::Poll;

use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind};

/// What is passed on to the command, or left to it. Caught rather than ignored: what is ignored stays so across execve(2),
/// and the command is to find every signal as its caller set it.
const PASSED_ON: [Signal; 9] = [
    Signal::INT,
    Signal::QUIT,
    Signal::TSTP,
    Signal::WINCH,
    Signal::TERM,
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
    Signal::CONT,
];

/// A listener for each of them, and one for changes of the command.
pub(super) struct Signals {
    passed_on: Vec<(Signal, unix::Signal)>,
    changed: unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let listen = |signal: Signal| unix::signal(SignalKind::from_raw(signal.as_raw()));
        let passed_on = PASSED_ON
            .into_iter()
            .map(|signal| Ok((signal, listen(signal)?)))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            passed_on,
            changed: listen(Signal::CHILD)?,
        })
    }

    /// The next signal to pass on; none when the command may have changed instead. Nothing is lost when the wait is.
    pub(super) async fn next(&mut self) -> Option<Signal> {
        let Self { passed_on, changed } = self;
        std::future::poll_fn(|context| {
            for (signal, listener) in passed_on.iter_mut() {
                if listener.poll_recv(context).is_ready() {
                    return Poll::Ready(Some(*signal));
                }
            }
            changed.poll_recv(context).map(|_| None)
        })
        .await
    }
}

/// Whether a terminal sends it, to a whole process group.
pub(super) fn comes_from_terminals(signal: Signal) -> bool {
    [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::WINCH].contains(&signal)
}

/// The controlling terminal.
pub(super) fn terminal() -> Option<File> {
    File::open("/dev/tty").ok()
}
