# rebuild.sh: builds VFIO's modules and iommufd's for an image of Debian's. Sourced by prepare.sh.

# Other drivers on top of VFIO than vfio-pci stay out; debug information as well.
make_settings=(CONFIG_IOMMUFD=m CONFIG_VFIO_DEVICE_CDEV=y CONFIG_VFIO_MDEV=
  CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES=
  # What a gcc other than Debian's may lack.
  CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=)
# The headers' configuration says no to these; the code reads them as macros.
make_macros='-g0 -DCONFIG_IOMMUFD_MODULE=1 -DCONFIG_IOMMUFD_DRIVER=1 -DCONFIG_IOMMUFD_DRIVER_CORE=1
  -DCONFIG_VFIO_DEVICE_CDEV=1 -DCONFIG_INTERVAL_TREE_SPAN_ITER=1'

# rebuild SERIES VERSION ABI: into $work/rebuilt.
rebuild() {
  local series=$1 version=$2 abi=$3 source=$work/source log=$cache/build/$profile.log
  local headers=$work/headers/usr/src/linux-headers-$abi
  say "unpacks its source"
  unpack_headers "$version" "$abi" "$headers"
  unpack_source "$series" "$version" "$source"
  say "builds vfio and iommufd"
  make -C "$headers" M="$source" -j"$(nproc)" "${make_settings[@]}" \
    KCFLAGS="${make_macros//$'\n'/}" modules >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; fail "the build failed; all of it is in $log"; }
  find "$source" -name '*.ko' -exec cp {} "$work/rebuilt/" \;
  rm "$log"
}

# unpack_headers VERSION ABI HEADERS: headers and build tools, made to find each other there.
unpack_headers() {
  local version=$1 base=${2%-amd64} headers=$3 root=$work/headers package tool
  for package in "linux-headers-$2" "linux-headers-$base-common" "linux-kbuild-$base"; do
    unpack "$package=$version" "$root"
  done
  sed -i "s#/usr/src/#$root/usr/src/#" "$headers/Makefile"
  sed -i -E 's/gcc-[0-9]+/gcc/' "$headers/.kernelvariables"
  for tool in scripts/mod/modpost.real-lsb-64 tools/objtool/objtool.real-x86; do
    tool=$root/usr/lib/linux-kbuild-$base/$tool
    if [[ $(ldd "$tool" 2>&1) == *'not found'* ]]; then
      run_with_own_libraries "$tool" "$(suite_of "linux-kbuild-$base" "$version")"
    fi
  done
}

# run_with_own_libraries TOOL SUITE: a build tool that was linked against a later C library than
# this machine's is started by the loader, and with the libraries, of the release it comes from.
run_with_own_libraries() {
  local tool=$1 suite=$2 libraries=$work/libraries package
  if [ ! -d "$libraries" ]; then
    for package in libc6 libelf1t64 zlib1g libzstd1; do unpack "$package/$suite" "$libraries"; done
  fi
  libraries=$libraries/usr/lib/x86_64-linux-gnu
  mv "$tool" "$tool.bin"
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
    "$libraries/ld-linux-x86-64.so.2" "$libraries" "$tool.bin" >"$tool"
  chmod +x "$tool"
}

# unpack_source SERIES VERSION FOLDER: the folders of the two, and what CONFIG_IOMMUFD would have
# put into the kernel itself, which becomes part of iommufd.ko: the iterator over the gaps of an
# interval tree, the bitmaps of dirty pages, and what IOMMU drivers call.
unpack_source() {
  local series=$1 version=$2 folder=$3 archive iommufd=$3/drivers/iommu/iommufd
  mkdir -p "$folder"
  archive=$(deb "linux-source-$series=$version") || exit 1
  dpkg-deb --fsys-tarfile "$archive" | tar -xO "./usr/src/linux-source-$series.tar.xz" |
    xz -dc -T0 | tar -x -C "$folder" --strip-components=1 --wildcards \
    "linux-source-$series/drivers/vfio" "linux-source-$series/drivers/iommu/iommufd" \
    "linux-source-$series/drivers/iommu/*.h" "linux-source-$series/lib/interval_tree.c"
  {
    printf '#include <linux/%s.h>\n' interval_tree interval_tree_generic compiler export
    sed -n '/^#ifdef CONFIG_INTERVAL_TREE_SPAN_ITER/,/^#endif/p' "$folder/lib/interval_tree.c"
  } >"$iommufd/span_iter.c"
  local file
  for file in span_iter iova_bitmap driver; do
    if [ -e "$iommufd/$file.c" ]; then echo "iommufd-y += $file.o"; fi
  done >>"$iommufd/Makefile"
  # The folders below are drivers of single vendors.
  sed -i '\#/$#d' "$folder/drivers/vfio/pci/Makefile"
  echo 'obj-m += drivers/iommu/iommufd/ drivers/vfio/' >"$folder/Kbuild"
}
