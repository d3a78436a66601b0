#!/bin/sh
# Records which process opens, binds, passes and closes VFIO descriptors. It needs only tracefs,
# neither BTF nor BPF, and runs in any sh, also in busybox's.
#
#   ftrace.sh [TRACEFS] >trace.txt
#
# Writes events to standard output until SIGINT or SIGTERM, and then removes every probe that it has
# set. If the kernel supports trace instances, it records into its own and disturbs no other tracing.
# A line that begins with '# no probe:' names an event or function that this kernel cannot trace.
set -u

die() { echo "ftrace.sh: $*" >&2; exit 1; }

T=${1:-/sys/kernel/tracing}
[ $# -gt 0 ] || [ -e "$T/trace_pipe" ] || T=/sys/kernel/debug/tracing
[ -e "$T/kprobe_events" ] || die "$T: no tracefs there, or not allowed to look, or no kprobes"
GROUP=vfio_ledger
I=$T/instances/vfio-ledger
events='' reader=''

put() { printf '%s\n' "$1" 2>/dev/null >"$2"; } 2>/dev/null

# Removes all probes of the group, also those of an earlier run that was killed.
unprobe() {
  sed -n "s|^[pr][0-9]*:\($GROUP/[^ ]*\) .*|\1|p" "$T/kprobe_events" | while read -r probe; do
    printf '%s\n' "-:$probe" >>"$T/kprobe_events"
  done
}

finish() {
  trap '' INT TERM HUP PIPE
  for event in $events; do put 0 "$I/events/$event/enable"; done
  if [ "$I" != "$T" ]; then
    put 0 "$I/tracing_on"
    # The reader ends by itself once it has read everything.
    sleep 1
  fi
  if [ -n "$reader" ]; then
    kill "$reader" 2>/dev/null
    wait "$reader" 2>/dev/null
  fi
  [ "$I" = "$T" ] || rmdir "$I"
  unprobe
}

# event GROUP/NAME [FILTER]
event() {
  if [ -n "${2-}" ] && ! put "$2" "$I/events/$1/filter"; then
    echo "# no probe: $1 ($2)"
    return 1
  fi
  if ! put 1 "$I/events/$1/enable"; then
    echo "# no probe: $1"
    return 1
  fi
  events="$events $1"
}

# probe p|r NAME FUNCTION[@MODULE]... [FIELDS [FILTER]]
# Probes the first of the functions that exists. A function of a module that is not loaded yet is
# probed once the module is loaded; such a probe takes its arguments from registers.
probe() {
  for function in $3; do
    module=
    case $function in *@*) module=${function#*@}: function=${function%@*} ;; esac
    if define "$1:$GROUP/$2 $function ${4-}" || {
      [ -n "$module" ] && define "$1:$GROUP/$2 $module$function $(registers "${4-}")"
    }; then
      event "$GROUP/$2" "${5-}"
      return 0
    fi
  done
  echo "# no probe: $2 ($3)"
}

define() { printf '%s\n' "$1" 2>/dev/null >>"$T/kprobe_events"; } 2>/dev/null

registers() {
  case $(uname -m) in
    x86_64) printf '%s' "$1" | sed 's/$arg1/%di/g; s/$arg2/%si/g; s/$arg3/%dx/g' ;;
    aarch64) printf '%s' "$1" | sed 's/$arg1/%x0/g; s/$arg2/%x1/g; s/$arg3/%x2/g' ;;
    *) printf '%s' "$1" ;;
  esac
}

if [ -d "$I" ]; then
  rmdir "$I" 2>/dev/null || die "$I: another recorder is at work"
fi
unprobe
if mkdir "$I" 2>/dev/null; then
  put boot "$I/trace_clock" || put mono "$I/trace_clock"
  put 1 "$I/options/record-tgid"
  put 2048 "$I/buffer_size_kb"
else
  I=$T
fi
trap finish EXIT
# A closed standard output ends this script, here or in cat.
trap 'exit 0' INT TERM HUP PIPE
echo "# vfio-ledger: $(uname -sr)"

# Opens: only those of VFIO's nodes and of the sysfs files that unbind a driver. Two probes read the
# path, because the caller's memory may not be mapped in yet at the first. Only the first has flags.
paths='path ~ "/dev/vfio/*" || path ~ "/dev/iommu*" || path ~ "/proc/*/fd/*" || path ~ "/sys/*/unbind" || path ~ "/sys/*/remove"'
probe p open_path do_sys_openat2 'flags=+0($arg3):x64 path=+u0($arg2):ustring' "$paths"
probe p open_name 'do_filp_open do_file_open' 'path=+0(+0($arg2)):string' "$paths"
probe r open_ret do_sys_openat2 'ret=$retval:s32' 'ret < 0'
for open in cdev_open:vfio_device_fops_cdev_open@vfio group_open:vfio_group_fops_open@vfio \
  container_open:vfio_fops_open@vfio iommufd_open:iommufd_fops_open@iommufd; do
  probe p "${open%%:*}" "${open#*:}" 'file=$arg2:x64'
  probe r "${open%%:*}_ret" "${open#*:}" 'ret=$retval:s32'
done

# Every new descriptor: of an open, a dup, VFIO_GROUP_GET_DEVICE_FD, SCM_RIGHTS, pidfd_getfd.
probe p fd_install fd_install 'fd=$arg1:u32 file=$arg2:x64'
event syscalls/sys_enter_close
event syscalls/sys_exit_close
for call in close_range dup dup2 dup3; do
  event syscalls/sys_enter_$call && event syscalls/sys_exit_$call
done
event syscalls/sys_enter_fcntl 'cmd == 0 || cmd == 1030'
probe r dupfd_ret f_dupfd 'ret=$retval:s32'
probe p close_on_exec set_close_on_exec 'fd=$arg1:u32 flag=$arg2:s32'

# Requests of VFIO and iommufd. The results come from the drivers: sys_exit_ioctl would report every
# ioctl, and a VM makes them all the time.
event syscalls/sys_enter_ioctl 'cmd >= 0x3b00 && cmd <= 0x3bff'
event syscalls/sys_exit_ioctl 'ret == -9'
probe p group_ioctl vfio_group_fops_unl_ioctl@vfio \
  'file=$arg1:x64 cmd=$arg2:x32 word=+u0($arg3):s32 name=+u0($arg3):ustring'
probe p bind vfio_df_ioctl_bind_iommufd@vfio \
  'argsz=+u0($arg2):u32 flags=+u4($arg2):x32 iommufd=+u8($arg2):s32'
probe p attach vfio_df_ioctl_attach_pt@vfio \
  'argsz=+u0($arg2):u32 flags=+u4($arg2):x32 pt_id=+u8($arg2):u32 pasid=+u12($arg2):u32'
probe p detach vfio_df_ioctl_detach_pt@vfio \
  'argsz=+u0($arg2):u32 flags=+u4($arg2):x32 pasid=+u8($arg2):u32'
probe p iommufd_destroy iommufd_destroy@iommufd 'id=+4(+24($arg1)):u32'
probe p hwpt_alloc iommufd_hwpt_alloc@iommufd 'flags=+4(+24($arg1)):x32 pt_id=+12(+24($arg1)):u32'
probe p ioas_map iommufd_ioas_map@iommufd 'ioas_id=+8(+24($arg1)):u32'
probe p compat_ioas iommufd_vfio_ioas@iommufd 'ioas_id=+4(+24($arg1)):u32 op=+8(+24($arg1)):u16'
for driver in cdev:vfio_device_fops_unl_ioctl@vfio group:vfio_group_fops_unl_ioctl@vfio \
  container:vfio_fops_unl_ioctl@vfio iommufd:iommufd_fops_ioctl@iommufd; do
  probe r "${driver%%:*}_ioctl_ret" "${driver#*:}" 'ret=$retval:s64'
done

# A mapping of a device is shared and has a descriptor.
event syscalls/sys_enter_mmap 'flags & 1 && fd <= 0x7fffffff'
probe p device_mmap vfio_device_fops_mmap@vfio 'start=+0($arg2):x64 end=+8($arg2):x64'
probe r device_mmap_ret vfio_device_fops_mmap@vfio 'ret=$retval:s32'

# The last reference of a file is dropped: here the kernel ends ownership.
probe p device_release vfio_device_fops_release@vfio 'file=$arg2:x64'
probe p group_release vfio_group_fops_release@vfio 'file=$arg2:x64'
probe p container_release vfio_fops_release@vfio 'file=$arg2:x64'
probe p iommufd_release iommufd_fops_release@iommufd 'file=$arg2:x64'

# Drivers. An unbind waits inside unbind_store until the last file of the device is released.
for verb in unbind bind; do
  probe p ${verb}_store ${verb}_store 'driver=+0(+0($arg1)):string device=+0($arg2):string'
  probe r ${verb}_store_ret ${verb}_store 'ret=$retval:s64'
done
probe p unregister vfio_unregister_group_dev@vfio 'device=$arg1:x64'
probe r unregister_ret vfio_unregister_group_dev@vfio

# Every driver bind gives the node a new number. A struct device begins with its name; its parent is
# at 64.
probe p cdev_add cdev_device_add \
  'node=+0(+0($arg2)):string device=+0(+0(+64($arg2))):string' 'node ~ "vfio*"'

event task/task_newtask || event sched/sched_process_fork
event task/task_rename
event sched/sched_process_exec
event sched/sched_process_exit

cat "$I/trace_pipe" &
reader=$!
wait "$reader"
