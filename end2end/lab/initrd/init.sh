#!/bin/sh
# The first process: stands in for an installer. What it prints is what the lab waits for on the console.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
echo "LAB init $(cat /proc/uptime)"
for module in /modules/*.ko; do insmod "$module"; done

url=
bootif=
for word in $(cat /proc/cmdline); do
  case $word in
    url=* | preseed/url=*) url=${word#*=} ;;
    BOOTIF=*) bootif=${word#*=} ;;
  esac
done

card=
tries=0
while [ -z "$card" ] && [ $tries -lt 50 ]; do
  for path in /sys/class/net/e*; do [ -e "$path" ] && card=${path##*/}; done
  [ -n "$card" ] || sleep 0.1
  tries=$((tries + 1))
done
ip link set lo up
ip link set "$card" up
echo "LAB card $card $(cat "/sys/class/net/$card/address") bootif=$bootif"
udhcpc -i "$card" -s /etc/udhcpc.sh -n -q -t 10 -T 1 -V lab-installer

echo "LAB fetch $url"
if [ -n "$url" ] && wget -q -O /tmp/preseed "$url"; then
  echo "LAB preseed begin"
  cat /tmp/preseed
  echo
  echo "LAB preseed end $(cat /proc/uptime)"
else
  echo "LAB preseed missing"
fi

# Proves that what is typed in the browser arrives here.
while read -r line; do echo "LAB heard <$line>"; done
while :; do sleep 60; done
