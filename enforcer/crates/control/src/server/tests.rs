use std::os::unix::fs::PermissionsExt;
use std::os::unix::net;
use std::sync::Mutex;

use enforcer_flow::{Principal, Stance};
use enforcer_identity::Label;
use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::controller::tests::{Fake, status};
use crate::{Client, ClientError, Code, Target, WorkloadView};

fn observed() -> Label {
    let ada = Principal::new("ada", ["support"]).unwrap();
    let label = Label::new(Some("openai")).unwrap();
    label.with_stance(Stance::Observe).with_principal(Some(ada))
}

/// A server with a fake behind it, in a folder of its own.
struct Stage {
    folder: TempDir,
    server: Option<Server>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    fn with(access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fake = Fake::default();
        let heard = fake.heard.clone();
        let socket = folder.path().join("run/control.sock");
        let server = Server::start(&socket, access, Controller::new(fake)).unwrap();
        Self {
            folder,
            server: Some(server),
            heard,
        }
    }

    fn open() -> Self {
        Self::with(Access::operators(|_| false))
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("run/control.sock")
    }

    fn client(&self) -> Client {
        Client::new(self.socket())
    }
}

fn code(error: &ClientError) -> Option<Code> {
    match error {
        ClientError::Refused(problem) => Some(problem.code),
        ClientError::Forbidden { .. } => Some(Code::Forbidden),
        ClientError::Garbled { .. } | ClientError::Late { .. } | ClientError::NotRunning { .. } => {
            None
        }
    }
}

#[tokio::test]
async fn each_verb_goes_there_and_back() {
    let stage = Stage::open();
    let client = stage.client();
    assert_eq!(client.status().await.unwrap(), status());
    let expected = WorkloadView {
        name: "a".to_owned(),
        cgroup: "/agents/a".to_owned(),
        cgroup_id: 42,
        policy: Some("openai".to_owned()),
        container: None,
        principal: None,
        stance: "observe".to_owned(),
        flows_open: 1,
        flows_total: 2,
    };
    let labelled = client.label("/agents/a", &observed()).await.unwrap();
    assert_eq!(labelled, expected);
    assert_eq!(
        client
            .label("/agents/a", &Label::default())
            .await
            .unwrap()
            .policy,
        None
    );
    let target = Target::Policy("openai".to_owned());
    let held = client.quarantine(&target).await.unwrap();
    assert_eq!((&*held.target, held.in_force), ("policy openai", true));
    assert!(!client.lift(&Target::All).await.unwrap().in_force);
    let unlabelled = client.unlabel("/agents/a").await.unwrap();
    assert_eq!(unlabelled.workload.as_deref(), Some("a"));
    assert_eq!(client.rescan().await.unwrap().errors, 3);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_and_do_nothing() {
    let stage = Stage::open();
    let client = stage.client();
    let long = format!("{{\"cgroup\": \"{}\"}}", "a".repeat(40_000));
    let rows: &[(Method, &str, &str, Code)] = &[
        (Method::GET, "/", "", Code::Unknown),
        (Method::GET, "/v2/status", "", Code::Unknown),
        (Method::POST, request::STATUS, "", Code::Malformed),
        (Method::GET, request::LABEL, "", Code::Malformed),
        (Method::POST, request::LABEL, "", Code::Malformed),
        (Method::POST, request::LABEL, "{}", Code::Malformed),
        (
            Method::POST,
            request::LABEL,
            "{\"cgroup\": 5}",
            Code::Malformed,
        ),
        (
            Method::POST,
            request::LABEL,
            "{\"cgroup\": \"/a\", \"polcy\": \"x\"}",
            Code::Malformed,
        ),
        (
            Method::POST,
            request::LABEL,
            "{\"cgroup\": \"/a\"} x",
            Code::Malformed,
        ),
        (Method::POST, request::LABEL, &long, Code::Malformed),
        (
            Method::POST,
            request::UNLABEL,
            "{\"cgroup\": \"/a\", \"policy\": \"x\"}",
            Code::Malformed,
        ),
        (
            Method::POST,
            request::RESCAN,
            "{\"all\": true}",
            Code::Malformed,
        ),
    ];
    for (method, path, body, expected) in rows {
        let asked = client.ask::<Value>(method.clone(), path, body.to_string());
        let error = asked.await.unwrap_err();
        assert_eq!(code(&error), Some(*expected), "{method} {path}: {error}");
    }
    assert!(stage.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_enforcement_refuses_is_passed_on() {
    let stage = Stage::open();
    let error = stage
        .client()
        .label("/none", &Label::default())
        .await
        .unwrap_err();
    assert_eq!(
        (code(&error), error.to_string().as_str()),
        (Some(Code::Unknown), "no such cgroup")
    );
}

#[tokio::test]
async fn a_fault_in_one_action_leaves_the_others_answered() {
    let stage = Stage::open();
    let error = stage
        .client()
        .label("/panic", &Label::default())
        .await
        .unwrap_err();
    assert_eq!(code(&error), Some(Code::Fault), "{error}");
    stage.client().label("/a", &Label::default()).await.unwrap();
}

#[tokio::test]
async fn peers_with_other_credentials_are_refused() {
    let stranger = rustix::process::geteuid().as_raw() + 1;
    let stage = Stage::with(Access::for_uids(&[stranger]));
    for _ in 0..2 * MAX_REFUSALS {
        let error = stage
            .client()
            .label("/a", &Label::default())
            .await
            .unwrap_err();
        assert_eq!(code(&error), Some(Code::Forbidden), "{error}");
    }
    assert!(stage.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn agents_are_refused_whoever_they_run_as() {
    let own = std::process::id();
    let stage = Stage::with(Access::operators(move |pid| pid == own));
    let error = stage.client().unlabel("/a").await.unwrap_err();
    assert_eq!(code(&error), Some(Code::Forbidden), "{error}");
    assert!(stage.heard.lock().unwrap().is_empty());
}

#[test]
fn only_the_owner_can_reach_the_socket_and_it_goes_with_the_server() {
    let mut stage = Stage::open();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&stage.socket()), 0o600);
    assert_eq!(mode(stage.socket().parent().unwrap()) & 0o022, 0);
    assert_eq!(stage.server.take().unwrap().socket(), stage.socket());
    assert!(!stage.socket().exists());
}

#[tokio::test]
async fn a_second_enforcer_is_told_and_the_first_stays() {
    let stage = Stage::open();
    let second = Server::start(
        &stage.socket(),
        Access::operators(|_| false),
        Controller::new(Fake::default()),
    );
    assert!(
        matches!(second, Err(ServerError::InUse { .. })),
        "{second:?}"
    );
    stage.client().status().await.unwrap();
}

#[tokio::test]
async fn a_socket_that_a_killed_enforcer_left_is_replaced() {
    let mut stage = Stage::open();
    drop(stage.server.take());
    drop(net::UnixListener::bind(stage.socket()).unwrap());
    let error = stage.client().status().await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");

    let access = Access::operators(|_| false);
    let _server = Server::start(&stage.socket(), access, Controller::new(Fake::default())).unwrap();
    stage.client().status().await.unwrap();
}

#[tokio::test]
async fn no_enforcer_is_told_from_a_bad_one() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let error = Client::new(&socket).status().await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");

    let listener = net::UnixListener::bind(&socket).unwrap();
    let hang_up = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let error = Client::new(&socket).status().await.unwrap_err();
    assert!(matches!(error, ClientError::Garbled { .. }), "{error}");
    hang_up.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn silent_peers_do_not_shut_operators_out() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let door = Door {
        listener: UnixListener::bind(&socket).unwrap(),
        access: Access::operators(|_| false),
        router: request::router(Controller::new(Fake::default())),
        last_logged: None,
    };
    let (stop, stopped) = oneshot::channel();
    let door = tokio::spawn(door.serve(stopped));
    let mut silent = Vec::new();
    for _ in 0..3 * MAX_CONNECTIONS {
        silent.push(UnixStream::connect(&socket).await.unwrap());
    }
    let before = tokio::time::Instant::now();
    Client::new(&socket).status().await.unwrap();
    // Every place was taken, and each round of silent peers was shown out after its time.
    assert!(before.elapsed() >= 3 * HEADERS && before.elapsed() < 4 * HEADERS);
    drop(stop);
    door.await.unwrap();
}
