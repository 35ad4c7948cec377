//! What opens a door: keys, tokens, passwords.
//!
//! A vendor's tokens are known by how they begin, and by a checksum, a mark or a structure behind that; what has no such
//! beginning, by the name it is assigned to. What stands in for a secret in examples (`your-api-key`, `${TOKEN}`) is none.

use crate::Detector;

mod age;
mod alphabet;
mod anthropic;
mod armor;
mod assignment;
mod atlassian;
mod authorization;
mod aws;
mod azure;
mod cargo;
mod chance;
mod checksum;
mod databricks;
mod datadog;
mod digitalocean;
mod discord;
mod docker;
mod doppler;
mod figma;
mod gcp;
mod generic;
mod github;
mod gitlab;
mod google;
mod grafana;
mod groq;
mod heroku;
mod huggingface;
mod jwt;
mod langsmith;
mod linear;
mod mailgun;
mod newrelic;
mod notion;
mod npm;
mod openai;
mod openrouter;
mod perplexity;
mod pinecone;
mod planetscale;
mod postman;
mod pulumi;
mod putty;
mod pypi;
mod replicate;
mod rubygems;
mod sendgrid;
mod sentry;
mod shopify;
mod slack;
mod stripe;
mod supabase;
mod telegram;
mod terraform;
mod token;
mod twilio;
mod uri;
mod vault;
mod xai;

/// All of them, by name; the one that knows least comes last, so that it loses to any other that is as sure.
pub(crate) const DETECTORS: &[&Detector] = &[
    &age::DETECTOR,
    &anthropic::DETECTOR,
    &atlassian::DETECTOR,
    &authorization::DETECTOR,
    &aws::access_key_id::DETECTOR,
    &aws::secret_access_key::DETECTOR,
    &aws::session_token::DETECTOR,
    &azure::ACCOUNT_KEY,
    &azure::CLIENT_SECRET,
    &azure::SAS,
    &azure::SHARED_ACCESS_KEY,
    &uri::basic_auth::DETECTOR,
    &uri::connection_string::DETECTOR,
    &cargo::DETECTOR,
    &databricks::DETECTOR,
    &datadog::DETECTOR,
    &digitalocean::DETECTOR,
    &discord::BOT_TOKEN,
    &discord::WEBHOOK,
    &docker::DETECTOR,
    &doppler::DETECTOR,
    &figma::DETECTOR,
    &gcp::DETECTOR,
    &github::FINE_GRAINED,
    &github::TOKEN,
    &gitlab::DETECTOR,
    &google::API_KEY,
    &google::OAUTH_SECRET,
    &google::OAUTH_TOKEN,
    &grafana::DETECTOR,
    &groq::DETECTOR,
    &heroku::DETECTOR,
    &huggingface::DETECTOR,
    &jwt::DETECTOR,
    &langsmith::DETECTOR,
    &linear::DETECTOR,
    &mailgun::DETECTOR,
    &newrelic::DETECTOR,
    &notion::DETECTOR,
    &npm::DETECTOR,
    &openai::DETECTOR,
    &openrouter::DETECTOR,
    &armor::openssh::DETECTOR,
    &armor::pem::DETECTOR,
    &perplexity::DETECTOR,
    &armor::pgp::DETECTOR,
    &pinecone::DETECTOR,
    &planetscale::DETECTOR,
    &postman::DETECTOR,
    &pulumi::DETECTOR,
    &putty::DETECTOR,
    &pypi::DETECTOR,
    &replicate::DETECTOR,
    &rubygems::DETECTOR,
    &sendgrid::DETECTOR,
    &sentry::DETECTOR,
    &shopify::DETECTOR,
    &slack::TOKEN,
    &slack::WEBHOOK,
    &stripe::KEY,
    &stripe::WEBHOOK_SECRET,
    &supabase::DETECTOR,
    &telegram::DETECTOR,
    &terraform::DETECTOR,
    &twilio::AUTH_TOKEN,
    &twilio::KEY,
    &vault::DETECTOR,
    &xai::DETECTOR,
    &generic::DETECTOR,
];
