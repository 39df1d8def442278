//! How long the screen takes for a frame and for a key, at the size that it must bear: 100,000 files in 3,000 packages.
//!
//! `cargo bench --bench screen`; the budget is one frame, 8 ms, for each round.

mod guest;

use crossterm::event::KeyCode;
use guestslim::plan::Intent;
use guestslim::session::Session;
use guestslim::tui::app::{App, Stage};
use guestslim::tui::desk::Desk;
use guestslim::tui::keys::Key;
use guestslim::tui::look::Look;
use guestslim::tui::message::Msg;
use guestslim::tui::update::update;
use guestslim::tui::views;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// A large terminal: the reasons stand beside the list.
const SIZE: (u16, u16) = (200, 60);

fn main() {
    divan::main();
}

fn open() -> App {
    let (mut app, _) = App::new("big.qcow2".into(), Look::new(true), SIZE);
    let session = Session::new(Arc::new(guest::guest()), Intent::default());
    app.stage = Stage::Open(Box::new(Desk::new(session, None)));
    update(&mut app, Msg::Resize(SIZE.0, SIZE.1));
    app
}

fn press(app: &mut App, key: Key) {
    update(app, Msg::Key(key));
}

fn frames(bencher: divan::Bencher<'_, '_>, app: &App) {
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = Buffer::empty(area);
    bencher.bench_local(|| views::render(app, area, &mut buffer));
}

#[divan::bench]
fn frame_of_packages(bencher: divan::Bencher<'_, '_>) {
    frames(bencher, &open());
}

/// Every folder is open: 100,000 rows.
#[divan::bench]
fn frame_of_all_files(bencher: divan::Bencher<'_, '_>) {
    let mut app = open();
    press(&mut app, Key::code(KeyCode::Tab));
    press(&mut app, Key::char('/'));
    press(&mut app, Key::char('f'));
    press(&mut app, Key::code(KeyCode::Enter));
    press(&mut app, Key::code(KeyCode::End));
    frames(bencher, &app);
}

#[divan::bench]
fn move_down(bencher: divan::Bencher<'_, '_>) {
    let mut app = open();
    bencher.bench_local(|| press(&mut app, Key::code(KeyCode::Down)));
}

/// A letter of a filter over all files and back again, every row computed anew twice.
#[divan::bench]
fn type_a_filter_over_files(bencher: divan::Bencher<'_, '_>) {
    let mut app = open();
    press(&mut app, Key::code(KeyCode::Tab));
    press(&mut app, Key::char('/'));
    bencher.bench_local(|| {
        press(&mut app, Key::char('9'));
        press(&mut app, Key::code(KeyCode::Backspace));
    });
}

/// A mark and its undo: two plans, two times all rows.
#[divan::bench]
fn mark_and_undo(bencher: divan::Bencher<'_, '_>) {
    let mut app = open();
    bencher.bench_local(|| {
        press(&mut app, Key::char('k'));
        press(&mut app, Key::char('u'));
    });
}
