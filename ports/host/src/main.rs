//! The `smoothcore` command: Smooth Streaming tools for a workstation, one subcommand a file.

mod download;
mod fetch;
mod index;
mod media;
mod origin;
mod play;
mod probe;
mod progress;
mod remote;
mod remux;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Smooth Streaming tools for a workstation: play presentations, serve, keep and convert them, and look into them.
#[derive(Parser)]
#[command(
    name = "smoothcore",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  smoothcore origin tests/media --port 8080
      serves the presentations in a directory, over a link as bad as one likes
  smoothcore play http://127.0.0.1:8080/testcard/testcard.ism/Manifest --report session.html
      plays one as a set-top box would and draws how it went
  smoothcore probe film.ismc
      shows what a manifest, a fragment or a media file says
  smoothcore index film_*.ismv film_*.isma -o film
      writes the manifests of a presentation that is to be served

smoothcore COMMAND --help says the rest, with examples."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Play(play::Args),
    Report(play::ReportArgs),
    Origin(origin::Args),
    Index(index::Args),
    Download(download::Args),
    Probe(probe::Args),
    Remux(remux::Args),
    Simulate(simulate::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Play(args) => play::run(&args),
        Command::Report(args) => play::run_report(&args).map(|()| ExitCode::SUCCESS),
        Command::Origin(args) => origin::run(args).map(|()| ExitCode::SUCCESS),
        Command::Index(args) => index::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Download(args) => download::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Probe(args) => probe::run(&args),
        Command::Remux(args) => remux::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Simulate(args) => simulate::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("smoothcore: {error:#}");
        ExitCode::FAILURE
    })
}
