//! Whole presentations in virtual time around the sans-IO session: one seed replays a run.
//!
//! `README.md` beside this package explains the shape. A run is a [`world::World`] (session, decoders, clock, viewer) on a
//! [`net::Net`] (link), served by [`origin::answer`] from a [`show::Show`] (the model of a presentation) under a
//! [`fault::Script`]; [`rules::Rules`] look at every step.

pub mod data;
pub mod dice;
pub mod fault;
pub mod manifest;
pub mod media;
pub mod movie;
pub mod net;
pub mod origin;
pub mod pipe;
pub mod rules;
pub mod scenario;
pub mod screen;
pub mod show;
pub mod viewer;
pub mod world;
