//! The network devices of a namespace: what they are, and where the other ends of its wires are. Asked over rtnetlink(7).
//!
//! A socket belongs to the namespace it was made in, so this one is made by a thread that enters it and ends. It hears of
//! every device that comes, goes or changes, so that nothing has to be asked again while all stays as it is.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use crate::netns::within;
use crate::{KernelError, Netns};

/// `RTNLGRP_LINK` of linux/rtnetlink.h.
const LINKS: u32 = 1;
/// Of every namespace the first device.
const LOOPBACK: u32 = 1;
/// The kernel answers in pieces of at most 32 KiB.
const PIECE: usize = 64 * 1024;
/// Most devices of one namespace that are looked at.
const MAX_DEVICES: usize = 1024;
/// Most messages that are passed over in one look for news.
const MAX_NEWS: usize = 4096;

/// What is asked of one namespace.
pub(crate) struct Devices {
    socket: Socket,
    sequence: u32,
}

/// A device that could lead out of its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Device {
    /// One end of a wire.
    Wire {
        /// Its index in the namespace that was asked.
        index: u32,
        /// The index of the other end, in its own namespace.
        far: u32,
        /// What the namespace that was asked calls that one.
        place: i32,
    },
    /// Any other: its own side is the only one there is.
    Other {
        /// Its index.
        index: u32,
    },
}

// === impl Devices ===

impl Devices {
    /// Those of a namespace.
    pub(crate) fn of(netns: &Netns) -> Result<Self, KernelError> {
        let socket = within(netns.as_fd(), || {
            let mut socket = Socket::new(NETLINK_ROUTE).map_err(asking)?;
            socket.bind_auto().map_err(asking)?;
            socket.add_membership(LINKS).map_err(asking)?;
            socket.set_non_blocking(true).map_err(asking)?;
            Ok(socket)
        })?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Whether something may have changed since the last look.
    pub(crate) fn have_changed(&self) -> bool {
        let mut changed = false;
        for _ in 0..MAX_NEWS {
            match self.receive() {
                Ok(_) => changed = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return changed,
                // Too much happened to be told of.
                Err(_) => return true,
            }
        }
        true
    }

    /// All that could lead out.
    pub(crate) fn list(&mut self) -> Result<Vec<Device>, KernelError> {
        let question = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let mut found = Vec::new();
        self.ask(question, NLM_F_DUMP, |answer| {
            if let RouteNetlinkMessage::NewLink(link) = answer
                && found.len() < MAX_DEVICES
            {
                found.extend(device(&link));
            }
        })?;
        Ok(found)
    }

    /// The namespace that this one calls `place`: our own, or one that some process lives in.
    pub(crate) fn place(&mut self, place: i32) -> Result<Option<Netns>, KernelError> {
        for candidate in candidates() {
            if self.name_of(&candidate)? == Some(place) {
                return Netns::from_file(candidate).map(Some);
            }
        }
        Ok(None)
    }

    /// What this namespace calls another one, if anything.
    fn name_of(&mut self, netns: &OwnedFd) -> Result<Option<i32>, KernelError> {
        let Ok(fd) = u32::try_from(netns.as_raw_fd()) else {
            return Ok(None);
        };
        let mut question = NsidMessage::default();
        question.attributes.push(NsidAttribute::Fd(fd));
        let mut name = None;
        self.ask(RouteNetlinkMessage::GetNsId(question), 0, |answer| {
            if let RouteNetlinkMessage::NewNsId(told) = answer {
                name = told
                    .attributes
                    .iter()
                    .find_map(|attribute| match attribute {
                        NsidAttribute::Id(id) if *id >= 0 => Some(*id),
                        _ => None,
                    });
            }
        })?;
        Ok(name)
    }

    /// Asks and reads to the answer's end. News that come between are passed over; the caller looks at everything anyway.
    fn ask(
        &mut self,
        question: RouteNetlinkMessage,
        flags: u16,
        mut take: impl FnMut(RouteNetlinkMessage),
    ) -> Result<(), KernelError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(question));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        let kernel = SocketAddr::new(0, 0);
        self.socket.send_to(&bytes, &kernel, 0).map_err(asking)?;
        for _ in 0..MAX_NEWS {
            let piece = self.receive().map_err(asking)?;
            if self.read(&piece, flags == 0, &mut take)? {
                return Ok(());
            }
        }
        Err(asking(io::Error::other("the answer does not end")))
    }

    /// Reads what came in one piece; whether the answer is complete.
    fn read(
        &self,
        piece: &[u8],
        is_single: bool,
        take: &mut impl FnMut(RouteNetlinkMessage),
    ) -> Result<bool, KernelError> {
        let mut rest = piece;
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(|error| asking(io::Error::other(error.to_string())))?;
            let length = usize::try_from(message.header.length).unwrap_or(rest.len());
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            if message.header.sequence_number != self.sequence {
                continue;
            }
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(true),
                NetlinkPayload::Error(error) => {
                    return match error.code {
                        None => Ok(true),
                        Some(_) => Err(asking(error.to_io())),
                    };
                }
                NetlinkPayload::InnerMessage(inner) => {
                    take(inner);
                    if is_single {
                        return Ok(true);
                    }
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// The next piece from the kernel: whoever else may send here has a port.
    fn receive(&self) -> io::Result<Vec<u8>> {
        for _ in 0..MAX_NEWS {
            let mut piece = Vec::with_capacity(PIECE);
            let (_, sender) = self.socket.recv_from(&mut piece, 0)?;
            if sender.port_number() == 0 {
                return Ok(piece);
            }
        }
        Err(io::ErrorKind::Interrupted.into())
    }
}

/// What a device is to us; nothing for loopback, and for wires that stay in their namespace.
fn device(link: &LinkMessage) -> Option<Device> {
    let index = link.header.index;
    if index == LOOPBACK {
        return None;
    }
    let (mut far, mut place, mut is_wire) = (None, None, false);
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::Link(index) => far = Some(*index),
            LinkAttribute::LinkNetNsId(id) => place = Some(*id),
            LinkAttribute::LinkInfo(infos) => {
                is_wire |= infos
                    .iter()
                    .any(|info| matches!(info, LinkInfo::Kind(InfoKind::Veth)));
            }
            _ => {}
        }
    }
    match (is_wire, far, place) {
        (true, Some(far), Some(place)) => Some(Device::Wire { index, far, place }),
        (true, Some(_), None) => None,
        (true, None, _) | (false, ..) => Some(Device::Other { index }),
    }
}

/// Open namespaces that a wire may lead to: ours, that of the first process, and those that any process lives in.
fn candidates() -> impl Iterator<Item = OwnedFd> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbered = processes.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.parse::<u32>().is_ok().then_some(name)
    });
    let mut seen = Vec::new();
    ["thread-self".to_owned(), "1".to_owned()]
        .into_iter()
        .chain(numbered)
        .filter_map(move |process| {
            let path = Path::new("/proc").join(process).join("ns/net");
            // Looked at before it is opened: most are the same.
            let inode = fs::metadata(&path).ok()?.ino();
            if seen.contains(&inode) {
                return None;
            }
            seen.push(inode);
            File::open(&path).ok().map(OwnedFd::from)
        })
}

fn asking(error: io::Error) -> KernelError {
    KernelError::call("asking for network devices", error)
}
