//! A container runtime as kubelets see it (CRI): gRPC over a unix socket, with one pod and one container in it. There is no
//! kubelet and no container behind it: the container is whatever process a test names.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixListener;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;

/// The one container, and the pod it is in.
#[derive(Debug, Clone, Default)]
pub struct Served {
    /// The container's id.
    pub id: String,
    /// Its first process.
    pub pid: u32,
    /// Annotations of its pod.
    pub annotations: HashMap<String, String>,
    /// Labels of its pod.
    pub labels: HashMap<String, String>,
}

/// A runtime that answers; gone when dropped.
#[derive(Debug)]
pub struct Runtime {
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Nothing {}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Image {
    #[prost(string, tag = "1")]
    image: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Container {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    pod: String,
    #[prost(message, optional, tag = "3")]
    metadata: Option<Named>,
    #[prost(message, optional, tag = "4")]
    image: Option<Image>,
    #[prost(int32, tag = "6")]
    state: i32,
    #[prost(int64, tag = "7")]
    created_at: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Containers {
    #[prost(message, repeated, tag = "1")]
    containers: Vec<Container>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Pod {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "2")]
    metadata: Option<Named>,
    #[prost(map = "string, string", tag = "5")]
    labels: HashMap<String, String>,
    #[prost(map = "string, string", tag = "6")]
    annotations: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Pods {
    #[prost(message, repeated, tag = "1")]
    items: Vec<Pod>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Asked {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(bool, tag = "2")]
    verbose: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(map = "string, string", tag = "2")]
    info: HashMap<String, String>,
}

// === impl Runtime ===

impl Runtime {
    /// Answers at `socket` from now on.
    ///
    /// # Errors
    /// When it cannot listen there.
    pub fn start(socket: &Path, served: Served) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listener = {
            let _entered = runtime.enter();
            UnixListener::bind(socket)?
        };
        let served = Arc::new(served);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = Arc::clone(&served);
                let service = hyper::service::service_fn(move |request| {
                    let served = Arc::clone(&served);
                    async move { Ok::<_, Infallible>(answer(request, served).await) }
                });
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Ok(Self { _runtime: runtime })
    }
}

async fn answer(request: Request<Incoming>, served: Arc<Served>) -> Response<Body> {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default();
    match method.to_owned().as_str() {
        "ListContainers" => unary(request, move |_: Nothing| containers(&served)).await,
        "ListPodSandbox" => unary(request, move |_: Nothing| pods(&served)).await,
        "ContainerStatus" => unary(request, move |asked| status(&served, &asked)).await,
        _ => tonic::Status::unimplemented("not here").into_http(),
    }
}

async fn unary<Q, A>(
    request: Request<Incoming>,
    say: impl FnOnce(Q) -> A + Clone + Send + 'static,
) -> Response<Body>
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + Default + 'static,
{
    let service = tower::service_fn(move |request: tonic::Request<Q>| {
        let answer = (say.clone())(request.into_inner());
        async move { Ok::<_, tonic::Status>(tonic::Response::new(answer)) }
    });
    let codec = ProstCodec::<A, Q>::default();
    Grpc::new(codec).unary(service, request).await
}

fn pod_name() -> Named {
    Named {
        name: "agent-0".to_owned(),
        uid: "7d9f".to_owned(),
        namespace: "agents".to_owned(),
    }
}

fn containers(served: &Served) -> Containers {
    let container = Container {
        id: served.id.clone(),
        pod: "sandbox".to_owned(),
        metadata: Some(Named {
            name: "main".to_owned(),
            ..Named::default()
        }),
        image: Some(Image {
            image: "registry.example/agent:1".to_owned(),
        }),
        state: 1,
        created_at: 7,
    };
    Containers {
        containers: vec![container],
    }
}

fn pods(served: &Served) -> Pods {
    let pod = Pod {
        id: "sandbox".to_owned(),
        metadata: Some(pod_name()),
        labels: served.labels.clone(),
        annotations: served.annotations.clone(),
    };
    Pods { items: vec![pod] }
}

fn status(served: &Served, asked: &Asked) -> Status {
    if !asked.verbose || asked.id != served.id {
        return Status::default();
    }
    let info = format!("{{\"pid\": {}, \"sandboxID\": \"sandbox\"}}", served.pid);
    Status {
        info: HashMap::from([("info".to_owned(), info)]),
    }
}
