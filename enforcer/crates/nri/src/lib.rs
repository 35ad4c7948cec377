//! A plug-in of containerd and CRI-O, by the Node Resource Interface: the runtime tells of every container before it makes
//! it, and takes changes to it.
//!
//! One Unix socket carries two connections, told apart by the frames of [`wire`]; on each runs ttrpc, protobuf messages
//! after a header of ten bytes. [`serve`] registers, answers, and returns when the runtime goes. It decides nothing: what a
//! container gets is for its [`Handler`] to say.
//!
//! The interface: <https://github.com/containerd/nri/blob/main/pkg/api/api.proto>; ttrpc:
//! <https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md>. Only the messages and fields that are used are declared
//! here, by their numbers, which never change; what else a runtime sends is skipped.

#![forbid(unsafe_code)]

mod message;
mod session;
pub mod wire;

pub use message::{
    Adjustment, Container, Hook, Hooks, Image, LinuxContainer, LinuxPod, Mount, OptionalInt, Pod,
    Variable,
};
pub use session::{Handler, SessionError, serve};
