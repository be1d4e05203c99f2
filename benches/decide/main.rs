//! Measures how often a decision of `[decide]` is wrong, and how many seeds it takes. Differences between a variant and ST-FPM are drawn from
//! a distribution with a known mean, one per seed. Seeds are added until the answer is settled or none is left.
//!
//! Beside it stands Student's t test with a fixed number of seeds: the smallest number that finds as many differences as `[decide]` does.

#![expect(clippy::print_stdout, reason = "the output is a table for people")]

use didact::data::{normal_pair, stream};
use didact::statistics::{Answer, Estimate, ImageVariance, Question, Range, SKEWED, skewness};
use rand::Rng;
use rayon::prelude::*;

/// Largest number of seeds.
const MAX_SEEDS: usize = 40;
/// Probability of a wrong answer that is allowed.
const ALPHA: f64 = 0.05;

/// Distributions of the differences, all with mean 0 and deviation 1.
#[derive(Clone, Copy)]
enum Shape {
    Normal,
    /// Normal, rounded to multiples of this step, as metrics of few images are.
    Rounded(f64),
    /// An exponential distribution: skewness 2.
    Exponential,
    /// The negative of a log-normal distribution with skewness 1: AUROC near 1 is skewed in this way.
    LogNormal,
    /// Student's t with 5 degrees of freedom: heavy tails.
    HeavyTails,
    /// Mostly 0, and sometimes one step: a metric of very few images.
    TwoValues,
}

impl Shape {
    const ALL: [(Self, &str); 7] = [
        (Self::Normal, "normal"),
        (Self::Rounded(0.5), "normal, rounded to σ/2"),
        (Self::Rounded(2.0), "normal, rounded to 2 σ"),
        (Self::HeavyTails, "Student's t, 5 degrees of freedom"),
        (Self::LogNormal, "log-normal, skewness −1"),
        (Self::Exponential, "exponential, skewness 2"),
        (Self::TwoValues, "two values, 0.8 and 0.2"),
    ];

    /// Smallest step of a difference.
    fn resolution(self) -> f64 {
        match self {
            Self::Rounded(step) => step,
            Self::TwoValues => 1.0 / 0.16_f64.sqrt(),
            _ => 0.0,
        }
    }

    fn draw(self, random: &mut impl Rng) -> f64 {
        let mut uniform = || (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
        let mut normal = || normal_pair(1.0, uniform(), uniform())[0];
        match self {
            Self::Normal => normal(),
            Self::Rounded(step) => (normal() / step).round() * step,
            Self::Exponential => -uniform().ln() - 1.0,
            Self::LogNormal => {
                // Skewness (e^v + 2) √(e^v − 1) is 1 for v = 0.09880.
                let v: f64 = 0.0988;
                let (mean, deviation) = ((v / 2.0).exp(), (v.exp() * (v.exp() - 1.0)).sqrt());
                (mean - (v.sqrt() * normal()).exp()) / deviation
            }
            Self::HeavyTails => {
                let chi: f64 = (0..5).map(|_| normal().powi(2)).sum();
                normal() / (chi / 5.0).sqrt() / (5.0_f64 / 3.0).sqrt()
            }
            Self::TwoValues => (if uniform() < 0.2 { 0.8 } else { -0.2 }) / 0.16_f64.sqrt(),
        }
    }
}

/// Draws the differences of all seeds.
fn differences(shape: Shape, mean: f64, repeat: u64) -> Vec<f64> {
    let mut random = stream(repeat, "decide", 0, 0);
    (0..MAX_SEEDS).map(|_| mean + shape.draw(&mut random)).collect()
}

/// How one repeat ended.
struct Ending {
    answer: Option<Answer>,
    seeds: usize,
    warned: bool,
}

fn ending(question: &Question, differences: &[f64]) -> Ending {
    let decision = question.decide(differences).expect("there are differences");
    let seen = &differences[..decision.look.count];
    Ending { answer: decision.answer, seeds: decision.look.count, warned: skewness(seen).abs() > SKEWED }
}

fn endings(question: Question, shape: Shape, mean: f64, repeats: u64) -> Vec<Ending> {
    (0..repeats).into_par_iter().map(|repeat| ending(&question, &differences(shape, mean, repeat))).collect()
}

fn share(endings: &[Ending], is: impl Fn(&Ending) -> bool) -> f64 {
    endings.iter().filter(|ending| is(ending)).count() as f64 / endings.len() as f64
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Prints how often answers are wrong.
fn errors(repeats: u64) {
    println!(
        "| differences | true mean | wrong answers | of these without a warning | decided | mean number of seeds |"
    );
    println!("|---|---|---|---|---|---|");
    for (shape, name) in Shape::ALL {
        for mean in [0.0, 0.5] {
            // At the edge of the margin, "equivalent" is wrong; at 0, "better" and "worse" are.
            let question =
                Question { alpha: ALPHA, margin: 0.5, resolution: shape.resolution(), range: Range::UNBOUNDED };
            let is_wrong = |ending: &Ending| match ending.answer {
                Some(Answer::Equivalent) => mean != 0.0,
                Some(Answer::Better) => mean == 0.0,
                Some(Answer::Worse) => true,
                None => false,
            };
            let endings = endings(question, shape, mean, repeats);
            let seeds = endings.iter().map(|ending| ending.seeds as f64).sum::<f64>() / endings.len() as f64;
            println!(
                "| {name} | {} | {} | {} | {} | {seeds:.1} |",
                if mean == 0.0 { "0" } else { "0.5 σ, the margin" },
                percent(share(&endings, is_wrong)),
                percent(share(&endings, |ending| is_wrong(ending) && !ending.warned)),
                percent(share(&endings, |ending| ending.answer.is_some())),
            );
        }
    }
}

/// Prints how often one of four variants that share a baseline gets a wrong answer.
fn family(repeats: u64) {
    const VARIANTS: usize = 4;
    let question = Question { alpha: ALPHA / VARIANTS as f64, margin: 0.0, resolution: 0.0, range: Range::UNBOUNDED };
    let any_wrong = |repeat: u64| {
        let baseline = differences(Shape::Normal, 0.0, repeat * (VARIANTS as u64 + 1));
        (1..=VARIANTS as u64).any(|variant| {
            let own = differences(Shape::Normal, 0.0, repeat * (VARIANTS as u64 + 1) + variant);
            let paired: Vec<f64> = own.iter().zip(&baseline).map(|(own, baseline)| own - baseline).collect();
            question.decide(&paired).is_some_and(|decision| decision.answer.is_some())
        })
    };
    let wrong = (0..repeats).into_par_iter().filter(|repeat| any_wrong(*repeat)).count();
    println!("\nAny wrong answer among {VARIANTS} equally good variants: {}", percent(wrong as f64 / repeats as f64));
}

/// Prints how many seeds a true difference takes.
fn seeds(repeats: u64) {
    println!("\n| true difference | decided | mean number of seeds | median | t test with a fixed number |");
    println!("|---|---|---|---|---|");
    for mean in [0.5, 0.75, 1.0, 1.5, 2.0, 3.0] {
        let question = Question { alpha: ALPHA, margin: 0.0, resolution: 0.0, range: Range::UNBOUNDED };
        let mut endings = endings(question, Shape::Normal, mean, repeats);
        let power = share(&endings, |ending| ending.answer == Some(Answer::Better));
        endings.sort_by_key(|ending| ending.seeds);
        let total: usize = endings.iter().map(|ending| ending.seeds).sum();
        let power_of_test = |seeds: usize| {
            let found = (0..repeats).into_par_iter().filter(|repeat| {
                let differences = differences(Shape::Normal, mean, *repeat);
                Estimate::of(&differences[..seeds], 1.0, ImageVariance::NONE, Range::UNBOUNDED)
                    .is_some_and(|found| found.p() < ALPHA)
            });
            found.count() as f64 / repeats as f64
        };
        let fixed = (2..=MAX_SEEDS).find(|seeds| power_of_test(*seeds) >= power);
        println!(
            "| {mean} σ | {} | {:.1} | {} | {} |",
            percent(power),
            total as f64 / repeats as f64,
            endings[endings.len() / 2].seeds,
            fixed.map_or("-".to_owned(), |seeds| seeds.to_string()),
        );
    }
}

fn main() {
    // `cargo test --benches` and clippy's runs need only a sign of life.
    let repeats = if std::env::args().any(|argument| argument == "--bench") { 10_000 } else { 200 };
    println!("{repeats} repeats, at most {MAX_SEEDS} seeds, alpha = {ALPHA}\n");
    errors(repeats);
    family(repeats);
    seeds(repeats);
}
