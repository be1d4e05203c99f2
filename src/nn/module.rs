//! The parameters and buffers of networks and layers.

use super::{Buffer, Parameter};
use crate::tensor::Backend;

/// A part of a network. It lists its parameters and buffers in a fixed order.
pub trait Module<B: Backend> {
    /// Calls `visit` with every parameter.
    fn parameters(&self, visit: &mut dyn FnMut(&Parameter<B>));

    /// Calls `visit` with mutable access to every parameter.
    fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut Parameter<B>));

    /// Calls `visit` with every running statistic.
    fn buffers(&self, visit: &mut dyn FnMut(&Buffer<B>));

    /// Calls `visit` with mutable access to every running statistic.
    fn buffers_mut(&mut self, visit: &mut dyn FnMut(&mut Buffer<B>));

    /// Returns the number of trained values.
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.parameters(&mut |parameter| count += parameter.layout.len());
        count
    }
}

/// Implements [`Module`] by visiting the named fields. Fields before `;` are modules, fields after it are iterables of modules.
macro_rules! visit_fields {
    ($type:ident: $($field:ident),* $(; $($many:ident),*)?) => {
        impl<B: $crate::tensor::Backend> $crate::nn::Module<B> for $type<B> {
            fn parameters(&self, visit: &mut dyn FnMut(&$crate::nn::Parameter<B>)) {
                $($crate::nn::Module::<B>::parameters(&self.$field, visit);)*
                $($(for part in &self.$many { $crate::nn::Module::<B>::parameters(part, visit); })*)?
            }
            fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut $crate::nn::Parameter<B>)) {
                $($crate::nn::Module::<B>::parameters_mut(&mut self.$field, visit);)*
                $($(for part in &mut self.$many { $crate::nn::Module::<B>::parameters_mut(part, visit); })*)?
            }
            fn buffers(&self, visit: &mut dyn FnMut(&$crate::nn::Buffer<B>)) {
                $($crate::nn::Module::<B>::buffers(&self.$field, visit);)*
                $($(for part in &self.$many { $crate::nn::Module::<B>::buffers(part, visit); })*)?
            }
            fn buffers_mut(&mut self, visit: &mut dyn FnMut(&mut $crate::nn::Buffer<B>)) {
                $($crate::nn::Module::<B>::buffers_mut(&mut self.$field, visit);)*
                $($(for part in &mut self.$many { $crate::nn::Module::<B>::buffers_mut(part, visit); })*)?
            }
        }
    };
}
pub(crate) use visit_fields;

/// Implements [`Module`] for an enum. The two methods return the variant's module as `&dyn Module` and `&mut dyn Module`.
macro_rules! delegate_module {
    ($type:ident: $module:ident, $module_mut:ident) => {
        impl<B: $crate::tensor::Backend> $crate::nn::Module<B> for $type<B> {
            fn parameters(&self, visit: &mut dyn FnMut(&$crate::nn::Parameter<B>)) {
                self.$module().parameters(visit);
            }
            fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut $crate::nn::Parameter<B>)) {
                self.$module_mut().parameters_mut(visit);
            }
            fn buffers(&self, visit: &mut dyn FnMut(&$crate::nn::Buffer<B>)) {
                self.$module().buffers(visit);
            }
            fn buffers_mut(&mut self, visit: &mut dyn FnMut(&mut $crate::nn::Buffer<B>)) {
                self.$module_mut().buffers_mut(visit);
            }
        }
    };
}
pub(crate) use delegate_module;
