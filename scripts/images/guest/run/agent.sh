#!/bin/sh
# Answers events for ever: one line from the virtio port "events" is one event, one line written back is its result.
# A distribution's udev would make /dev/virtio-ports/events; here the port is found as udev finds it.
find_port() {
  for directory in /sys/class/virtio-ports/*; do
    [ -r "$directory/name" ] && [ "$(cat "$directory/name")" = events ] && echo "/dev/${directory##*/}" && return
  done
  return 1
}

# The name comes in a message of the host's, which may not have been read yet.
tries=0
until port=$(find_port); do
  tries=$((tries + 1))
  [ $tries -gt 100 ] && echo 'agent: there is no virtio port named "events"' && exit 1
  sleep 0.1
done

exec 3<>"$port"
echo "agent: answering events on $port"
while IFS= read -r event <&3; do
  printf '%s\n' "$event" | awk -f /etc/upper.awk >&3
done
