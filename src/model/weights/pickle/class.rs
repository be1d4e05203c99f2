//! Names of functions and classes in a pickle.

/// Meaning of a name for didact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model::weights) enum Known {
    /// A dictionary.
    Dict,
    /// A tensor, given by storage, offset, shape and strides.
    Tensor,
    /// A tensor around its first argument.
    Parameter,
    /// A tensor with attributes, given by a function and its arguments.
    FromType,
    /// A tuple of sizes.
    Size,
    /// An object whose class is the first argument.
    Reconstructor,
    /// A tensor that cannot be read, with the reason.
    Odd(&'static str),
    /// Anything else.
    Other,
}

/// Returns the meaning of a name. Refuses names that only an attack needs.
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

/// Returns whether pickles use this name to run commands. didact never runs anything, but the user should know.
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
