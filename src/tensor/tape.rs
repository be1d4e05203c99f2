//! Records didact's operations on dfdx's tape.
//!
//! dfdx does not export the type that represents a tensor on the tape (a "ghost": shape and identity without the values). A function
//! therefore cannot take one as an argument. For this reason [`take`] is a macro, and [`unary`] and [`binary`] use ghosts only
//! internally.

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, Merge, PutTape, SplitTape, Storage, Tape, Tensor};

use super::device::TensorDevice;
use super::tensors::{Buffer, DeviceResult, Gradients};

/// Gradient with respect to the result of an operation, in the form that its backward pass uses.
///
/// Taking the gradient frees its buffer, because nothing reads it again.
pub(super) trait ResultGradient<S: Shape, D: Storage<f32>>: Sized {
    /// Takes the gradient. `copy` copies it as a tensor, `buffer` borrows its buffer.
    fn take(
        gradients: &mut Gradients<D>,
        copy: impl FnOnce(&mut Gradients<D>) -> DeviceResult<D, Tensor<S, f32, D>>,
        buffer: impl for<'g> FnOnce(&'g mut Gradients<D>) -> DeviceResult<D, &'g mut Buffer<D>>,
    ) -> DeviceResult<D, Self>;
}

/// On the CPU, takes the buffer itself without a copy.
impl<S: Shape> ResultGradient<S, Cpu> for Vec<f32> {
    fn take(
        gradients: &mut Gradients<Cpu>,
        _: impl FnOnce(&mut Gradients<Cpu>) -> DeviceResult<Cpu, Tensor<S, f32, Cpu>>,
        buffer: impl for<'g> FnOnce(&'g mut Gradients<Cpu>) -> DeviceResult<Cpu, &'g mut Buffer<Cpu>>,
    ) -> DeviceResult<Cpu, Self> {
        Ok(std::mem::take(&mut **buffer(gradients)?))
    }
}

/// On any device, takes a copy, because dfdx cannot create a tensor from a buffer.
impl<S: Shape, D: TensorDevice> ResultGradient<S, D> for Tensor<S, f32, D> {
    fn take(
        gradients: &mut Gradients<D>,
        copy: impl FnOnce(&mut Gradients<D>) -> DeviceResult<D, Tensor<S, f32, D>>,
        buffer: impl for<'g> FnOnce(&'g mut Gradients<D>) -> DeviceResult<D, &'g mut Buffer<D>>,
    ) -> DeviceResult<D, Self> {
        let gradient = copy(gradients)?;
        // One value is the smallest buffer that every driver allocates.
        *buffer(gradients)? = Storage::<f32>::try_alloc_len(&D::handle(), 1)?;
        Ok(gradient)
    }
}

/// Takes the gradient with respect to a result, given as its ghost.
macro_rules! take {
    ($gradients:expr, $result:expr) => {
        $crate::tensor::tape::ResultGradient::take(
            $gradients,
            |gradients| {
                gradients.try_alloc_for($result)?;
                Ok(gradients.get($result))
            },
            |gradients| gradients.get_or_alloc_mut($result),
        )
    };
}
pub(super) use take;

/// Records an operation on one tensor.
///
/// `forward` returns the result and the backward pass, which adds to the buffer of the gradient with respect to `x`.
pub(super) fn unary<D, T, S, R, G, B>(
    x: Tensor<S, f32, D, T>,
    forward: impl FnOnce(Tensor<S, f32, D>) -> DeviceResult<D, (Tensor<R, f32, D>, B)>,
) -> DeviceResult<D, Tensor<R, f32, D, T>>
where
    D: TensorDevice,
    T: Tape<f32, D>,
    S: Shape,
    R: Shape,
    G: ResultGradient<R, D>,
    B: FnOnce(G, &mut Buffer<D>) -> DeviceResult<D, ()> + 'static,
{
    let (x, mut tape) = x.split_tape();
    let input = x.ghost();
    let (y, backward) = forward(x)?;
    let result = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dy = take!(gradients, &result)?;
        backward(dy, gradients.get_or_alloc_mut(&input)?)
    });
    Ok(y.put_tape(tape))
}

/// Records an operation on two tensors and merges their tapes.
///
/// `forward` returns the result and the backward passes for `a` and for `b`. The one for `b` runs only if `b` has a tape.
pub(super) fn binary<D, T, U, S, V, R, G, A, B>(
    a: Tensor<S, f32, D, T>,
    b: Tensor<V, f32, D, U>,
    forward: impl FnOnce(Tensor<S, f32, D>, Tensor<V, f32, D>) -> DeviceResult<D, (Tensor<R, f32, D>, A, B)>,
) -> DeviceResult<D, Tensor<R, f32, D, T>>
where
    D: TensorDevice,
    T: Tape<f32, D> + Merge<U>,
    U: Tape<f32, D>,
    S: Shape,
    V: Shape,
    R: Shape,
    G: ResultGradient<R, D>,
    A: FnOnce(&G, &mut Buffer<D>) -> DeviceResult<D, ()> + 'static,
    B: FnOnce(&G, &mut Buffer<D>) -> DeviceResult<D, ()> + 'static,
{
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);
    let inputs = (a.ghost(), b.ghost());
    let (y, backward_a, backward_b) = forward(a, b)?;
    let result = y.ghost();
    tape.add_backward_op(move |gradients| {
        let dy = take!(gradients, &result)?;
        backward_a(&dy, gradients.get_or_alloc_mut(&inputs.0)?)?;
        match U::OWNS_TAPE {
            true => backward_b(&dy, gradients.get_or_alloc_mut(&inputs.1)?),
            false => Ok(()),
        }
    });
    Ok(y.put_tape(tape))
}
