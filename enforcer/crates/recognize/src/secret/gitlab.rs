//! GitLab: `gl`, a kind, and a dash.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of people, deployments, runners, jobs, triggers, feeds, agents and SCIM.
pub(super) static DETECTOR: Detector = Detector {
    name: "gitlab_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("glpat-"),
        Wake::Prefix("gldt-"),
        Wake::Prefix("glrt-"),
        Wake::Prefix("glrtr-"),
        Wake::Prefix("glcbt-"),
        Wake::Prefix("glptt-"),
        Wake::Prefix("glft-"),
        Wake::Prefix("glsoat-"),
        Wake::Prefix("glimt-"),
        Wake::Prefix("glagent-"),
        Wake::Prefix("gloas-"),
        Wake::Prefix("glffct-"),
    ],
    longest: 328,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &[
        "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-",
        "glagent-", "gloas-", "glffct-",
    ],
    body: Alphabet::of("A-Za-z0-9._-"),
    length: (20, 320),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}
