//! Memory of a worker process: free memory, peak use, its limit, and its priority for the kernel's out-of-memory killer.

/// Returns the peak resident memory of this process, bytes.
pub fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Resets the peak, so that each stage has its own. First returns the previous stage's freed memory to the system.
pub(super) fn reset_peak_rss() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a call without pointers; it touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
    // Some systems refuse this. The peak then covers all stages of the worker.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Makes the allocator keep freed memory until the end of the stage. Scratch memory, batches and maps are allocated and
/// freed again and again. Fresh pages from the system would take more time than the computation in them.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: calls without pointers, which set thresholds of the allocator.
    unsafe {
        // Serve large blocks from the heap, and share one heap, so that a thread can reuse what another has freed.
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Returns the environment variable that puts a child's heap in large pages, if the system has them. Returns `None` if it is set already.
///
/// Kernels read large buffers at many distant addresses at once. These addresses are on more small pages than the processor's TLB holds.
pub fn huge_pages_variable() -> Option<(&'static str, String)> {
    const NAME: &str = "GLIBC_TUNABLES";
    const SETTING: &str = "glibc.malloc.hugetlb";
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return None;
    }
    let given = std::env::var(NAME).unwrap_or_default();
    let wanted = format!("{SETTING}=1");
    match (given.contains(SETTING), given.is_empty()) {
        (true, _) => None,
        (false, true) => Some((NAME, wanted)),
        (false, false) => Some((NAME, format!("{given}:{wanted}"))),
    }
}

/// Limits the private memory of this process. An allocation beyond the limit aborts this process alone.
/// Files that are mapped for reading do not count.
pub fn limit_memory(bytes: u64) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let limit = libc::rlimit { rlim_cur: bytes as libc::rlim_t, rlim_max: bytes as libc::rlim_t };
        // SAFETY: the struct lives for the call.
        if unsafe { libc::setrlimit(libc::RLIMIT_DATA, &limit) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    }
    #[cfg(not(unix))]
    {
        let _ = bytes;
        Err(std::io::Error::other("memory limits require Unix"))
    }
}

/// Makes this process the kernel's first choice when the machine runs out of memory: losing a worker costs only one attempt.
pub fn prefer_as_oom_victim() {
    // Some sandboxes refuse this. The kernel then chooses the largest process, which is also a worker.
    let _ = std::fs::write("/proc/self/oom_score_adj", "600");
}

/// Returns how many processes the kernel has killed since the boot because memory ran out; `None` if it does not report this.
pub(super) fn oom_kills() -> Option<u64> {
    let counters = std::fs::read_to_string("/proc/vmstat").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

/// Returns how many bytes processes may still allocate on this machine and in this control group; `None` if unknown.
pub(super) fn available_memory() -> Option<u64> {
    let table = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = table.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let of_machine = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let group = |name| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    let of_group = group("memory.max").zip(group("memory.current")).map(|(limit, used)| limit.saturating_sub(used));
    Some(of_machine.min(of_group.unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn available_memory_is_known() {
        assert!(available_memory().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn peak_memory_is_known() {
        assert!(peak_rss().is_some_and(|bytes| bytes > 1 << 20));
    }
}
