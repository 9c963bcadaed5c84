//! The head of an answer: received, looked at, followed where it points elsewhere.

use super::{Again, Exchange, INTERIM, PIECE, Phase, Step};
use crate::error::Code;
use crate::http1::chunked::Chunked;
use crate::http1::connection::{Connections, Received, Wire};
use crate::http1::head::{self, Body, Persistence};
use crate::http1::{Caps, url};
use crate::mem::{Account, Text};
use crate::port::Streams;
use crate::time::Instant;
use crate::trace::{self, Plain};

impl<T: Wire> Exchange<T> {
    pub(super) fn receive_head<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        caps: &Caps,
        at: Instant,
    ) -> core::result::Result<Step, Code> {
        if let Some(end) = head::end(&self.buffer, self.at) {
            return self.take_head(connections, account, caps, at, end);
        }
        let before = self.buffer.len();
        self.at = before;
        let room = caps.head_bytes.saturating_sub(before).min(PIECE);
        if room == 0 {
            return Err(Code::LimitHttpHead);
        }
        let Some(connection) = &mut self.connection else { return Err(Code::NetworkIo) };
        self.buffer.resize(account, before.saturating_add(room), 0).map_err(|e| e.code)?;
        let received = connection.receive(self.buffer.get_mut(before..).unwrap_or(&mut []));
        let count = if let Ok(Received::Bytes(count)) = received { count } else { 0 };
        self.buffer.truncate(before.saturating_add(count));
        match received {
            Ok(Received::NotReady) => Ok(Step::Wait),
            Ok(Received::Bytes(_)) if head::is_plausible(&self.buffer) => Ok(Step::Go),
            Ok(Received::Bytes(_)) => Err(Code::HttpSyntax),
            Ok(Received::Closed) | Err(_) if before == 0 && self.interim == 0 => {
                let code = received.err().unwrap_or(Code::NetworkIo);
                self.replace(connections, account, at, code)
            }
            Ok(Received::Closed) => Err(Code::NetworkIo),
            Err(code) => Err(code),
        }
    }

    /// Acts on a head, which ends at `end` of the buffer.
    fn take_head<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        caps: &Caps,
        at: Instant,
        end: usize,
    ) -> core::result::Result<Step, Code> {
        self.head = head::parse(self.buffer.get(..end).unwrap_or(&[]))?;
        if self.head.is_interim() {
            self.interim = self.interim.saturating_add(1);
            if self.head.status == 101 || self.interim > INTERIM {
                return Err(Code::HttpSyntax);
            }
            self.buffer.drop_front(end);
            self.at = 0;
            // What came along is looked at here: nothing more may come.
            return if head::is_plausible(&self.buffer) { Ok(Step::Go) } else { Err(Code::HttpSyntax) };
        }
        self.phase = Phase::Body;
        self.at = end;
        let surplus = self.buffer.len().saturating_sub(end) as u64;
        self.left = if let Body::Length(length) = self.head.body { length } else { 0 };
        self.chunks = Chunked::default();
        if matches!(self.head.body, Body::None | Body::Length(_)) && surplus > self.left {
            // Nobody asked for what follows this response.
            self.head.persistence = Persistence::Close;
            let whole = (end as u64).saturating_add(self.left);
            self.buffer.truncate(usize::try_from(whole).unwrap_or(usize::MAX));
        }
        if self.head.is_redirect() {
            return self.follow(connections, account, caps, at);
        }
        self.settle(connections, account, at);
        Ok(Step::Go)
    }

    fn follow<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        caps: &Caps,
        at: Instant,
    ) -> core::result::Result<Step, Code> {
        if self.redirects >= caps.redirects {
            return Err(Code::TooManyRedirects);
        }
        self.redirects = self.redirects.saturating_add(1);
        let location = self.head.location.text(&self.buffer);
        let mut target = Text::new();
        let resolved = url::resolve(account, &mut target, &self.url, location, caps.url_bytes);
        self.url.free(account);
        self.url = target;
        resolved.map_err(|e| e.code)?;
        log::debug!(target: trace::HTTP, "redirect to {}", Plain(trace::redacted(&self.url)));
        // A body that came along is passed over; waiting for the rest of one costs more than a connection.
        if matches!(self.head.body, Body::Length(_)) {
            let here = self.buffer.len().saturating_sub(self.at) as u64;
            self.left = self.left.saturating_sub(here);
        }
        self.settle(connections, account, at);
        self.close(connections, account);
        self.again = Again::Once;
        self.connect(connections, account, at)?;
        Ok(Step::Go)
    }

    /// Lets go of the connection once the body is over.
    pub(super) fn settle<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        at: Instant,
    ) {
        let over = match self.head.body {
            Body::None => true,
            Body::Length(_) => self.left == 0,
            Body::Chunked => self.chunks.is_done(),
            Body::UntilClose => false,
        };
        if !over {
            return;
        }
        self.phase = Phase::Done;
        if let Some(connection) = self.connection.take() {
            match self.head.persistence {
                Persistence::Keep => connections.keep(account, at, connection),
                Persistence::Close => connections.close(account, connection),
            }
        }
    }
}
