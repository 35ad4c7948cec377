//! A process that does what it is told with sockets: this test binary, run again inside the cgroup.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use enforcer_kernel::{KernelError, Netns, Placement, Programs, cgroup_id};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// Names the variable that turns the test `agent_process` into an agent.
const ROLE: &str = "ENFORCER_TEST_AGENT";
/// Names the variable that makes it load the programs instead, with [`ROLE`] saying where to pin.
const NOBODY: &str = "ENFORCER_TEST_NOBODY";
/// Marks the agent's answers among the test runner's own lines.
const MARK: &str = "agent> ";
/// No call of an agent may hang a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A running agent; killed on drop.
pub(crate) struct Agent {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Agent {
    pub(crate) fn start(cgroup: &Path, netns: &Netns) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "agent::agent_process", "--nocapture"])
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let placement = Placement::new(cgroup, Some(netns)).unwrap();
        let _progress = placement.apply(&mut command).unwrap();
        let mut child = command.spawn().unwrap();
        Self {
            stdin: child.stdin.take().unwrap(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells the agent to do something without waiting for it.
    pub(crate) fn tell(&mut self, order: &str) {
        writeln!(self.stdin, "{order}").unwrap();
    }

    /// Waits for the answer to the oldest order.
    pub(crate) fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stdout.read_line(&mut line).unwrap(),
                0,
                "the agent died"
            );
            // The runner's own "test … ..." has no line end before the first answer.
            if let Some((_, answer)) = line.split_once(MARK) {
                return answer.trim_end().to_owned();
            }
        }
    }

    pub(crate) fn ask(&mut self, order: &str) -> String {
        self.tell(order);
        self.answer()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What loading the programs says to a user without rights: this test binary, run again as nobody.
pub(crate) fn load_as_nobody(pins: &Path) -> String {
    // The build's folders may be closed to others; what is inherited open is not.
    let binary = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let mut command = Command::new(format!("/proc/self/fd/{}", binary.as_raw_fd()));
    command
        .args(["--exact", "agent::agent_process", "--nocapture"])
        .env(ROLE, pins)
        .env(NOBODY, "1")
        .current_dir("/")
        .uid(65534)
        .gid(65534);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = text.lines().find_map(|line| line.split_once(MARK));
    answer
        .unwrap_or_else(|| panic!("no answer: {output:?}"))
        .1
        .to_owned()
}

/// Not a test: the agent's own main, when the role is given.
#[test]
fn agent_process() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    if std::env::var_os(NOBODY).is_some() {
        let pins = std::env::var_os(ROLE).unwrap();
        let answer = match Programs::load(Path::new(&pins)) {
            Ok(_) => "loaded".to_owned(),
            Err(KernelError::Permission { .. }) => "not permitted".to_owned(),
            Err(error) => error.to_string(),
        };
        println!("{MARK}{answer}");
        return;
    }
    let mut hands = Hands::default();
    for order in io::stdin().lines() {
        let order = order.unwrap();
        let answer = match hands.obey(&order) {
            Ok(answer) => answer,
            Err(error) => format!("error {}", error.raw_os_error().unwrap_or(0)),
        };
        println!("{MARK}{answer}");
    }
}

/// What an agent holds.
#[derive(Default)]
struct Hands {
    socket: Option<Socket>,
    listener: Option<TcpListener>,
    file: Option<File>,
}

impl Hands {
    fn obey(&mut self, order: &str) -> io::Result<String> {
        let words: Vec<_> = order.split(' ').collect();
        match words[..] {
            ["socket", domain, kind, protocol] => {
                let [domain, kind, protocol] =
                    [domain, kind, protocol].map(|n| n.parse::<i32>().unwrap());
                let socket = Socket::new(
                    Domain::from(domain),
                    Type::from(kind),
                    Some(Protocol::from(protocol)),
                )?;
                socket.set_read_timeout(Some(PATIENCE))?;
                self.socket = Some(socket);
                Ok("ok".into())
            }
            ["bind", addr] => self.socket().bind(&parse(addr)).map(|()| "ok".into()),
            ["connect", addr] => {
                self.socket().connect_timeout(&parse(addr), PATIENCE)?;
                Ok(format!("ok {}", self.local()?))
            }
            ["connect-in-child", addr] => connect_in_child(self.socket(), parse(addr)),
            ["peer"] => Ok(format!(
                "ok {}",
                self.socket().peer_addr()?.as_socket().unwrap()
            )),
            ["send", text] => self.socket().send(text.as_bytes()).map(|_| "ok".into()),
            ["sendto", addr, text] => {
                self.socket().send_to(text.as_bytes(), &parse(addr))?;
                Ok(format!("ok {}", self.local()?))
            }
            ["recv"] => {
                let mut buffer = [0; 256];
                let length = self.socket().read(&mut buffer)?;
                Ok(format!("ok {}", String::from_utf8_lossy(&buffer[..length])))
            }
            ["recvfrom"] => {
                let mut buffer = vec![std::mem::MaybeUninit::uninit(); 256];
                let (length, from) = self.socket().recv_from(&mut buffer)?;
                let text = buffer[..length].iter().map(|byte| {
                    // SAFETY: the kernel wrote the first `length` bytes.
                    char::from(unsafe { byte.assume_init() })
                });
                let text: String = text.collect();
                Ok(format!("ok {text} {}", from.as_socket().unwrap()))
            }
            ["abort"] => {
                self.socket().set_linger(Some(Duration::ZERO))?;
                self.socket = None;
                Ok("ok".into())
            }
            ["close"] => {
                self.socket = None;
                Ok("ok".into())
            }
            ["join", group] => {
                let group = group.parse().unwrap();
                let joined = self
                    .socket()
                    .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST);
                joined.map(|()| "ok".into())
            }
            ["only-v6"] => self.socket().set_only_v6(true).map(|()| "ok".into()),
            _ => self.obey_otherwise(&words),
        }
    }

    /// Orders that are not about the socket at hand.
    fn obey_otherwise(&mut self, words: &[&str]) -> io::Result<String> {
        match *words {
            ["allow-ping"] => {
                std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647")?;
                Ok("ok".into())
            }
            ["enforce", pins, cgroup] => {
                let programs = Programs::load(Path::new(pins)).unwrap();
                let cgroup = Path::new(cgroup);
                let answer = programs.attach(cgroup, cgroup_id(cgroup).unwrap());
                programs.release().unwrap();
                Ok(answer.map_or_else(|error| error.to_string(), |()| "ok".into()))
            }
            ["listen", addr] => {
                let listener = TcpListener::bind(addr)?;
                let addr = listener.local_addr()?;
                self.listener = Some(listener);
                Ok(format!("ok {addr}"))
            }
            ["unix", path] => UnixStream::connect(path).map(|_| "ok".into()),
            ["unix-abstract", name] => {
                let addr = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
                UnixStream::connect_addr(&addr).map(|_| "ok".into())
            }
            ["listen-abstract", name] => crate::unix::listen_abstract(name),
            ["go-to", folder] => std::env::set_current_dir(folder).map(|()| "ok".into()),
            ["cover", under, over] => crate::unix::cover(under, over),
            ["unix-send", path] => {
                let sent = UnixDatagram::unbound()?.send_to(b"x", path);
                sent.map(|_| "ok".into())
            }
            ["unix-pair"] => {
                let (mut here, there) = UnixStream::pair()?;
                here.write_all(b"x")?;
                drop(there);
                Ok("ok".into())
            }
            ["accept"] => {
                let (stream, _) = self.listener.as_ref().unwrap().accept()?;
                self.socket = Some(Socket::from(stream));
                Ok("ok".into())
            }
            ["pin", core] => {
                let mut cores = rustix::thread::CpuSet::new();
                cores.set(core.parse().unwrap());
                rustix::thread::sched_setaffinity(None, &cores)?;
                Ok("ok".into())
            }
            ["connects", addr, count, swept] => {
                connects(addr, count.parse().unwrap(), swept.parse().unwrap())
            }
            ["pour", count] => {
                self.socket().set_tcp_nodelay(true)?;
                for _ in 0..count.parse().unwrap() {
                    self.socket().send(b"x")?;
                }
                Ok("ok".into())
            }
            ["visit", addr] => {
                let addr: SocketAddr = addr.parse().unwrap();
                let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
                stream.write_all(b"hello")?;
                Ok("ok".into())
            }
            ["open", path] => {
                self.file = Some(OpenOptions::new().write(true).open(path)?);
                Ok("ok".into())
            }
            ["write", text] => {
                let file = self.file.as_mut().expect("an order to open came before");
                file.write_all(text.as_bytes()).map(|()| "ok".into())
            }
            ["fork-into", cgroup] => crate::lsm::fork_into(Path::new(cgroup)),
            ["stats", path, count] => crate::lsm::stats(path, count.parse().unwrap()),
            _ => panic!("an agent cannot {words:?}"),
        }
    }

    fn socket(&mut self) -> &mut Socket {
        self.socket
            .as_mut()
            .expect("an order to open one came before")
    }

    fn local(&mut self) -> io::Result<SocketAddr> {
        Ok(self.socket().local_addr()?.as_socket().unwrap())
    }
}

/// Connects again and again, and says what the call took in the median, in nanoseconds. Before each, `swept` bytes are written,
/// as by other work in between.
fn connects(addr: &str, count: usize, swept: usize) -> io::Result<String> {
    let addr = parse(addr);
    let mut times = Vec::with_capacity(count);
    let mut other = vec![0_u8; swept];
    for round in 0..count {
        other.fill(round.to_le_bytes()[0]);
        std::hint::black_box(&mut other);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_linger(Some(Duration::ZERO))?;
        let began = Instant::now();
        socket.connect(&addr)?;
        times.push(began.elapsed().as_nanos());
    }
    times.sort_unstable();
    Ok(format!("ok {}", times[count / 2]))
}

/// Has a child of another user connect a socket that was made here, and says who that was.
fn connect_in_child(socket: &Socket, addr: SockAddr) -> io::Result<String> {
    let socket = socket.try_clone()?;
    let mut command = Command::new("true");
    command.uid(65534).stdout(Stdio::null());
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(move || socket.connect(&addr)) };
    let mut child = command.spawn()?;
    let pid = child.id();
    child.wait()?;
    Ok(format!("ok {pid}"))
}

fn parse(addr: &str) -> SockAddr {
    addr.parse::<SocketAddr>().unwrap().into()
}
