//! Far sides on loopback, each with one behaviour.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    /// Connections accepted so far.
    pub(crate) accepted: Arc<AtomicUsize>,
}

/// Speaks what a test tells it to.
pub(crate) struct Script {
    say: mpsc::Sender<String>,
    closed: oneshot::Receiver<bool>,
}

/// Answers with what it got: the head as text, the body, and a trailer.
pub(crate) async fn echo() -> Running {
    http(|_| true).await
}

/// Answers everything with one body.
pub(crate) async fn fixed(head: &'static str, body: &'static str) -> Running {
    raw(move |mut stream| async move {
        read_head(&mut stream).await;
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Until the other side has read it.
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await
}

/// As [`echo`], but closes each connection after one answer, without having said so.
pub(crate) async fn closing_after_each() -> Running {
    raw(|mut stream| async move {
        read_head(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
    })
    .await
}

/// Answers each request when it has its head, and only then takes its body of ten bytes.
pub(crate) async fn answering_early() -> Running {
    raw(|mut stream| async move {
        loop {
            read_head(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
            let mut body = [0; 10];
            stream.read_exact(&mut body).await.unwrap();
        }
    })
    .await
}

/// Keeps all that comes, and answers nothing.
pub(crate) async fn keeping() -> (Running, Arc<Mutex<Vec<u8>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&kept);
    let running = raw(move |mut stream| {
        let all = Arc::clone(&all);
        async move {
            let mut buffer = [0; 4096];
            while let Ok(read) = stream.read(&mut buffer).await
                && read > 0
            {
                all.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        }
    })
    .await;
    (running, kept)
}

/// A port that nothing listens on.
pub(crate) async fn nobody() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Running {
        addr: listener.local_addr().unwrap(),
        accepted: Arc::default(),
    }
}

/// Answers one request with the chunks that the script says.
pub(crate) async fn scripted(content_type: &'static str) -> (Running, Script) {
    let (say, said) = mpsc::channel::<String>(1);
    let (tell, closed) = oneshot::channel();
    let once = Mutex::new(Some((said, tell)));
    let running = raw(move |mut stream| {
        let taken = once.lock().unwrap().take();
        async move {
            let (mut said, tell) = taken.expect("one request only");
            let head = read_head(&mut stream).await;
            read_body(&mut stream, &head).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut buffer = [0; 16];
            loop {
                tokio::select! {
                    text = said.recv() => match text {
                        Some(text) => {
                            let chunk = format!("{:x}\r\n{text}\r\n", text.len());
                            let chunk = if text.is_empty() { "0\r\n\r\n".to_owned() } else { chunk };
                            if stream.write_all(chunk.as_bytes()).await.is_err() { break }
                        }
                        None => return,
                    },
                    read = stream.read(&mut buffer) => {
                        let _ = tell.send(matches!(read, Ok(0) | Err(_)));
                        return;
                    }
                }
            }
        }
    })
    .await;
    (running, Script { say, closed })
}

/// Accepts a WebSocket's handshake and echoes bytes.
pub(crate) async fn websocket() -> Running {
    raw(|mut stream| async move {
        let head = read_head(&mut stream).await.to_ascii_lowercase();
        assert!(head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n"), "{head}");
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        let mut buffer = [0; 256];
        while let Ok(read) = stream.read(&mut buffer).await
            && read > 0
        {
            stream.write_all(&buffer[..read]).await.unwrap();
        }
    })
    .await
}

/// Speaks WebSocket: answers each text with texts.
pub(crate) async fn messages(
    answer: impl Fn(&str) -> Vec<String> + Clone + Send + Sync + 'static,
) -> Running {
    raw(move |mut stream| {
        let answer = answer.clone();
        async move {
            let head = read_head(&mut stream).await.to_ascii_lowercase();
            assert!(!head.contains("sec-websocket-extensions"), "{head}");
            let accepted = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            stream.write_all(accepted).await.unwrap();
            let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Text(text) = message {
                    for text in answer(&text) {
                        // Nothing left to say.
                        let message = match text.is_empty() {
                            true => Message::Close(None),
                            false => Message::text(text),
                        };
                        if socket.send(message).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    })
    .await
}

impl Script {
    pub(crate) async fn say(&mut self, text: &str) {
        self.say.send(text.to_owned()).await.unwrap();
    }

    pub(crate) async fn finish(&mut self) {
        self.say.send(String::new()).await.unwrap();
    }

    /// Waits until the other side has closed.
    pub(crate) async fn closed(self) -> bool {
        self.closed.await.unwrap()
    }
}

async fn http(keep: fn(usize) -> bool) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let index = count.fetch_add(1, Ordering::SeqCst);
            let served = http1::Builder::new()
                .keep_alive(keep(index))
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(served);
        }
    });
    Running { addr, accepted }
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, hyper::Error> {
    let mut head = format!(
        "{} {} {:?}\r\n",
        request.method(),
        request.uri(),
        request.version()
    );
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += "\r\n";
    let none = request.uri().path() == "/v1/none";
    let body = request.into_body().collect().await?;
    if let Some(trailers) = body.trailers() {
        for (name, value) in trailers {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
    }
    if none {
        let mut response = Response::new(http_body_util::Empty::new().boxed_unsync());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-echo", "trailing".parse().unwrap());
    let frames = [
        Frame::data(Bytes::from(head)),
        Frame::data(body.to_bytes()),
        Frame::trailers(trailers),
    ];
    let stream = futures_util::stream::iter(frames.map(Ok));
    let body = http_body_util::StreamBody::new(stream).boxed_unsync();
    Ok(Response::builder()
        .header("trailer", "x-echo")
        .body(body)
        .unwrap())
}

async fn raw<F, Fut>(behave: F) -> Running
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(behave(stream));
        }
    });
    Running { addr, accepted }
}

async fn read_body(stream: &mut TcpStream, head: &str) {
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).map(|rest| {
        let digits = rest.split("\r\n").next().unwrap();
        digits.parse::<usize>().unwrap()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
