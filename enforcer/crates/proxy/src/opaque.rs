//! Bytes that are not opened: one exchange, one question, copied or refused.

use std::sync::Arc;

use enforcer_flow::{Destination, Protocol};
use enforcer_gate::{Ask, Flow, Granted, relay};
use enforcer_http::Pool;
use enforcer_tls::Prefixed;

use crate::proxy::Proxy;
use crate::socket::Socket;

/// Asks for the stream as a whole and carries it to its end. A refusal is a reset, which every protocol understands.
pub(crate) async fn forward(
    proxy: &Proxy,
    pool: &Pool,
    stream: Socket,
    bytes: Vec<u8>,
    protocol: Protocol,
    destination: &Destination,
    flow: Arc<Flow>,
) {
    let ask = Ask {
        protocol,
        destination,
        request: None,
        shown_path: None,
        estimate: None,
        credentials: &[],
    };
    let granted = match proxy.parts.gate.ask(&flow, ask) {
        Ok(granted) => granted,
        Err(refusal) => {
            flow.fault(refusal.fault.side(), refusal.cause);
            stream.reset();
            return;
        }
    };
    // A stream is never granted under terms: nothing in it could be filled in or judged.
    let Granted {
        mut exchange,
        permit,
        terms: _,
    } = granted;
    let (far, addr) = match pool.dial(&flow, &permit).await {
        Ok(dialled) => dialled,
        Err(error) => {
            tracing::debug!(%error, exchange.id = %exchange.id(), dst.host = %destination.host, "an upstream could not be reached");
            exchange.fault_with(error.side(), error.cause(), &error);
            flow.fault(error.side(), error.cause());
            stream.reset();
            return;
        }
    };
    exchange.upstream(addr);
    let meter = Arc::clone(exchange.meter());
    let idle = proxy.parts.limits.idle_timeout;
    match relay(Prefixed::new(bytes, stream), far, &meter, idle).await {
        Ok(()) => exchange.finish(),
        Err(broken) => {
            exchange.fault(broken.side, broken.cause);
            flow.fault(broken.side, broken.cause);
        }
    }
}
