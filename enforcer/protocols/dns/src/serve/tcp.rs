//! One connection of one agent: messages with two bytes of length before each, any number in flight.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::observe::Said;
use crate::{Asker, MAX_QUERY, Resolver, Transport};

/// How long a query may take to arrive, from the end of the one before, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many queries one connection may carry. Whoever has more opens another.
const QUERIES: usize = 256;

/// How a connection came to its end.
#[derive(Debug)]
pub enum Ending {
    /// The connection failed, or ended within a query.
    Broken(io::Error),
    /// The client had no more queries.
    Finished,
    /// A query or the taking of an answer took too long.
    Late,
    /// A message that gets no answer: a response, or too short to be anything.
    Mute,
    /// A query longer than any is.
    Overlong,
    /// As many queries as one connection may carry.
    Spent,
}

/// Answers the queries on one connection, in their order. Without an asker every query is refused.
pub async fn serve_tcp<S>(mut stream: S, asker: Option<&Asker>, resolver: &Resolver) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = vec![0; MAX_QUERY];
    for _ in 0..QUERIES {
        let query = match timeout(PATIENCE, read(&mut stream, &mut buffer)).await {
            Ok(Ok(query)) => query,
            Ok(Err(ending)) => {
                if let Ending::Overlong = ending {
                    resolver.note_overlong(asker);
                }
                return ending;
            }
            Err(_) => return Ending::Late,
        };
        let answer = match resolver.say(query, asker, Transport::Tcp) {
            Said::Now(answer) => answer,
            Said::Later(errand) => resolver.run(*errand).await,
        };
        let Some(answer) = answer else {
            return Ending::Mute;
        };
        match timeout(PATIENCE, write(&mut stream, &answer)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Ending::Broken(error),
            Err(_) => return Ending::Late,
        }
    }
    // The last answer must not be lost to a reset; whether the client waits for our end or not is its own affair.
    let _ = timeout(PATIENCE, stream.shutdown()).await;
    Ending::Spent
}

async fn read<'b, S>(stream: &mut S, buffer: &'b mut [u8]) -> Result<&'b [u8], Ending>
where
    S: AsyncRead + Unpin,
{
    let mut prefix = [0; 2];
    if stream
        .read(&mut prefix[..1])
        .await
        .map_err(Ending::Broken)?
        == 0
    {
        return Err(Ending::Finished);
    }
    stream
        .read_exact(&mut prefix[1..])
        .await
        .map_err(Ending::Broken)?;
    let length = usize::from(u16::from_be_bytes(prefix));
    let query = buffer.get_mut(..length).ok_or(Ending::Overlong)?;
    stream.read_exact(query).await.map_err(Ending::Broken)?;
    Ok(query)
}

/// In one write, so that it leaves in one segment. <https://www.rfc-editor.org/rfc/rfc7766#section-8>
async fn write<S>(stream: &mut S, answer: &[u8]) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let length = u16::try_from(answer.len())
        .map_err(|_| io::Error::other("an answer longer than the protocol allows"))?;
    let mut framed = Vec::with_capacity(answer.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(answer);
    stream.write_all(&framed).await?;
    stream.flush().await
}
