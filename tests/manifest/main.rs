//! Client manifests: every attribute, every form, every bad habit, and every attack.

#[cfg(test)]
mod attributes;
#[cfg(test)]
mod deviations;
#[cfg(test)]
mod encodings;
#[cfg(test)]
mod fragments;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod support;
