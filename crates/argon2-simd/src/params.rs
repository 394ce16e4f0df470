use crate::Error;

/// How much work a hash is (RFC 9106, section 3.1). Checked: every value of this type can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Params {
    /// The most lanes. They are computed one after the other, so that more bring nothing.
    pub const MAX_LANES: u32 = 16;

    /// `memory_kib` is `m` in KiB, at least `8 * lanes`; `iterations` is `t`, at least 1; `lanes` is `p`, 1 to
    /// [`Self::MAX_LANES`].
    ///
    /// # Errors
    ///
    /// [`Error::Lanes`], [`Error::Iterations`] or [`Error::Memory`] for a value out of bounds, in this order.
    pub const fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, Error> {
        if lanes == 0 || lanes > Self::MAX_LANES {
            return Err(Error::Lanes);
        }
        if iterations == 0 {
            return Err(Error::Iterations);
        }
        if memory_kib < 8 * lanes {
            return Err(Error::Memory);
        }
        Ok(Self { memory_kib, iterations, lanes })
    }

    /// `m` in KiB, as it was given. The first hash `H0` contains this number.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// `t`, the number of passes over the memory.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// `p`, the number of lanes.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    /// The number of blocks of a segment, at least 2.
    pub(crate) const fn segment_blocks(&self) -> usize {
        (self.memory_kib / (4 * self.lanes)) as usize
    }

    /// The number of blocks of a lane: `q` in RFC 9106, section 3.2.
    pub(crate) const fn lane_blocks(&self) -> usize {
        4 * self.segment_blocks()
    }

    /// The number of blocks of the whole memory: `m'` in RFC 9106, section 3.2. At most `memory_kib`.
    pub(crate) const fn blocks(&self) -> usize {
        self.lanes as usize * self.lane_blocks()
    }
}
