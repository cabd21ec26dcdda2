//! Random numbers that are the same on every machine: splitmix64, seeded by a topic and two numbers.

/// Changing it makes another marketplace.
const SEED: u64 = 0x6d65_7472_6578_0001;

/// A stream of random numbers. Only integer arithmetic and exact float operations, so no platform differs.
pub(super) struct Rng(u64);

impl Rng {
    /// The stream that belongs to a topic (a table, say) and two numbers (a day and a market, say).
    pub(super) fn of(topic: &str, first: u64, second: u64) -> Self {
        let topic = topic.bytes().fold(SEED, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(mix(mix(topic ^ first) ^ second))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 up to, but not including, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From `low` up to, but not including, `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// From 0 up to, but not including, `n`; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// Like [`Self::below`], but small numbers are more likely: the popular end of a list.
    pub(super) fn popular(&mut self, n: u64) -> u64 {
        let unit = self.unit();
        (unit * unit * n as f64) as u64
    }

    /// True with the given probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A count around `mean`, up to 15 % off, rounded up or down by chance so that small means survive.
    pub(super) fn count(&mut self, mean: f64) -> u64 {
        (mean * self.between(0.85, 1.15) + self.unit()) as u64
    }

    /// One of the options with its probability, else the last argument.
    pub(super) fn choose<T: Copy>(&mut self, options: &[(T, f64)], otherwise: T) -> T {
        let mut left = self.unit();
        for (option, probability) in options {
            left -= probability;
            if left < 0.0 {
                return *option;
            }
        }
        otherwise
    }
}

/// The finaliser of splitmix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
