//! Where names lead. `localhost` is answered by the resolver itself: no query leaves this machine.

use std::path::Path;

use crate::agent::{get, is_ok};
use crate::far::Far;
use crate::world::Setup;

/// Without one there is no resolver at all, and every name is as good as unknown.
#[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
fn is_resolver_configured() -> bool {
    let configured = Path::new("/etc/resolv.conf").exists();
    if !configured {
        eprintln!("skipped: there is no /etc/resolv.conf");
    }
    configured
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_dialled() {
    if !is_resolver_configured() {
        return;
    }
    let world = Setup::default().start();
    let dst = world.named("localhost", 80);
    let answer = get(world.open(dst).await, "localhost", "/v1/models").await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let entries = world.ended(1).await;
    assert_eq!(entries.one("exchange_granted")["rule"], "test/web");
    let aborted = entries.one("exchange_aborted");
    assert_eq!(aborted["cause"], "forbidden_address", "{entries}");
    assert_eq!(aborted["side"], "upstream");
}

#[tokio::test]
async fn a_name_leads_to_a_private_address_that_a_rule_names() {
    if !is_resolver_configured() {
        return;
    }
    let far = Far::answering().await;
    let world = Setup::default().start();
    let dst = world.named("localhost", far.addr.port());
    let host = format!("localhost:{}", far.addr.port());
    is_ok(&get(world.open(dst).await, &host, "/").await);
    let entries = world.ended(1).await;
    assert_eq!(entries.one("exchange_granted")["rule"], "test/local");
    let upstream = &entries.one("exchange_closed")["upstream_addr"];
    assert_eq!(*upstream, far.addr.to_string());
}
