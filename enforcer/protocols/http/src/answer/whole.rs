//! An answer that was judged whole and is now sent.

use bytes::Bytes;
use enforcer_gate::{Exchange, Held};

/// Its bytes, their place among all that are kept, and the exchange that ends when they are sent.
pub struct Whole {
    bytes: Option<Bytes>,
    _room: Held,
    exchange: Option<Exchange>,
}

// === impl Whole ===

impl Whole {
    pub(crate) fn new(bytes: Bytes, room: Held, exchange: Exchange) -> Self {
        let mut whole = Self {
            bytes: Some(bytes).filter(|bytes| !bytes.is_empty()),
            _room: room,
            exchange: Some(exchange),
        };
        if whole.bytes.is_none() {
            whole.finish();
        }
        whole
    }

    pub(crate) fn take(&mut self) -> Option<Bytes> {
        let bytes = self.bytes.take();
        self.finish();
        bytes
    }

    pub(crate) fn is_over(&self) -> bool {
        self.bytes.is_none()
    }

    pub(crate) fn len(&self) -> u64 {
        self.bytes.as_ref().map_or(0, Bytes::len) as u64
    }

    fn finish(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            exchange.finish();
        }
    }
}
