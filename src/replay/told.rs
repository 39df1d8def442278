//! From an error to what a person reads and a program acts on: sentence, causes, hint, kind. The one way for both faces.

use super::ReplayError;
use crate::export::ExportError;
use crate::fault::{Explain, Kind, Refusal};
use crate::guest::GuestError;
use crate::job::Cancelled;
use crate::load::LoadError;
use crate::model::text::safe;
use crate::profile::ProfileError;
use crate::vm::VmError;
use std::error::Error;
use std::iter;

/// What an error says; every text is safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What went wrong.
    pub sentence: String,
    /// Why, from the nearest cause to the first one; a cause that the line before already quotes is left out.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// How it ends a command.
    pub kind: Kind,
}

/// Asks an error and its causes.
pub fn told(error: &(dyn Error + 'static)) -> Told {
    let chain = || iter::successors(Some(error), |&error| error.source());
    let explained = || chain().filter_map(explained);
    let kinds = explained().map(Explain::kind);
    let sentence = safe(&error.to_string());
    let mut last = sentence.clone();
    let mut causes = Vec::new();
    for cause in chain().skip(1) {
        let cause = safe(&cause.to_string());
        if !last.ends_with(&cause) {
            causes.push(cause.clone());
        }
        last = cause;
    }
    Told {
        sentence,
        causes,
        hint: explained().find_map(Explain::hint).map(|hint| safe(&hint)),
        kind: kinds
            .into_iter()
            .find(|&kind| kind != Kind::Failed)
            .unwrap_or(Kind::Failed),
    }
}

/// The error as one that explains itself. The list has every type that does.
fn explained<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a dyn Explain> {
    macro_rules! one_of {
        ($($kind:ty),+ $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$kind>() {
                return Some(error);
            })+
        };
    }
    one_of!(
        Cancelled,
        ExportError,
        GuestError,
        LoadError,
        ProfileError,
        Refusal,
        ReplayError,
        VmError,
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsupported() -> GuestError {
        GuestError::Unsupported {
            what: "no appliance".to_owned(),
            hint: "apt-get install \x1b[2J".to_owned(),
        }
    }

    #[test]
    fn a_hint_and_its_kind_come_out_of_every_error_that_passes_them_on() {
        let wrapped: [Box<dyn Error>; 8] = [
            Box::new(unsupported()),
            Box::new(LoadError::Guest(unsupported())),
            Box::new(VmError::Guest(unsupported())),
            Box::new(VmError::Load(LoadError::Guest(unsupported()))),
            Box::new(ExportError::Guest(unsupported())),
            Box::new(ReplayError::Vm(VmError::Load(LoadError::Guest(
                unsupported(),
            )))),
            Box::new(ReplayError::Load(LoadError::Guest(unsupported()))),
            Box::new(ReplayError::Export(ExportError::Guest(unsupported()))),
        ];
        for error in wrapped {
            let told = told(error.as_ref());
            assert_eq!(told.sentence, "no appliance");
            assert_eq!(
                told.hint.as_deref(),
                Some("apt-get install \\x1b[2J"),
                "{error:?}"
            );
            assert_eq!(told.kind, Kind::Unsupported, "{error:?}");
            assert!(told.causes.is_empty());
        }
    }

    #[test]
    fn a_file_outside_is_named_in_the_hint_however_it_was_met() {
        let outside = || GuestError::Outside {
            image: "disk.qcow2".into(),
            file: "/srv/base.raw".into(),
        };
        let wrapped: [Box<dyn Error>; 3] = [
            Box::new(LoadError::Guest(outside())),
            Box::new(VmError::Guest(outside())),
            Box::new(ExportError::Guest(outside())),
        ];
        for error in wrapped {
            let hint = told(error.as_ref()).hint.expect("it has one");
            assert!(hint.contains("`--allow-backing /srv/base.raw`"), "{hint}");
        }
    }

    #[test]
    fn a_cancel_is_a_cancel_wherever_it_came() {
        let guest = || GuestError::Cancelled(Cancelled);
        let wrapped: [Box<dyn Error>; 9] = [
            Box::new(Cancelled),
            Box::new(guest()),
            Box::new(LoadError::Cancelled(Cancelled)),
            Box::new(LoadError::Guest(guest())),
            Box::new(VmError::Cancelled(Cancelled)),
            Box::new(VmError::Load(LoadError::Cancelled(Cancelled))),
            Box::new(VmError::Load(LoadError::Guest(guest()))),
            Box::new(ExportError::Cancelled(Cancelled)),
            Box::new(ExportError::Guest(guest())),
        ];
        for error in wrapped {
            assert_eq!(told(error.as_ref()).kind, Kind::Cancelled, "{error:?}");
        }
    }

    #[test]
    fn a_cause_that_the_sentence_quotes_is_not_said_again() {
        let source = std::io::Error::other("the disk is full");
        let error = GuestError::Host {
            operation: "write",
            path: "/tmp/x".into(),
            source,
        };
        let told = told(&error);
        assert_eq!(told.sentence, "cannot write /tmp/x: the disk is full");
        assert_eq!((told.causes, told.hint), (Vec::new(), None));
        assert_eq!(told.kind, Kind::Failed);
    }
}
