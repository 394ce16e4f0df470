use super::MOST;

/// How many rows of parameters a statement has: a power of two, so that few texts are prepared. Rows that are too many
/// are NULL, and find nothing.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Size(usize);

/// One text for each [`Size`].
pub(in crate::store) type Texts = [String; SIZES];

const SIZES: usize = MOST.ilog2() as usize + 1;

impl Size {
    pub(in crate::store) fn of(keys: usize) -> Self {
        Self(keys.next_power_of_two().ilog2() as usize)
    }

    pub(in crate::store) fn rows(self) -> usize {
        1 << self.0
    }

    pub(in crate::store) fn text(self, texts: &Texts) -> &str {
        texts.get(self.0).map_or("", String::as_str)
    }

    /// Makes the text for each number of rows.
    pub(in crate::store) fn each(text: impl Fn(usize) -> String) -> Texts {
        std::array::from_fn(|exponent| text(1 << exponent))
    }
}
