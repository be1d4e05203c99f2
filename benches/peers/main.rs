//! didact beside PyTorch on the same work: `cargo bench --bench peers [-- ROW]`.

#![expect(clippy::print_stdout, reason = "the output is the table")]

mod work;

use std::time::Instant;

use didact::data::FeatureSet;
use work::{Joint, Pretrain};

const BATCH: usize = 8;
const SIDE: usize = 256;
const THREADS: usize = 2;
const REPEATS: usize = 10;

fn median(mut step: impl FnMut()) -> f64 {
    (0..2).for_each(|_| step());
    let mut seconds: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let started = Instant::now();
            step();
            started.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[REPEATS / 2]
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("threads");
    didact::schedule::keep_freed_memory();
    let folder = std::env::temp_dir().join(format!("didact-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("room");
    work::write_noise(&folder, 2 * BATCH, SIDE);
    let set = FeatureSet::open(&folder).expect("features");
    let indices: Vec<usize> = (0..BATCH).collect();
    let row = |name: &str, measure: &dyn Fn() -> f64| {
        if wanted.as_deref().is_none_or(|wanted| wanted == name) {
            println!("{name}: {:.1} ms", 1e3 * measure());
        }
    };
    row("stfpm_step", &|| {
        let mut joint = Joint::new(&set, false);
        median(|| joint.step(&indices))
    });
    row("joint_step", &|| {
        let mut joint = Joint::new(&set, true);
        median(|| joint.step(&indices))
    });
    row("pretrain_step", &|| {
        let mut pretrain = Pretrain::new(&set);
        median(|| pretrain.step(&indices))
    });
    row("inference", &|| {
        let mut joint = Joint::new(&set, false);
        median(|| {
            joint.infer(&indices);
        })
    });
    row("inference_unets", &|| {
        let mut joint = Joint::new(&set, true);
        median(|| {
            joint.infer(&indices);
        })
    });
    let _ = std::fs::remove_dir_all(&folder);
}
