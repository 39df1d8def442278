//! The event loop: wait, drain the queue, draw once.

use super::app::{App, Ending};
use super::message::{Effect, JobId, Msg, Report};
use super::update::update;
use super::views;
use super::worker::Worker;
use crossbeam_channel::{Receiver, select, tick};
use ratatui::Terminal;
use ratatui::backend::Backend;
use std::time::{Duration, Instant};

/// How often the screen is drawn while something moves by itself.
const FRAME: Duration = Duration::from_millis(120);

/// State, worker and where messages come from.
pub struct Screen {
    /// The state.
    pub app: App,
    worker: Worker,
    input: Receiver<Msg>,
    started: Instant,
}

impl Screen {
    /// Puts the parts together and starts the first piece of work.
    pub fn new(app: App, first: Effect, worker: Worker, input: Receiver<Msg>) -> Self {
        let mut screen = Self {
            app,
            worker,
            input,
            started: Instant::now(),
        };
        screen.carry_out(vec![first]);
        screen
    }

    /// Runs until somebody leaves; gives the worker back, to wait for its end.
    pub fn run<B>(mut self, terminal: &mut Terminal<B>) -> anyhow::Result<(Ending, Worker)>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
    {
        let (spinner, never) = (tick(FRAME), crossbeam_channel::never());
        loop {
            self.draw(terminal)?;
            let timer = if self.app.is_busy() { &spinner } else { &never };
            if let Some(ending) = self.turn(timer) {
                return Ok((ending, self.worker));
            }
        }
    }

    /// Waits until something happens or the timer fires, and takes in all that has come.
    pub fn turn(&mut self, timer: &Receiver<Instant>) -> Option<Ending> {
        let first = self.wait(timer);
        self.take_in(first)
    }

    /// The next message, or none when only the timer fired.
    fn wait(&self, timer: &Receiver<Instant>) -> Option<Msg> {
        select! {
            recv(self.input) -> msg => Some(msg.unwrap_or(Msg::Terminate)),
            recv(self.worker.reports()) -> report => Some(report.map_or(Msg::WorkerLost, reported)),
            recv(timer) -> _ => None,
        }
    }

    /// Takes in a message and all that have come meanwhile.
    fn take_in(&mut self, first: Option<Msg>) -> Option<Ending> {
        self.app.now = self.started.elapsed();
        let mut next = first;
        while let Some(msg) = next {
            let effects = update(&mut self.app, msg);
            if let Some(ending) = self.carry_out(effects) {
                return Some(ending);
            }
            next = self.waiting();
        }
        None
    }

    fn waiting(&self) -> Option<Msg> {
        let input = self.input.try_recv().ok();
        input.or_else(|| self.worker.reports().try_recv().ok().map(reported))
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Option<Ending> {
        for effect in effects {
            match effect {
                Effect::Start(id, cancel, work) => self.worker.give(id, cancel, work),
                Effect::Quit(ending) => return Some(ending),
            }
        }
        None
    }

    /// Draws the state.
    pub fn draw<B>(&self, terminal: &mut Terminal<B>) -> anyhow::Result<()>
    where
        B: Backend,
        B::Error: Send + Sync + 'static,
    {
        terminal.draw(|frame| {
            let area = frame.area();
            if let Some(cursor) = views::render(&self.app, area, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        Ok(())
    }
}

fn reported((job, report): (JobId, Report)) -> Msg {
    Msg::Report(job, report)
}
