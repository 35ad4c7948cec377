//! The sums on disk: one table, a row for each step of each sum.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::Key;

/// Says whose database it is (`PRAGMA application_id`): the letters `enfb`.
const APPLICATION: i32 = i32::from_be_bytes(*b"enfb");
/// The layout of its tables (`PRAGMA user_version`).
const LAYOUT: i32 = 1;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS spent (
        rule TEXT NOT NULL,
        subject TEXT NOT NULL,
        window INTEGER NOT NULL,
        step INTEGER NOT NULL,
        amount INTEGER NOT NULL,
        gone INTEGER NOT NULL,
        PRIMARY KEY (rule, subject, window, step)
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX IF NOT EXISTS gone ON spent (gone);
";

pub(super) struct Store {
    connection: Connection,
    /// What `PRAGMA data_version` said when all was read last; none when what is in memory may not be what is written.
    seen: Option<i64>,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        // SQLite would make it readable by all. What cannot be made is for SQLite to report.
        let _ = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path);
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(1))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let this = Self {
            connection,
            seen: None,
        };
        this.claim()?;
        Ok(this)
    }

    /// Every row: which sum, which step, how much.
    pub(super) fn load(&self) -> Result<Vec<(Key, u64, u64)>, rusqlite::Error> {
        let mut rows = self
            .connection
            .prepare("SELECT rule, subject, window, step, amount FROM spent")?;
        let rows = rows.query_map([], |row| {
            let key = Key {
                limit: row.get(0)?,
                subject: row.get(1)?,
                window: Duration::from_millis(unsigned(row.get(2)?)),
            };
            Ok((key, unsigned(row.get(3)?), unsigned(row.get(4)?)))
        })?;
        rows.collect()
    }

    /// Takes the write lock, and says whether something was written that is not known here.
    pub(super) fn begin(&mut self) -> Result<bool, rusqlite::Error> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let version = self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0));
        match version {
            Ok(version) => {
                let before = self.seen.replace(version);
                Ok(before != Some(version))
            }
            Err(error) => {
                self.give_up();
                Err(error)
            }
        }
    }

    /// Makes what was written since [`Store::begin`] last.
    pub(super) fn commit(&mut self) -> Result<(), rusqlite::Error> {
        let committed = self.connection.execute_batch("COMMIT");
        if committed.is_err() {
            self.give_up();
            self.mistrust();
        }
        committed
    }

    /// Takes back what was written since then.
    pub(super) fn give_up(&mut self) {
        // Without a transaction, which the failure may have ended, there is nothing to take back.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// What is in memory is not what is written: it is read anew before it counts.
    pub(super) fn mistrust(&mut self) {
        self.seen = None;
    }

    /// Writes rows within what was begun, and removes those that no window reaches any more.
    pub(super) fn write<'k>(
        &mut self,
        rows: impl Iterator<Item = (&'k Key, u64, u64)>,
        now: Duration,
    ) -> Result<(), rusqlite::Error> {
        {
            let mut put = self.connection.prepare_cached(
                "INSERT INTO spent (rule, subject, window, step, amount, gone) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET amount = excluded.amount",
            )?;
            for (key, step, amount) in rows {
                let Key {
                    limit,
                    subject,
                    window,
                } = key;
                let gone = now.saturating_add(*window).saturating_add(*window);
                put.execute(params![
                    limit,
                    subject,
                    signed(window.as_millis()),
                    signed(step.into()),
                    signed(amount.into()),
                    signed(gone.as_millis()),
                ])?;
            }
        }
        self.connection
            .prepare_cached("DELETE FROM spent WHERE gone < ?1")?
            .execute([signed(now.as_millis())])?;
        Ok(())
    }

    /// Removes what no window reaches any more.
    pub(super) fn keep_only(&self, now: Duration) -> Result<(), rusqlite::Error> {
        self.connection.execute(
            "DELETE FROM spent WHERE gone < ?1",
            [signed(now.as_millis())],
        )?;
        Ok(())
    }

    /// Takes an empty database for its own, and refuses one of somebody else or of a later layout.
    fn claim(&self) -> Result<(), rusqlite::Error> {
        let number = |name: &str| -> Result<i32, rusqlite::Error> {
            self.connection
                .pragma_query_value(None, name, |row| row.get(0))
        };
        match (number("application_id")?, number("user_version")?) {
            (APPLICATION, LAYOUT) => Ok(()),
            (0, 0) => {
                self.connection.execute_batch(TABLE)?;
                self.connection
                    .pragma_update(None, "application_id", APPLICATION)?;
                self.connection.pragma_update(None, "user_version", LAYOUT)
            }
            _ => Err(rusqlite::Error::InvalidPath(
                self.connection.path().unwrap_or_default().into(),
            )),
        }
    }
}

/// SQLite's integers are signed; what is larger than they can be is as large as they can be.
fn signed(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
