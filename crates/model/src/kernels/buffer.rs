//! Results that are written where they are made: each thread zeroes the part it is about to fill,
//! which costs less than zeroing everything on one thread first.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// A vector of `len` values, made chunk by chunk in parallel. `work(state, chunk_idx, chunk)` gets
/// its chunk zeroed and may return something; the returns come in the order of the chunks.
pub(super) fn fill_chunks<S, R: Send>(
    len: usize,
    chunk_len: usize,
    state: impl Fn() -> S + Send + Sync,
    work: impl Fn(&mut S, usize, &mut [f32]) -> R + Send + Sync,
) -> (Vec<f32>, Vec<R>) {
    let mut values = Vec::with_capacity(len);
    let returns = values.spare_capacity_mut()[..len]
        .par_chunks_mut(chunk_len.max(1))
        .enumerate()
        .map_init(state, |state, (idx, chunk)| work(state, idx, zeroed(chunk)))
        .collect();
    // SAFETY: the chunks cover the first `len` values and `zeroed` wrote each of them.
    unsafe { values.set_len(len) };
    (values, returns)
}

fn zeroed(chunk: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    for value in chunk.iter_mut() {
        value.write(0.0);
    }
    // SAFETY: every value was just written.
    unsafe { chunk.assume_init_mut() }
}
