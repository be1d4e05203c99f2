//! 3×3 maximum, stride 2, padding 1: the taps are compared one after the other. The first of equal maxima gets the gradient,
//! as in PyTorch.

use dfdx::shapes::{Axes2, Axes3, Axes4, Axis, HasShape};
use dfdx::tensor::{PutTape, SplitTape, Tape, Tensor};
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, ReshapeTo, SelectTo, TryAdd, TryEq, TryGt, TryMul};

use super::Taped;
use super::border::{add, take};
use super::conv2d::row2im;
use super::pattern::{Pattern, Window};
use super::place::{Outcome, Place};
use super::rows::{Images, gather, images, pixels, scalar, total};

/// See [`crate::tensor::Backend::max_pool`].
pub(super) fn max_pool<D: Place, T: Tape<f32, D>>(x: Taped<D, T>) -> Outcome<D, Taped<D, T>> {
    let (count, height, width, channels) = *x.shape();
    let window = Window { height, width, kernel: 3, stride: 2, padding: 1 };
    let (places, taps) = (window.places(), window.taps());
    let shape = (count, places, channels);
    let (x, mut tape) = x.split_tape();
    let bordered = gather(images(&x)?, Pattern::Padded(window), f32::NEG_INFINITY)?;
    let windows = gather(bordered, Pattern::Windows(window), 0.0)?;
    let windows = windows.try_reshape_like(&(count, places, taps, channels))?;
    let everywhere = |value: f32| scalar::<D>(value)?.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape);
    // The first tap that is inside of every window is the middle one, but comparing starts with the first.
    let mut best: Images<D> = tap(&windows, 0)?;
    let mut winner: Images<D> = everywhere(0.0)?;
    for number in 1..taps {
        let next = tap(&windows, number)?;
        let better = next.try_gt(&best)?;
        best = better.clone().try_choose(next, best)?;
        winner = better.try_choose(everywhere(number as f32)?, winner)?;
    }
    // A comparison passes over what is no number: it must not be hidden, so 0 · x is added, summed over all.
    let flaw = total(pixels(x.clone())?.try_mul(0.0)?)?;
    let y = best.try_add(flaw.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape)?)?;
    let y = y.try_reshape_like(&(count, window.out_height(), window.out_width(), channels))?;

    let (x, out) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy: Images<D> = take!(gradients, &out).try_reshape_like(&shape)?;
        // A window of zeros more, for pixels under fewer windows than others.
        let dy = gather(dy, Pattern::OneMore(places), 0.0)?;
        let winner = gather(winner, Pattern::OneMore(places), 0.0)?;
        let each = (count, places + 1, taps, channels);
        let numbers = (0..taps).map(|number| number as f32).collect();
        let numbers: Tensor<(usize,), f32, D> = D::kept().device().try_tensor_from_vec(numbers, (taps,))?;
        let numbers = numbers.try_broadcast_like::<_, Axes3<0, 1, 3>>(&each)?;
        let won = numbers.try_eq(&winner.try_broadcast_like::<_, Axis<2>>(&each)?)?;
        let nothing = scalar::<D>(0.0)?.try_broadcast_like::<_, Axes4<0, 1, 2, 3>>(&each)?;
        let rows = won.try_choose(dy.try_broadcast_like::<_, Axis<2>>(&each)?, nothing)?;
        let rows = rows.try_reshape_like(&(count, (places + 1) * taps, channels))?;
        add(gradients.get_or_alloc_mut(&x)?, row2im(&rows, window)?)
    });
    Ok(y.put_tape(tape))
}

/// One tap of every window.
fn tap<D: Place>(windows: &Tensor<(usize, usize, usize, usize), f32, D>, number: usize) -> Outcome<D, Images<D>> {
    let (count, places, ..) = *windows.shape();
    let index: Tensor<(), usize, D> = D::kept().device().try_tensor_from_vec(vec![number], ())?;
    windows.clone().try_select(index.try_broadcast_like::<_, Axes2<0, 1>>(&(count, places))?)
}
