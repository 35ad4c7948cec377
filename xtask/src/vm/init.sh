#!/bin/busybox sh
# The machine's first process: mounts what tests need, runs them and the doctor, says how they ended, and switches off.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
for place in /run /tmp /var; do mount -t tmpfs tmpfs "$place"; done
ip link set lo up
for module in /modules/*; do insmod "$module" 2>/dev/null; done
mkdir /sys/fs/cgroup/init
echo $$ >/sys/fs/cgroup/init/cgroup.procs
echo "machine: Linux $(uname -r), security modules $(cat /sys/kernel/security/lsm)"
/tests 2>&1
echo "machine: tests ended with $?"
echo "log: {level: error}" >/tmp/enforcer.yaml
/enforcer doctor --config /tmp/enforcer.yaml 2>&1
echo "machine: doctor ended with $?"
poweroff -f
