//! A small HTTP/1.1 client: one GET per connection, Content-Length and chunked bodies, a few redirects. Plain `http://` only,
//! as in boot loaders.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use super::{FetchError, Fetched, Net, Sink};

const REDIRECTS: usize = 4;
const HEADER_LIMIT: u64 = 16 * 1024;
/// A server that sends nothing for so long is gone.
const STALL: Duration = Duration::from_secs(30);

struct Url {
    host: String,
    port: u16,
    path: String,
}

fn parse(url: &str) -> Result<Url, FetchError> {
    let bad = |why: &str| FetchError::Url(format!("{url}: {why}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("no scheme"))?;
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(bad("only http:// is understood"));
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or_default()),
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let port = if port.is_empty() { 80 } else { port.parse().map_err(|_| bad("bad port"))? };
    if host.is_empty() || path.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(bad("not a URL"));
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(Url { host: host.to_owned(), port, path })
}

pub(super) async fn get(net: &Net, url: &str, keep: usize) -> Result<Fetched, FetchError> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        match get_once(net, &parse(&url)?, keep).await? {
            Answer::File(fetched) => return Ok(fetched),
            Answer::Elsewhere(location) if location.starts_with('/') => {
                let Url { host, port, .. } = parse(&url)?;
                let host = if host.contains(':') { format!("[{host}]") } else { host };
                url = format!("http://{host}:{port}{location}");
            }
            Answer::Elsewhere(location) => url = location,
        }
    }
    Err(FetchError::Url(format!("{url}: too many redirects")))
}

enum Answer {
    File(Fetched),
    Elsewhere(String),
}

async fn get_once(net: &Net, url: &Url, keep: usize) -> Result<Answer, FetchError> {
    let stream = connect(net, url).await?;
    let mut stream = BufReader::new(stream);
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {host}:{}\r\nUser-Agent: bmc-sim\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.path, url.port
    );
    stream.get_mut().write_all(request.as_bytes()).await?;

    let head = within(read_head(&mut stream)).await?;
    let malformed = || FetchError::Protocol("not an HTTP response".into());
    let mut lines = head.lines();
    let mut status_line = lines.next().unwrap_or_default().splitn(3, ' ');
    if !status_line.next().is_some_and(|version| version.starts_with("HTTP/1.")) {
        return Err(malformed());
    }
    let status: u16 = status_line.next().and_then(|code| code.parse().ok()).ok_or_else(malformed)?;
    let reason = status_line.next().unwrap_or_default().trim().to_owned();
    let header = |wanted: &str| {
        let found = head.lines().skip(1).filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_owned())
    };
    match status {
        200 => {}
        301 | 302 | 303 | 307 | 308 => return header("location").map(Answer::Elsewhere).ok_or_else(malformed),
        _ => return Err(FetchError::Http { status, reason }),
    }
    let mut sink = Sink::new(keep);
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        chunked(&mut stream, &mut sink).await?;
        return Ok(Answer::File(sink.done(None)));
    }
    let length = header("content-length").map(|value| value.parse::<u64>().map_err(|_| malformed())).transpose()?;
    body(&mut stream, &mut sink, length).await?;
    Ok(Answer::File(sink.done(length)))
}

async fn connect(net: &Net, url: &Url) -> Result<TcpStream, FetchError> {
    let unknown = || FetchError::Url(format!("{}: no address", url.host));
    let addresses = lookup_host((url.host.as_str(), url.port)).await.map_err(|_| unknown())?;
    let target: SocketAddr = addresses.into_iter().find(|a| a.is_ipv4() == net.source.is_ipv4()).ok_or_else(unknown)?;
    let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(net.source, 0))?;
    timeout(net.patience * 5, socket.connect(target)).await.map_err(|_| FetchError::Timeout)?.map_err(FetchError::Io)
}

async fn within<T>(work: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
    timeout(STALL, work).await.map_err(|_| FetchError::Timeout)?
}

async fn read_head(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<String, FetchError> {
    let mut head = Vec::new();
    let mut limited = stream.take(HEADER_LIMIT);
    loop {
        let before = head.len();
        if limited.read_until(b'\n', &mut head).await? == 0 {
            return Err(FetchError::Protocol("the header ends too early".into()));
        }
        if matches!(&head[before..], b"\r\n" | b"\n") {
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
    }
}

/// Reads `length` bytes, or to the end of the connection.
async fn body(stream: &mut (impl AsyncBufRead + Unpin), sink: &mut Sink, length: Option<u64>) -> Result<(), FetchError> {
    let mut left = length;
    while left != Some(0) {
        let available = within(async { Ok(stream.fill_buf().await?) }).await?;
        if available.is_empty() {
            return if length.is_none() { Ok(()) } else { Err(FetchError::Protocol("the connection closed too early".into())) };
        }
        let most = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let taken = available.len().min(most);
        sink.take(&available[..taken]);
        stream.consume(taken);
        left = left.map(|left| left - taken as u64);
    }
    Ok(())
}

async fn chunked(stream: &mut (impl AsyncBufRead + Unpin), sink: &mut Sink) -> Result<(), FetchError> {
    loop {
        let size = within(line(stream)).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| FetchError::Protocol("bad chunk".into()))?;
        if size == 0 {
            return Ok(());
        }
        body(stream, sink, Some(size)).await?;
        within(line(stream)).await?;
    }
}

async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<String, FetchError> {
    let mut bytes = Vec::new();
    stream.take(256).read_until(b'\n', &mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url = parse("http://127.0.0.1:8080/preseed/1?k=a").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("127.0.0.1", 8080, "/preseed/1?k=a"));
        let url = parse("HTTP://[::1]?x").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("::1", 80, "/?x"));
        for bad in ["https://a/", "a/b", "http://", "http://a:b/", "http://a/b c"] {
            assert!(matches!(parse(bad), Err(FetchError::Url(_))), "{bad}");
        }
    }
}
