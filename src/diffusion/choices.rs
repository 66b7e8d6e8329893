//! The choices that a scheduler's configuration names.

/// A choice that has a name in the file.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$item:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$item])* $variant),+ }

        impl $type {
            /// Every choice, in the order of the declaration.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// Every choice with its name.
            pub const NAMED: &'static [(&'static str, $type)] = &[$(($name, $type::$variant)),+];

            /// Its name in diffusers' files.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }

            /// The choice of that name.
            pub fn from_name(name: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|choice| choice.name() == name)
            }
        }
    };
}

named! {
    /// What the network's output stands for.
    PredictionType {
        /// The noise ε.
        Epsilon = "epsilon",
        /// x̂0 itself.
        Sample = "sample",
        /// v = √ᾱ·ε − √(1 − ᾱ)·x0 (Salimans & Ho 2022).
        Velocity = "v_prediction",
    }
}

named! {
    /// DDPM's σ_t²: β̃_t (small), β_t (large), or the network's own.
    VarianceType {
        FixedSmall = "fixed_small",
        FixedSmallLog = "fixed_small_log",
        FixedLarge = "fixed_large",
        FixedLargeLog = "fixed_large_log",
        Learned = "learned",
        LearnedRange = "learned_range",
    }
}

named! {
    /// Which of the T timesteps a shorter chain visits (Lin et al. 2023, table 2).
    Spacing { Leading = "leading", Trailing = "trailing", Linspace = "linspace" }
}

named! {
    /// Where a chain over a grid of σ ends.
    FinalSigma { Zero = "zero", SigmaMin = "sigma_min" }
}

/// How the σ between the ends are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigmaSpacing {
    /// Those of the visited timesteps.
    Timesteps,
    /// Equal steps of σ^(1/7) (Karras et al. 2022, eq. 5).
    Karras,
    /// Equal steps of ln σ.
    Exponential,
    /// Quantiles of the Beta(0.6, 0.6) distribution (Lee et al. 2024).
    Beta,
    /// Equal steps of the half log-SNR (Lu et al. 2022).
    Lu,
}

impl VarianceType {
    /// True where the network's output has a second half for the variance.
    pub fn is_learned(self) -> bool {
        match self {
            VarianceType::Learned | VarianceType::LearnedRange => true,
            VarianceType::FixedSmall
            | VarianceType::FixedSmallLog
            | VarianceType::FixedLarge
            | VarianceType::FixedLargeLog => false,
        }
    }
}
