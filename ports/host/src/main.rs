//! The `smoothcore` command: Smooth Streaming tools for a workstation, one subcommand a file.

mod index;
mod media;
mod origin;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Smooth Streaming tools for a workstation.
#[derive(Parser)]
#[command(name = "smoothcore", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Index(index::Args),
    Origin(origin::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Index(args) => index::run(&args),
        Command::Origin(args) => origin::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smoothcore: {error:#}");
            ExitCode::FAILURE
        }
    }
}
