#!/bin/sh
# Makes a folder that looks like /dev, /proc and /sys of a host, for --root FOLDER: QEMU has group 26,
# a GPU and its audio function, through a container; the NVMe drive in group 41 is free.
#
# Usage: sh host.sh FOLDER
set -eu
mkdir -p "$1"
cd "$1"

# PATH [LINE]...
file() {
  path=$1
  shift
  mkdir -p "$(dirname "$path")"
  : > "$path"
  for line; do printf '%s\n' "$line" >> "$path"; done
}

# PATH TARGET
link() {
  mkdir -p "$(dirname "$1")"
  ln -sfn "$2" "$1"
}

# ADDRESS GROUP DRIVER
device() {
  pci=devices/pci0000:00/$1
  link "sys/bus/pci/devices/$1" "../../../$pci"
  link "sys/$pci/driver" "../../../bus/pci/drivers/$3"
  link "sys/$pci/iommu_group" "../../../kernel/iommu_groups/$2"
  link "sys/kernel/iommu_groups/$2/devices/$1" "../../../../$pci"
}

# NAME NUMBER ADDRESS
cdev() {
  pci=devices/pci0000:00/$3
  file "dev/vfio/devices/$1"
  file "sys/$pci/vfio-dev/$1/dev" "$2"
  link "sys/$pci/vfio-dev/$1/device" ../..
  link "sys/class/vfio-dev/$1" "../../$pci/vfio-dev/$1"
}

# PATH NUMBER KIND
node() {
  file "dev/$1"
  file "sys/devices/virtual/$3/dev" "$2"
}

# PID COMM STARTED CGROUP
process() {
  file "proc/$1/comm" "$2"
  file "proc/$1/stat" "$1 ($2) S 1 $1 $1 0 -1 4194560 0 0 0 0 0 0 0 0 0 0 0 0 $3 0 0"
  file "proc/$1/cgroup" "0::$4"
  file "proc/$1/maps"
}

# PID FD TARGET FLAGS [LINE]...
descriptor() {
  link "proc/$1/fd/$2" "$3"
  info=proc/$1/fdinfo/$2
  flags=$4
  shift 4
  file "$info" "pos:	0" "flags:	$flags" "mnt_id:	26" "ino:	1057" "$@"
}

file proc/sys/kernel/osrelease 6.18.2-amd64
file proc/sys/kernel/random/boot_id 6c1c3a0e-7d0c-4a0c-9a55-3c1b6f0e1d2a
file proc/stat 'cpu 1 2 3' 'btime 1780000000' 'processes 9'

device 0000:00:1f.6 9 e1000e
device 0000:3b:00.0 26 vfio-pci
device 0000:3b:00.1 26 vfio-pci
device 0000:5e:00.0 41 vfio-pci
cdev vfio0 243:0 0000:3b:00.0
cdev vfio1 243:1 0000:3b:00.1
cdev vfio2 243:2 0000:5e:00.0
node iommu 10:124 misc/iommu
node vfio/vfio 10:196 misc/vfio
node vfio/26 244:26 vfio/26
node vfio/41 244:41 vfio/41
link sys/class/misc/iommu ../../devices/virtual/misc/iommu
link sys/class/misc/vfio ../../devices/virtual/misc/vfio

process 1 init 100 /
link proc/1/fd/0 /dev/null

process 4711 qemu-system-x86 81234 '/machine.slice/machine-qemu\x2d1\x2dguest.scope/libvirt/emulator'
descriptor 4711 31 /dev/vfio/vfio 00100002
descriptor 4711 32 /dev/vfio/26 00100002
descriptor 4711 33 'anon_inode:[vfio-device]' 02100002 \
  'vfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0//sys/devices/pci0000:3a/0000:3b:00.0'
