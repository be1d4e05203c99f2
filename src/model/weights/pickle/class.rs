//! The names of functions and classes in a pickle.

/// What a name means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model::weights) enum Known {
    /// A dictionary.
    Dict,
    /// A tensor of a storage, an offset, sides and strides.
    Tensor,
    /// A tensor around its first argument.
    Parameter,
    /// A tensor with attributes: a function and its arguments.
    FromType,
    /// A tuple of sides.
    Size,
    /// An object of a class that the first argument names.
    Reconstructor,
    /// A tensor that is not read; why.
    Odd(&'static str),
    /// Anything else.
    Other,
}

/// What a name means; an error if it is one that only an attack needs.
pub(super) fn known(module: &str, name: &str) -> Result<Known, String> {
    Ok(match (module, name) {
        ("collections", "OrderedDict" | "defaultdict") | ("builtins" | "__builtin__", "dict") => Known::Dict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Known::Tensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
        | ("torch.nn.parameter", "Parameter" | "Buffer") => Known::Parameter,
        ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => Known::FromType,
        ("torch", "Size") => Known::Size,
        ("copyreg" | "copy_reg", "_reconstructor") => Known::Reconstructor,
        ("torch._utils", "_rebuild_qtensor") => Known::Odd("is quantised"),
        ("torch._utils", "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor") => Known::Odd("is sparse"),
        ("torch._utils", "_rebuild_nested_tensor") => Known::Odd("is nested"),
        ("torch._utils", "_rebuild_wrapper_subclass") => Known::Odd("is of a tensor class of its own"),
        ("torch._utils", "_rebuild_meta_tensor_no_storage") => {
            Known::Odd("has no values (it is on the device \"meta\")")
        }
        ("torch._utils", "_rebuild_tensor_v3") => Known::Odd("is of no floating-point kind of 16, 32 or 64 bits"),
        ("torch._utils", rebuild) if rebuild.starts_with("_rebuild_") => Known::Odd("is of an unusual kind"),
        _ if attacks(module, name) => {
            return Err(format!(
                "its pickle calls `{module}.{name}`, which no weights need: do not load this file in Python"
            ));
        }
        _ => Known::Other,
    })
}

/// Whether a name is of those that pickles run commands with. Nothing is run here in any case; the person should know.
fn attacks(module: &str, name: &str) -> bool {
    match module.split('.').next().unwrap_or_default() {
        "os" | "posix" | "nt" | "subprocess" | "sys" | "shutil" | "socket" | "runpy" | "pty" | "commands"
        | "webbrowser" | "asyncio" | "importlib" | "ctypes" | "pip" => true,
        "builtins" | "__builtin__" => {
            matches!(name, "eval" | "exec" | "execfile" | "compile" | "__import__" | "open" | "breakpoint" | "input")
        }
        _ => false,
    }
}
