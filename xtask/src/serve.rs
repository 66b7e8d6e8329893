//! A static file server for this machine only: what any web host does with `dist/`, and for whoever
//! works on the page what [`reload`](crate::reload) adds.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;

use crate::reload::Sources;

const DEFAULT_PORT: u16 = 8080;

/// Serves `root`, with what is saved of its `sources`, until the process is ended.
pub fn serve(
    root: &Path,
    listener: TcpListener,
    sources: Arc<Sources>,
    open_browser: bool,
) -> Result<()> {
    let address = start_with(root, listener, Some(sources))?;
    println!("Pollen is at {address} (Ctrl-C ends it)");
    if open_browser && let Err(error) = open::that_detached(&address) {
        eprintln!("no browser could be opened ({error}); open the address above");
    }
    loop {
        thread::park();
    }
}

/// A listener on `port`, or on the first free one from 8080 on.
pub fn choose(port: Option<u16>) -> Result<TcpListener> {
    match port {
        Some(port) => listen(port).with_context(|| {
            format!("port {port} of this machine cannot be used; choose another with --port")
        }),
        None => first_free(DEFAULT_PORT),
    }
}

/// A listener on 127.0.0.1; port 0 takes any that is free.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

fn first_free(from: u16) -> Result<TcpListener> {
    for port in from..=u16::MAX {
        match listen(port) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => continue,
            other => {
                return other
                    .with_context(|| format!("port {port} of this machine cannot be used"));
            }
        }
    }
    bail!("no port from {from} on is free")
}

/// Serves `root` on `listener` from threads of its own; the address to open.
pub fn start(root: &Path, listener: TcpListener) -> Result<String> {
    start_with(root, listener, None)
}

fn start_with(root: &Path, listener: TcpListener, sources: Option<Arc<Sources>>) -> Result<String> {
    let root = root
        .canonicalize()
        .with_context(|| format!("{} cannot be served", root.display()))?;
    let address = format!("http://{}/", listener.local_addr()?);
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_io()
        .build()?;
    let page = Router::new().fallback(async move |method: Method, uri: Uri| {
        let (root, sources) = (root.clone(), sources.clone());
        let read = move || answer(&root, sources.as_deref(), &method, &uri);
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    });
    thread::spawn(move || {
        let served = runtime.block_on(async {
            axum::serve(tokio::net::TcpListener::from_std(listener)?, page).await
        });
        if let Err(error) = served {
            eprintln!("error: the page is served no longer: {error}");
        }
    });
    Ok(address)
}

fn answer(root: &Path, sources: Option<&Sources>, method: &Method, uri: &Uri) -> Response<Body> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let only = b"only GET and HEAD\n".to_vec();
        return response(StatusCode::METHOD_NOT_ALLOWED, None, only);
    }
    if let Some((name, body)) = sources.and_then(|sources| sources.answer(uri.path())) {
        return response(StatusCode::OK, Some(Path::new(name)), body);
    }
    let found = resolve(root, uri.path()).and_then(|path| Some((fs::read(&path).ok()?, path)));
    match found {
        Some((bytes, path)) => response(StatusCode::OK, Some(&path), bytes),
        None => response(StatusCode::NOT_FOUND, None, b"not found\n".to_vec()),
    }
}

/// The answer, with its length: the page's progress bar needs it.
fn response(status: StatusCode, path: Option<&Path>, body: Vec<u8>) -> Response<Body> {
    let mime = path.map_or(mime_guess::mime::TEXT_PLAIN, |path| {
        mime_guess::from_path(path).first_or_octet_stream()
    });
    let charset = match mime.type_() {
        mime_guess::mime::TEXT => "; charset=utf-8",
        _ => "",
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, format!("{mime}{charset}"))
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Body::from(body))
        .unwrap_or_default()
}

/// The file below `root` that a request's path names; none where it names no file or leaves `root`.
fn resolve(root: &Path, target: &str) -> Option<PathBuf> {
    let path = percent_decode_str(target.strip_prefix('/')?)
        .decode_utf8()
        .ok()?;
    let mut file = root.to_path_buf();
    if !path.is_empty() {
        for part in path.trim_end_matches('/').split('/') {
            // Backslashes and colons separate on Windows.
            if part.is_empty() || part.starts_with('.') || part.contains(['\\', ':', '\0']) {
                return None;
            }
            file.push(part);
        }
    }
    if path.is_empty() || path.ends_with('/') {
        file.push("index.html");
    }
    let file = file.canonicalize().ok()?;
    (file.starts_with(root) && file.is_file()).then_some(file)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::process::scratch::Scratch;

    fn site(name: &str) -> Scratch {
        let folder = Scratch::new(name);
        let root = folder.path().join("dist");
        std::fs::create_dir_all(root.join("a b")).unwrap();
        for (name, text) in [
            ("index.html", "<p>"),
            ("a b/ü.wasm", "\0asm"),
            ("main.js", "1"),
            (".hidden", "no"),
        ] {
            std::fs::write(root.join(name), text).unwrap();
        }
        std::fs::write(root.join("model.safetensors"), vec![7; 100_000]).unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        folder
    }

    /// The answer's head and body to `request_line`, from a server on a port of its own.
    fn ask(folder: &Path, request_line: &str) -> (String, Vec<u8>) {
        let listener = listen(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        start(&folder.join("dist"), listener).unwrap();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(
            stream,
            "{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap();
        (
            String::from_utf8_lossy(&answer[..end]).to_lowercase(),
            answer[end + 4..].to_vec(),
        )
    }

    #[test]
    fn files_come_with_type_and_length() {
        let folder = site("types");
        for (target, mime, length) in [
            ("/", "text/html; charset=utf-8", 3),
            ("/index.html?x=/..", "text/html; charset=utf-8", 3),
            ("/main.js", "text/javascript; charset=utf-8", 1),
            ("/a%20b/%C3%BC.wasm", "application/wasm", 4),
            ("/model.safetensors", "application/octet-stream", 100_000),
        ] {
            let (head, body) = ask(folder.path(), &format!("GET {target}"));
            assert!(head.starts_with("http/1.1 200"), "{target}: {head}");
            assert!(
                head.contains(&format!("content-type: {mime}")),
                "{target}: {head}"
            );
            assert!(
                head.contains(&format!("content-length: {length}")),
                "{target}: {head}"
            );
            assert!(head.contains("cache-control: no-cache"), "{target}: {head}");
            assert_eq!(body.len(), length, "{target}");
        }
    }

    #[test]
    fn nothing_outside_is_served() {
        let folder = site("outside");
        for target in [
            "/../secret",
            "/%2e%2e/secret",
            "/a%20b/../../secret",
            "/..%2fsecret",
            "/..%5csecret",
            "//etc/passwd",
            "/.hidden",
            "/a%20b",
            "/missing",
            "/%ff",
            "/index.html/",
            "secret",
        ] {
            let (head, _) = ask(folder.path(), &format!("GET {target}"));
            assert!(!head.starts_with("http/1.1 200"), "{target}: {head}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_outside() {
        let folder = site("links");
        std::os::unix::fs::symlink(
            folder.path().join("secret"),
            folder.path().join("dist/link"),
        )
        .unwrap();
        assert!(
            ask(folder.path(), "GET /link")
                .0
                .starts_with("http/1.1 404")
        );
    }

    #[test]
    fn only_reading_is_allowed() {
        let folder = site("reading");
        assert!(ask(folder.path(), "POST /").0.starts_with("http/1.1 405"));
        let (head, body) = ask(folder.path(), "HEAD /model.safetensors");
        assert!(
            head.starts_with("http/1.1 200") && head.contains("content-length: 100000"),
            "{head}"
        );
        assert!(body.is_empty());
    }

    /// As browsers do: connections that ask nothing yet, and more at once than there are cores.
    #[test]
    fn many_connections_at_once_are_all_answered() {
        let folder = site("many");
        let listener = listen(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        start(&folder.path().join("dist"), listener).unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let _idle: Vec<TcpStream> = (0..20).map(|_| connect()).collect();
        for _ in 0..20 {
            let mut streams: Vec<TcpStream> = (0..6).map(|_| connect()).collect();
            for stream in &mut streams {
                let patience = Some(std::time::Duration::from_secs(20));
                stream.set_read_timeout(patience).unwrap();
                write!(stream, "GET /main.js HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            }
            for mut stream in streams {
                let (mut answer, mut byte) = (Vec::new(), [0]);
                while !answer.ends_with(b"\r\n\r\n1") {
                    stream.read_exact(&mut byte).unwrap();
                    answer.push(byte[0]);
                }
                assert!(answer.starts_with(b"HTTP/1.1 200"));
            }
        }
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = listen(0).unwrap().local_addr().unwrap().port();
        let held = listen(taken).unwrap();
        assert!(listen(taken).is_err());
        assert!(first_free(taken).unwrap().local_addr().unwrap().port() > taken);
        drop(held);
    }
}
