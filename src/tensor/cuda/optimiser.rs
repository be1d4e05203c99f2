//! Clipping and updates of all parameters at once.

use bytemuck::{Pod, Zeroable};

use super::backend::Cuda;
use super::device::CudaBuffer;
use super::launch::{NumbersFrom, launch};
use crate::tensor::{OpResult, Update, UpdateRule};

/// Values of a parameter that one block works on.
const CHUNK: usize = 4096;

/// The addresses of a parameter, its gradient and its moments; as in `kernels/optimiser.cu`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Record {
    parameter: u64,
    gradient: u64,
    first: u64,
    second: u64,
    count: i32,
    first_chunk: i32,
}

/// Records in their order, and the number of all chunks.
#[derive(Default)]
struct Records {
    records: Vec<Record>,
    chunks: usize,
}

impl Records {
    fn push(&mut self, record: Record, count: usize) {
        let [count_word, first_chunk] =
            [count, self.chunks].map(|number| i32::try_from(number).expect("parameters of fewer than 2³¹ values"));
        self.records.push(Record { count: count_word, first_chunk, ..record });
        self.chunks += count.div_ceil(CHUNK);
    }
}

/// See [`crate::tensor::Kernels::clipped`].
pub(super) fn clipped(parts: &mut [Vec<&mut CudaBuffer>], ceiling: f64) -> OpResult<(CudaBuffer, Vec<CudaBuffer>)> {
    let (mut all, mut ends) = (Records::default(), Vec::with_capacity(parts.len()));
    for part in &*parts {
        for gradient in part {
            all.push(Record { gradient: gradient.address(), ..Record::zeroed() }, gradient.len());
        }
        ends.push(i32::try_from(all.chunks).expect("fewer than 2³¹ chunks"));
    }
    let new = CudaBuffer::new;
    let (partial, norms, factor) = (new(2 * all.chunks.max(1))?, new(1 + parts.len())?, new(1)?);
    let records = bytemuck::cast_slice(&all.records);
    if all.chunks > 0 {
        launch!("gradient_squares", all.chunks, numbers: records; NumbersFrom(0), all.records.len(), &partial)?;
    }
    let mut numbers = bytemuck::bytes_of(&(ceiling as f32)).to_vec();
    numbers.extend_from_slice(bytemuck::cast_slice(&ends));
    launch!(
        "gradient_norms", 1, numbers: &numbers;
        &partial, NumbersFrom(size_of::<f32>()), parts.len(), NumbersFrom(0), &norms, &factor,
    )?;
    if ceiling > 0.0 && all.chunks > 0 {
        launch!("scale_gradients", all.chunks, numbers: records; NumbersFrom(0), all.records.len(), &factor)?;
    }
    let norm = |index: u64| {
        let norm = new(1)?;
        launch!("axpy", 1; norms.address() + 4 * index, 1.0_f32, &norm, 1_usize, false)?;
        Ok(norm)
    };
    Ok((norm(0)?, (1..=parts.len() as u64).map(norm).collect::<OpResult<_>>()?))
}

/// See [`crate::tensor::Kernels::update`].
pub(super) fn update(rule: UpdateRule, updates: &[Update<'_, Cuda>]) -> OpResult<()> {
    let mut all = Records::default();
    for Update { parameter, gradient, first, second } in updates {
        let record = Record {
            parameter: parameter.address(),
            gradient: gradient.as_ref().map_or(0, CudaBuffer::address),
            first: first.address(),
            second: second.as_ref().map_or(0, |second| second.address()),
            ..Record::zeroed()
        };
        all.push(record, parameter.len());
    }
    let (kernel, settings) = match rule {
        UpdateRule::Sgd { rate, momentum, decay } => ("sgd", vec![rate as f32, momentum as f32, decay as f32]),
        UpdateRule::Adam { rate, beta1, decay, decoupled, step } => {
            let ([beta1, beta2], [first, second]) = UpdateRule::betas(beta1, step);
            let decoupled = f32::from(u8::from(decoupled));
            let decay = decay as f32;
            ("adam", vec![rate as f32, beta1, beta2, UpdateRule::EPSILON, decay, decoupled, first, second])
        }
    };
    let mut bytes = bytemuck::cast_slice(&all.records).to_vec();
    let settings_at = bytes.len();
    bytes.extend_from_slice(bytemuck::cast_slice(&settings));
    launch!(kernel, all.chunks, numbers: &bytes; NumbersFrom(0), all.records.len(), NumbersFrom(settings_at))
}
