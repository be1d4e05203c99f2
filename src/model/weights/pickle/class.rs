//! Names of functions and classes in a pickle.

/// Meaning of a function or class name for didact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model::weights) enum Meaning {
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
    UnreadableTensor(&'static str),
    /// Anything else.
    Other,
}

/// Returns the meaning of a name. Refuses names that only an attack needs.
pub(super) fn meaning_of(module: &str, name: &str) -> Result<Meaning, String> {
    Ok(match (module, name) {
        ("collections", "OrderedDict" | "defaultdict") | ("builtins" | "__builtin__", "dict") => Meaning::Dict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Meaning::Tensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
        | ("torch.nn.parameter", "Parameter" | "Buffer") => Meaning::Parameter,
        ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => Meaning::FromType,
        ("torch", "Size") => Meaning::Size,
        ("copyreg" | "copy_reg", "_reconstructor") => Meaning::Reconstructor,
        ("torch._utils", "_rebuild_qtensor") => Meaning::UnreadableTensor("is quantised"),
        ("torch._utils", "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor") => {
            Meaning::UnreadableTensor("is sparse")
        }
        ("torch._utils", "_rebuild_nested_tensor") => Meaning::UnreadableTensor("is nested"),
        ("torch._utils", "_rebuild_wrapper_subclass") => {
            Meaning::UnreadableTensor("is an instance of a tensor subclass")
        }
        ("torch._utils", "_rebuild_meta_tensor_no_storage") => {
            Meaning::UnreadableTensor("has no values (it is on the device \"meta\")")
        }
        ("torch._utils", "_rebuild_tensor_v3") => {
            Meaning::UnreadableTensor("has another type than 16, 32 or 64-bit floats")
        }
        ("torch._utils", rebuild) if rebuild.starts_with("_rebuild_") => {
            Meaning::UnreadableTensor("is stored in a form that didact does not read")
        }
        _ if runs_commands(module, name) => {
            return Err(format!(
                "its pickle calls `{module}.{name}`, which no weight file needs: do not load this file in Python"
            ));
        }
        _ => Meaning::Other,
    })
}

/// Returns whether pickles use this name to run commands. didact never runs anything, but the user should know.
fn runs_commands(module: &str, name: &str) -> bool {
    match module.split('.').next().unwrap_or_default() {
        "os" | "posix" | "nt" | "subprocess" | "sys" | "shutil" | "socket" | "runpy" | "pty" | "commands"
        | "webbrowser" | "asyncio" | "importlib" | "ctypes" | "pip" => true,
        "builtins" | "__builtin__" => {
            matches!(name, "eval" | "exec" | "execfile" | "compile" | "__import__" | "open" | "breakpoint" | "input")
        }
        _ => false,
    }
}
