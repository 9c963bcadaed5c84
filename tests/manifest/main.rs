//! Client manifests: every attribute, every form, every bad habit, and every attack.

#[cfg(test)]
mod attributes;
#[cfg(test)]
mod encodings;
#[cfg(test)]
mod fragments;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod support;
