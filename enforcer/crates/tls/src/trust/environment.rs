//! The variables that point programs at the files, and which program reads which.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Placed, TRUSTSTORE_PASSWORD};

/// Variables of programs that put the file in place of their own roots.
const BUNDLE: &[&str] = &[
    // AWS CLI and SDKs (botocore, JavaScript, C++).
    "AWS_CA_BUNDLE",
    // Bundler, for gems.
    "BUNDLE_SSL_CA_CERT",
    // cargo, for registries and git over libcurl.
    "CARGO_HTTP_CAINFO",
    // gcloud.
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    // Codex; it reads SSL_CERT_FILE too, but this one first.
    "CODEX_CA_CERTIFICATE",
    // The curl program, R, and requests after REQUESTS_CA_BUNDLE.
    "CURL_CA_BUNDLE",
    // git over libcurl.
    "GIT_SSL_CAINFO",
    // gRPC in C++, Python, Ruby, PHP: compiled-in roots otherwise.
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    // Hex and Mix, the package tools of Elixir and Erlang.
    "HEX_CACERTS_PATH",
    // httplib2, below older Google API clients of Python.
    "HTTPLIB2_CA_CERTS",
    // Julia: package downloads and LibGit2.
    "JULIA_SSL_CA_ROOTS_PATH",
    // Nix and programs packaged by it, whose OpenSSL does not look in /etc.
    "NIX_SSL_CERT_FILE",
    // npm and pnpm, as their `cafile` setting.
    "npm_config_cafile",
    // libwww-perl.
    "PERL_LWP_SSL_CA_FILE",
    // pip, which brings roots of its own.
    "PIP_CERT",
    // Python requests and all above it, which otherwise read the bundle of certifi.
    "REQUESTS_CA_BUNDLE",
    // OpenSSL and all above it (Python ssl, Ruby, PHP, .NET), httpx and with it the OpenAI SDK, aiohttp, Go, uv,
    // rustls-native-certs. SSL_CERT_DIR is left alone: OpenSSL reads it beside the file, and it holds public roots.
    "SSL_CERT_FILE",
    // websocket-client of Python.
    "WEBSOCKET_CLIENT_CA_BUNDLE",
    // Yarn 2 and later, as its `httpsCaFilePath` setting.
    "YARN_HTTPS_CA_FILE_PATH",
];

/// Variables of programs that add the file to their own roots.
const ADDITIVE: &[&str] = &[
    // Deno.
    "DENO_CERT",
    // Node, Bun, and what is built with either. NODE_USE_SYSTEM_CA would need a recent Node and add nothing.
    "NODE_EXTRA_CA_CERTS",
];

/// The variables to set for an agent. `java_tool_options` is the value of `JAVA_TOOL_OPTIONS` that the agent would otherwise
/// have; ours is appended to it, so that of two trust stores ours counts.
#[must_use]
pub fn environment(
    placed: &Placed,
    java_tool_options: Option<&OsStr>,
) -> Vec<(&'static str, OsString)> {
    let Placed {
        bundle,
        ca,
        truststore,
    } = placed;
    let replacing = BUNDLE.iter().map(|name| (*name, bundle.clone().into()));
    let adding = ADDITIVE.iter().map(|name| (*name, ca.clone().into()));
    let java = (
        // Every Java virtual machine since 5, however it is started.
        "JAVA_TOOL_OPTIONS",
        java_options(truststore, java_tool_options),
    );
    replacing.chain(adding).chain([java]).collect()
}

/// The bundles that an environment names, as `/proc/PID/environ` shows it: what a container's maker pointed programs at.
#[must_use]
pub fn named_by(environ: &[u8]) -> Vec<PathBuf> {
    let variables = environ.split(|byte| *byte == 0);
    let paths = variables.filter_map(|variable| {
        let at = variable.iter().position(|byte| *byte == b'=')?;
        let (name, path) = (
            &variable[..at],
            Path::new(OsStr::from_bytes(&variable[at + 1..])),
        );
        let mut known = BUNDLE.iter().chain(ADDITIVE);
        (path.is_absolute() && known.any(|known| known.as_bytes() == name)).then(|| path.to_owned())
    });
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths.dedup();
    paths
}

fn java_options(truststore: &Path, before: Option<&OsStr>) -> OsString {
    let mut options = before.unwrap_or_default().to_owned();
    if !options.is_empty() {
        options.push(" ");
    }
    // The virtual machine splits at white space and takes either quote.
    options.push("\"-Djavax.net.ssl.trustStore=");
    options.push(truststore);
    options.push("\" -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=");
    options.push(TRUSTSTORE_PASSWORD);
    options
}
