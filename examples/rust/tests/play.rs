//! What `play` says when there is nothing to play.

use std::process::{Command, Output};

fn play(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_play")).args(arguments).output().unwrap()
}

#[test]
fn without_a_url_it_says_how_to_call_it() {
    let output = play(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("usage: play URL"));
}

#[test]
fn without_a_server_it_tries_again_and_says_why_it_gave_up() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = play(&[&format!("http://127.0.0.1:{port}/x.ism/Manifest")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no connection to the server (-201)"));
    assert!(String::from_utf8(output.stdout).unwrap().contains("Retry"));
}
