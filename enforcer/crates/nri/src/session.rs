//! One connection to a runtime: register, be configured, answer.

use std::io;

use bytes::Bytes;
use prost::{DecodeError, Message};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::message::{
    Configure, Configured, CreateContainer, Created, RegisterPlugin, Request, Response, Status,
    Synchronize, Synchronized,
};
use crate::wire::{Decoder, Frame, Kind, Line, WireError};
use crate::{Adjustment, Container, Pod};

const PLUGIN_SERVICE: &str = "nri.pkg.api.v1alpha1.Plugin";
const RUNTIME_SERVICE: &str = "nri.pkg.api.v1alpha1.Runtime";
/// The number of our one call, odd because the caller chose it.
const REGISTRATION: u32 = 1;
/// The event of a container that is about to be made: the fourth.
const CREATE_CONTAINER: i32 = 1 << 3;

/// gRPC's code of a call that is refused for what is asked.
const FAILED_PRECONDITION: i32 = 9;
/// gRPC's code of a method that there is not.
const UNIMPLEMENTED: i32 = 12;
/// gRPC's code of a message that cannot be read.
const INVALID_ARGUMENT: i32 = 3;

/// What a plug-in does.
pub trait Handler: Send + Sync {
    /// These run already. Called once after registration.
    fn running(
        &self,
        pods: Vec<Pod>,
        containers: Vec<Container>,
    ) -> impl Future<Output = ()> + Send;

    /// This container is about to be made.
    ///
    /// # Errors
    /// Words for the operator: the container is then not made.
    fn create(
        &self,
        pod: Pod,
        container: Container,
    ) -> impl Future<Output = Result<Adjustment, String>> + Send;
}

/// How a connection ended, other than by the runtime's going.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The socket failed.
    #[error("the connection to the runtime failed")]
    Io(#[from] io::Error),
    /// A message of the runtime's cannot be read.
    #[error("a message of the runtime cannot be read")]
    Message(#[from] DecodeError),
    /// It does not want us.
    #[error("the runtime refused the plug-in: {0}")]
    Refused(String),
    /// It does not speak as it should.
    #[error("the runtime does not speak as expected: {0}")]
    Wire(#[from] WireError),
}

/// What came of the runtime's messages so far.
struct Session<'h, H> {
    handler: &'h H,
    pods: Vec<Pod>,
    containers: Vec<Container>,
}

/// Registers as `index`-`name` and answers until the runtime closes the connection. Plug-ins are asked in the order of their
/// indices, two digits each.
///
/// # Errors
/// When the connection fails or the runtime does not speak as it should.
pub async fn serve<S, H>(
    mut stream: S,
    index: &str,
    name: &str,
    handler: &H,
) -> Result<(), SessionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    stream.write_all(&registration(index, name)).await?;
    let mut session = Session {
        handler,
        pods: Vec::new(),
        containers: Vec::new(),
    };
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        while let Some(frame) = decoder.pop()? {
            if let Some(answer) = session.take(&frame).await? {
                stream.write_all(&answer.encode()).await?;
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => decoder.push(buffer.get(..read).unwrap_or_default())?,
        }
    }
}

fn registration(index: &str, name: &str) -> Bytes {
    let plugin = RegisterPlugin {
        name: name.to_owned(),
        index: index.to_owned(),
    };
    let request = Request {
        service: RUNTIME_SERVICE.to_owned(),
        method: "RegisterPlugin".to_owned(),
        payload: plugin.encode_to_vec(),
    };
    let frame = Frame {
        line: Line::Runtime,
        stream: REGISTRATION,
        kind: Kind::Request,
        payload: request.encode_to_vec().into(),
    };
    frame.encode()
}

// === impl Session ===

impl<H: Handler> Session<'_, H> {
    /// The answer to a message, where it wants one.
    async fn take(&mut self, frame: &Frame) -> Result<Option<Frame>, SessionError> {
        match (frame.line, frame.kind) {
            (Line::Runtime, Kind::Response) => {
                let response = Response::decode(&*frame.payload)?;
                match response.status {
                    Some(Status { code, message }) if code != 0 => {
                        Err(SessionError::Refused(message))
                    }
                    Some(_) | None => Ok(None),
                }
            }
            (Line::Plugin, Kind::Request) => {
                let request = Request::decode(&*frame.payload)?;
                let response = match self.answer(&request).await {
                    Ok(payload) => Response {
                        status: None,
                        payload,
                    },
                    Err(status) => Response {
                        status: Some(status),
                        payload: Vec::new(),
                    },
                };
                Ok(Some(Frame {
                    line: Line::Plugin,
                    stream: frame.stream,
                    kind: Kind::Response,
                    payload: response.encode_to_vec().into(),
                }))
            }
            // Answers to calls that were not made, and calls in the wrong direction.
            (Line::Plugin, Kind::Response) | (Line::Runtime, Kind::Request) => Ok(None),
        }
    }

    async fn answer(&mut self, request: &Request) -> Result<Vec<u8>, Status> {
        let payload = &*request.payload;
        match (&*request.service, &*request.method) {
            (PLUGIN_SERVICE, "Configure") => {
                let Configure { runtime, version } = read(payload)?;
                tracing::info!(runtime, version, "registered with a container runtime");
                let events = CREATE_CONTAINER;
                Ok(Configured { events }.encode_to_vec())
            }
            (PLUGIN_SERVICE, "Synchronize") => {
                let more = self.synchronize(read(payload)?).await;
                Ok(Synchronized { more }.encode_to_vec())
            }
            (PLUGIN_SERVICE, "CreateContainer") => {
                let CreateContainer { pod, container } = read(payload)?;
                let created = self
                    .handler
                    .create(pod.unwrap_or_default(), container.unwrap_or_default())
                    .await;
                let adjust = Some(created.map_err(|message| Status {
                    code: FAILED_PRECONDITION,
                    message,
                })?);
                Ok(Created { adjust }.encode_to_vec())
            }
            // Events that were not asked for are no harm.
            (PLUGIN_SERVICE, "Shutdown" | "StateChange") => Ok(Vec::new()),
            (service, method) => Err(Status {
                code: UNIMPLEMENTED,
                message: format!("`{service}/{method}` is not served here"),
            }),
        }
    }

    /// Lists come in parts when they are long.
    async fn synchronize(&mut self, part: Synchronize) -> bool {
        self.pods.extend(part.pods);
        self.containers.extend(part.containers);
        if !part.more {
            let pods = std::mem::take(&mut self.pods);
            let containers = std::mem::take(&mut self.containers);
            self.handler.running(pods, containers).await;
        }
        part.more
    }
}

fn read<M: Message + Default>(payload: &[u8]) -> Result<M, Status> {
    M::decode(payload).map_err(|error| Status {
        code: INVALID_ARGUMENT,
        message: error.to_string(),
    })
}
