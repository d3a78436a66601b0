#!/recorder/busybox sh
# start.sh: records this guest. Writes a line once the recorder is running. At the end of its input it
# stops the recorder and sends the recording out through the second port.
#
# If /package has Node and the program, the recorder is `vfio-ledger record` and the recording is a
# log. Otherwise the recorder is ftrace.sh by itself and the recording is a trace.
/recorder/busybox --install -s /bin
export PATH=/bin TMPDIR=/tmp
mount -t tracefs tracefs /sys/kernel/tracing

if [ -d /package ]; then
  out=/tmp/host.ledger
  node /package/bin/vfio-ledger.js record --with ftrace --log $out >/dev/console 2>&1 &
  recorder=$!
  # The host has been read: what is traced from then on is recorded.
  until grep -q snapshot.taken $out* 2>/dev/null; do
    kill -0 $recorder || exit
    sleep 0.1
  done
else
  out=/tmp/trace
  sh /recorder/ftrace.sh >$out 2>/dev/console &
  recorder=$!
  # Events come only when all probes are there.
  until grep -q /dev/vfio/.at-work $out; do
    kill -0 $recorder || exit
    cat /dev/vfio/.at-work 2>/dev/null
    sleep 0.1
  done
fi
echo 'at work'
cat >/dev/null
kill -TERM $recorder
wait $recorder
cat $out >/dev/vport0p2
