//! `smoothcore origin`: serves presentations over HTTP the way IIS Media Services did, over a link as bad as one likes.

mod answer;
mod catalog;
mod clock;
mod faults;
mod http;
mod ingest;
mod link;
mod live;
mod log;
mod serve;

use std::io::Write;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::media::text::Encoding;
use catalog::Catalog;
use clock::{Clock, Pace};
use faults::Faults;
use ingest::{Points, Settings};
use link::Link;
use live::Channel;
use log::Log;

const HELP: &str = "Examples:
  smoothcore origin media --port 8080
      serve ./media at http://127.0.0.1:8080/
  smoothcore origin media --link dsl.txt --log requests.log
      on a free port, over the link that dsl.txt describes
  smoothcore origin media --live news,from=film.ism,dvr=60 --port 8080
      also film.ism as a live channel at http://127.0.0.1:8080/news.isml/Manifest
  smoothcore origin empty --port 8080
      waits for encoders that publish; see Ingest
  smoothcore origin media --faults evening.txt
      with all that goes wrong in the evening

Link file:
  One period a line, `SECONDS KBPS [LATENCY_MS]`, and # comments; from the end it starts again:
      20 1500 40    # 20 s of 1,500 kbit/s; the first byte of a response comes 40 ms late
      5 0           # 5 s of nothing
  Or a JSON list: [{\"duration_ms\": 20000, \"bandwidth_kbps\": 1500, \"latency_ms\": 40}, ...]
  All connections share the link. It carries HTTP heads and bodies from the origin to the clients.
  The clock starts with the first request.

Log file:
  One line a finished response, `METHOD PATH STATUS bytes=N ms=N`: bytes of the body that were sent,
  time from the request to the last of them; then ` fault=NAME,...` where there was one. Lines are appended.

Manifests can be asked for as ?encoding=utf-8, utf-16le or utf-16be.

";

const CLOCK_HELP: &str = "

Clock:
  Channels and faults go by the wall clock, by one that is faster (--clock 60x), or by one that
  stands still until it is told (--clock manual): GET /control/clock shows it in seconds,
  ?advance=2.5 and ?set=60 move it. The Date field of responses follows.";

/// Serve a directory of presentations over HTTP, on demand and live.
///
/// Serves every server manifest (.ism, .isml) in DIR and the directories in it: its client manifest, or one made from the
/// media files when there is none, and the fragments of its media files. A directory with media files (.ismv, .isma, .ismt) but
/// no server manifest is served as DIRNAME.ism. A directory with a file `Manifest` in it is served as it is.
///
/// A fragment is found by bitrate, stream name and time, all exact; anything else is a 404.
///
/// Once it listens, it prints one line: its address, then the URL of every manifest.
#[derive(clap::Args)]
#[command(after_help = [HELP, live::spec::HELP, "\n\n", ingest::HELP, CLOCK_HELP, "\n\n", faults::HELP].concat())]
pub struct Args {
    /// Directory of presentations; may be empty.
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// TCP port; 0 picks a free one.
    #[arg(short, long, default_value_t = 0)]
    port: u16,

    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// File that says how fast the link is, and when.
    #[arg(long, value_name = "FILE")]
    link: Option<PathBuf>,

    /// A live channel: NAME[,OPTION=VALUE...], or @FILE with a line for each. See below.
    #[arg(long, value_name = "CHANNEL")]
    live: Vec<String>,

    /// What publishing points do: OPTION=VALUE,... See below.
    #[arg(long, value_name = "OPTIONS")]
    ingest: Option<String>,

    /// How long an encoder that lost its connection is waited for before its stream is over.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    reconnect: u64,

    /// Let nobody publish.
    #[arg(long, conflicts_with = "ingest")]
    no_ingest: bool,

    /// What channels go by: wall, manual, or a speed such as 60x.
    #[arg(long, value_name = "CLOCK", default_value = "wall")]
    clock: Pace,

    /// Date in seconds since 1970 at which the clock starts. [default: now]
    #[arg(long, value_name = "SECONDS")]
    date: Option<u64>,

    /// Script of what goes wrong, and when. See below.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// File to write a line to for each request.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Serve manifests as UTF-16 of this byte order unless the URL asks for something else.
    #[arg(long, value_enum, value_name = "ORDER")]
    utf16: Option<ByteOrder>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ByteOrder {
    Le,
    Be,
}

/// What every connection works with.
struct Origin {
    catalog: Catalog,
    channels: Vec<Channel>,
    points: Points,
    faults: Faults,
    clock: Clock,
    /// The encoding of manifests; as they are on disk when not given.
    encoding: Option<Encoding>,
    link: Option<Link>,
    log: Log,
}

pub fn run(args: Args) -> Result<()> {
    let catalog = Catalog::scan(&args.dir)?;
    for warning in &catalog.warnings {
        eprintln!("warning: {warning}");
    }
    let date = args.date.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let clock = Clock::new(args.clock, date.unwrap_or_else(SystemTime::now));
    let channels = live::spec::read(&args.live)?;
    let channels = channels.into_iter().map(|spec| Channel::new(spec, &catalog.publications, &clock));
    let channels = channels.collect::<Result<Vec<_>>>()?;
    let settings = Settings {
        dir: args.dir.canonicalize()?,
        spec: live::spec::Spec::of_ingest(args.ingest.as_deref()).context("--ingest")?,
        reconnect: Duration::from_secs(args.reconnect),
    };
    let points = Points::new((!args.no_ingest).then_some(settings));
    let origin = Origin {
        catalog,
        channels,
        points,
        faults: Faults::load(args.faults.as_deref())?,
        clock,
        encoding: args.utf16.map(|order| match order {
            ByteOrder::Le => Encoding::Utf16Le,
            ByteOrder::Be => Encoding::Utf16Be,
        }),
        link: args.link.as_deref().map(Link::load).transpose()?,
        log: Log::open(args.log.as_deref())?,
    };
    let listener = TcpListener::bind((args.bind, args.port))
        .with_context(|| format!("{}, port {}", args.bind, args.port))?;
    let root = format!("http://{}", listener.local_addr()?);
    let live = origin.channels.iter().map(|channel| format!("{}/Manifest", catalog::encode(&channel.path)));
    let manifests: String =
        origin.catalog.manifests().chain(live).map(|path| format!(" {root}{path}")).collect();
    let mut out = std::io::stdout();
    writeln!(out, "listening on {root}/{manifests}")?;
    out.flush()?;
    serve::run(&listener, &Arc::new(origin))
}
