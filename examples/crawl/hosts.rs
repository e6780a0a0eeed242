//! The addresses of hosts that no name server knows.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Hosts and their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosts {
    pub(crate) addresses: BTreeMap<String, SocketAddr>,
}

impl Hosts {
    pub(crate) fn find(&self, name: &str) -> Option<SocketAddr> {
        self.addresses.get(name).copied()
    }

    /// Parses the format of `Display`: `NAME=ADDRESS:PORT`, separated by commas.
    ///
    /// # Errors
    ///
    /// Returns a message with the first part that is not of this form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = |part: &str| {
            let (name, address) = part.split_once('=')?;
            Some((name.to_owned(), address.parse().ok()?))
        };
        let parts = text
            .split(',')
            .map(|part| address(part).ok_or_else(|| format!("`{part}` is not HOST=ADDRESS:PORT")));
        Ok(Self { addresses: parts.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, address)) in self.addresses.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{name}={address}")?;
        }
        Ok(())
    }
}
