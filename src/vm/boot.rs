//! Boots an image through its own boot loader, up to the login prompt.

use super::VmError;
use super::accel::{self, Working};
use super::console::{Console, Sign};
use super::firmware::Firmware;
use super::machine::{Caps, Ending, Machine, Start, Watch};
use super::wire::Frame;
use crate::guest::image::Image;
use crate::job::Job;
use std::time::Duration;

/// How a boot went.
#[derive(Debug)]
pub struct LoaderBoot {
    /// The sign of success (`login prompt`), or why there was none.
    pub verdict: Result<&'static str, String>,
    /// Whether the console shows that no kernel was started.
    pub is_without_kernel: bool,
    /// From the start to the verdict.
    pub time: Duration,
    /// The guest's output.
    pub console: Console,
}

struct FirstSign(Option<Sign>);

impl Watch for FirstSign {
    fn sign(&mut self, sign: Sign) -> bool {
        self.0 = Some(sign);
        true
    }
    fn frame(&mut self, _: &Frame) -> bool {
        false
    }
}

/// Boots an image until its console shows life or a dead end.
pub fn boot_by_loader(
    image: &Image,
    accel: Working,
    caps: Caps,
    job: &Job,
) -> Result<LoaderBoot, VmError> {
    accel::require_qemu()?;
    let machine = Machine {
        image: image.clone(),
        cargo: None,
        spare: None,
        start: Start::Loader(Firmware::of(image, job)?),
        accel,
        memory: 1024,
        has_network: false,
        caps,
    };
    let mut first = FirstSign(None);
    let remains = machine.run(&mut first, job)?;
    let verdict = match (first.0, remains.ending) {
        (Some(Sign::Up(what)), _) => Ok(what),
        (Some(Sign::Stuck(why) | Sign::NoKernel(why)), _) => Err(why.to_owned()),
        (None, Ending::TimedOut) => Err(format!(
            "neither a login prompt nor a target was seen on the serial console within {} s",
            caps.time.as_secs()
        )),
        (None, Ending::Flooded) => Err("it flooded its console".to_owned()),
        (None, Ending::Off | Ending::Enough) => {
            Err("it switched off or started anew before a login prompt".to_owned())
        }
    };
    Ok(LoaderBoot {
        verdict,
        is_without_kernel: matches!(first.0, Some(Sign::NoKernel(_))),
        time: remains.time,
        console: remains.console,
    })
}
