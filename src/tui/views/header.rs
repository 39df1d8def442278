//! The first line.
//!
//! ```text
//! guestslim  demo.qcow2  Debian GNU/Linux 12 (bookworm) amd64      qcow2, 823.4 MB
//! ```

use super::put;
use crate::model::Bytes;
use crate::model::text::escape;
use crate::tui::app::App;
use crate::tui::desk::Desk;
use crate::tui::fit;
use crate::tui::look::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws image, operating system and format.
pub fn render(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) {
    let inventory = desk.session.inventory();
    let (os, origin) = (&inventory.os, &inventory.origin);
    let mut source = escape(origin.format.as_bytes()).into_owned();
    if origin.file_size > 0 {
        source = format!("{source}, {}", Bytes(origin.file_size));
    }
    let name = if os.name.is_empty() {
        "unknown system"
    } else {
        &os.name
    };
    let system = format!("{name} {}", os.arch);
    let system = escape(system.trim_end().as_bytes()).into_owned();
    let image = app.image.rsplit('/').next().unwrap_or(&app.image);

    let right = fit::width(&source).min(usize::from(area.width) / 3) as u16;
    let room = area.width.saturating_sub(right + 2);
    put(
        buf,
        area.x,
        area.y,
        room,
        "guestslim",
        app.look.of(Role::Faint),
    );
    let image_at = 11.min(room);
    let image_room = (room - image_at) / 2;
    let image = fit::cut(image, usize::from(image_room));
    put(
        buf,
        image_at,
        area.y,
        image_room,
        &image,
        app.look.of(Role::Title),
    );
    let system_at = image_at + fit::width(&image) as u16 + 2;
    let system = fit::cut(&system, usize::from(room.saturating_sub(system_at)));
    put(
        buf,
        system_at,
        area.y,
        room,
        &system,
        app.look.of(Role::Plain),
    );
    let source = fit::cut(&source, usize::from(right));
    put(
        buf,
        area.right() - right,
        area.y,
        right,
        &source,
        app.look.of(Role::Faint),
    );
}
