//! Minimises test functions with each sampler and prints the best value of every search, for `benches/optuna/compare.py`.
#![expect(clippy::print_stdout, reason = "the output is the table that the script reads")]

use std::f64::consts::PI;

use didact::config::{Axis, Condition, Coordinate, Domain, Draws, Point, Strategy};
use didact::search::{Observation, PointOutcome, propose};

/// Number of evaluations per search.
const TRIALS: usize = 100;

/// Number of searches per function and sampler.
const SEEDS: u64 = 20;

/// A test function and its axes.
struct Problem {
    name: &'static str,
    axes: Vec<Axis>,
    value: fn(&[f64]) -> f64,
}

fn main() {
    println!("problem,sampler,seed,best");
    for problem in problems() {
        for seed in 0..SEEDS {
            let strategies = [
                ("tpe", Strategy::Tpe(Draws { trials: TRIALS, seed })),
                ("sobol", Strategy::Sobol(Draws { trials: TRIALS, seed })),
                ("random", Strategy::Random(Draws { trials: TRIALS, seed })),
            ];
            for (name, strategy) in strategies {
                println!("{},{name},{seed},{:e}", problem.name, search(&problem, &strategy));
            }
        }
    }
}

/// Returns the lowest value of a search.
fn search(problem: &Problem, strategy: &Strategy) -> f64 {
    let mut history: Vec<Observation> = Vec::new();
    let mut best = f64::INFINITY;
    for index in 0..TRIALS as u64 {
        let Some(point) = propose(&problem.axes, strategy, index, &history) else { break };
        let value = (problem.value)(&numbers(&point));
        best = best.min(value);
        history.push(Observation { point, outcome: PointOutcome::Value(-value) });
    }
    best
}

/// Converts coordinates to numbers; inactive axes give NaN.
fn numbers(point: &Point) -> Vec<f64> {
    let number = |coordinate: &Option<Coordinate>| match *coordinate {
        Some(Coordinate::Choice(index)) => index as f64,
        Some(Coordinate::Number(number)) => number,
        Some(Coordinate::Integer(number)) => number as f64,
        None => f64::NAN,
    };
    point.iter().map(number).collect()
}

fn axis(name: impl Into<String>, domain: Domain) -> Axis {
    Axis { name: name.into(), domain, when: Vec::new() }
}

fn cube(dimensions: usize, low: f64, high: f64) -> Vec<Axis> {
    (0..dimensions).map(|index| axis(index.to_string(), Domain::Uniform { low, high, step: None })).collect()
}

fn problems() -> Vec<Problem> {
    let branin = vec![
        axis("a", Domain::Uniform { low: -5.0, high: 10.0, step: None }),
        axis("b", Domain::Uniform { low: 0.0, high: 15.0, step: None }),
    ];
    let training = vec![
        axis("rate", Domain::LogUniform { low: 1e-5, high: 1.0 }),
        axis("decay", Domain::LogUniform { low: 1e-7, high: 1e-1 }),
        axis("momentum", Domain::Uniform { low: 0.5, high: 0.99, step: None }),
        axis("batch", Domain::LogInteger { low: 2, high: 256 }),
    ];
    let when = |choice| vec![Condition { axis: 0, values: vec![Coordinate::Choice(choice)] }];
    let of = |choice, name, domain| Axis { when: when(choice), ..axis(name, domain) };
    let mixed = vec![
        axis("kind", Domain::Choices(2)),
        axis("rate", Domain::LogUniform { low: 1e-5, high: 1.0 }),
        of(0, "penalty", Domain::LogUniform { low: 1e-6, high: 1.0 }),
        of(1, "depth", Domain::Integer { low: 1, high: 6, step: 1 }),
        of(1, "width", Domain::LogInteger { low: 8, high: 512 }),
        of(1, "activation", Domain::Choices(4)),
    ];
    let on = |axis: usize, name, domain| {
        let when = vec![Condition { axis, values: vec![Coordinate::Choice(1)] }];
        Axis { when, ..self::axis(name, domain) }
    };
    let switches = vec![
        axis("first", Domain::Choices(2)),
        axis("second", Domain::Choices(2)),
        axis("rate", Domain::LogUniform { low: 1e-5, high: 1.0 }),
        on(0, "weight", Domain::LogUniform { low: 1e-4, high: 1.0 }),
        on(1, "count", Domain::Integer { low: 1, high: 8, step: 1 }),
    ];
    vec![
        Problem { name: "Branin", axes: branin, value: branin_value },
        Problem { name: "Hartmann-6", axes: cube(6, 0.0, 1.0), value: hartmann },
        Problem { name: "Rosenbrock-4", axes: cube(4, -2.0, 2.0), value: rosenbrock },
        Problem { name: "Ackley-5", axes: cube(5, -32.768, 32.768), value: ackley },
        Problem { name: "training (log scales)", axes: training, value: training_value },
        Problem { name: "mixed with conditions", axes: mixed, value: mixed_value },
        Problem { name: "two switches", axes: switches, value: switches_value },
    ]
}

fn branin_value(x: &[f64]) -> f64 {
    let inner = x[1] - 5.1 / (4.0 * PI * PI) * x[0] * x[0] + 5.0 / PI * x[0] - 6.0;
    inner * inner + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x[0].cos() + 10.0
}

/// The Hartmann function in six dimensions (Dixon and Szegö 1978).
fn hartmann(x: &[f64]) -> f64 {
    const HEIGHTS: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const SLOPES: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const PLACES: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let hill = |i: usize| {
        let distance: f64 = (0..6).map(|j| SLOPES[i][j] * (x[j] - PLACES[i][j]).powi(2)).sum();
        HEIGHTS[i] * (-distance).exp()
    };
    -(0..4).map(hill).sum::<f64>()
}

fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2).map(|pair| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2)).sum()
}

fn ackley(x: &[f64]) -> f64 {
    let count = x.len() as f64;
    let square = x.iter().map(|x| x * x).sum::<f64>() / count;
    let wave = x.iter().map(|x| (2.0 * PI * x).cos()).sum::<f64>() / count;
    -20.0 * (-0.2 * square.sqrt()).exp() - wave.exp() + 20.0 + std::f64::consts::E
}

/// A quadratic bowl in logarithms with a correlated pair, and a cliff where training would diverge.
fn training_value(x: &[f64]) -> f64 {
    let (rate, decay, momentum, batch) = (x[0].log10(), x[1].log10(), x[2], x[3].log2());
    let speed = rate - (1.0 - momentum).log10() - 0.3 * (batch - 5.0);
    let cliff = if speed > 0.5 { 3.0 } else { 0.0 };
    (speed + 0.5).powi(2)
        + 0.2 * (decay + 4.0).powi(2)
        + 4.0 * (momentum - 0.9).powi(2)
        + 0.05 * (batch - 4.0).powi(2)
        + cliff
}

/// Two kinds of model with their own settings. The second is better, but only with good settings.
fn mixed_value(x: &[f64]) -> f64 {
    let rate = x[1].log10();
    match x[0] as usize {
        0 => 0.5 + 0.2 * (rate + 1.0).powi(2) + 0.1 * (x[2].log10() + 3.0).powi(2),
        _ => {
            let activation = [0.3, 0.0, 0.15, 0.4][x[5] as usize];
            0.2 + 0.3 * (rate + 3.0).powi(2)
                + 0.1 * (x[3] - 4.0).powi(2)
                + 0.1 * ((x[4] / 96.0).log2()).powi(2)
                + activation
        }
    }
}

/// Two switches that help with good settings and harm otherwise.
fn switches_value(x: &[f64]) -> f64 {
    let first = if x[0] == 1.0 { 0.3 - 0.1 * (x[3].log10() + 2.0).powi(2) } else { 0.0 };
    let second = if x[1] == 1.0 { 0.2 - 0.05 * (x[4] - 5.0).powi(2) } else { 0.0 };
    0.5 + 0.3 * (x[2].log10() + 2.5).powi(2) - first - second
}
