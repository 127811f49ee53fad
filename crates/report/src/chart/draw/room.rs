//! Which parts of the plotting area are taken, so that words find a free place.

use super::svg::{Area, At};

/// Side of a cell of the grid, in points.
const CELL: f64 = 2.0;

/// A grid over an area; each cell is free or taken.
#[derive(Debug, Clone)]
pub(super) struct Room {
    area: Area,
    rows: usize,
    cols: usize,
    taken: Vec<bool>,
}

impl Room {
    pub(super) fn of(area: Area) -> Room {
        let rows = (area.height / CELL).ceil().max(1.0) as usize;
        let cols = (area.width / CELL).ceil().max(1.0) as usize;
        Room {
            area,
            rows,
            cols,
            taken: vec![false; rows * cols],
        }
    }

    /// Takes the cells along a line.
    pub(super) fn take_path(&mut self, points: &[At]) {
        for pair in points.windows(2) {
            let (dx, dy) = (pair[1].x - pair[0].x, pair[1].y - pair[0].y);
            let steps = (dx.hypot(dy) / CELL).ceil().clamp(1.0, 4000.0);
            for step in 0..=steps as usize {
                let share = step as f64 / steps;
                self.take_point(pair[0].x + share * dx, pair[0].y + share * dy);
            }
        }
    }

    fn take_point(&mut self, x: f64, y: f64) {
        let (col, row) = ((x - self.area.x) / CELL, (y - self.area.y) / CELL);
        let inside =
            (0.0..self.cols as f64).contains(&col) && (0.0..self.rows as f64).contains(&row);
        if inside {
            self.taken[row as usize * self.cols + col as usize] = true;
        }
    }

    /// Takes the cells of an area.
    pub(super) fn take(&mut self, area: Area) {
        for cell in self.cells(area) {
            self.taken[cell] = true;
        }
    }

    /// Share of the area's cells that are taken; what lies outside counts as taken.
    pub(super) fn taken_share(&self, area: Area) -> f64 {
        let outside = area.x < self.area.x
            || area.y < self.area.y
            || area.right() > self.area.right()
            || area.bottom() > self.area.bottom();
        if outside {
            return 1.0;
        }
        let (mut all, mut taken) = (0_usize, 0_usize);
        for cell in self.cells(area) {
            all += 1;
            taken += usize::from(self.taken[cell]);
        }
        taken as f64 / all.max(1) as f64
    }

    fn cells(&self, area: Area) -> Vec<usize> {
        let span = |from: f64, to: f64, n: usize| {
            let first = (from / CELL).floor().clamp(0.0, n as f64) as usize;
            let end = (to / CELL).ceil().clamp(0.0, n as f64) as usize;
            first..end
        };
        let rows = span(area.y - self.area.y, area.bottom() - self.area.y, self.rows);
        let cols = span(area.x - self.area.x, area.right() - self.area.x, self.cols);
        let cells = rows.flat_map(|row| cols.clone().map(move |col| row * self.cols + col));
        cells.collect()
    }

    /// The first corner where `width` by `height` is free, bottom right first.
    pub(super) fn free_corner(&self, width: f64, height: f64) -> Option<Area> {
        let (left, top) = (self.area.x + 4.0, self.area.y + 1.0);
        let (right, low) = (
            self.area.right() - width - 1.0,
            self.area.bottom() - height - 4.0,
        );
        let corners = [(right, low), (right, top), (left, top), (left, low)];
        let areas = corners.map(|(x, y)| Area {
            x,
            y,
            width,
            height,
        });
        areas
            .into_iter()
            .find(|area| self.taken_share(*area) == 0.0)
    }
}
