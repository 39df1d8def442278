//! A machine's report, assembled from its frames.

use super::wire::{End, Frame, Method, Next, next_frame};
use std::collections::BTreeSet;

/// No guest may make the host remember more pairs.
const MAX_PAIRS: usize = 4_000_000;
const MAX_OUTPUT: usize = 16 * 1024 * 1024;

/// The result of one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Standard output, up to the command's cap.
    pub stdout: Vec<u8>,
    /// Standard error, up to the command's cap.
    pub stderr: Vec<u8>,
    /// How it ended; `None` when the machine ended first.
    pub end: Option<End>,
    /// How long it took.
    pub milliseconds: u32,
}

impl Outcome {
    /// Whether it returned 0.
    pub fn is_success(&self) -> bool {
        self.end == Some(End::Code(0))
    }
}

/// The report of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The kernel's release; empty when the tracer never spoke.
    pub kernel: Vec<u8>,
    /// How it recorded.
    pub method: Method,
    /// Why not better; empty when it is the best way.
    pub because: Vec<u8>,
    /// The guest's name for its state once it is up: `running`, `degraded`, `login`, `timeout`.
    pub state: Option<Vec<u8>>,
    /// One element a command that began.
    pub commands: Vec<Outcome>,
    /// `/proc/1/mountinfo`.
    pub mounts: Vec<u8>,
    /// Device and inode of everything that was touched.
    pub seen: BTreeSet<(u32, u64)>,
    /// Whether the last frame came.
    pub is_finished: bool,
    promised: Option<u64>,
    lost: u64,
    is_broken: bool,
    buffer: Vec<u8>,
}

impl Record {
    /// Takes what came over the port; the frames in it are also handed to `watch`.
    pub fn push(&mut self, bytes: &[u8], watch: &mut dyn FnMut(&Frame)) {
        if self.is_broken {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match next_frame(&self.buffer[at..]) {
                Next::Frame(frame, used) => {
                    watch(&frame);
                    self.take(frame);
                    at += used;
                }
                Next::Partial => break,
                Next::Garbage => {
                    self.is_broken = true;
                    break;
                }
            }
        }
        self.buffer.drain(..at);
    }

    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Hello {
                kernel,
                method,
                because,
            } => {
                (self.kernel, self.method, self.because) = (kernel, method, because);
            }
            Frame::Up(state) => self.state = Some(state),
            Frame::Output {
                command,
                is_error,
                bytes,
            } => {
                if let Some(outcome) = self.outcome(command) {
                    let stream = if is_error {
                        &mut outcome.stderr
                    } else {
                        &mut outcome.stdout
                    };
                    let room = MAX_OUTPUT.saturating_sub(stream.len()).min(bytes.len());
                    stream.extend_from_slice(&bytes[..room]);
                }
            }
            Frame::Exit {
                command,
                end,
                milliseconds,
            } => {
                if let Some(outcome) = self.outcome(command) {
                    (outcome.end, outcome.milliseconds) = (Some(end), milliseconds);
                }
            }
            Frame::Mounts(text) => self.mounts = text,
            Frame::Seen(pairs) => {
                self.seen.extend(pairs);
                self.is_broken |= self.seen.len() > MAX_PAIRS;
            }
            Frame::SeenEnd { pairs, lost } => (self.promised, self.lost) = (Some(pairs), lost),
            Frame::Bye => self.is_finished = true,
        }
    }

    /// The outcome of the command at this place; commands come in order, so only the next one may be new.
    fn outcome(&mut self, command: u32) -> Option<&mut Outcome> {
        let at = command as usize;
        if at == self.commands.len() && at < 100_000 {
            self.commands.push(Outcome::default());
        }
        self.commands.get_mut(at)
    }

    /// Why the set of touched files is not complete; `None` when it is.
    pub fn incomplete(&self) -> Option<String> {
        let why = match self {
            Self {
                is_broken: true, ..
            } => "the record was damaged in transfer".to_owned(),
            Self { kernel, .. } if kernel.is_empty() => "the tracer never started".to_owned(),
            Self {
                method: Method::Off,
                because,
                ..
            } => {
                format!(
                    "nothing was recorded: {}",
                    crate::model::text::escape(because)
                )
            }
            Self { promised: None, .. } => {
                "the machine ended before the record was sent".to_owned()
            }
            Self { lost: 1.., .. } => format!("{} events did not fit into the record", self.lost),
            Self {
                promised: Some(count),
                ..
            } if *count > self.seen.len() as u64 => {
                format!(
                    "{count} files were announced and {} received",
                    self.seen.len()
                )
            }
            Self {
                is_finished: false, ..
            } => "the machine ended before its last word".to_owned(),
            _ => return None,
        };
        Some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello() -> Frame {
        Frame::Hello {
            kernel: b"6.1".to_vec(),
            method: Method::Hooks,
            because: Vec::new(),
        }
    }

    fn record(frames: &[Frame]) -> Record {
        let mut record = Record::default();
        for frame in frames {
            record.push(&frame.encode(), &mut |_| ());
        }
        record
    }

    #[test]
    fn a_whole_record_is_complete_and_one_without_its_end_is_not() {
        let frames = [
            hello(),
            Frame::Seen(vec![(1, 2), (1, 3)]),
            Frame::SeenEnd { pairs: 2, lost: 0 },
            Frame::Bye,
        ];
        assert_eq!(record(&frames).incomplete(), None);
        assert_eq!(
            record(&frames[..3]).incomplete().as_deref(),
            Some("the machine ended before its last word")
        );
        assert_eq!(
            record(&frames[..2]).incomplete().as_deref(),
            Some("the machine ended before the record was sent")
        );
    }

    #[test]
    fn lost_events_and_missing_pairs_make_a_record_incomplete() {
        let lost = [hello(), Frame::SeenEnd { pairs: 0, lost: 3 }, Frame::Bye];
        assert_eq!(
            record(&lost).incomplete().as_deref(),
            Some("3 events did not fit into the record")
        );
        let missing = [
            hello(),
            Frame::Seen(vec![(1, 1)]),
            Frame::SeenEnd { pairs: 2, lost: 0 },
            Frame::Bye,
        ];
        assert_eq!(
            record(&missing).incomplete().as_deref(),
            Some("2 files were announced and 1 received")
        );
    }

    #[test]
    fn a_flipped_bit_stops_the_reading() {
        let mut bytes = hello().encode();
        bytes[7] ^= 1;
        let mut record = Record::default();
        record.push(&bytes, &mut |_| ());
        record.push(&Frame::Bye.encode(), &mut |_| ());
        assert_eq!(
            record.incomplete().as_deref(),
            Some("the record was damaged in transfer")
        );
    }

    #[test]
    fn output_of_a_command_that_was_not_ordered_is_ignored() {
        let frames = [Frame::Output {
            command: 7,
            is_error: false,
            bytes: vec![1],
        }];
        assert!(record(&frames).commands.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..4000), cut in 1usize..100) {
            let mut record = Record::default();
            for piece in bytes.chunks(cut) {
                record.push(piece, &mut |_| ());
            }
            prop_assert!(record.incomplete().is_some());
        }

        #[test]
        fn frames_survive_any_cut(pairs in proptest::collection::vec((any::<u32>(), any::<u64>()), 0..200), cut in 1usize..50) {
            let mut bytes = Frame::Seen(pairs.clone()).encode();
            bytes.extend(Frame::Up(b"running".to_vec()).encode());
            let mut record = Record::default();
            for piece in bytes.chunks(cut) {
                record.push(piece, &mut |_| ());
            }
            prop_assert_eq!(record.seen, pairs.into_iter().collect());
            prop_assert_eq!(record.state.as_deref(), Some(&b"running"[..]));
        }
    }
}
