//! Decoded tiles kept for the next region that needs them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use crate::{Error, Rgb, SlideFacts, TileKey, TileSource};

/// A source that keeps the tiles decoded last, up to a number of bytes. Squares of a grid share
/// stored tiles along their edges: without it these are decoded again for each.
#[derive(Debug)]
pub struct CachedSource {
    source: Box<dyn TileSource>,
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tiles: HashMap<TileKey, Arc<Rgb>>,
    /// Oldest first.
    order: VecDeque<TileKey>,
    bytes: usize,
}

impl CachedSource {
    /// Keeps at most `most_bytes` of pixels.
    pub fn new(source: Box<dyn TileSource>, most_bytes: usize) -> CachedSource {
        CachedSource {
            source,
            most_bytes,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Kept {
    fn keep(&mut self, key: TileKey, tile: &Arc<Rgb>, most_bytes: usize) {
        let bytes = |tile: &Rgb| 3 * tile.rows() * tile.cols();
        // Two threads may have decoded the same tile.
        if bytes(tile) > most_bytes || self.tiles.insert(key, tile.clone()).is_some() {
            return;
        }
        self.order.push_back(key);
        self.bytes += bytes(tile);
        while self.bytes > most_bytes {
            let oldest = self
                .order
                .pop_front()
                .and_then(|key| self.tiles.remove(&key));
            self.bytes -= oldest.map_or(self.bytes, |tile| bytes(&tile));
        }
    }
}

impl TileSource for CachedSource {
    fn facts(&self) -> &SlideFacts {
        self.source.facts()
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error> {
        if let Some(tile) = self.kept().tiles.get(&key) {
            return Ok(tile.clone());
        }
        let tile = self.source.read_tile(key)?;
        self.kept().keep(key, &tile, self.most_bytes);
        Ok(tile)
    }
}
