//! The HTTP port over ureq and rustls: for workstations, tests and Linux boxes that have threads to spare.
//!
//! ureq blocks and the port may not, so every exchange has a thread of its own, which hands head and body over through
//! a short queue. A player that does not read lets the queue fill, then the thread stops reading, then the sender stops
//! sending. A cancelled exchange leaves its thread to notice; it ends with the next byte or time limit.

mod codes;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, Response};
use smoothcore::limits::Limits;
use smoothcore::port::{Http, Progress};
use smoothcore::time::{Instant, Micros};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;

use worker::{Head, Job, Message, QUEUE, Sent};

/// Threads at once, those of cancelled exchanges included.
const THREADS: usize = 64;
/// Our time limits come this much after the session's, which knows better what to do.
const GRACE: Micros = Micros::from_secs(5);

/// Called when an exchange has something new, on a thread of the port: it must do no more than wake the player's.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// Which certificates are trusted.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Those of the authorities that Mozilla trusts, built in.
    #[default]
    Mozilla,
    /// Those in this PEM text, and no others.
    Only(Vec<u8>),
    /// Any, for any name: for tests alone, as anyone on the way can read and change what is sent.
    AnythingAtAll,
}

/// How to make a [`UreqHttp`].
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Redirects, size of the response head, time limits.
    pub limits: Limits,
    /// Which certificates are trusted.
    pub trust: Trust,
}

/// The port. Proxies are taken from the environment (`HTTPS_PROXY` and the like).
pub struct UreqHttp {
    agent: Agent,
    exchanges: Vec<Exchange>,
    threads: Arc<AtomicUsize>,
    wake: Arc<RwLock<Option<Wake>>>,
}

struct Exchange {
    id: RequestId,
    from_worker: Receiver<Sent>,
    head: Option<Head>,
    piece: Vec<u8>,
    /// Bytes of `piece` handed out.
    taken: usize,
    over: Option<Result<(), Code>>,
}

impl UreqHttp {
    /// A port under `settings`.
    ///
    /// # Errors
    /// [`Code::Tls`] when the PEM text of [`Trust::Only`] holds no certificate, or a broken one.
    pub fn new(settings: &Settings) -> Result<UreqHttp, Code> {
        let limits = settings.limits.clamped();
        let time = |limit: Micros| Some(std::time::Duration::from_micros(limit.plus(GRACE).0));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("SmoothCore/", env!("CARGO_PKG_VERSION")))
            .max_redirects(limits.redirects)
            .max_response_header_size(limits.http_head_bytes as usize)
            .tls_config(tls(&settings.trust)?)
            .timeout_resolve(time(limits.connect_timeout))
            .timeout_connect(time(limits.connect_timeout))
            .timeout_recv_response(time(limits.first_byte_timeout))
            .timeout_per_read(time(limits.idle_timeout))
            .build();
        Ok(UreqHttp {
            agent: Agent::with_parts(config, DefaultConnector::new(), codes::Resolving::default()),
            exchanges: Vec::new(),
            threads: Arc::default(),
            wake: Arc::default(),
        })
    }

    /// Sets what is called when an exchange has something new; `None`: nothing. Returns when the one set before is no
    /// longer running.
    pub fn set_wake(&mut self, wake: Option<Wake>) {
        *self.wake.write().unwrap_or_else(PoisonError::into_inner) = wake;
    }

    fn exchange(&mut self, id: RequestId) -> Option<&mut Exchange> {
        self.exchanges.iter_mut().find(|e| e.id == id)
    }
}

fn tls(trust: &Trust) -> Result<TlsConfig, Code> {
    let builder = TlsConfig::builder();
    Ok(match trust {
        Trust::Mozilla => builder.build(),
        Trust::AnythingAtAll => builder.disable_verification(true).build(),
        Trust::Only(pem) => {
            let mut roots: Vec<Certificate<'static>> = Vec::new();
            for item in parse_pem(pem) {
                if let PemItem::Certificate(certificate) = item.map_err(|_| Code::Tls)? {
                    roots.push(certificate);
                }
            }
            if roots.is_empty() {
                return Err(Code::Tls);
            }
            builder.root_certs(RootCerts::new_with_certs(&roots)).build()
        }
    })
}

impl Http for UreqHttp {
    fn start(&mut self, _: Instant, request: &Request<'_>) -> Result<(), Code> {
        if self.exchange(request.id).is_some() {
            return Err(Code::State);
        }
        let (to_player, from_worker) = sync_channel(QUEUE);
        let job = Job::new(&self.agent, request, to_player, &self.wake)?;
        if self.threads.fetch_add(1, Ordering::Relaxed) >= THREADS {
            self.threads.fetch_sub(1, Ordering::Relaxed);
            return Err(Code::NetworkIo);
        }
        let count = Counted(self.threads.clone());
        let named = thread::Builder::new().name("smoothcore-http".into());
        named
            .spawn(move || {
                let _count = count;
                job.run();
            })
            .map_err(|_| Code::NetworkIo)?;
        self.exchanges.push(Exchange {
            id: request.id,
            from_worker,
            head: None,
            piece: Vec::new(),
            taken: 0,
            over: None,
        });
        Ok(())
    }

    fn response(&mut self, _: Instant, id: RequestId) -> Progress<Response<'_>> {
        let Some(exchange) = self.exchange(id) else { return Progress::Failed(Code::NetworkIo) };
        if exchange.head.is_none() {
            match exchange.next() {
                Progress::Ready(Message::Head(head)) => exchange.head = Some(*head),
                Progress::Ready(Message::Piece(_)) => return Progress::Failed(Code::PortContract),
                Progress::Pending => return Progress::Pending,
                Progress::End => return Progress::Failed(Code::NetworkIo),
                Progress::Failed(code) => return Progress::Failed(code),
            }
        }
        match &exchange.head {
            Some(head) => Progress::Ready(head.told()),
            None => Progress::Pending,
        }
    }

    fn read(&mut self, _: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let Some(exchange) = self.exchange(id) else { return Progress::Failed(Code::NetworkIo) };
        if exchange.head.is_none() {
            return Progress::Pending;
        }
        while exchange.taken >= exchange.piece.len() {
            match exchange.next() {
                Progress::Ready(Message::Piece(piece)) => (exchange.piece, exchange.taken) = (piece, 0),
                Progress::Ready(Message::Head(_)) => return Progress::Failed(Code::PortContract),
                Progress::Pending => return Progress::Pending,
                Progress::End => return Progress::End,
                Progress::Failed(code) => return Progress::Failed(code),
            }
        }
        let rest = exchange.piece.get(exchange.taken..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        exchange.taken += count;
        Progress::Ready(count)
    }

    fn cancel(&mut self, id: RequestId) {
        self.exchanges.retain(|e| e.id != id);
    }
}

impl Exchange {
    /// The next message of the thread. How it ended is remembered.
    fn next(&mut self) -> Progress<Message> {
        if self.over.is_none() {
            match self.from_worker.try_recv() {
                Ok(Sent::More(message)) => return Progress::Ready(message),
                Ok(Sent::Over(end)) => self.over = Some(end),
                Err(TryRecvError::Empty) => return Progress::Pending,
                // The thread is gone without a word: it panicked.
                Err(TryRecvError::Disconnected) => self.over = Some(Err(Code::NetworkIo)),
            }
        }
        match self.over {
            Some(Err(code)) => Progress::Failed(code),
            _ => Progress::End,
        }
    }
}

impl Drop for UreqHttp {
    fn drop(&mut self) {
        self.set_wake(None);
        // Wakes every thread that waits for a server.
        self.agent.clone().shutdown();
    }
}

impl fmt::Debug for UreqHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = self.threads.load(Ordering::Relaxed);
        f.debug_struct("UreqHttp")
            .field("exchanges", &self.exchanges.len())
            .field("threads", &threads)
            .finish()
    }
}

/// One thread more while it lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
