//! Who may read the pages: requests that name this server as their host, come from no other origin, and know the token if there is one.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

/// Name of the cookie and of the query parameter that hold the token.
const TOKEN: &str = "token";

/// The rules for requests.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// Hosts that a request may name; `None` allows all: the token then keeps strangers out.
    hosts: Option<Vec<String>>,
    /// Digest of the token. Digests are compared in constant time.
    token: Option<blake3::Hash>,
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Answer it.
    Allow,
    /// Answer it at this address, which no longer has the token, and set this cookie.
    Welcome { address: String, cookie: String },
    /// Refuse it.
    Refuse(StatusCode, &'static str),
}

impl Guard {
    /// Returns the rules of a server at this address and port. A server that other machines can reach needs a token.
    pub(super) fn new(host: IpAddr, port: u16, token: Option<&str>) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned(), shown(host)];
        let with_port = |name: String| {
            let exact = format!("{name}:{port}");
            if port == 80 { vec![exact, name] } else { vec![exact] }
        };
        let hosts = host.is_loopback().then(|| names.into_iter().flat_map(with_port).collect());
        Self { hosts, token: token.map(|token| blake3::hash(token.as_bytes())) }
    }

    /// Judges a request.
    pub(super) fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        if method != Method::GET && method != Method::HEAD {
            return Verdict::Refuse(StatusCode::METHOD_NOT_ALLOWED, "This server only shows pages: use GET.");
        }
        let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let Some(host) = text(header::HOST).map(str::to_ascii_lowercase) else {
            return Verdict::Refuse(StatusCode::BAD_REQUEST, "The request names no host.");
        };
        if self.hosts.as_ref().is_some_and(|hosts| !hosts.contains(&host)) {
            return Verdict::Refuse(StatusCode::FORBIDDEN, "The request names another host than this server.");
        }
        let is_ours = |origin: &str| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(&host));
        if headers.contains_key(header::ORIGIN) && !text(header::ORIGIN).is_some_and(is_ours) {
            return Verdict::Refuse(StatusCode::FORBIDDEN, "The request comes from another origin.");
        }
        let Some(token) = &self.token else { return Verdict::Allow };
        let is_right = |given: &str| blake3::hash(given.as_bytes()) == *token;
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if bearer.is_some_and(is_right) || cookies(headers).any(is_right) {
            return Verdict::Allow;
        }
        match parameter(uri) {
            Some(given) if is_right(given) => Verdict::Welcome {
                address: uri.path().to_owned(),
                cookie: format!("{TOKEN}={given}; HttpOnly; SameSite=Strict; Path=/"),
            },
            _ => Verdict::Refuse(
                StatusCode::UNAUTHORIZED,
                "This server needs its token: open the address that `didact serve` prints.",
            ),
        }
    }
}

/// Returns an address as a URL shows it.
pub(super) fn shown(host: IpAddr) -> String {
    match host {
        IpAddr::V4(host) => host.to_string(),
        IpAddr::V6(host) => format!("[{host}]"),
    }
}

/// Returns the tokens among the cookies.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == TOKEN)
        .map(|(_, token)| token)
}

/// Returns the token in the query. Tokens have only characters that need no encoding.
fn parameter(uri: &Uri) -> Option<&str> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| *name == TOKEN).map(|(_, token)| token).next()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn judged(guard: &Guard, uri: &str, headers: &[(&str, &str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().expect("a name");
            map.append(name, value.parse().expect("a value"));
        }
        guard.judge(&Method::GET, &uri.parse().expect("an address"), &map)
    }

    fn status(verdict: &Verdict) -> u16 {
        match verdict {
            Verdict::Allow => 200,
            Verdict::Welcome { .. } => 303,
            Verdict::Refuse(status, _) => status.as_u16(),
        }
    }

    #[test]
    fn only_requests_for_this_server_from_its_own_pages_are_answered() {
        let guard = Guard::new(Ipv4Addr::LOCALHOST.into(), 8180, None);
        for host in ["127.0.0.1:8180", "localhost:8180", "LOCALHOST:8180", "[::1]:8180"] {
            assert_eq!(judged(&guard, "/", &[("host", host)]), Verdict::Allow, "{host}");
        }
        for host in ["evil.example:8180", "127.0.0.1", "127.0.0.1:8181", "localhost.evil.example:8180", ""] {
            assert_eq!(status(&judged(&guard, "/", &[("host", host)])), 403, "{host}");
        }
        assert_eq!(status(&judged(&guard, "/", &[])), 400);
        let ours = ("host", "localhost:8180");
        assert_eq!(judged(&guard, "/", &[ours, ("origin", "http://localhost:8180")]), Verdict::Allow);
        for origin in ["http://evil.example", "null", "http://localhost", "http://localhost:8180.evil.example"] {
            assert_eq!(status(&judged(&guard, "/", &[ours, ("origin", origin)])), 403, "{origin}");
        }
        let post = guard.judge(&Method::POST, &Uri::from_static("/"), &HeaderMap::new());
        assert_eq!(status(&post), 405);
        let six = Guard::new(Ipv6Addr::LOCALHOST.into(), 80, None);
        assert_eq!(judged(&six, "/", &[("host", "[::1]")]), Verdict::Allow);
    }

    #[test]
    fn a_token_is_needed_where_there_is_one() {
        let guard = Guard::new(Ipv4Addr::UNSPECIFIED.into(), 8180, Some("s3cret-token"));
        let host = ("host", "gpu7.lab:8180");
        for refused in [
            judged(&guard, "/", &[host]),
            judged(&guard, "/?token=other", &[host]),
            judged(&guard, "/", &[host, ("cookie", "token=other")]),
            judged(&guard, "/", &[host, ("authorization", "Bearer s3cret")]),
        ] {
            assert_eq!(status(&refused), 401, "{refused:?}");
        }
        assert_eq!(judged(&guard, "/", &[host, ("cookie", "a=b; token=s3cret-token")]), Verdict::Allow);
        assert_eq!(judged(&guard, "/", &[host, ("authorization", "Bearer s3cret-token")]), Verdict::Allow);
        let welcomed = judged(&guard, "/sweeps/demo?q=1&token=s3cret-token", &[host]);
        let cookie = "token=s3cret-token; HttpOnly; SameSite=Strict; Path=/".to_owned();
        assert_eq!(welcomed, Verdict::Welcome { address: "/sweeps/demo".to_owned(), cookie });
        assert_eq!(status(&judged(&guard, "/?token=s3cret-token", &[host, ("origin", "http://evil")])), 403);
    }
}
