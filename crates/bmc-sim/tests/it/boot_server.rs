//! A TFTP and an HTTP server that write down what they are asked for. Small on purpose, written from the RFCs, and able
//! to misbehave. Not this project's servers: those are tested against these machines elsewhere.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, UdpSocket},
    task::JoinSet,
    time::timeout,
};

/// How the TFTP server treats its clients.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manners {
    /// Knows no options (RFC 1350 only).
    pub no_options: bool,
    /// Loses every so manyth data packet it sends first; 0 none.
    pub lose: u32,
    /// Sends every data packet twice.
    pub twice: bool,
}

pub struct BootServer {
    pub tftp: SocketAddr,
    pub http: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

type Files = Arc<HashMap<String, Vec<u8>>>;
type Log = Arc<Mutex<Vec<String>>>;

impl BootServer {
    /// Serves these files by both protocols; `{http}` in a text is replaced by the HTTP server's address.
    pub async fn start(files: &[(&str, &str)], manners: Manners) -> Self {
        let tftp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (tftp_address, http_address) = (tftp.local_addr().unwrap(), http.local_addr().unwrap());
        let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.replace("{http}", &http_address.to_string()).into_bytes());
        let files: Files = Arc::new(files.iter().map(file).collect());
        let log = Log::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_tftp(tftp, Arc::clone(&files), Arc::clone(&log), manners));
        tasks.spawn(serve_http(http, files, Arc::clone(&log)));
        Self { tftp: tftp_address, http: http_address, log, _tasks: tasks }
    }

    /// What was asked for, in order: `tftp NAME option=value …` and `http PATH`.
    pub fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The same without options.
    pub fn names(&self) -> Vec<String> {
        self.asked().iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

async fn serve_tftp(socket: UdpSocket, files: Files, log: Log, manners: Manners) {
    let mut transfers = JoinSet::new();
    let mut buffer = [0; 2048];
    loop {
        let (len, peer) = socket.recv_from(&mut buffer).await.unwrap();
        let words: Vec<String> = buffer[2..len].split(|&b| b == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        assert_eq!((&buffer[..2], words[1].as_str()), (&[0, 1][..], "octet"));
        let options: Vec<(String, String)> = words[2..].chunks_exact(2).map(|pair| (pair[0].to_lowercase(), pair[1].clone())).collect();
        let shown: Vec<String> = options.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        log.lock().unwrap().push(format!("tftp {}{}", words[0], shown.concat()));
        // the real servers know files by names without and with the leading slash
        let file = files.get(&words[0]).or_else(|| files.get(words[0].trim_start_matches('/'))).cloned();
        let log = Arc::clone(&log);
        transfers.spawn(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.connect(peer).await.unwrap();
            match file {
                Some(file) => {
                    if let Some(end) = transfer(&socket, &file, if manners.no_options { &[] } else { &options }, manners).await {
                        log.lock().unwrap().push(end);
                    }
                }
                None => {
                    let _ = socket.send(b"\0\x05\0\x01File not found\0").await;
                }
            }
        });
    }
}

/// Answers the client's error, if it sent one.
async fn transfer(socket: &UdpSocket, file: &[u8], options: &[(String, String)], manners: Manners) -> Option<String> {
    let number = |name: &str| options.iter().find(|(option, _)| option == name).map(|(_, value)| value.parse::<usize>().unwrap());
    let blksize = number("blksize").unwrap_or(512);
    let window = number("windowsize").unwrap_or(1);
    let mut oack = vec![0, 6];
    for (name, value) in options {
        let value = if name == "tsize" { file.len().to_string() } else { value.clone() };
        oack.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
    }
    let last = file.len() / blksize + 1;
    let mut acknowledged = 0;
    let mut sent = 0u32;
    let mut started = options.is_empty();
    for _ in 0..last * 4 + 20 {
        if started {
            for block in acknowledged + 1..=(acknowledged + window).min(last) {
                let from = (block - 1) * blksize;
                let data = &file[from..(from + blksize).min(file.len())];
                let packet = [&[0, 3], &u16::try_from(block % 65536).unwrap().to_be_bytes()[..], data].concat();
                sent += 1;
                if manners.lose > 0 && sent.is_multiple_of(manners.lose) {
                    continue;
                }
                let _ = socket.send(&packet).await;
                if manners.twice {
                    let _ = socket.send(&packet).await;
                }
            }
        } else {
            let _ = socket.send(&oack).await;
        }
        // what arrives until there is something new
        loop {
            let mut buffer = [0; 600];
            let Ok(Ok(len)) = timeout(Duration::from_millis(200), socket.recv(&mut buffer)).await else { break };
            match buffer[1] {
                4 => {
                    let block = usize::from(u16::from_be_bytes([buffer[2], buffer[3]]));
                    let block = acknowledged + (block + 65536 - acknowledged % 65536) % 65536;
                    if block >= last {
                        return None;
                    }
                    if !started || block > acknowledged || window > 1 {
                        started = true;
                        acknowledged = block.min(acknowledged + window);
                        break;
                    }
                }
                5 => return Some(format!("aborted: {}", String::from_utf8_lossy(&buffer[4..len - 1]))),
                other => panic!("opcode {other}"),
            }
        }
    }
    None
}

async fn serve_http(listener: TcpListener, files: Files, log: Log) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut request = String::new();
        let mut line = String::new();
        while stream.read_line(&mut line).await.unwrap() > 2 {
            request.push_str(&line);
            line.clear();
        }
        let path = request.split(' ').nth(1).unwrap().to_owned();
        log.lock().unwrap().push(format!("http {path}"));
        let answer = match (path.as_str(), files.get(&path)) {
            ("/moved", _) => b"HTTP/1.1 302 Found\r\nLocation: /target\r\nContent-Length: 0\r\n\r\n".to_vec(),
            (_, None) => b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found".to_vec(),
            ("/chunked", Some(file)) => {
                let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                for chunk in file.chunks(7) {
                    answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    answer.extend_from_slice(chunk);
                    answer.extend_from_slice(b"\r\n");
                }
                answer.extend_from_slice(b"0\r\n\r\n");
                answer
            }
            ("/cut", Some(file)) => [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len() + 5).as_bytes(), file].concat(),
            (_, Some(file)) => [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len()).as_bytes(), file].concat(),
        };
        let _ = stream.get_mut().write_all(&answer).await;
        let _ = stream.get_mut().shutdown().await;
    }
}
