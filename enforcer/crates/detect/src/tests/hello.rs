//! Writes hellos, right and wrong.

/// The fields of a `ClientHello`.
pub(super) struct Hello {
    pub(super) version: u16,
    pub(super) session: usize,
    pub(super) suites: Vec<u8>,
    pub(super) compression: Vec<u8>,
    pub(super) extensions: Vec<(u16, Vec<u8>)>,
}

impl Default for Hello {
    fn default() -> Self {
        Self {
            version: 0x0303,
            session: 32,
            suites: vec![0x13, 0x01, 0xc0, 0x2b],
            compression: vec![0],
            extensions: vec![
                (0x4a4a, vec![]),
                (0, server_names(&[(0, "api.openai.com")])),
                (16, protocols(&["h2", "http/1.1"])),
                (43, vec![4, 3, 4, 3, 3]),
            ],
        }
    }
}

impl Hello {
    /// A hello whose body has `length` bytes.
    pub(super) fn padded(length: usize) -> Self {
        let missing = length - (Self::default().message().len() - 4) - 4;
        Self::default().also(21, &vec![0; missing])
    }

    /// Puts another value in place of the extension `kind`.
    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        for (known, old) in &mut self.extensions {
            if *known == kind {
                *old = value.to_vec();
            }
        }
        self
    }

    /// Adds an extension at the end.
    pub(super) fn also(mut self, kind: u16, value: &[u8]) -> Self {
        self.extensions.push((kind, value.to_vec()));
        self
    }

    /// The handshake message.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut list = Vec::new();
        for (kind, value) in &self.extensions {
            list.extend(kind.to_be_bytes());
            list.extend(long(value));
        }
        framed([self.fixed(), long(&list)].concat())
    }

    /// The handshake message as clients before TLS 1.2 sent it.
    pub(super) fn message_without_extensions(&self) -> Vec<u8> {
        framed(self.fixed())
    }

    fn fixed(&self) -> Vec<u8> {
        let session = [&[self.session as u8][..], &vec![7; self.session]].concat();
        let compression = [&[self.compression.len() as u8][..], &self.compression].concat();
        [
            self.version.to_be_bytes().to_vec(),
            vec![9; 32],
            session,
            long(&self.suites),
            compression,
        ]
        .concat()
    }
}

/// The value of a `server_name` extension.
pub(super) fn server_names(entries: &[(u8, &str)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, name) in entries {
        list.push(*kind);
        list.extend(long(name.as_bytes()));
    }
    long(&list)
}

/// The value of an ALPN extension.
pub(super) fn protocols(names: &[impl AsRef<str>]) -> Vec<u8> {
    let mut list = Vec::new();
    for name in names {
        list.push(name.as_ref().len() as u8);
        list.extend(name.as_ref().as_bytes());
    }
    long(&list)
}

/// A message cut into records of at most `size` bytes.
pub(super) fn records(message: &[u8], size: usize) -> Vec<u8> {
    let record = |part: &[u8]| [&[22, 3, 1][..], &long(part)].concat();
    message.chunks(size).flat_map(record).collect()
}

fn framed(body: Vec<u8>) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[1][..], &length[1..], &body].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}
