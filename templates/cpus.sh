cpus() {
    cgroup=/sys/fs/cgroup
    # One line of cgroup v2, or two of v1: the quota, and the period it is a part of.
    # shellcheck disable=SC2046 # words, on purpose
    set -- $(cat $cgroup/cpu.max $cgroup/cpu/cpu.cfs_quota_us $cgroup/cpu/cpu.cfs_period_us 2>/dev/null)
    if [ "${1:-max}" -gt 0 ] 2>/dev/null; then echo $((($1 + $2 - 1) / $2)); else nproc; fi
}
