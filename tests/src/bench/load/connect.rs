//! Bare `connect(2)` calls, timed one by one: what the kernel hooks add.
//!
//! Once while the listener works beside them, each call after a pause, and once while it stands still: what it does with a
//! connection that has an origin is more than with one that has none, and shows in what the next call finds in the caches.
//! That is not the hooks' doing, and a pause makes it more, since the core falls asleep.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};

use super::{record::Record, window::Window};
use crate::bench::turns::{self, Turns};

/// Between two connects, so that the listener has taken the last one and is not what is measured.
const PAUSE: Duration = Duration::from_micros(300);

/// Connects of one turn while the listener stands still: fewer than it has room for.
const BURST: usize = 40;

/// How long it takes at most until it stands.
const SETTLING: Duration = Duration::from_millis(2);

/// Connects until the window closes, whenever it is its turn. Only the system call is timed; the socket is made before and reset after.
pub(super) fn repeat(target: SocketAddr, turns: Turns, window: Window) -> Result<Record> {
    turns.settle()?;
    let mut record = Record::default();
    while window.is_open() && record.is_hopeful() {
        let turn = turns.wait();
        let mut connect = || {
            if let Err(error) = one(target, window, turn, &mut record) {
                record.fail(&error);
            }
        };
        match turns {
            Turns::All | Turns::Even | Turns::Odd => {
                connect();
                thread::sleep(PAUSE);
            }
            Turns::First | Turns::Third => {
                let began = turns::current();
                thread::sleep(SETTLING);
                (0..BURST)
                    .take_while(|_| turns::current() == began)
                    .for_each(|_| connect());
                if turns::current() == began {
                    turns::wait_for_next();
                }
            }
        }
    }
    Ok(record)
}

fn one(target: SocketAddr, window: Window, turn: u64, record: &mut Record) -> Result<()> {
    let socket = Socket::new(
        Domain::for_address(target),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Closing with a reset leaves nothing in TIME_WAIT to run out of ports with.
    socket.set_linger(Some(Duration::ZERO))?;
    let address = target.into();
    let began = Instant::now();
    match socket.connect(&address) {
        // Asked directly, the enforcer's listener finds no origin and resets, at times before we are told of the handshake.
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error).context("connect"),
        _ => {
            record.connected(window, began, turn);
            Ok(())
        }
    }
}
