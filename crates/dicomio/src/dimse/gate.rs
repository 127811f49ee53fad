//! Who comes in: addresses, how often, how many at once, and who has to go when it gets crowded.
//!
//! A connection that has not yet asked for an association costs its peer nothing, so it holds no place:
//! of too many, the oldest is hung up on. A peer that asks at once is served however many others are silent.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::NetworkLimits;
use super::listener::Peer;

/// The span over which connections of an address are counted.
const SPAN: Duration = Duration::from_secs(60);
/// Addresses that are counted at once; beyond, counting begins anew.
const MAX_COUNTED: usize = 4096;

/// The door of one listener.
#[derive(Debug, Default)]
pub(super) struct Gate {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    last: u64,
    /// Connections that have not asked for an association yet, oldest first.
    waiting: BTreeMap<u64, Option<TcpStream>>,
    associations: HashMap<IpAddr, usize>,
    recent: HashMap<IpAddr, Recent>,
}

#[derive(Debug)]
struct Recent {
    since: Instant,
    count: u32,
}

/// Why a connection is closed before anything is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// No peer of the list has this address.
    Stranger,
    /// For the first time in a minute.
    TooOften,
    /// It has been told already.
    StillTooOften,
}

impl Gate {
    /// Lets a connection in; `handle` is hung up on when it waits too long in a crowd.
    pub(super) fn enter(
        &self,
        address: IpAddr,
        handle: Option<TcpStream>,
        peers: &[Peer],
        limits: &NetworkLimits,
    ) -> Result<Visitor<'_>, TurnedAway> {
        if !peers.is_empty() && !peers.iter().any(|peer| peer.may_connect_from(address)) {
            return Err(TurnedAway::Stranger);
        }
        let mut inside = self.inside();
        inside.count(address, limits.connections_per_minute)?;
        inside.last += 1;
        let number = inside.last;
        inside.waiting.insert(number, handle);
        while inside.waiting.len() > limits.waiting.max(1) {
            if let Some((_, Some(oldest))) = inside.waiting.pop_first() {
                // Its thread notices that the connection is over.
                let _ = oldest.shutdown(Shutdown::Both);
            }
        }
        Ok(Visitor {
            gate: self,
            address,
            number,
            holds_place: false,
        })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn count(&mut self, address: IpAddr, most: u32) -> Result<(), TurnedAway> {
        let now = Instant::now();
        if self.recent.len() >= MAX_COUNTED {
            self.recent.retain(|_, r| now - r.since < SPAN);
            if self.recent.len() >= MAX_COUNTED {
                self.recent.clear();
            }
        }
        let new = || Recent {
            since: now,
            count: 0,
        };
        let recent = self.recent.entry(address).or_insert_with(new);
        if now - recent.since >= SPAN {
            *recent = new();
        }
        recent.count = recent.count.saturating_add(1);
        match recent.count.saturating_sub(most) {
            0 => Ok(()),
            1 => Err(TurnedAway::TooOften),
            _ => Err(TurnedAway::StillTooOften),
        }
    }
}

/// A connection that was let in.
#[derive(Debug)]
pub(super) struct Visitor<'a> {
    gate: &'a Gate,
    pub(super) address: IpAddr,
    number: u64,
    holds_place: bool,
}

impl Visitor<'_> {
    /// Takes one of the places for associations; false where none is free.
    pub(super) fn take_place(&mut self, limits: &NetworkLimits) -> bool {
        let mut inside = self.gate.inside();
        inside.waiting.remove(&self.number);
        let all: usize = inside.associations.values().sum();
        let own = inside.associations.get(&self.address).copied().unwrap_or(0);
        if all >= limits.associations.max(1) || own >= limits.associations_per_address.max(1) {
            return false;
        }
        inside.associations.insert(self.address, own + 1);
        self.holds_place = true;
        true
    }
}

impl Drop for Visitor<'_> {
    fn drop(&mut self) {
        let mut inside = self.gate.inside();
        inside.waiting.remove(&self.number);
        if !self.holds_place {
            return;
        }
        let left = inside.associations.get(&self.address).copied().unwrap_or(0);
        match left.saturating_sub(1) {
            0 => drop(inside.associations.remove(&self.address)),
            left => drop(inside.associations.insert(self.address, left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn limits() -> NetworkLimits {
        NetworkLimits {
            associations: 3,
            associations_per_address: 2,
            waiting: 2,
            connections_per_minute: 5,
            ..NetworkLimits::default()
        }
    }

    #[test]
    fn places_are_counted_by_address_and_given_back() {
        let (gate, limits) = (Gate::default(), limits());
        let enter = |address| gate.enter(address, None, &[], &limits).unwrap();
        let (mut a, mut b, mut c) = (enter(HERE), enter(HERE), enter(HERE));
        assert!(a.take_place(&limits) && b.take_place(&limits));
        assert!(!c.take_place(&limits), "one address has two places at most");
        let (mut d, mut e) = (enter(THERE), enter(THERE));
        assert!(d.take_place(&limits));
        assert!(!e.take_place(&limits), "three places in all");
        drop(a);
        assert!(enter(HERE).take_place(&limits));
    }

    #[test]
    fn of_too_many_silent_ones_the_oldest_goes() {
        let (gate, limits) = (Gate::default(), limits());
        let listener = TcpListener::bind((HERE, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let streams: Vec<TcpStream> = (0..3)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let visitors: Vec<Visitor<'_>> = streams
            .iter()
            .map(|s| gate.enter(HERE, s.try_clone().ok(), &[], &limits).unwrap())
            .collect();
        let is_open = |s: &TcpStream| {
            s.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            std::io::Read::read(&mut &*s, &mut [0; 1]).is_err()
        };
        let open: Vec<bool> = streams.iter().map(is_open).collect();
        assert_eq!(open, [false, true, true]);
        drop(visitors);
        assert!(gate.inside().waiting.is_empty());
    }

    #[test]
    fn strangers_and_those_who_come_too_often_are_turned_away() {
        let (gate, limits) = (Gate::default(), limits());
        let peers = [Peer {
            ae_title: None,
            address: Some("192.0.2.0/24".parse().unwrap()),
        }];
        let enter = |address| gate.enter(address, None, &peers, &limits).map(drop);
        assert_eq!(enter(HERE), Err(TurnedAway::Stranger));
        for _ in 0..5 {
            assert_eq!(enter(THERE), Ok(()));
        }
        assert_eq!(enter(THERE), Err(TurnedAway::TooOften));
        assert_eq!(enter(THERE), Err(TurnedAway::StillTooOften));
    }
}
