//! Fills the memory (RFC 9106, sections 3.2 to 3.4): which block comes from which.

use zeroize::Zeroize as _;

use crate::{
    Input, Params,
    backend::{Kernel, prefetch},
    blake,
    block::{BYTES, Block, WORDS},
};

/// The number of slices of a pass.
const SLICES: usize = 4;

/// How many blocks before its use a reference block is called for, where its place is known in advance.
const AHEAD: usize = 3;

/// Computes the first two blocks of each lane from the inputs.
pub(crate) fn first_blocks(
    kernel: Kernel,
    params: &Params,
    input: &Input<'_>,
    tag_length: usize,
    memory: &mut [Block],
) {
    let mut seed = blake::seed(params, input, tag_length);
    let mut bytes = [0; BYTES];
    for (lane, blocks) in (0u32..).zip(memory.chunks_exact_mut(params.lane_blocks())) {
        for (index, block) in (0u32..2).zip(blocks) {
            seed[64..68].copy_from_slice(&index.to_le_bytes());
            seed[68..].copy_from_slice(&lane.to_le_bytes());
            blake::long(&seed, &mut bytes);
            for (word, bytes) in bytes.as_chunks().0.iter().enumerate() {
                block.0[kernel.place(word)] = u64::from_le_bytes(*bytes);
            }
        }
    }
    seed.zeroize();
    bytes.zeroize();
}

/// Computes all other blocks.
pub(crate) fn other_blocks(kernel: Kernel, params: &Params, memory: &mut [Block]) {
    let mut scratch = Block::ZERO;
    for pass in 0..params.iterations() {
        for slice in 0..SLICES {
            for lane in 0..params.lanes() as usize {
                let segment = Segment::new(params, pass, slice, lane);
                if pass == 0 && slice < SLICES / 2 {
                    segment.fill_independently(kernel, params, memory, &mut scratch);
                } else {
                    segment.fill_dependently(kernel, memory, &mut scratch);
                }
            }
        }
    }
    scratch.0.zeroize();
}

/// Returns the exclusive or of the last blocks of all lanes, as bytes.
pub(crate) fn last_block(kernel: Kernel, params: &Params, memory: &[Block]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for lane in memory.chunks_exact(params.lane_blocks()) {
        let Some(last) = lane.last() else { continue };
        for (word, bytes) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
            *bytes = (u64::from_le_bytes(*bytes) ^ last.0[kernel.place(word)]).to_le_bytes();
        }
    }
    bytes
}

/// A segment: the part of a lane in a slice, in one pass. Numbers of blocks count from the start of the memory unless
/// they are said to count from the start of the segment.
struct Segment {
    pass: u32,
    slice: usize,
    lane: usize,
    lanes: usize,
    lane_blocks: usize,
    /// The number of blocks of the segment.
    blocks: usize,
    /// The first block of the segment.
    start: usize,
    /// Counts from the start of the segment. The first block that must be computed: the inputs give the blocks before.
    first: usize,
    /// The blocks of a finished lane that may be referred to: their number, and the index of the first in its lane.
    finished: usize,
    window: usize,
}

impl Segment {
    fn new(params: &Params, pass: u32, slice: usize, lane: usize) -> Self {
        let (blocks, lane_blocks) = (params.segment_blocks(), params.lane_blocks());
        let (finished, window) =
            if pass == 0 { (slice * blocks, 0) } else { (lane_blocks - blocks, (slice + 1) % SLICES * blocks) };
        Self {
            pass,
            slice,
            lane,
            lanes: params.lanes() as usize,
            lane_blocks,
            blocks,
            start: lane * lane_blocks + slice * blocks,
            first: if pass == 0 && slice == 0 { 2 } else { 0 },
            finished,
            window,
        }
    }

    /// The block before block `index` of the segment. Before the first block of a lane comes its last.
    fn previous(&self, index: usize) -> usize {
        let block = self.start + index;
        if index == 0 && self.slice == 0 { block + self.lane_blocks - 1 } else { block - 1 }
    }

    /// Maps `random` (`J1` in its lower half, `J2` in its upper) to the reference block of block `index` of the segment
    /// (RFC 9106, section 3.4.2).
    #[inline]
    fn reference(&self, index: usize, random: u64) -> usize {
        let alone = self.lanes == 1 || (self.pass == 0 && self.slice == 0);
        let lane = if alone { self.lane } else { (random >> 32) as usize % self.lanes };
        // All finished blocks, and in the own lane also those of this segment. Never the block before.
        let candidates =
            if lane == self.lane { self.finished + index - 1 } else { self.finished - usize::from(index == 0) };
        let x = u64::from(random as u32).pow(2) >> 32;
        let y = (candidates as u64 * x) >> 32;
        let mut index = self.window + candidates - 1 - y as usize;
        if index >= self.lane_blocks {
            index -= self.lane_blocks;
        }
        lane * self.lane_blocks + index
    }

    /// Fills a segment whose reference blocks do not depend on the inputs (RFC 9106, section 3.4.1.2).
    fn fill_independently(&self, kernel: Kernel, params: &Params, memory: &mut [Block], scratch: &mut Block) {
        let mut addresses = Addresses::new(self, params);
        let mut references = [0; WORDS];
        for chunk in (0..self.blocks).step_by(WORDS) {
            addresses.next(kernel, scratch);
            let range = self.first.max(chunk)..self.blocks.min(chunk + WORDS);
            for index in range.clone() {
                references[index - chunk] = self.reference(index, addresses.block.0[kernel.place(index - chunk)]);
            }
            for index in range.clone() {
                if index + AHEAD < range.end {
                    prefetch(&memory[references[index + AHEAD - chunk]]);
                }
                self.fill_block(kernel, memory, index, references[index - chunk], scratch);
            }
        }
    }

    /// Fills a segment in which each block says what the next one refers to (RFC 9106, section 3.4.1.1).
    fn fill_dependently(&self, kernel: Kernel, memory: &mut [Block], scratch: &mut Block) {
        for index in self.first..self.blocks {
            let reference = self.reference(index, memory[self.previous(index)].0[0]);
            prefetch(&memory[reference]);
            self.fill_block(kernel, memory, index, reference, scratch);
        }
    }

    #[inline]
    fn fill_block(&self, kernel: Kernel, memory: &mut [Block], index: usize, reference: usize, scratch: &mut Block) {
        let (previous, block) = (self.previous(index), self.start + index);
        let (before, rest) = memory.split_at_mut(block);
        // The block is in the memory, and no block refers to itself.
        let Some((target, after)) = rest.split_first_mut() else { return };
        let other = |at: usize| if at < block { &before[at] } else { &after[at - block - 1] };
        kernel.compress(self.pass > 0, target, other(previous), other(reference), scratch);
    }
}

/// The pseudo-random numbers of a segment whose reference blocks do not depend on the inputs, 128 at a time.
struct Addresses {
    input: Block,
    block: Block,
    counter: u64,
}

impl Addresses {
    fn new(segment: &Segment, params: &Params) -> Self {
        let mut input = Block::ZERO;
        let words = [
            u64::from(segment.pass),
            segment.lane as u64,
            segment.slice as u64,
            params.blocks() as u64,
            u64::from(params.iterations()),
            2,
        ];
        input.0[..6].copy_from_slice(&words);
        Self { input, block: Block::ZERO, counter: 0 }
    }

    fn next(&mut self, kernel: Kernel, scratch: &mut Block) {
        self.counter += 1;
        self.input.0[6] = self.counter;
        let mut input = Block::ZERO;
        for word in 0..7 {
            input.0[kernel.place(word)] = self.input.0[word];
        }
        let mut middle = Block::ZERO;
        kernel.compress(false, &mut middle, &Block::ZERO, &input, scratch);
        kernel.compress(false, &mut self.block, &Block::ZERO, &middle, scratch);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

    use super::*;

    /// Every random number leads to a block that is there already and is neither the one that is computed nor the one
    /// before.
    #[test]
    fn refers_only_to_other_blocks_that_are_filled() {
        let randoms = [0, 1, 0xffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
        for (memory, lanes) in [(8, 1), (13, 1), (40, 1), (16, 2), (37, 4), (128, 16), (300, 3)] {
            let params = Params::new(memory, 3, lanes).unwrap();
            let mut filled = vec![false; params.blocks()];
            for (pass, slice) in (0..3).flat_map(|pass| (0..SLICES).map(move |slice| (pass, slice))) {
                let before = filled.clone();
                for lane in 0..lanes as usize {
                    let segment = Segment::new(&params, pass, slice, lane);
                    filled[segment.start..segment.start + segment.first].fill(true);
                    for index in segment.first..segment.blocks {
                        let (block, previous) = (segment.start + index, segment.previous(index));
                        assert!(filled[previous]);
                        for other in 0..u64::from(lanes) {
                            for reference in randoms.map(|low| segment.reference(index, other << 32 | low)) {
                                assert!(reference != block && reference != previous);
                                // Other lanes may be computed at the same time: only their finished slices count.
                                let own = reference / segment.lane_blocks == lane;
                                assert!(if own { filled[reference] } else { before[reference] });
                                assert!(own || reference % segment.lane_blocks / segment.blocks != slice);
                            }
                        }
                        filled[block] = true;
                    }
                }
            }
        }
    }
}
