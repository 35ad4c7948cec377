//! A plug-in's whole session with a runtime that a test plays, byte by byte from the protocol's own numbers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::{BufMut, Bytes};
use enforcer_nri::wire::{Decoder, Frame, Kind, Line};
use enforcer_nri::{
    Adjustment, Container, Handler, Hook, Hooks, Pod, SessionError, Variable, serve,
};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

#[derive(Default)]
struct Recorder {
    running: Mutex<Vec<String>>,
}

impl Handler for Recorder {
    async fn running(&self, pods: Vec<Pod>, containers: Vec<Container>) {
        let mut running = self.running.lock().unwrap();
        running.extend(
            pods.into_iter()
                .map(|pod| format!("{}/{}", pod.namespace, pod.name)),
        );
        running.extend(containers.into_iter().map(|container| container.id));
    }

    async fn create(&self, pod: Pod, container: Container) -> Result<Adjustment, String> {
        if pod.annotations.get("enforcer.policy").map(String::as_str) != Some("strict") {
            return Err(format!("`{}` is not wanted", container.name));
        }
        Ok(Adjustment {
            environment: vec![Variable {
                key: "A".to_owned(),
                value: "B".to_owned(),
            }],
            hooks: Some(Hooks {
                create_runtime: vec![Hook {
                    path: "/usr/bin/enforcer".to_owned(),
                    ..Hook::default()
                }],
            }),
            ..Adjustment::default()
        })
    }
}

/// The far end of a session.
struct Runtime {
    stream: DuplexStream,
    decoder: Decoder,
    calls: u32,
}

impl Runtime {
    async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.decoder.pop().unwrap() {
                return frame;
            }
            let mut buffer = [0; 7];
            let read = self.stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "the plug-in went away");
            self.decoder.push(&buffer[..read]).unwrap();
        }
    }

    async fn send(&mut self, line: Line, stream: u32, kind: Kind, payload: Vec<u8>) {
        let payload = Bytes::from(payload);
        let frame = Frame {
            line,
            stream,
            kind,
            payload,
        };
        self.stream.write_all(&frame.encode()).await.unwrap();
    }

    /// Calls the plug-in: its answer, as code and payload.
    async fn call(&mut self, method: &str, payload: Vec<u8>) -> (u64, Vec<u8>) {
        self.calls += 2;
        let mut request = Vec::new();
        field(&mut request, 1, b"nri.pkg.api.v1alpha1.Plugin");
        field(&mut request, 2, method.as_bytes());
        field(&mut request, 3, &payload);
        self.send(Line::Plugin, self.calls, Kind::Request, request)
            .await;
        let frame = self.next().await;
        assert_eq!(
            (frame.line, frame.stream, frame.kind),
            (Line::Plugin, self.calls, Kind::Response)
        );
        let fields = fields(&frame.payload);
        let code = fields.get(&1).map_or(0, |status| u64::from(status[1]));
        (code, fields.get(&2).cloned().unwrap_or_default())
    }
}

/// Writes a length-delimited field of a protobuf message.
fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.put_u8(number << 3 | 2);
    prost::encoding::encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}

/// The length-delimited fields of a message, the last of each number.
fn fields(mut bytes: &[u8]) -> HashMap<u8, Vec<u8>> {
    let mut found = HashMap::new();
    while let Some((key, rest)) = bytes.split_first() {
        bytes = rest;
        let value = prost::encoding::decode_varint(&mut bytes).unwrap();
        if key & 7 == 2 {
            let (value, rest) = bytes.split_at(usize::try_from(value).unwrap());
            found.insert(key >> 3, value.to_vec());
            bytes = rest;
        }
    }
    found
}

fn pod(policy: &str) -> Pod {
    Pod {
        name: "agent".to_owned(),
        namespace: "team".to_owned(),
        annotations: HashMap::from([("enforcer.policy".to_owned(), policy.to_owned())]),
        ..Pod::default()
    }
}

fn create(policy: &str) -> Vec<u8> {
    let container = Container {
        id: "c1".to_owned(),
        name: "main".to_owned(),
        ..Container::default()
    };
    let mut request = Vec::new();
    field(&mut request, 1, &pod(policy).encode_to_vec());
    field(&mut request, 2, &container.encode_to_vec());
    request
}

fn stage() -> (Runtime, DuplexStream) {
    let (stream, plugin) = tokio::io::duplex(1024);
    let runtime = Runtime {
        stream,
        decoder: Decoder::default(),
        calls: 1,
    };
    (runtime, plugin)
}

#[tokio::test]
async fn it_registers_is_told_what_runs_and_adjusts_what_is_made() {
    let (mut runtime, plugin) = stage();
    let recorder = Recorder::default();
    let script = async {
        let registration = runtime.next().await;
        assert_eq!(
            (registration.line, registration.kind),
            (Line::Runtime, Kind::Request)
        );
        let call = fields(&registration.payload);
        assert_eq!(call[&1], b"nri.pkg.api.v1alpha1.Runtime");
        assert_eq!(call[&2], b"RegisterPlugin");
        let plugin = fields(&call[&3]);
        assert_eq!(
            (&plugin[&1][..], &plugin[&2][..]),
            (&b"enforcer"[..], &b"90"[..])
        );
        runtime
            .send(
                Line::Runtime,
                registration.stream,
                Kind::Response,
                Vec::new(),
            )
            .await;

        // Field 2 of the answer, a number: the creation of containers is wanted, and nothing else.
        assert_eq!(
            runtime.call("Configure", Vec::new()).await,
            (0, vec![0x10, 0b1000])
        );

        let mut first = Vec::new();
        field(&mut first, 1, &pod("strict").encode_to_vec());
        first.put_slice(&[3 << 3, 1]);
        assert_eq!(runtime.call("Synchronize", first).await, (0, vec![0x10, 1]));
        assert!(recorder.running.lock().unwrap().is_empty());
        let mut second = Vec::new();
        field(
            &mut second,
            2,
            &Container {
                id: "c0".to_owned(),
                ..Container::default()
            }
            .encode_to_vec(),
        );
        assert_eq!(runtime.call("Synchronize", second).await, (0, Vec::new()));
        assert_eq!(*recorder.running.lock().unwrap(), ["team/agent", "c0"]);

        let (code, created) = runtime.call("CreateContainer", create("strict")).await;
        assert_eq!(code, 0);
        let adjust = fields(&fields(&created)[&1]);
        assert_eq!(
            fields(&adjust[&4]),
            HashMap::from([(1, b"A".to_vec()), (2, b"B".to_vec())])
        );
        let hook = fields(&fields(&adjust[&5])[&2]);
        assert_eq!(hook[&1], b"/usr/bin/enforcer");

        let (refused, _) = runtime.call("CreateContainer", create("none")).await;
        assert_eq!(refused, 9);
        let (unknown, _) = runtime.call("UpdateContainer", Vec::new()).await;
        assert_eq!(unknown, 12);
        drop(runtime);
    };
    let (served, ()) = tokio::join!(serve(plugin, "90", "enforcer", &recorder), script);
    served.unwrap();
}

#[tokio::test]
async fn a_runtime_that_refuses_or_talks_nonsense_ends_it() {
    let (mut runtime, plugin) = stage();
    let recorder = Recorder::default();
    let script = async {
        let registration = runtime.next().await;
        let mut status = vec![1 << 3, 9];
        field(&mut status, 2, b"no");
        let mut response = Vec::new();
        field(&mut response, 1, &status);
        runtime
            .send(Line::Runtime, registration.stream, Kind::Response, response)
            .await;
        runtime
    };
    let (served, _runtime) = tokio::join!(serve(plugin, "90", "enforcer", &recorder), script);
    assert!(matches!(served.unwrap_err(), SessionError::Refused(why) if why == "no"));

    let (mut runtime, plugin) = stage();
    runtime
        .stream
        .write_all(b"GET / HTTP/1.1\r\n")
        .await
        .unwrap();
    let served = serve(plugin, "90", "enforcer", &recorder).await;
    assert!(matches!(served.unwrap_err(), SessionError::Wire(_)));
}
