#!/bin/busybox sh
# The machine's first process: mounts what tests need, runs them, the doctor and a daemon, says how they ended, and switches off.
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

# A daemon that starts only where programs for the security modules fire, and an agent that tries what they alone refuse: a
# packet socket and one of vsock. Both must fail, and stand in the ledger.
daemon() {
	grep -q bpf /sys/kernel/security/lsm || return 0
	mkdir -p /tmp/d/policies /sys/fs/cgroup/agent
	cat >/tmp/d/policies/none.yaml <<-END
	version: 1
	name: none
	rules: []
	END
	cat >/tmp/d/enforcer.yaml <<-END
	state_dir: /tmp/d/state
	runtime_dir: /tmp/d/run
	policies: /tmp/d/policies
	lsm: require
	log: {level: error}
	END
	/enforcer daemon --config /tmp/d/enforcer.yaml 2>&1 &
	tries=0
	until /enforcer label --config /tmp/d/enforcer.yaml /sys/fs/cgroup/agent; do
		tries=$((tries + 1))
		[ "$tries" -lt 60 ] || return 1
		sleep 1
	done
	refused=$(printf 'socket 17 3 0\nsocket 40 1 0\nsocket 2 1 6\n' | sh -c '
		echo $$ >/sys/fs/cgroup/agent/cgroup.procs
		ENFORCER_TEST_AGENT=1 exec /hooks --exact agent::agent_process --nocapture' | grep -c 'agent> error 1$')
	echo "sockets that were refused: $refused of 2"
	[ "$refused" = 2 ] || return 1
	for protocol in packet vsock; do
		tries=0
		until grep '"event":"kernel_refused"' /tmp/d/state/audit.jsonl | grep '"hook":"lsm_socket"' |
			grep "\"protocol\":\"$protocol\""; do
			tries=$((tries + 1))
			[ "$tries" -lt 20 ] || return 1
			sleep 1
		done
	done
	/enforcer status --config /tmp/d/enforcer.yaml
}
daemon
echo "machine: daemon ended with $?"
poweroff -f
