//! Backward passes: dfdx's tape runs them, and the gradients are buffers of the backend.
//!
//! dfdx's gradients hold one [`Slot`] per tensor, the name of a buffer in [`Pass`]. The first contribution to a gradient becomes its
//! buffer and later ones are added, so that no gradient is filled with zeros. An operation takes the gradient of its result: the buffer
//! is free as soon as the operation has read it.

use std::any::Any;
use std::cell::RefCell;

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, CpuError};
use dfdx::tensor_ops::Backward;

use super::slot::{Named, Slot};
use super::tensor::{GradientNorms, Handle, Recorded, Scalar, Tape, Tensor, Vector};
use super::{DeviceError, Kernels, OpResult};

type Names = dfdx::tensor::Gradients<Slot, Cpu>;

/// The buffers of a backward pass.
struct Pass<B: Kernels> {
    buffers: Vec<Option<B::Buffer>>,
    /// The first failure of an operation.
    failure: Option<DeviceError>,
}

thread_local! {
    /// The [`Pass`] of the backward pass that runs on this thread. dfdx hands only its own gradients to operations.
    static CURRENT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// The gradients of a backward pass, as its operations see them.
pub(super) struct Contributions<'p, B: Kernels> {
    names: &'p mut Names,
    buffers: &'p mut Vec<Option<B::Buffer>>,
}

impl<B: Kernels> Contributions<'_, B> {
    fn slot(&mut self, tensor: &Handle) -> &mut Slot {
        // The CPU of dfdx allocates one name: it cannot fail.
        &mut self.names.get_or_alloc_mut(tensor).expect("memory for a name")[0]
    }

    /// Takes the gradient with respect to a tensor, which no operation reads again. `None` if the loss does not depend on the tensor.
    fn take(&mut self, tensor: &Handle) -> OpResult<Option<B::Buffer>> {
        match std::mem::take(self.slot(tensor)).named() {
            Named::Nothing => Ok(None),
            Named::One => B::filled(1.0, 1).map(Some),
            Named::Buffer(index) => Ok(self.buffers[index].take()),
        }
    }

    /// Adds to the gradient with respect to a tensor. `contribute` creates the buffer if there is none yet.
    pub(super) fn add<R>(
        &mut self,
        tensor: &Handle,
        contribute: impl FnOnce(&mut Option<B::Buffer>) -> OpResult<R>,
    ) -> OpResult<R> {
        let next = self.buffers.len();
        let slot = self.slot(tensor);
        let index = match slot.named() {
            Named::Buffer(index) => index,
            // The gradient of a loss that is also an input of another loss: not built by any network.
            Named::Nothing | Named::One => {
                *slot = Slot::of(next);
                self.buffers.push(None);
                next
            }
        };
        contribute(&mut self.buffers[index])
    }

    /// Adds to the gradients with respect to two different tensors. Returns what `contribute` returns.
    pub(super) fn add_both<R>(
        &mut self,
        [a, b]: [&Handle; 2],
        contribute: impl FnOnce(&mut Option<B::Buffer>, &mut Option<B::Buffer>) -> OpResult<R>,
    ) -> OpResult<R> {
        let mut of_a = self.take(a)?;
        let result = self.add(b, |of_b| contribute(&mut of_a, of_b))?;
        of_a.map_or(Ok(()), |gradient| self.give(a, gradient))?;
        Ok(result)
    }

    /// Adds a whole buffer, which becomes the gradient if there is none yet.
    pub(super) fn give(&mut self, tensor: &Handle, gradient: B::Buffer) -> OpResult<()> {
        self.add(tensor, |sum| match sum {
            Some(_) => B::add_scaled(1.0, &gradient, sum),
            None => {
                *sum = Some(gradient);
                Ok(())
            }
        })
    }
}

/// Puts `tape` on a result. `backward` gets the gradient with respect to the result and adds to those of its inputs.
pub(super) fn record<S: Shape, B: Kernels, T: Tape>(
    result: Tensor<S, B>,
    mut tape: T,
    backward: impl FnOnce(B::Buffer, &mut Contributions<'_, B>) -> OpResult<()> + 'static,
) -> Tensor<S, B, T> {
    if T::OWNS_TAPE {
        let handle = result.handle().clone();
        tape.add_backward_op(move |names| {
            in_current_pass::<B>(names, |gradients| match gradients.take(&handle)? {
                Some(gradient) => backward(gradient, gradients),
                None => Ok(()),
            })
        });
    }
    result.put_tape(tape)
}

fn take_current<B: Kernels>() -> Box<Pass<B>> {
    CURRENT.take().and_then(|pass| pass.downcast().ok()).expect("a backward pass of this backend runs")
}

/// Runs an operation with the buffers of the current pass.
fn in_current_pass<B: Kernels>(
    names: &mut Names,
    operation: impl FnOnce(&mut Contributions<'_, B>) -> OpResult<()>,
) -> Result<(), CpuError> {
    // While a kernel waits for other threads, this thread may run another step: the pass must not stay borrowed.
    let mut pass = take_current::<B>();
    let outcome = operation(&mut Contributions { names, buffers: &mut pass.buffers }).map_err(|failure| {
        pass.failure = Some(failure);
        // dfdx needs an error of its own. `backward` returns the real one.
        CpuError::OutOfMemory
    });
    CURRENT.set(Some(pass));
    outcome
}

/// Gradients of a loss.
pub struct Gradients<B: Kernels> {
    names: Names,
    buffers: Vec<Option<B::Buffer>>,
}

impl<B: Kernels> Default for Gradients<B> {
    fn default() -> Self {
        Self { names: Names::leaky(), buffers: Vec::new() }
    }
}

impl<B: Kernels> Gradients<B> {
    /// Returns the gradient with respect to a tensor. `None` stands for zeros.
    pub(crate) fn of<S: Shape>(&mut self, tensor: &Tensor<S, B>) -> Option<&mut B::Buffer> {
        match self.contributions().slot(tensor.handle()).named() {
            Named::Buffer(index) => self.buffers[index].as_mut(),
            Named::Nothing | Named::One => None,
        }
    }

    /// Takes the gradient with respect to a tensor.
    pub(super) fn take<S: Shape>(&mut self, tensor: &Tensor<S, B>) -> OpResult<Option<B::Buffer>> {
        self.contributions().take(tensor.handle())
    }

    /// Replaces the gradient with respect to a tensor.
    pub(crate) fn set<S: Shape>(&mut self, tensor: &Tensor<S, B>, gradient: B::Buffer) -> OpResult<()> {
        self.contributions().add(tensor.handle(), |sum| {
            *sum = Some(gradient);
            Ok(())
        })
    }

    /// See [`super::Backend::clip_gradients`].
    pub(super) fn clip(&mut self, parts: &[Vec<Vector<B>>], ceiling: f64) -> OpResult<GradientNorms<B>> {
        let indices = |gradients: &mut Self, part: &Vec<Vector<B>>| -> Vec<usize> {
            let index = |parameter: &Vector<B>| match gradients.contributions().slot(parameter.handle()).named() {
                Named::Buffer(index) => Some(index),
                Named::Nothing | Named::One => None,
            };
            part.iter().filter_map(index).collect()
        };
        let parts: Vec<Vec<usize>> = parts.iter().map(|part| indices(self, part)).collect();
        let mut buffers: Vec<Option<&mut B::Buffer>> = self.buffers.iter_mut().map(Option::as_mut).collect();
        let mut parts: Vec<Vec<&mut B::Buffer>> =
            parts.iter().map(|part| part.iter().filter_map(|&index| buffers[index].take()).collect()).collect();
        let (all, parts) = B::clipped(&mut parts, ceiling)?;
        Ok(GradientNorms {
            all: Tensor::new(all, ()),
            parts: parts.into_iter().map(|norm| Tensor::new(norm, ())).collect(),
        })
    }

    fn contributions(&mut self) -> Contributions<'_, B> {
        Contributions { names: &mut self.names, buffers: &mut self.buffers }
    }
}

/// Computes the gradients of a loss with respect to every tensor on its tape.
pub(super) fn backward<B: Kernels>(loss: Scalar<B, Recorded>) -> OpResult<Gradients<B>> {
    let pass = Pass::<B> { buffers: Vec::new(), failure: None };
    CURRENT.set(Some(Box::new(pass)));
    let outcome = loss.into_handle().try_backward();
    let pass = take_current::<B>();
    match (outcome, pass.failure) {
        (Ok(names), None) => Ok(Gradients { names, buffers: pass.buffers }),
        (_, Some(failure)) => Err(failure),
        (Err(error), None) => Err(DeviceError::OutOfMemory(error.to_string())),
    }
}
