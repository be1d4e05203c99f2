//! The priority of this process among others.

/// Makes this thread, and all threads that it starts later, use only cores that nobody else needs. Where the system refuses, they compete as
/// usual.
pub fn yield_to_others() {
    #[cfg(target_os = "linux")]
    // SAFETY: the struct lives for the call, and 0 means this thread.
    unsafe {
        let parameters = libc::sched_param { sched_priority: 0 };
        libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters);
    }
    #[cfg(unix)]
    // SAFETY: a call without pointers; 0 means this process.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 19);
    }
}
