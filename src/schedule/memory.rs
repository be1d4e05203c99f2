//! A worker's memory: what there is for it, a ceiling of its own, its peak, and being the one whom the kernel kills.

/// Peak resident memory of this process, bytes.
pub fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Starts counting the peak anew, so that each stage has its own: what the last one freed goes back to the system first.
pub(super) fn reset_peak_rss() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a call without pointers; it touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
    // Refused on some systems: the peak is then that of the whole worker.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Has freed memory kept for what is allocated next: a training step frees and takes the same large blocks again and again,
/// and pages that came back from the system anew would cost more than the work on them. It goes back between stages.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: calls without pointers, which set thresholds of the allocator.
    unsafe {
        // No block of its own, however large, and one heap for all threads: what one frees another can take.
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// What a child's environment must say so that its heap lies in large pages where the system has them: kernels walk through many
/// places of large buffers at once, more than the processor remembers small pages. None where it says so already.
pub fn large_pages() -> Option<(&'static str, String)> {
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

/// Lets this process have so many bytes of its own and no more: an allocation beyond that aborts it, and it alone. Files that
/// are mapped for reading do not count.
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
        Err(std::io::Error::other("memory ceilings need Unix"))
    }
}

/// If the machine runs out of memory, the kernel should take a worker: it costs one attempt.
pub fn offer_to_the_kernel() {
    // Refused in some sandboxes: the kernel then chooses by size, which is a worker anyway.
    let _ = std::fs::write("/proc/self/oom_score_adj", "600");
}

/// How many processes the kernel has killed for want of memory since the boot; none where it does not tell.
pub(super) fn kernel_kills() -> Option<u64> {
    let counters = std::fs::read_to_string("/proc/vmstat").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

/// Bytes that processes may still take: of the machine, and of the group that this process is confined to; none where it is not told.
pub(super) fn available_memory() -> Option<u64> {
    let table = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = table.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let of_machine = line.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let group = |name| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    let of_group = group("memory.max").zip(group("memory.current")).map(|(most, taken)| most.saturating_sub(taken));
    Some(of_machine.min(of_group.unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machine_has_memory() {
        assert!(available_memory().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn this_process_has_a_peak() {
        assert!(peak_rss().is_some_and(|bytes| bytes > 1 << 20));
    }
}
