#!/bin/busybox sh
# Init of the living guest (living_guest.py): loads drivers, makes and mounts file systems, starts the guest agent, and
# then runs each line that comes in on the second serial port, answering with what it printed and "=EXIT STATUS=".
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /tmp /run "/mnt/two words"

while read -r module; do
    insmod "/modules/$module.ko"
done </modules/order

mke2fs -q /dev/vda
mkdosfs /dev/vdb
mkdir -p /data
mount -t ext2 /dev/vda /data
mount -t vfat /dev/vdb "/mnt/two words"
ip link set lo up

# The port's device node bears a number; its name is in sysfs.
agent_port() {
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name")" = org.qemu.guest_agent.0 ] && echo "/dev/${port##*/}"
    done
}

cat >/bin/agent <<END
#!/bin/sh
exec setsid qemu-ga --method virtio-serial --path $(agent_port) --statedir /run --logfile /run/agent.log
END
chmod +x /bin/agent

listen() {
    exec 3<>/dev/ttyS1
    echo "the living guest listens" >/dev/ttyS0
    while read -r line <&3; do
        sh -c "$line" </dev/null >/tmp/printed 2>&1
        status=$?
        { cat /tmp/printed; echo "=$status="; } >&3
    done
}

stty -F /dev/ttyS1 raw -echo
# Not as process 1, which is told of the end of every orphan: a signal lets read forget what it has read of a line.
listen &
wait
