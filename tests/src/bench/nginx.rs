//! The upstream: nginx with TLS 1.3, a small JSON answer, and large bodies both ways.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result};

use super::{
    certificates::Certificates,
    job::{ANSWER_BYTES, LARGE_BYTES},
    process::Service,
};

/// Starts nginx on `address`, everything it reads and writes inside `folder`.
pub(super) fn start(
    folder: &Path,
    address: SocketAddr,
    certificates: &Certificates,
) -> Result<Service> {
    let files = folder.join("nginx");
    fs::create_dir_all(files.join("v1/files"))?;
    fs::write(files.join("v1/files/large"), vec![b'x'; LARGE_BYTES])?;
    let config = files.join("nginx.conf");
    fs::write(&config, configuration(&files, address, certificates))?;
    let config = config.to_str().context("the folder's name is not text")?;
    let mut service = Service::start(
        "nginx",
        Path::new("nginx"),
        &["-c", config, "-e", "stderr"],
        folder,
    )?;
    service.await_port(address)?;
    Ok(service)
}

/// A chat completion of [`ANSWER_BYTES`].
fn answer() -> String {
    let head = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":""#;
    let tail = r#""},"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":280,"total_tokens":480}}"#;
    let filler = "The team agreed to move the launch by a week and to write the summary first. ";
    let text: String = filler
        .chars()
        .cycle()
        .take(ANSWER_BYTES - head.len() - tail.len())
        .collect();
    format!("{head}{text}{tail}")
}

/// An upload is answered only after all of it was read: the inner server does that, over a socket, without the body.
fn configuration(files: &Path, address: SocketAddr, certificates: &Certificates) -> String {
    let Certificates {
        upstream_chain,
        upstream_key,
        ..
    } = certificates;
    let (chain, key) = (upstream_chain.display(), upstream_key.display());
    let (files, answer) = (files.display(), answer());
    format!(
        r#"user root;
daemon off;
worker_processes auto;
pid {files}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {files}/body;
    proxy_temp_path {files}/proxy;
    fastcgi_temp_path {files}/fastcgi;
    uwsgi_temp_path {files}/uwsgi;
    scgi_temp_path {files}/scgi;
    default_type application/json;
    tcp_nodelay on;
    keepalive_timeout 600s;
    keepalive_requests 100000000;
    client_max_body_size 2m;
    client_body_buffer_size 2m;
    open_file_cache max=16;
    upstream inner {{
        server unix:{files}/inner.sock;
        keepalive 64;
    }}
    server {{
        listen unix:{files}/inner.sock;
        return 200 '{answer}';
    }}
    server {{
        listen {address} ssl http2 backlog=4096;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        location = /v1/chat/completions {{ return 200 '{answer}'; }}
        location = /v1/files {{
            proxy_pass http://inner;
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Connection "";
        }}
        location / {{ root {files}; }}
    }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_json_of_the_size_stated_and_survives_quoting() {
        let answer = answer();
        assert_eq!(answer.len(), ANSWER_BYTES);
        serde_json::from_str::<serde_json::Value>(&answer).expect("the answer is JSON");
        assert!(
            !answer.contains(['\'', '$', '\\']),
            "nginx would read these as its own"
        );
    }
}
