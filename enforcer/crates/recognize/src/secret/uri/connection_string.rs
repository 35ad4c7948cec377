//! Addresses of databases and queues with a password, and `Password=` among a connection's words.

use crate::secret::assignment;
use crate::secret::generic::password;
use crate::secret::uri::{LONGEST, scheme, see};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// The value is the password alone, so that the rest can still be read.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "connection_string_password",
    family: Family::Secret,
    wake: &[Wake::Scheme, Wake::Key("password"), Wake::Key("pwd")],
    longest: 2 * LONGEST,
    recognise,
    examples: &[],
};

const SCHEMES: [&str; 29] = [
    "postgres",
    "postgresql",
    "postgresql+asyncpg",
    "postgresql+psycopg",
    "postgresql+psycopg2",
    "cockroachdb",
    "mysql",
    "mysql2",
    "mysql+pymysql",
    "mysqlx",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "valkey",
    "amqp",
    "amqps",
    "mssql",
    "mssql+pyodbc",
    "sqlserver",
    "oracle",
    "clickhouse",
    "cassandra",
    "neo4j",
    "nats",
    "ldap",
    "ldaps",
    "smtps",
];

/// Words of which some stand before a password in such a string.
const WORDS: [&str; 11] = [
    "server=",
    "data source=",
    "host=",
    "user id=",
    "userid=",
    "uid=",
    "username=",
    "user=",
    "database=",
    "initial catalog=",
    "dbname=",
];

fn recognise(look: &Look<'_>) -> Sight {
    if look.text[look.at] == b':' {
        let scheme = scheme(look);
        let known = SCHEMES
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()));
        return if known { see(look) } else { Sight::Nothing };
    }
    if look.text[look.at] != b'=' {
        return Sight::Nothing;
    }
    assignment::see(look, LONGEST, |assigned| {
        let among = WORDS.iter().any(|word| assigned.near_has(word));
        let sure = password(assigned).filter(|_| among)?;
        Some(sure.max(Confidence::Medium))
    })
}
