//! The choices that a scheduler's configuration names.

/// A choice that has a name in the file or on the command line.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$item:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$item])* $variant),+ }

        impl $type {
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }

            pub fn from_name(name: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|choice| choice.name() == name)
            }
        }
    };
}

named! {
    /// The solvers, by their names on the command line.
    Sampler {
        Ddpm = "ddpm",
        Ddim = "ddim",
        DpmPp2m = "dpmpp-2m",
        UniPc = "unipc",
        Euler = "euler",
        EulerAncestral = "euler-a",
        Heun = "heun",
    }
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
    /// DDPM's σ_t²: β̃_t (small), β_t (large), or what the network says.
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
    /// Where a σ-space solver ends.
    FinalSigma { Zero = "zero", SigmaMin = "sigma_min" }
}

named! {
    /// The second-order rule of DPM-Solver++ (first two) and the B(h) of UniPC (last two).
    SolverType { Midpoint = "midpoint", Heun = "heun", Bh1 = "bh1", Bh2 = "bh2" }
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

impl Sampler {
    /// The diffusers class.
    pub fn class(self) -> &'static str {
        match self {
            Sampler::Ddpm => "DDPMScheduler",
            Sampler::Ddim => "DDIMScheduler",
            Sampler::DpmPp2m => "DPMSolverMultistepScheduler",
            Sampler::UniPc => "UniPCMultistepScheduler",
            Sampler::Euler => "EulerDiscreteScheduler",
            Sampler::EulerAncestral => "EulerAncestralDiscreteScheduler",
            Sampler::Heun => "HeunDiscreteScheduler",
        }
    }

    /// The sampler of a diffusers class.
    pub fn from_class(class: &str) -> Option<Sampler> {
        Sampler::ALL
            .iter()
            .copied()
            .find(|sampler| sampler.class() == class)
    }
}
