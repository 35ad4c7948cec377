//! Bare `connect(2)` calls, timed one by one: what the kernel hooks add.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};

use super::{record::Record, window::Window};
use crate::bench::turns::Turns;

/// Between two connects, so that the listener has taken the last one and is not what is measured.
const PAUSE: Duration = Duration::from_micros(300);

/// Connects until the window closes, whenever it is its turn. Only the system call is timed; the socket is made before and reset after.
pub(super) fn repeat(target: SocketAddr, turns: Turns, window: Window) -> Result<Record> {
    turns.settle()?;
    let mut record = Record::default();
    while window.is_open() && record.is_hopeful() {
        let turn = turns.wait();
        if let Err(error) = one(target, window, turn, &mut record) {
            record.fail(&error);
        }
        thread::sleep(PAUSE);
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
