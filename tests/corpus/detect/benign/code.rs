use std::collections::HashMap;

const MAGIC: u64 = 0xcbf29ce484222325;
const TABLE: [u32; 4] = [0x00000000, 0x77073096, 0xee0e612c, 0x990951ba];
const LIMITS: [usize; 6] = [1024, 4096, 16384, 65536, 262144, 1048576];

/// Counts words, 1234 of them at most.
fn count(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::with_capacity(1234);
    for word in text.split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

fn authenticate(user: &str, password: &str, token: Option<&str>) -> Result<Session, Error> {
    let key = derive(password.as_bytes(), SALT, 100_000)?;
    let secret = store.secret(user)?;
    if secret == key { Ok(Session::new(user, token)) } else { Err(Error::Credentials) }
}

#[test]
fn dates() {
    assert_eq!(parse("2025-11-03T10:15:30Z"), Ok(1762164930));
    assert_eq!(parse("03/11/2025"), Ok(1762128000));
    assert_eq!(version(), (1, 95, 0));
}
