//! The one thread that reads and writes. It takes one piece of work after the other and reports on each.

use super::host::Host;
use super::message::{JobId, Report, Work};
use crate::job::{Cancel, Cancelled, Job};
use crate::plan::Intent;
use crate::session::{Loaded, Session};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A piece of work on its way to the worker.
struct Order {
    id: JobId,
    cancel: Cancel,
    work: Work,
}

/// The worker's thread and the ways to it.
pub struct Worker {
    orders: Sender<Order>,
    reports: Receiver<(JobId, Report)>,
    cancels: Vec<Cancel>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread.
    pub fn start<H: Host>(host: impl FnOnce() -> H + Send + 'static) -> std::io::Result<Self> {
        let (orders, inbox) = unbounded::<Order>();
        let (outbox, reports) = unbounded();
        let work = move || {
            // An open guest stays on the thread that opened it.
            let mut host = host();
            for order in inbox {
                let id = order.id;
                let report = carry_out(&mut host, order, &outbox);
                if outbox.send((id, report)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("worker".into())
            .spawn(work)?;
        Ok(Self {
            orders,
            reports,
            cancels: Vec::new(),
            thread,
        })
    }

    /// Gives work to the thread.
    pub fn give(&mut self, id: JobId, cancel: Cancel, work: Work) {
        self.cancels.retain(|cancel| !cancel.is_cancelled());
        self.cancels.push(cancel.clone());
        let order = Order { id, cancel, work };
        // A worker that is gone is noticed where its reports are waited for.
        let _ = self.orders.send(order);
    }

    /// Where its reports arrive.
    pub fn reports(&self) -> &Receiver<(JobId, Report)> {
        &self.reports
    }

    /// Cancels all work and waits until the thread has cleaned up what it had begun; false when that takes longer than
    /// `patience`.
    pub fn stop(self, patience: Duration) -> bool {
        for cancel in &self.cancels {
            cancel.cancel();
        }
        drop(self.orders);
        let deadline = Instant::now() + patience;
        loop {
            match self.reports.recv_deadline(deadline) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return self.thread.join().is_ok(),
            }
        }
    }
}

fn carry_out(host: &mut dyn Host, order: Order, outbox: &Sender<(JobId, Report)>) -> Report {
    let Order { id, cancel, work } = order;
    let sink = outbox.clone();
    let job = Job::new(move |progress| {
        // The screen may be gone already; then nobody needs the progress.
        let _ = sink.send((id, Report::Progress(progress)));
    })
    .with_cancel(cancel.clone());
    match work {
        Work::Open => Report::Opened(host.open(&job)),
        Work::Save {
            path,
            intent,
            loaded,
            may_replace,
        } => Report::Saved(host.save(&path, &intent, &loaded, may_replace)),
        Work::Outline(export) => {
            let outline = host.outline(&export);
            Report::Outlined(outline.map(|outline| (export, outline)))
        }
        Work::Trace(line) => {
            let mut print = |lines| {
                let _ = outbox.send((id, Report::Printed(lines)));
            };
            Report::Traced(host.trace(&line, &mut print, &job))
        }
        Work::Export(export) => {
            let lines = host.export(&export, &job);
            Report::Exported(lines.map(|lines| (export.output, lines)))
        }
        Work::Verify => Report::Verified(host.verify(&job)),
        Work::Heal { may_replace } => Report::Healed(host.heal(may_replace, &job)),
        // Nobody waits any more for the answer to a question that was cancelled.
        Work::Suggest { loaded, intent } => {
            let offers = asked(loaded, intent, &job, |session| session.offers(&job));
            Report::Suggested(offers.unwrap_or_default())
        }
        Work::Ways {
            loaded,
            intent,
            node,
        } => {
            let ways = asked(loaded, intent, &job, |session| {
                session.ways_back(node, &job)
            });
            Report::WaysBack(ways.unwrap_or_default())
        }
        Work::Price { loaded, intents } => Report::Priced(prices(&loaded, intents, &cancel)),
    }
}

/// The answer about a plan, which is made anew unless nobody wants it any more.
fn asked<T>(
    loaded: Arc<Loaded>,
    intent: Intent,
    job: &Job,
    ask: impl FnOnce(&Session) -> Result<T, Cancelled>,
) -> Result<T, Cancelled> {
    job.check()?;
    ask(&Session::new(loaded, intent))
}

/// What each intent would leave on disk; fewer when cancelled.
fn prices(loaded: &Arc<Loaded>, intents: Vec<Intent>, cancel: &Cancel) -> Vec<crate::model::Bytes> {
    intents
        .into_iter()
        .take_while(|_| !cancel.is_cancelled())
        .map(|intent| Session::new(loaded.clone(), intent).plan().after.allocated)
        .collect()
}
