//! The port against TLS servers with certificates made for the test.

mod common;

use std::sync::Arc;

use common::{Server, get, request};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use smoothcore::error::Code;
use smoothcore_ureq::{Settings, Trust, UreqHttp};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A server whose certificate names `name`, and the authority's certificate.
fn secure(name: &str, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> (Server, Vec<u8>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let server = Server::wrapped(
        Box::new(move |socket| {
            let connection = ServerConnection::new(config.clone()).unwrap();
            Some(Box::new(StreamOwned::new(connection, socket)))
        }),
        move |head, wire| wire.write_all(&answer(head)).and_then(|()| wire.flush()).is_ok(),
    );
    (server, authority.pem().into_bytes())
}

fn port(trust: Trust) -> UreqHttp {
    UreqHttp::new(&Settings { trust, ..Settings::default() }).unwrap()
}

fn url(server: &Server, path: &str) -> String {
    format!("https://localhost:{}{path}", server.port)
}

#[test]
fn a_certificate_must_be_trusted() {
    let (server, pem) = secure("localhost", |_| OK.to_vec());
    let mut http = port(Trust::Only(pem));
    for id in 1..=2 {
        let a = get(&mut http, &request(id, &url(&server, "/")));
        assert_eq!((a.status, a.body.as_slice(), a.broke), (200, &b"hello"[..], None));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(get(&mut port(Trust::Mozilla), &request(1, &url(&server, "/"))).broke, Some(Code::Tls));
    let (_, other) = secure("localhost", |_| OK.to_vec());
    assert_eq!(get(&mut port(Trust::Only(other)), &request(1, &url(&server, "/"))).broke, Some(Code::Tls));
    assert_eq!(get(&mut port(Trust::AnythingAtAll), &request(1, &url(&server, "/"))).body, b"hello");
}

#[test]
fn a_certificate_must_be_for_the_host() {
    let (server, pem) = secure("elsewhere.example", |_| OK.to_vec());
    assert_eq!(get(&mut port(Trust::Only(pem)), &request(1, &url(&server, "/"))).broke, Some(Code::Tls));
}

#[test]
fn there_is_no_way_back_to_plain_http() {
    let plain = common::server_of(OK);
    let to = plain.url("/");
    let (server, pem) = secure("localhost", move |head| {
        let to = if head.starts_with("GET /down ") { to.as_str() } else { "/up" };
        let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        if head.starts_with("GET /up ") { OK.to_vec() } else { redirect.into_bytes() }
    });
    let mut http = port(Trust::Only(pem));
    let a = get(&mut http, &request(1, &url(&server, "/down")));
    assert_eq!(a.broke, Some(Code::TooManyRedirects));
    assert_eq!(plain.requests().len(), 0);
    let a = get(&mut http, &request(2, &url(&server, "/sideways")));
    assert_eq!((a.final_url, a.body.as_slice()), (url(&server, "/up"), &b"hello"[..]));
}

#[test]
fn bad_certificates_are_refused_at_once() {
    for pem in [&b""[..], b"no PEM", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let settings = Settings { trust: Trust::Only(pem.to_vec()), ..Settings::default() };
        assert_eq!(UreqHttp::new(&settings).err(), Some(Code::Tls));
    }
}
