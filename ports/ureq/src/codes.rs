//! ureq's errors as stable codes.

use std::io;

use smoothcore::error::Code;
use ureq::Timeout;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How far an exchange had come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Head,
    Body,
}

pub(crate) fn code_of(error: &ureq::Error, stage: Stage) -> Code {
    use ureq::Error as E;
    match error {
        E::Io(e) => code_of_io(e.kind(), stage),
        E::Timeout(Timeout::Resolve | Timeout::Connect) => Code::ConnectTimeout,
        E::Timeout(Timeout::PerRead | Timeout::RecvBody) if stage == Stage::Body => Code::IdleTimeout,
        E::Timeout(_) => Code::FirstByteTimeout,
        E::HostNotFound => Code::NameResolution,
        E::ConnectionFailed | E::ConnectProxyFailed(_) | E::InvalidProxyUrl => Code::Connect,
        E::TooManyRedirects | E::RedirectFailed | E::RequireHttpsOnly(_) => Code::TooManyRedirects,
        // The first URL was looked at before: this one came in a Location field.
        E::BadUri(_) => Code::TooManyRedirects,
        E::Tls(_) | E::Pem(_) | E::Rustls(_) | E::TlsRequired => Code::Tls,
        E::LargeResponseHeader(..) => Code::LimitHttpHead,
        E::Protocol(_) | E::Http(_) | E::BodyStalled => Code::HttpSyntax,
        _ => Code::NetworkIo,
    }
}

fn code_of_io(kind: io::ErrorKind, stage: Stage) -> Code {
    use io::ErrorKind as K;
    match (kind, stage) {
        (K::ConnectionRefused | K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown, _) => {
            Code::Connect
        }
        (K::AddrNotAvailable, _) => Code::Connect,
        (K::UnexpectedEof, Stage::Body) => Code::BodyTruncated,
        (K::TimedOut | K::WouldBlock, Stage::Body) => Code::IdleTimeout,
        (K::TimedOut | K::WouldBlock, Stage::Head) => Code::FirstByteTimeout,
        // What rustls says of a certificate or record it does not accept.
        (K::InvalidData, _) => Code::Tls,
        _ => Code::NetworkIo,
    }
}

/// Name resolution whose failures can be told from other ones.
#[derive(Debug, Default)]
pub(crate) struct Resolving(DefaultResolver);

impl Resolver for Resolving {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        match self.0.resolve(uri, config, timeout) {
            Err(ureq::Error::Io(_)) => Err(ureq::Error::HostNotFound),
            other => other,
        }
    }
}
