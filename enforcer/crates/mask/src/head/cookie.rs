//! Cookies, each by its name.

use super::Head;
use crate::Stop;
use crate::body::{Spelling, Trail};

impl Head {
    /// All cookies of a header; of one that is being set the first pair alone is a cookie.
    pub(super) fn cookies(
        &mut self,
        set: bool,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let pairs = value.split(|byte| *byte == b';');
        for (place, pair) in pairs.enumerate() {
            if place > 0 {
                out.push(b';');
            }
            if set && place > 0 {
                self.desk.trail = Trail::new("header:");
                self.desk.trail.enter("set-cookie");
                self.part(pair, Spelling::Header, out)?;
            } else {
                self.cookie(pair, out)?;
            }
        }
        Ok(())
    }

    fn cookie(&mut self, pair: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        self.desk.trail = Trail::new("cookie:");
        let Some(equals) = memchr::memchr(b'=', pair) else {
            return self.part(pair, Spelling::Percent, out);
        };
        let (name, value) = pair.split_at(equals);
        let blanks = name.len() - name.trim_ascii_start().len();
        let (blanks, name) = name.split_at(blanks);
        out.extend_from_slice(blanks);
        self.desk.trail.name();
        self.part(name, Spelling::Percent, out)?;
        self.desk.trail.leave();
        self.desk.trail.enter(&String::from_utf8_lossy(name));
        out.push(b'=');
        self.part(value.get(1..).unwrap_or_default(), Spelling::Percent, out)
    }
}
