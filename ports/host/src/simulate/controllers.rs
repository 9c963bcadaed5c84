//! Controllers by name.

use anyhow::{Result, bail, ensure};
use smoothcore::abr::{Objective, TABLE_BYTES};

use super::data::Movie;
use super::engine::{Known, Rule};
use super::mpc::RobustMpc;
use super::rules::{Abandoning, Fixed, Throughput};
use super::shipped::{Options, Shipped};
use super::soda::SodaLike;

/// Names for the help.
pub const NAMES: &str = "planner, small, soda, robustmpc, throughput, fixed=Q, abandon=Q";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Controller {
    /// The core's planner, with tables and without.
    Planner,
    Small,
    Soda,
    RobustMpc,
    Throughput,
    Fixed(usize),
    Abandoning(usize),
}

impl Controller {
    pub fn parse(name: &str) -> Result<Controller> {
        let (word, quality) = match name.split_once(['=', ':']) {
            Some((word, quality)) => (word, quality.parse().ok()),
            None => (name, None),
        };
        Ok(match (word, quality) {
            ("planner", None) => Controller::Planner,
            ("small", None) => Controller::Small,
            ("soda", None) => Controller::Soda,
            ("robustmpc", None) => Controller::RobustMpc,
            ("throughput", None) => Controller::Throughput,
            ("fixed", Some(quality)) => Controller::Fixed(quality),
            ("abandon", Some(quality)) => Controller::Abandoning(quality),
            _ => bail!("no controller \"{name}\"; there are {NAMES}, where Q is a level, 0 the lowest"),
        })
    }

    pub fn name(self) -> String {
        match self {
            Controller::Planner => "planner".into(),
            Controller::Small => "small".into(),
            Controller::Soda => "soda".into(),
            Controller::RobustMpc => "robustmpc".into(),
            Controller::Throughput => "throughput".into(),
            Controller::Fixed(quality) => format!("fixed={quality}"),
            Controller::Abandoning(quality) => format!("abandon={quality}"),
        }
    }

    /// Fails on what a movie does not have.
    pub fn check(self, movie: &Movie) -> Result<()> {
        if let Controller::Fixed(quality) | Controller::Abandoning(quality) = self {
            let levels = movie.bitrates_kbps.len();
            ensure!(quality < levels, "{}: the movie has levels 0 to {}", self.name(), levels - 1);
        }
        // These look at sequences of five levels: at more of them a session takes all day.
        let most = match self {
            Controller::RobustMpc => 24,
            Controller::Soda => 64,
            _ => usize::MAX,
        };
        let levels = movie.bitrates_kbps.len();
        ensure!(levels <= most, "{} is too slow for {levels} levels; it takes at most {most}", self.name());
        Ok(())
    }

    pub fn make(self, known: &Known, options: &Options) -> Box<dyn Rule> {
        let (utility, mu) = worth(known, options.objective);
        match self {
            Controller::Planner => Box::new(Shipped::new(known, options, TABLE_BYTES)),
            Controller::Small => Box::new(Shipped::new(known, options, 0)),
            Controller::Soda => Box::new(SodaLike::new(known, &utility)),
            Controller::RobustMpc => Box::new(RobustMpc::new(known, utility, mu)),
            Controller::Throughput => Box::new(Throughput::new(known)),
            Controller::Fixed(quality) => Box::new(Fixed { quality }),
            Controller::Abandoning(quality) => Box::new(Abandoning { quality }),
        }
    }
}

/// Utility of each level, and the price of a second's stall.
fn worth(known: &Known, objective: Objective) -> (Vec<f64>, f64) {
    let rates: Vec<f64> = known.bitrates_kbps.iter().map(|r| *r as f64).collect();
    let high = rates[rates.len() - 1];
    match objective {
        Objective::Linear => {
            (rates.iter().map(|r| r / 1000.0).collect(), if high <= 6000.0 { 4.3 } else { high / 1000.0 })
        }
        Objective::Log => (rates.iter().map(|r| (r / rates[0]).ln()).collect(), 2.66),
    }
}
